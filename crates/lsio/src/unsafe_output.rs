//! Buffers that one run writes to.
#![expect(unsafe_code, reason = "the run's plan guarantees what the buffer's constructor asks for")]

use lsio_array::OutputBuffer;
use lsio_io::Lease;

/// A buffer for a run whose placements come from one plan over regions of the buffer that do not
/// overlap. Every reader of this crate builds its plans so.
pub(crate) fn for_plan(lease: Lease) -> OutputBuffer {
    // SAFETY: the placements of a selection never overlap, those of different selections go to
    // different regions, and the run hands the buffer out only when all its tasks have ended.
    unsafe { OutputBuffer::from_lease(lease) }
}
