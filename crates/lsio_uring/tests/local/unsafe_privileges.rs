//! Running a test as somebody who may not read everything.
#![expect(unsafe_code, reason = "raw system calls that change one thread's user")]

/// A user without rights, "nobody" on most systems.
const NOBODY: libc::c_long = 65_534;

/// Runs `work` on a thread whose user is not root.
pub(crate) fn without_privileges(work: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            // SAFETY: geteuid(2) only answers.
            if unsafe { libc::geteuid() } == 0 {
                // SAFETY: the raw call changes the calling thread only (the wrapper of libc would
                // change all), passes no memory, and this thread ends after `work`.
                let result = unsafe { libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY) };
                assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
            }
            work();
        });
        thread.join().unwrap();
    });
}

/// Runs `work` on a thread to which `io_uring_setup` answers `errno`, as in many containers.
pub(crate) fn without_io_uring(errno: i32, work: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            forbid_io_uring(errno);
            work();
        });
        thread.join().unwrap();
    });
}

/// Installs a filter (seccomp(2)) for the calling thread and those that it starts.
fn forbid_io_uring(errno: i32) {
    let step = |code: u32, jump_if_not: u8, value: u32| libc::sock_filter {
        code: u16::try_from(code).unwrap(),
        jt: 0,
        jf: jump_if_not,
        k: value,
    };
    let setup = u32::try_from(libc::SYS_io_uring_setup).unwrap();
    let refuse = libc::SECCOMP_RET_ERRNO | errno.cast_unsigned();
    let mut steps = [
        // The number of the system call is the first word of `seccomp_data`.
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, setup),
        step(libc::BPF_RET | libc::BPF_K, 0, refuse),
        step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: 4, filter: steps.as_mut_ptr() };
    // SAFETY: no memory is passed; only the calling thread and its children are concerned.
    let result = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    // SAFETY: `program` describes `steps`; both outlive the call, which copies them.
    let result =
        unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}
