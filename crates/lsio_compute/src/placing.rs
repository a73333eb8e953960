//! Reads chunks that are stored as they are to where they go, without a decoded chunk in between.

use std::time::Duration;

use lsio_array::Task;
use lsio_io::{Lease, Read, ReadTarget, Storage};

use crate::operation::{Operation, Sources};
use crate::run::Run;
use crate::stats::add;
use crate::task_job::TaskJob;

/// Reads the only input of `job`, which has `len` bytes, if that needs no waiting and its operation knows
/// where they go. Tells the time it took; after `None`, they are to be read as any other chunk.
pub(crate) fn read(
    run: &Run,
    job: &mut TaskJob,
    storage: &dyn Storage,
    read: &Read,
    len: u64,
) -> Option<Duration> {
    let (operation, sources) = (run.operation.as_ref(), &run.sources[..]);
    if let Some(place) = operation.place(&job.planned.task, 0, sources) {
        return storage.try_read_resident_into(read, len, &mut OnePlace { rest: place });
    }
    let buffer = job.lease(operation.piece_len(&job.planned.task, sources)?)?;
    let (task, len_left) = (&job.planned.task, usize::try_from(len).ok()?);
    let mut places = ManyPlaces { buffer, operation, task, sources, taken: 0, len_left };
    let elapsed = storage.try_read_resident_into(read, len, &mut places)?;
    add(&run.counters.bytes_copied, len);
    Some(elapsed)
}

/// All bytes go to one place of the result.
struct OnePlace<'a> {
    rest: &'a mut [u8],
}

impl ReadTarget for OnePlace<'_> {
    fn room(&mut self) -> &mut [u8] {
        self.rest
    }

    fn filled(&mut self) {
        self.rest = &mut [];
    }
}

/// The bytes go to many places: they come into a buffer that stays in the cache, and from there.
struct ManyPlaces<'a> {
    buffer: Lease,
    operation: &'a dyn Operation,
    task: &'a Task,
    sources: &'a Sources,
    /// Bytes that have been taken, and that are still to come.
    taken: usize,
    len_left: usize,
}

impl ReadTarget for ManyPlaces<'_> {
    fn room(&mut self) -> &mut [u8] {
        let len = self.buffer.len().min(self.len_left);
        &mut self.buffer[..len]
    }

    fn filled(&mut self) {
        let len = self.buffer.len().min(self.len_left);
        let piece = &self.buffer[..len];
        if self.operation.take_piece(self.task, self.sources, self.taken, piece) {
            self.taken += len;
            self.len_left -= len;
        } else {
            // No room for more: the read ends without an answer.
            self.len_left = 0;
        }
    }
}
