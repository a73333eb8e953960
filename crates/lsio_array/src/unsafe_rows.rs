//! Unsafe: copies rows from pointer to pointer, if asked to with streaming stores.
//!
//! A streaming store writes a whole cache line to memory without reading it first and without pushing other
//! lines out of the cache. That is what a result wants that is larger than the cache: nobody looks at its
//! lines again before they would have been pushed out anyway.
#![expect(unsafe_code, reason = "copies between pointers whose bounds the callers checked")]

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stores {
    /// Through the cache.
    Cached,
    /// Past the cache, where the CPU can and the rows are long enough.
    Streaming,
}

/// Rows of one length, at equal distances on each side. All in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows {
    pub(crate) count: usize,
    pub(crate) len: usize,
    pub(crate) source_stride: usize,
    pub(crate) target_stride: usize,
}

/// Rows from this length on, in bytes, hold so many whole cache lines that streaming them pays: with 180
/// bytes it was faster by a fifth (benches/findings.md, uncompressed chunks into the result).
#[cfg(target_arch = "x86_64")]
const LEAST_STREAMED: usize = 128;

impl Rows {
    /// One row.
    pub(crate) fn one(len: usize) -> Self {
        Self { count: 1, len, source_stride: len, target_stride: len }
    }

    /// Copies the rows. Others may see streamed ones only after [`end_of_streaming`].
    ///
    /// # Safety
    /// From `source` on all rows must be readable, from `target` on writable; the two must not overlap, and
    /// no other thread may touch the target's rows meanwhile.
    pub(crate) unsafe fn copy(self, source: *const u8, target: *mut u8, stores: Stores) {
        #[cfg(target_arch = "x86_64")]
        if stores == Stores::Streaming && self.len >= LEAST_STREAMED {
            // SAFETY: passed on from the caller.
            unsafe { x86::stream(self, source, target) };
            return;
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = stores;
        for index in 0..self.count {
            // SAFETY: `index` is below the number of rows.
            unsafe {
                let target = target.add(index * self.target_stride);
                source.add(index * self.source_stride).copy_to_nonoverlapping(target, self.len);
            }
        }
    }
}

/// Orders what this thread has streamed before everything that it writes from now on, such as the news
/// that a result is complete.
pub(crate) fn end_of_streaming() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a fence has no preconditions, and every x86-64 CPU has it.
    unsafe {
        std::arch::x86_64::_mm_sfence();
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_stream_si128};

    use super::Rows;

    /// Bytes of a cache line, and of a register (SSE2, which every x86-64 CPU has).
    const LINE: usize = 64;
    const REGISTER: usize = size_of::<__m128i>();

    /// # Safety
    /// As [`Rows::copy`].
    pub(super) unsafe fn stream(rows: Rows, source: *const u8, target: *mut u8) {
        for index in 0..rows.count {
            // SAFETY: `index` is below the number of rows.
            unsafe {
                let source = source.add(index * rows.source_stride);
                stream_row(source, target.add(index * rows.target_stride), rows.len);
            }
        }
    }

    /// Lines that the row shares with others go through the cache.
    ///
    /// # Safety
    /// As [`Rows::copy`], for `len` bytes.
    #[expect(
        clippy::cast_ptr_alignment,
        reason = "loads need no alignment, and targets are at the start of a line"
    )]
    unsafe fn stream_row(source: *const u8, target: *mut u8, len: usize) {
        let head = target.align_offset(LINE).min(len);
        let lines = (len - head) / LINE;
        let tail = head + lines * LINE;
        // SAFETY: head, lines and tail make up the row; each line's target is aligned to its size.
        unsafe {
            copy_short(source, target, head);
            for line in 0..lines {
                let at = head + line * LINE;
                let from = source.add(at).cast::<__m128i>();
                let to = target.add(at).cast::<__m128i>();
                let registers: [__m128i; LINE / REGISTER] =
                    std::array::from_fn(|part| _mm_loadu_si128(from.add(part)));
                for (part, register) in registers.into_iter().enumerate() {
                    _mm_stream_si128(to.add(part), register);
                }
            }
            copy_short(source.add(tail), target.add(tail), len - tail);
        }
    }

    /// Fewer bytes than a line, in parts of halving size: a call for them would take longer.
    ///
    /// # Safety
    /// As [`Rows::copy`], for `len` bytes.
    unsafe fn copy_short(source: *const u8, target: *mut u8, len: usize) {
        let mut at = 0;
        // SAFETY: the parts that are copied add up to `len`.
        unsafe {
            copy_part::<32>(source, target, len, &mut at);
            copy_part::<16>(source, target, len, &mut at);
            copy_part::<8>(source, target, len, &mut at);
            copy_part::<4>(source, target, len, &mut at);
            copy_part::<2>(source, target, len, &mut at);
            copy_part::<1>(source, target, len, &mut at);
        }
    }

    /// The next `SIZE` bytes, if that is one of the powers of two that make up `len`.
    ///
    /// # Safety
    /// As [`Rows::copy`], for `at + SIZE` bytes.
    unsafe fn copy_part<const SIZE: usize>(
        source: *const u8,
        target: *mut u8,
        len: usize,
        at: &mut usize,
    ) {
        if len & SIZE != 0 {
            // SAFETY: passed on from the caller; a `[u8; SIZE]` has alignment 1.
            unsafe {
                let value = source.add(*at).cast::<[u8; SIZE]>().read();
                target.add(*at).cast::<[u8; SIZE]>().write(value);
            }
            *at += SIZE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streamed_rows_are_the_same_bytes_in_the_same_places() {
        let source: Vec<u8> = (0..4096_u32).map(|at| (at % 251) as u8).collect();
        for len in [0, 1, 63, 64, 255, 256, 257, 300, 511, 720, 1000] {
            for shift in [0, 1, 16, 31, 63] {
                let rows = Rows { count: 3, len, source_stride: len + 7, target_stride: len + 90 };
                let mut targets = [vec![255; 4096], vec![255; 4096]];
                for (target, stores) in targets.iter_mut().zip([Stores::Cached, Stores::Streaming])
                {
                    // SAFETY: three rows of at most 1,000 bytes and what lies between end before 4,096.
                    unsafe { rows.copy(source.as_ptr(), target.as_mut_ptr().add(shift), stores) };
                }
                end_of_streaming();
                assert!(targets[0] == targets[1], "{len} bytes, shifted by {shift}");
                let last = shift + 2 * rows.target_stride;
                let from = 2 * rows.source_stride;
                assert_eq!(targets[1][last..last + len], source[from..from + len]);
                assert!(targets[1][last + len..].iter().all(|&byte| byte == 255));
            }
        }
    }
}
