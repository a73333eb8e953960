//! What is done with the chunks of a run: the executor knows operations only by this trait.

use std::sync::Arc;

use lsio_array::{ChunkErrorKind, Task, VariableChunk};
use lsio_io::{Lease, Reservation, SharedBytes};

use crate::chunk_data::gather_needs;
use crate::stats::Counters;
use crate::{RunError, SourceHandle};

/// The sources of a run.
pub(crate) type Sources = [Arc<SourceHandle>];

/// One decoded input of a task.
#[derive(Debug)]
pub(crate) enum DecodedInput {
    /// There is no such chunk: all fill value.
    Missing,
    /// Decoded where [`Operation::place`] said.
    InPlace,
    /// The whole chunk in the source's axis order.
    Fixed(Lease),
    /// The same, in a buffer that others may share.
    Shared(SharedBytes),
    /// The whole chunk, elements of varying length.
    Variable(VariableChunk),
}

/// A chunk that another run has decoded, to be looked at only.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lent<'a> {
    /// There is no such chunk: all fill value.
    Missing,
    /// The whole chunk in the source's axis order.
    Fixed(&'a [u8]),
}

/// The memory that one input of a task takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InputMemory {
    /// For the decoded chunk; 0 where the cache has it.
    pub(crate) decoded: u64,
    /// Whether the chunk comes as [`DecodedInput::Shared`], because the cache has it or is to keep it.
    pub(crate) shared: bool,
}

/// How an operation starts again when an object was replaced while it was being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restart {
    /// Everything is done again: nothing has been shown yet.
    Whole,
    /// Only chunks of an object of which nothing has been shown can be read again.
    PerObject,
}

/// Whether a task may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// It may.
    Open,
    /// One may, and no others with it that share its reads.
    OneTask,
    /// The consumer has to take something first.
    Closed,
}

/// What one run does with its chunks.
pub(crate) trait Operation: Send + Sync {
    /// Most bytes that one task needs at a time beyond its encoded bytes and the codecs' scratch
    /// memory.
    fn needs(&self, task: &Task, sources: &Sources, memory: &[InputMemory]) -> u64 {
        let inputs = task.inputs.iter().zip(memory);
        let needs =
            inputs.map(|(input, &memory)| gather_needs(input, &sources[input.source], memory));
        needs.fold(0, u64::saturating_add)
    }

    /// The final place of input `input` of `task`, if its fixed-size elements can be decoded straight
    /// into it; else they are decoded into a buffer.
    fn place(&self, _task: &Task, _input: usize, _sources: &Sources) -> Option<&mut [u8]> {
        None
    }

    /// Whether [`take_piece`](Self::take_piece) takes the only input of `task`.
    fn takes_pieces(&self, _task: &Task, _sources: &Sources) -> bool {
        false
    }

    /// The best size for reading the only input of `task`, a chunk that is stored as it is, piece by piece
    /// through a buffer, if [`take_piece`](Self::take_piece) takes it so and there is no
    /// [`place`](Self::place) for all of it. Such a buffer is part of what the task [`needs`](Self::needs).
    fn piece_len(&self, _task: &Task, _sources: &Sources) -> Option<u64> {
        None
    }

    /// Puts a piece of that input, which begins at its byte `from`, to where it goes. `false` if there is
    /// no such place.
    fn take_piece(&self, _task: &Task, _sources: &Sources, _from: usize, _piece: &[u8]) -> bool {
        false
    }

    /// Whether [`consume`](Self::consume) takes chunks in buffers that others share as well as others: it
    /// does not copy them first.
    fn takes_shared(&self) -> bool {
        false
    }

    /// Takes the decoded inputs of one task; buffers that it leaves are used again. `reservation` is
    /// what is left of the task's memory.
    fn consume(
        &self,
        task: &Task,
        inputs: &mut Vec<DecodedInput>,
        sources: &Sources,
        reservation: Reservation,
        counters: &Counters,
    ) -> Result<(), ChunkErrorKind>;

    /// Whether tasks of this run can be served by [`borrow`](Self::borrow). Such runs have one source of
    /// fixed-size elements, tasks with one input, and start over as a whole.
    fn borrows(&self) -> bool {
        false
    }

    /// Takes the input of one task from what another run has decoded, without memory of its own.
    fn borrow(
        &self,
        _task: &Task,
        _lent: Lent<'_>,
        _sources: &Sources,
        _counters: &Counters,
    ) -> Result<(), ChunkErrorKind> {
        Err(ChunkErrorKind::Panic("this operation does not borrow".to_owned()))
    }

    /// Whether others can be told to wait for chunks of this run.
    fn lends(&self) -> bool {
        true
    }

    /// A chunk that was decoded in place, if nobody but the engine can write there.
    fn in_place(&self, _task: &Task, _input: usize, _sources: &Sources) -> Option<&[u8]> {
        None
    }

    /// Whether tasks that need `bytes`, task `first` and others after it, may start while `in_flight`
    /// tasks of this run are under way.
    fn gate(&self, _first: u64, _bytes: u64, _in_flight: usize) -> Gate {
        Gate::Open
    }

    /// Whether a task that is under way may have `more` bytes.
    fn may_grow(&self, _more: u64) -> bool {
        true
    }

    /// `bytes` were reserved for tasks of this run.
    fn admitted(&self, _bytes: u64) {}

    /// `bytes` of what was [`admitted`](Self::admitted) are free again, or with the operation.
    fn released(&self, _bytes: u64) {}

    /// Most bytes that tasks planned together may need.
    fn window_bytes(&self) -> u64 {
        u64::MAX
    }

    /// How this operation starts again.
    fn restart(&self) -> Restart;

    /// Forgets all that was consumed.
    fn reset(&self) {}

    /// The run has ended. Called once, on a worker or on the thread that cancelled.
    fn finish(&self, result: Result<(), RunError>);
}
