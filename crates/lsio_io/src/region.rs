//! Unsafe: address space from the kernel, cut into slots that each have one owner.
#![expect(unsafe_code, reason = "maps memory and hands out slices of it")]

use std::ffi::c_void;
use std::io;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Arc;

use crate::size_class::{HUGE_PAGE, PAGE, region_size};

/// Address space from `mmap`, aligned to a huge page. Unmapped when its last slot is gone.
#[derive(Debug)]
struct Region {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: a mapping belongs to the process, not to a thread, and `Region` itself never reads or
// writes it.
unsafe impl Send for Region {}
// SAFETY: as above; a shared `Region` only tells its address.
unsafe impl Sync for Region {}

impl Region {
    /// Maps `len` bytes (a multiple of a huge page), readable and writable, zero, not yet backed.
    fn map(len: usize) -> io::Result<Self> {
        let huge = HUGE_PAGE as usize;
        // One huge page more than needed, so that an aligned stretch lies inside.
        let padded = len.checked_add(huge).ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: an anonymous private mapping at an address of the kernel's choice touches no
        // memory that exists.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                padded,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = start.cast::<u8>();
        let head = start.align_offset(huge);
        unmap(start, head);
        let aligned = start.wrapping_add(head);
        unmap(aligned.wrapping_add(len), padded - head - len);
        let base = NonNull::new(aligned).ok_or(io::ErrorKind::OutOfMemory)?;
        let region = Self { base, len };
        region.advise_kernel();
        Ok(region)
    }

    /// Asks for huge pages, and keeps the region out of forked children: with `O_DIRECT` in flight a
    /// fork could otherwise leave the data in the child's copy of a page (open(2), NOTES). Both are
    /// wishes: a kernel without one of them serves the memory all the same.
    #[cfg(target_os = "linux")]
    fn advise_kernel(&self) {
        for advice in [libc::MADV_HUGEPAGE, libc::MADV_DONTFORK] {
            // SAFETY: the range is exactly this mapping; neither advice changes its content.
            unsafe { libc::madvise(self.base.as_ptr().cast::<c_void>(), self.len, advice) };
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn advise_kernel(&self) {}
}

impl Drop for Region {
    fn drop(&mut self) {
        unmap(self.base.as_ptr(), self.len);
    }
}

/// Unmaps `len` bytes that this module mapped and nothing refers to any more.
fn unmap(start: *mut u8, len: usize) {
    if len == 0 {
        return;
    }
    // SAFETY: called by `Region` only, for stretches of its own mapping: the padding around the
    // aligned part, which was never handed out, and the whole region once its last slot is dropped.
    let status = unsafe { libc::munmap(start.cast::<c_void>(), len) };
    debug_assert_eq!(status, 0, "munmap of a mapping of our own cannot fail");
}

/// A stretch of a region with exactly one owner. Its bytes are arbitrary.
#[derive(Debug)]
pub(crate) struct Slot {
    region: Arc<Region>,
    offset: usize,
    len: usize,
    /// Names the region in the pool's books.
    pub(crate) region_id: u64,
}

impl Slot {
    /// Maps one region for `class` and cuts it into slots, lowest address first.
    ///
    /// # Errors
    /// The kernel's, if it has no such memory.
    pub(crate) fn map_region(class: u64, region_id: u64) -> io::Result<Vec<Self>> {
        let len = region_size(class) as usize;
        let region = Arc::new(Region::map(len)?);
        let slot = class as usize;
        // The slots are disjoint and lie inside the region: this is where `Slot`'s exclusive
        // ownership comes from.
        Ok((0..len / slot)
            .map(|i| Self { region: Arc::clone(&region), offset: i * slot, len: slot, region_id })
            .collect())
    }

    /// Distance from the start of the region, in bytes.
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    fn start(&self) -> *mut u8 {
        self.region.base.as_ptr().wrapping_add(self.offset)
    }

    /// Writes to the byte at `at` of the region, which must lie in this slot, so that the kernel
    /// backs the page around it.
    pub(crate) fn touch(&mut self, at: usize) {
        if let Some(byte) = at.checked_sub(self.offset).and_then(|at| self.get_mut(at)) {
            // SAFETY: `byte` is a valid exclusive reference. The write is volatile so that it
            // happens here and not where the compiler likes it better.
            unsafe { ptr::write_volatile(byte, 0) };
        }
    }

    /// Gives the memory behind this slot back to the kernel; the addresses stay and read as zero.
    #[cfg(target_os = "linux")]
    pub(crate) fn discard(&mut self) {
        // SAFETY: the range is page-aligned (classes are multiples of a page), mapped for as long as
        // `self.region` lives, and exclusively owned through `&mut self`. Its content becomes zero,
        // which is as good as any other for bytes.
        unsafe { libc::madvise(self.start().cast::<c_void>(), self.len, libc::MADV_DONTNEED) };
    }

    /// Other kernels may keep the memory until the whole region is unmapped.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn discard(&mut self) {}
}

impl Deref for Slot {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the range is mapped readable for as long as `self.region` lives, and disjoint from
        // every other slot. Anonymous pages are zero before the first write, so all of it is
        // initialised. Writes need `&mut self`.
        unsafe { slice::from_raw_parts(self.start(), self.len) }
    }
}

impl DerefMut for Slot {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `deref`, and `&mut self` is the only way to this range.
        unsafe { slice::from_raw_parts_mut(self.start(), self.len) }
    }
}

/// No bytes, but at an address that is aligned like any slot: the content of an empty buffer may be
/// taken for elements of any type.
pub(crate) fn no_bytes() -> &'static mut [u8] {
    // SAFETY: a slice of no bytes needs an address that is not null and aligned, and no memory.
    unsafe { slice::from_raw_parts_mut(ptr::without_provenance_mut(PAGE as usize), 0) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn slots_are_disjoint_aligned_and_survive_their_siblings() {
        let mut slots = Slot::map_region(12 << 10, 1).unwrap();
        assert_eq!(slots.len(), 512);
        for (i, slot) in slots.iter_mut().enumerate() {
            assert_eq!(slot.len(), 12 << 10);
            assert_eq!(slot.as_ptr().align_offset(4096), 0);
            slot.fill(i as u8);
        }
        let survivor = slots.swap_remove(300);
        drop(slots);
        assert!(survivor.iter().all(|&byte| byte == 300_usize as u8));
    }

    #[test]
    fn regions_are_aligned_to_huge_pages() {
        for class in [4096, 1 << 20, 6 << 20] {
            let slots = Slot::map_region(class, 1).unwrap();
            assert_eq!(slots[0].as_ptr().align_offset(HUGE_PAGE as usize), 0);
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_discarded_slot_reads_as_zero_and_its_neighbours_stay() {
        let mut slots = Slot::map_region(8192, 1).unwrap();
        slots[0].fill(1);
        slots[1].fill(2);
        slots[2].fill(3);
        slots[1].discard();
        assert!(slots[0].iter().all(|&byte| byte == 1));
        assert!(slots[1].iter().all(|&byte| byte == 0));
        assert!(slots[2].iter().all(|&byte| byte == 3));
    }

    #[test]
    fn memory_that_no_machine_has_is_refused() {
        assert!(Slot::map_region(1 << 60, 1).is_err());
        assert!(Slot::map_region(u64::MAX, 1).is_err());
    }
}
