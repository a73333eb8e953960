//! Memory on huge pages, given out without touching it: the first write pays for a page.

use std::ptr::NonNull;
use std::slice;

use crate::Failure;

const HUGE: usize = 2 << 20;

pub(crate) struct HugePages {
    start: NonNull<u8>,
    len: usize,
    mapped: (NonNull<u8>, usize),
}

// SAFETY: the mapping belongs to this value alone, like the memory of a Vec.
unsafe impl Send for HugePages {}
// SAFETY: as above; a shared reference only reads.
unsafe impl Sync for HugePages {}

impl HugePages {
    /// What a round before has left, or new pages: the first round pays for them.
    pub(crate) fn kept_or_new(kept: Option<Self>, len: usize) -> Result<Self, Failure> {
        kept.map_or_else(|| Self::new(len), Ok)
    }

    pub(crate) fn new(len: usize) -> Result<Self, Failure> {
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
        unsafe {
            let advised = len.next_multiple_of(HUGE);
            libc::madvise(start.as_ptr().cast(), advised, libc::MADV_HUGEPAGE);
        }
        Ok(Self { start, len, mapped: (mapped, size) })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: inside the mapping, which the kernel initialises.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and `self` is borrowed alone.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl Drop for HugePages {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`, and nothing borrows it any more.
        unsafe { libc::munmap(self.mapped.0.as_ptr().cast(), self.mapped.1) };
    }
}
