//! A chunk on its way to an operation, piece by piece: it never lies decoded in one place.

use lsio_array::{ChunkErrorKind, Task};

use crate::operation::{Operation, Sources};

/// Hands the pieces of one chunk to an operation.
pub(crate) struct PieceCopy<'a> {
    operation: &'a dyn Operation,
    task: &'a Task,
    sources: &'a Sources,
    /// Bytes of the chunk that have come.
    taken: usize,
    /// Whether a piece did not fit.
    refused: bool,
}

impl<'a> PieceCopy<'a> {
    /// The only input of `task`, of which the operation takes pieces.
    pub(crate) fn new(operation: &'a dyn Operation, task: &'a Task, sources: &'a Sources) -> Self {
        Self { operation, task, sources, taken: 0, refused: false }
    }

    /// Hands on the next bytes of the chunk.
    pub(crate) fn take(&mut self, piece: &[u8]) {
        let Self { task, sources, taken, .. } = *self;
        self.refused |= !self.operation.take_piece(task, sources, taken, piece);
        self.taken += piece.len();
    }

    /// Whether those were all bytes of a chunk of `expected` bytes.
    pub(crate) fn finish(self, expected: u64) -> Result<(), ChunkErrorKind> {
        let actual = self.taken as u64;
        if actual != expected {
            return Err(ChunkErrorKind::Length { expected, actual });
        }
        if self.refused {
            let reason = "a placement lies outside its output".to_owned();
            return Err(ChunkErrorKind::Panic(reason));
        }
        Ok(())
    }
}
