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
