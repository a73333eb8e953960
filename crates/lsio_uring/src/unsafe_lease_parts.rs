//! A leased buffer cut into consecutive parts that the kernel may fill at the same time.
//!
//! Who owns the bytes: every part holds the whole buffer alive. While the ring reads into a part, the
//! part itself is owned by `unsafe_kernel_queue`, which gives it back with the completion; so the
//! buffer cannot be freed or leased again before the kernel has let go of it.
#![expect(unsafe_code, reason = "disjoint mutable parts of one buffer, handed to the kernel")]

use std::sync::Arc;

use lsio_io::Lease;

/// The buffer that parts were cut from.
#[derive(Debug)]
struct Whole {
    lease: Lease,
}

const fn assert_send<T: Send>() {}
const _: () = assert_send::<Lease>();

// SAFETY: the lease can be sent (asserted above), and a shared `Whole` gives no access to it: it is
// only taken out by the last owner or dropped.
unsafe impl Sync for Whole {}

/// One part of a leased buffer, filled from its start.
#[derive(Debug)]
pub(crate) struct LeasePart {
    whole: Arc<Whole>,
    start: *mut u8,
    len: usize,
    filled: usize,
}

// SAFETY: `start` points into the buffer that `whole` keeps alive; no other part covers the same bytes
// (see `cut`), so whoever holds the part is the only one to touch them, on whichever thread.
unsafe impl Send for LeasePart {}

/// Cuts `lease` into consecutive parts of the lengths `lens`, as far as the buffer reaches. A lease of
/// which nothing is cut off is given back.
pub(crate) fn cut(
    mut lease: Lease,
    lens: impl Iterator<Item = usize>,
) -> Result<Vec<LeasePart>, Lease> {
    let mut starts: Vec<(*mut u8, usize)> = Vec::new();
    let mut rest: &mut [u8] = &mut lease;
    for len in lens {
        let Some((part, behind)) = std::mem::take(&mut rest).split_at_mut_checked(len) else {
            break;
        };
        starts.push((part.as_mut_ptr(), len));
        rest = behind;
    }
    if starts.is_empty() {
        return Err(lease);
    }
    let whole = Arc::new(Whole { lease });
    Ok(starts
        .into_iter()
        .map(|(start, len)| LeasePart { whole: Arc::clone(&whole), start, len, filled: 0 })
        .collect())
}

impl LeasePart {
    /// Bytes that the part holds in all.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Bytes from the start of the part that are filled.
    pub(crate) fn filled(&self) -> usize {
        self.filled
    }

    /// Notes that `bytes` more bytes were filled, as the last read said.
    pub(crate) fn advance(&mut self, bytes: usize) {
        self.filled = self.filled.saturating_add(bytes).min(self.len);
    }

    /// The bytes that are not filled yet.
    pub(crate) fn unfilled(&mut self) -> &mut [u8] {
        // SAFETY: the range lies inside this part (`filled <= len`), which `whole` keeps alive, holds
        // bytes that were initialised when they were a lease, and belongs to nobody else.
        unsafe {
            std::slice::from_raw_parts_mut(self.start.add(self.filled), self.len - self.filled)
        }
    }

    /// Whether the part's first byte is aligned to `alignment` bytes.
    pub(crate) fn is_aligned_to(&self, alignment: usize) -> bool {
        self.start.addr().is_multiple_of(alignment.max(1))
    }

    /// Ends the use of this part. The last part of a buffer gives the buffer back.
    pub(crate) fn finish(self) -> Option<Lease> {
        Arc::into_inner(self.whole).map(|whole| whole.lease)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use lsio_io::Memory;

    use super::*;

    #[test]
    fn parts_are_disjoint_and_the_last_one_gives_the_buffer_back() {
        let memory = Memory::new(1 << 20);
        let mut reservation = memory.reserve(1, lsio_io::class_size(10_000)).unwrap();
        let lease = reservation.lease(10_000).unwrap();
        let mut parts = cut(lease, [4096, 4096, 1808].into_iter()).unwrap();
        assert_eq!(parts.iter().map(LeasePart::len).collect::<Vec<_>>(), [4096, 4096, 1808]);
        std::thread::scope(|scope| {
            for (number, part) in parts.iter_mut().enumerate() {
                scope.spawn(move || {
                    part.unfilled().fill(number as u8);
                    part.advance(1000);
                    part.unfilled().fill(number as u8 + 10);
                });
            }
        });
        let mut lease = None;
        for part in parts {
            assert!(lease.is_none());
            lease = part.finish();
        }
        let lease = lease.unwrap();
        for (number, part) in lease.chunks(4096).enumerate() {
            assert!(part[..1000].iter().all(|&byte| byte == number as u8));
            assert!(part[1000..].iter().all(|&byte| byte == number as u8 + 10));
        }
    }
}
