//! Memory whose pages the host has been made to back.

use std::io;
use std::ptr;

/// The smallest page there is.
const PAGE: usize = 4096;

pub struct Memory {
    start: *mut libc::c_void,
    len: usize,
}

impl Memory {
    /// Memory of which each page was written once. On huge pages, where the kernel has them: that is
    /// the fastest way to get it backed.
    pub fn touched(len: usize) -> io::Result<Self> {
        // SAFETY: a new private mapping touches nothing that exists.
        let start = unsafe {
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            libc::mmap(ptr::null_mut(), len, protection, flags, -1, 0)
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the range is the mapping; the call is advice only.
        unsafe { libc::madvise(start, len, libc::MADV_HUGEPAGE) };
        for offset in (0..len).step_by(PAGE) {
            // SAFETY: `offset` is inside the mapping, which is writable.
            unsafe { start.cast::<u8>().add(offset).write_volatile(1) };
        }
        Ok(Self { start, len })
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: mapped by `touched`, and nothing refers to it any more.
        unsafe { libc::munmap(self.start, self.len) };
    }
}
