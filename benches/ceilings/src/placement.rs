//! Where the bytes of a decoded chunk lie in a result in C order, and copying them there.

use std::arch::x86_64::{_mm_sfence, _mm256_loadu_si256, _mm256_stream_si256};
use std::ptr;

use crate::array::{Array, RANK, Shape};
use crate::shared_bytes::SharedBytes;

const LINE: usize = 64;

/// How rows are written to a result.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stores {
    /// Through the cache.
    Cached,
    /// Past the cache, in whole lines; the lines that a row shares with others go through the cache.
    Streaming,
}

/// One chunk's place in the result.
#[derive(Clone, Copy)]
pub(crate) struct Placement {
    result: SharedBytes,
    /// Offset of the chunk's first element.
    start: usize,
    /// Bytes that lie next to each other in the chunk and in the result.
    pub(crate) row: usize,
    /// Rows along the outer axes, and the distance of neighbours in the result.
    counts: [usize; RANK],
    strides: [usize; RANK],
}

impl Placement {
    pub(crate) fn new(array: &Array, origin: Shape, result: SharedBytes) -> Self {
        let mut stride = array.element.size();
        let mut strides = [0; RANK];
        let mut start = 0;
        for axis in (0..RANK).rev() {
            strides[axis] = stride;
            start += origin[axis] * stride;
            stride *= array.shape[axis];
        }
        let mut counts = array.chunk;
        let mut row = array.element.size();
        for axis in (0..RANK).rev() {
            row *= counts[axis];
            let whole = counts[axis] == array.shape[axis];
            counts[axis] = 1;
            if !whole {
                break;
            }
        }
        Self { result, start, row, counts, strides }
    }

    /// Calls `write(address, from, len)` for the rows that bytes `from..to` of the chunk lie in.
    #[inline(always)]
    pub(crate) fn rows(
        &self,
        from: usize,
        to: usize,
        mut write: impl FnMut(*mut u8, usize, usize),
    ) {
        let mut at = crate::array::coordinates(from / self.row, self.counts);
        let mut from = from;
        while from < to {
            let skip = from % self.row;
            let len = (self.row - skip).min(to - from);
            let offset: usize = (0..RANK).map(|axis| at[axis] * self.strides[axis]).sum();
            write(self.result.at(self.start + offset + skip, len), from, len);
            from += len;
            for axis in (0..RANK).rev() {
                at[axis] += 1;
                if at[axis] < self.counts[axis] || axis == 0 {
                    break;
                }
                at[axis] = 0;
            }
        }
    }

    /// Copies decoded bytes that begin at byte `from` of the chunk.
    pub(crate) fn copy(&self, from: usize, decoded: &[u8], stores: Stores) {
        self.rows(from, from + decoded.len(), |target, at, len| {
            let source = decoded[at - from..][..len].as_ptr();
            // SAFETY: `target` is `len` bytes inside the result, which nobody else writes to; the source
            // was sliced to `len`.
            unsafe { copy_row(source, target, len, stores) };
        });
    }
}

/// Makes streaming stores of this thread visible before it says that it is done.
pub(crate) fn end_of_streaming() {
    // SAFETY: a fence has no preconditions.
    unsafe { _mm_sfence() };
}

/// # Safety
/// `len` bytes at `source` are readable, at `target` writable, and they do not overlap.
#[inline(always)]
pub(crate) unsafe fn copy_row(source: *const u8, target: *mut u8, len: usize, stores: Stores) {
    // SAFETY: the caller's promise.
    unsafe {
        match stores {
            Stores::Cached => ptr::copy_nonoverlapping(source, target, len),
            Stores::Streaming => copy_streaming(source, target, len),
        }
    }
}

/// # Safety
/// As for [`copy_row`].
#[inline(always)]
unsafe fn copy_streaming(mut source: *const u8, mut target: *mut u8, mut len: usize) {
    // SAFETY: all accesses stay inside the `len` bytes; streaming stores go to whole aligned lines.
    unsafe {
        let head = target.align_offset(LINE).min(len);
        copy_short(source, target, head);
        source = source.add(head);
        target = target.add(head);
        len -= head;
        while len >= LINE {
            let first = _mm256_loadu_si256(source.cast());
            let second = _mm256_loadu_si256(source.add(32).cast());
            _mm256_stream_si256(target.cast(), first);
            _mm256_stream_si256(target.add(32).cast(), second);
            source = source.add(LINE);
            target = target.add(LINE);
            len -= LINE;
        }
        copy_short(source, target, len);
    }
}

/// Fewer than 64 bytes, without a call.
///
/// # Safety
/// As for [`copy_row`].
#[inline(always)]
unsafe fn copy_short(mut source: *const u8, mut target: *mut u8, len: usize) {
    macro_rules! step {
        ($part:ty) => {
            let part = size_of::<$part>();
            if len & part != 0 {
                // SAFETY: the parts add up to `len`.
                unsafe {
                    let value = source.cast::<$part>().read_unaligned();
                    target.cast::<$part>().write_unaligned(value);
                    source = source.add(part);
                    target = target.add(part);
                }
            }
        };
    }
    step!([u128; 2]);
    step!(u128);
    step!(u64);
    step!(u32);
    step!(u16);
    if len & 1 != 0 {
        // SAFETY: as above.
        unsafe { target.write(source.read()) };
    }
}
