//! Memory on huge pages, touched before anything is measured.

use std::ptr::NonNull;
use std::slice;

use crate::Failure;

const HUGE: usize = 2 << 20;

pub struct HugePages {
    start: NonNull<u8>,
    len: usize,
    mapped: (NonNull<u8>, usize),
}

impl HugePages {
    pub fn new(len: usize) -> Result<Self, Failure> {
        let size = len.next_multiple_of(HUGE) + HUGE;
        // SAFETY: a new private mapping touches nothing that exists.
        let address = unsafe {
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            libc::mmap(std::ptr::null_mut(), size, protection, flags, -1, 0)
        };
        if address == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error().into());
        }
        let mapped = NonNull::new(address.cast::<u8>()).ok_or("mapped at address zero")?;
        let skip = mapped.as_ptr().align_offset(HUGE);
        // SAFETY: the mapping has a huge page more than `len`, so `skip` stays inside.
        let start = unsafe { mapped.add(skip) };
        // SAFETY: the range lies inside the mapping; the call is advice only.
        unsafe { libc::madvise(start.as_ptr().cast(), len, libc::MADV_HUGEPAGE) };
        let mut pages = Self { start, len, mapped: (mapped, size) };
        pages.bytes().fill(0);
        Ok(pages)
    }

    pub fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the mapping is ours alone and initialised by the kernel.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }

    /// For threads that write disjoint parts.
    pub fn shared(&mut self) -> SharedBytes {
        SharedBytes { start: self.start, len: self.len }
    }
}

impl Drop for HugePages {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`, and nothing borrows it any more.
        unsafe { libc::munmap(self.mapped.0.as_ptr().cast(), self.mapped.1) };
    }
}

pub struct SharedBytes {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: chunks of one array never overlap, so writes from several threads are disjoint.
unsafe impl Sync for SharedBytes {}

impl SharedBytes {
    pub fn write(&self, offset: usize, bytes: &[u8]) {
        assert!(offset + bytes.len() <= self.len);
        // SAFETY: in bounds by the check above.
        unsafe {
            self.start
                .add(offset)
                .copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len())
        };
    }
}
