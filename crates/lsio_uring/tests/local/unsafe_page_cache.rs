//! Dropping a file from the page cache.
#![expect(unsafe_code, reason = "a raw system call")]

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;

/// Asks the kernel to forget `len` bytes of the file at `path` from `offset` on. It may keep them.
pub(crate) fn forget(path: &Path, offset: u64, len: u64) {
    let file = File::open(path).unwrap();
    file.sync_all().unwrap();
    let (offset, len) = (offset.cast_signed(), len.cast_signed());
    // SAFETY: no memory is passed; the descriptor is open.
    let result =
        unsafe { libc::posix_fadvise(file.as_raw_fd(), offset, len, libc::POSIX_FADV_DONTNEED) };
    assert_eq!(result, 0);
}
