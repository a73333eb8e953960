//! Memory that many threads fill at once, each its own elements.
#![expect(unsafe_code, reason = "threads write disjoint regions of one buffer without a lock")]

use std::any::Any;
use std::fmt;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use lsio_io::Lease;

use crate::StridedCopy;
use crate::unsafe_rows::Stores;

/// Buffers from this size on, in bytes, are written past the cache: of smaller ones, whoever looks at the
/// result next finds most of it in the last-level cache (8 to 32 MiB on common CPUs).
const LEAST_STREAMED: usize = 8 << 20;

/// The destination of a request: written by several workers, read by nobody until all have finished.
pub struct OutputBuffer {
    start: NonNull<u8>,
    /// 0 once the owner has gone.
    len: AtomicUsize,
    leased: bool,
    owner: Mutex<Option<Owner>>,
}

enum Owner {
    Pool(Lease),
    Foreign(Box<dyn Any + Send>),
}

// SAFETY: the constructors' callers promise that concurrent writes never overlap and that nobody
// reads before all writers have finished; the owner keeps the memory alive and is itself Send.
unsafe impl Send for OutputBuffer {}
// SAFETY: as above; the owner is behind a lock.
unsafe impl Sync for OutputBuffer {}

impl fmt::Debug for OutputBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutputBuffer").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl OutputBuffer {
    /// A leased buffer.
    ///
    /// # Safety
    /// All copies, fills and regions taken of this buffer while more than one thread can see it must
    /// be disjoint, as the placements of one [`crate::TaskPlan`] are.
    #[must_use]
    pub unsafe fn from_lease(mut lease: Lease) -> Self {
        let len = lease.len();
        let start = NonNull::from(&mut *lease).cast();
        Self::new(start, len, Owner::Pool(lease))
    }

    /// Memory that somebody else owns.
    ///
    /// # Safety
    /// `start..start + len` must be initialised, writable and alive as long as `owner` is; and as for
    /// [`OutputBuffer::from_lease`].
    #[must_use]
    pub unsafe fn from_foreign(start: NonNull<u8>, len: usize, owner: Box<dyn Any + Send>) -> Self {
        Self::new(start, len, Owner::Foreign(owner))
    }

    fn new(start: NonNull<u8>, len: usize, owner: Owner) -> Self {
        let leased = matches!(owner, Owner::Pool(_));
        Self { start, len: AtomicUsize::new(len), leased, owner: Mutex::new(Some(owner)) }
    }

    /// Length in bytes; 0 once the buffer was taken.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The buffer back, now that all writers have finished; nothing can be written any more. `None`
    /// for memory that somebody else owns (its owner is dropped), and at the second call.
    #[must_use]
    pub fn take(&self) -> Option<Lease> {
        self.len.store(0, Ordering::Release);
        let owner = self.owner.lock().unwrap_or_else(PoisonError::into_inner).take();
        match owner {
            Some(Owner::Pool(lease)) => Some(lease),
            Some(Owner::Foreign(owner)) => {
                drop(owner);
                None
            }
            None => None,
        }
    }

    /// Whether it is memory of the engine, which nobody else can write to.
    #[must_use]
    pub fn is_leased(&self) -> bool {
        self.leased
    }

    /// `len` bytes from `offset` that the caller has written and that nobody writes while it looks at
    /// them; `None` if out of bounds or in memory that somebody else owns.
    #[must_use]
    pub fn written(&self, offset: usize, len: usize) -> Option<&[u8]> {
        self.region(offset, len).filter(|_| self.leased).map(|region| &*region)
    }

    /// `len` bytes from `offset`, to be written by the caller alone; `None` if out of bounds.
    #[must_use]
    #[expect(clippy::mut_from_ref, reason = "regions are disjoint by the constructors' contract")]
    pub fn region(&self, offset: usize, len: usize) -> Option<&mut [u8]> {
        if offset.checked_add(len)? > self.len() {
            return None;
        }
        // SAFETY: in bounds by the check above; exclusive by the constructors' contract.
        Some(unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr().add(offset), len) })
    }

    /// Copies elements of `source` as `copy` says, to targets `shift` bytes further on. `false`, and
    /// nothing is written, if either side is too short for it.
    #[must_use]
    pub fn copy_from(&self, source: &[u8], copy: &StridedCopy, shift: usize) -> bool {
        let fits = copy.source_end() <= source.len() && self.has_room(copy, shift);
        if fits && copy.target_end() > 0 {
            // SAFETY: both ends were checked; the target elements are the caller's alone.
            unsafe { copy.run(source.as_ptr(), self.start.as_ptr().add(shift), self.stores()) };
        }
        fits
    }

    /// Copies `part`, which is the source of `copy` from byte `from` on, to targets `shift` bytes further
    /// on. `false`, and nothing is written, if the copy does not take every byte of its source in order,
    /// or either side is too short for it.
    #[must_use]
    pub fn copy_part(&self, part: &[u8], from: usize, copy: &StridedCopy, shift: usize) -> bool {
        let dense = copy.dense().filter(|dense| dense.has(from, part.len()));
        let Some(dense) = dense.filter(|_| self.has_room(copy, shift)) else { return false };
        // SAFETY: both ends were checked; the target elements are the caller's alone.
        unsafe { dense.copy_part(part, from, self.start.as_ptr().add(shift), self.stores()) };
        true
    }

    /// How this buffer is written.
    fn stores(&self) -> Stores {
        if self.len() < LEAST_STREAMED { Stores::Cached } else { Stores::Streaming }
    }

    /// Writes `element` to every target element of `copy`, `shift` bytes further on. `false`, and
    /// nothing is written, if this buffer is too short or `element` has another size.
    #[must_use]
    pub fn fill(&self, element: &[u8], copy: &StridedCopy, shift: usize) -> bool {
        let fits = element.len() == copy.element_size() && self.has_room(copy, shift);
        if fits && copy.target_end() > 0 {
            let repeated = copy.broadcast();
            // SAFETY: the target was checked; with all source strides zero only `element` is read.
            unsafe {
                repeated.run(element.as_ptr(), self.start.as_ptr().add(shift), Stores::Cached);
            }
        }
        fits
    }

    /// Whether all targets of `copy`, `shift` bytes further on, are inside. Nothing always is.
    fn has_room(&self, copy: &StridedCopy, shift: usize) -> bool {
        let end = copy.target_end();
        end == 0 || end.checked_add(shift).is_some_and(|end| end <= self.len())
    }
}
