//! System calls that the standard library does not offer, each behind a safe function.
#![expect(unsafe_code, reason = "raw system calls")]

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What `STATX_DIOALIGN` says about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DirectSupport {
    /// Alignments in bytes of the buffer's address, and of offset and length.
    Aligned { memory: u32, offset: u32 },
    /// The file cannot be read with `O_DIRECT`.
    Unsupported,
    /// Neither kernel nor file system say (before Linux 6.1, or a file system without the answer).
    Unknown,
}

/// Reads what is in the page cache from `offset` on into `buffer`, without waiting.
///
/// # Errors
/// `WouldBlock` if the first byte is not in the page cache, `EOPNOTSUPP` where the file system cannot
/// answer.
pub(crate) fn read_resident(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let offset = libc::off_t::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
    let part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: the one part is the buffer, which is borrowed mutably for the whole call; the descriptor is
    // open because `file` is borrowed.
    let read =
        unsafe { libc::preadv2(file.as_raw_fd(), &raw const part, 1, offset, libc::RWF_NOWAIT) };
    usize::try_from(read).map_err(|_| io::Error::last_os_error())
}

/// Asks the kernel to start reading `len` bytes from `offset` on into the page cache.
///
/// # Errors
/// What readahead(2) says; nothing is lost then.
pub(crate) fn read_ahead(file: &File, offset: u64, len: usize) -> io::Result<()> {
    let offset = libc::off64_t::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: no memory is passed; the descriptor is open because `file` is borrowed.
    let result = unsafe { libc::readahead(file.as_raw_fd(), offset, len) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// What direct I/O on `file` needs.
pub(crate) fn direct_support(file: &File) -> DirectSupport {
    let mut answer = MaybeUninit::<libc::statx>::zeroed();
    // SAFETY: the path is a NUL-terminated empty string, `answer` is writable and of the right type,
    // the descriptor is open because `file` is borrowed.
    let result = unsafe {
        libc::statx(
            file.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            libc::STATX_DIOALIGN,
            answer.as_mut_ptr(),
        )
    };
    // SAFETY: `statx` is plain integers, for which zeros are a value, and was zeroed above.
    let answer = unsafe { answer.assume_init() };
    if result != 0 || answer.stx_mask & libc::STATX_DIOALIGN == 0 {
        return DirectSupport::Unknown;
    }
    match (answer.stx_dio_mem_align, answer.stx_dio_offset_align) {
        (_, 0) => DirectSupport::Unsupported,
        (memory, offset) => DirectSupport::Aligned { memory: memory.max(1), offset },
    }
}

/// Makes later operations on `file`'s open description block where they would have answered EAGAIN.
///
/// # Errors
/// What fcntl(2) says.
pub(crate) fn clear_nonblocking(file: &File) -> io::Result<()> {
    // SAFETY: no memory is passed; the descriptor is open because `file` is borrowed.
    let flags = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFL) };
    if flags < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as above.
    let result = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, flags & !libc::O_NONBLOCK) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A counter of the kernel (eventfd): writing eight bytes adds to it, and whoever reads it waits until
/// it is not zero.
///
/// # Errors
/// What eventfd(2) says.
pub(crate) fn event_file() -> io::Result<File> {
    // SAFETY: no memory is passed.
    let descriptor = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor for us; nobody else owns it.
    Ok(File::from(unsafe { OwnedFd::from_raw_fd(descriptor) }))
}

/// Paths shorter than this, in bytes, are handed to the kernel without an allocation.
const SHORT_PATH: usize = 256;

/// Opens `path` for reading if that needs no waiting for a device (`RESOLVE_CACHED`).
///
/// # Errors
/// `WouldBlock` if a name on the way is not in the kernel's cache; ENOSYS before Linux 5.12.
pub(crate) fn open_cached(path: &Path) -> io::Result<File> {
    let bytes = path.as_os_str().as_bytes();
    let mut short = [0; SHORT_PATH];
    let long;
    let path = if let Some(room) = short[..SHORT_PATH - 1].get_mut(..bytes.len()) {
        room.copy_from_slice(bytes);
        CStr::from_bytes_until_nul(&short).map_err(|_| io::ErrorKind::InvalidInput)?
    } else {
        long = CString::new(bytes)?;
        long.as_c_str()
    };
    if path.count_bytes() != bytes.len() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: `open_how` is plain integers, for which zeros are a value (and the default).
    let mut how: libc::open_how = unsafe { MaybeUninit::zeroed().assume_init() };
    how.flags = (libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY) as u64;
    how.resolve = libc::RESOLVE_CACHED;
    // SAFETY: the path is NUL-terminated and outlives the call, `how` is of the size that is passed.
    let descriptor = unsafe {
        libc::syscall(
            libc::SYS_openat2,
            libc::AT_FDCWD,
            path.as_ptr(),
            &raw const how,
            size_of::<libc::open_how>(),
        )
    };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor for us; nobody else owns it.
    Ok(File::from(unsafe { OwnedFd::from_raw_fd(descriptor as i32) }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn resident_bytes_are_read_without_waiting() {
        let path = std::env::temp_dir().join(format!("lsio-syscalls-{}", std::process::id()));
        std::fs::write(&path, b"0123456789").unwrap();
        let file = open_cached(&path).unwrap();
        clear_nonblocking(&file).unwrap();
        let mut buffer = [0; 4];
        // A file system that cannot tell answers EOPNOTSUPP; anything else is a fault.
        match read_resident(&file, &mut buffer, 3) {
            Ok(4) => assert_eq!(&buffer, b"3456"),
            Ok(other) => panic!("{other} bytes"),
            Err(error) => assert_eq!(error.raw_os_error(), Some(libc::EOPNOTSUPP)),
        }
        read_ahead(&file, 0, 10).unwrap();
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn paths_of_any_length_are_opened_and_a_zero_byte_is_refused() {
        let folder = std::env::temp_dir().join(format!("lsio-paths-{}", std::process::id()));
        for len in [1, 200, SHORT_PATH] {
            let folder = folder.join("d".repeat(len.min(100))).join("e".repeat(len.min(100)));
            std::fs::create_dir_all(&folder).unwrap();
            let path = folder.join("f".repeat(len.min(200)));
            std::fs::write(&path, b"x").unwrap();
            assert_eq!(open_cached(&path).unwrap().metadata().unwrap().len(), 1);
        }
        for len in [10, SHORT_PATH] {
            let path = folder.join(format!("a\0{}", "b".repeat(len)));
            assert_eq!(open_cached(&path).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
