//! Why a run ended without its result.

use lsio_array::ChunkError;

/// A run that did not finish.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RunError {
    /// One chunk could not be read; the whole run ends.
    #[error(transparent)]
    Chunk(#[from] ChunkError),
    /// The run was cancelled.
    #[error("the run was cancelled")]
    Cancelled,
    /// A single task needs more memory than it may ever get.
    #[error(
        "one chunk of '{array}' needs {needed} bytes of memory ({encoded} encoded, {decoded} decoded \
         and scratch), {limit} are allowed"
    )]
    Budget {
        /// Name of the array.
        array: String,
        /// Bytes that one task needs.
        needed: u64,
        /// Of these, for encoded bytes.
        encoded: u64,
        /// Of these, for decoded elements and scratch memory.
        decoded: u64,
        /// Bytes that one task may have.
        limit: u64,
    },
    /// The system has no memory left.
    #[error("the system has no memory for {bytes} bytes")]
    OutOfMemory {
        /// Bytes asked for.
        bytes: u64,
    },
}
