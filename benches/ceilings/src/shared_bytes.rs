//! A result that several threads fill.

use std::ptr::NonNull;

/// The address of a result that several threads fill.
#[derive(Clone, Copy)]
pub(crate) struct SharedBytes {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: chunks of one array never overlap, so writes from several threads are disjoint.
unsafe impl Sync for SharedBytes {}
// SAFETY: as above.
unsafe impl Send for SharedBytes {}

impl SharedBytes {
    /// For threads that write disjoint parts of `bytes`.
    pub(crate) fn new(bytes: &mut [u8]) -> Self {
        Self { start: NonNull::from(&mut *bytes).cast(), len: bytes.len() }
    }

    /// The address of `len` bytes at `offset`, checked to lie inside.
    pub(crate) fn at(&self, offset: usize, len: usize) -> *mut u8 {
        assert!(offset <= self.len && len <= self.len - offset, "outside of the result");
        // SAFETY: in bounds by the check above.
        unsafe { self.start.as_ptr().add(offset) }
    }
}
