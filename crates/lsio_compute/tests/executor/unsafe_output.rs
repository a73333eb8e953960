//! Buffers that one run of a test writes to.
#![expect(unsafe_code, reason = "the plans of these tests place every element once")]

use std::ptr::NonNull;

use lsio_array::OutputBuffer;
use lsio_io::Lease;

/// A buffer for a run over one selection.
pub(crate) fn leased(lease: Lease) -> OutputBuffer {
    // SAFETY: the placements of one selection never overlap.
    unsafe { OutputBuffer::from_lease(lease) }
}

/// Memory outside of the engine, for a run over one selection.
pub(crate) fn foreign(mut bytes: Box<[u8]>) -> OutputBuffer {
    let (start, len) = (NonNull::from(&mut *bytes).cast(), bytes.len());
    // SAFETY: the box keeps the bytes alive and initialised; placements never overlap.
    unsafe { OutputBuffer::from_foreign(start, len, Box::new(bytes)) }
}
