//! A task whose bytes have arrived: decode its inputs, then hand them to the operation.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use lsio_array::{
    ArrayInfo, ChunkError, ChunkErrorKind, Decoded, Destination, Params, Resume, TaskInput,
    VariableChunk, checked_product,
};
use lsio_io::{Lease, Reservation, SharedBytes, StorageError, class_size};
use smallvec::SmallVec;

use crate::RunError;
use crate::bundle::{Charge, Input, PlannedTask};
use crate::executor::Shared;
use crate::flight::{self, Flight};
use crate::operation::{DecodedInput, Lent};
use crate::panics::contain;
use crate::piece_copy::PieceCopy;
use crate::planning::{allowed_bytes, chunk_error};
use crate::resumer::Resumer;
use crate::run::{Attempt, Run};
use crate::stats::{Counters, add, add_time, read};
use crate::workspace::Workspace;

pub(crate) struct TaskJob {
    pub(crate) planned: PlannedTask,
    pub(crate) run: Arc<Run>,
    /// What the run is charged for this task alone, and for the reads that it shares.
    charges: (Charge, Arc<Charge>),
    /// The moment from which on its bytes were looked for, and what it was located with: runs that had
    /// started by then may be served with its chunks.
    fresh: u64,
    /// What others are told to expect of it.
    flights: Vec<Flight>,
    /// Gone once the operation has it.
    reservation: Option<Reservation>,
    decoded: Vec<DecodedInput>,
    scratch: Option<Lease>,
    /// A buffer that a suspended decode will be given again.
    buffer: Option<Lease>,
    pub(crate) shared: Arc<Shared>,
    /// Where it waits, from its first decode on.
    resumer: Option<Arc<Resumer>>,
    /// Whether the run knows the resumer.
    suspended: bool,
}

/// How a task ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Done,
    /// It is to be located and read again, with at least this much memory.
    Again(Attempt),
    Failed(RunError),
    /// An object was replaced while it was being read.
    Conflict(RunError),
    /// The run has ended, or starts over, without it.
    Dropped,
}

/// How decoding one input went.
enum Step {
    Decoded(DecodedInput),
    Suspended,
    /// There is more room now: decode again.
    Grown,
    Ended(Ended),
}

impl TaskJob {
    pub(crate) fn new(
        shared: Arc<Shared>,
        run: Arc<Run>,
        planned: PlannedTask,
        reservation: Reservation,
        charges: (Charge, Arc<Charge>),
    ) -> Self {
        let checked = planned.known.iter().map(|known| known.checked);
        let fresh = checked.fold(shared.moment(), u64::min);
        let flights = Flight::announce(&shared, &run, &planned.task, fresh);
        Self {
            decoded: Vec::new(),
            planned,
            run,
            charges,
            fresh,
            flights,
            reservation: Some(reservation),
            scratch: None,
            buffer: None,
            shared,
            resumer: None,
            suspended: false,
        }
    }

    /// Whether its chunks are for its own run alone.
    pub(crate) fn is_private(&self) -> bool {
        self.flights.is_empty()
    }

    /// Bytes of its inputs once they are decoded.
    pub(crate) fn decoded_bytes(&self) -> u64 {
        let inputs = 0..self.planned.task.inputs.len();
        inputs.fold(0, |bytes, input| bytes.saturating_add(self.info(input).decoded_len))
    }

    /// What is left to book of a task that has ended, and what its run is charged for it; its memory
    /// goes back.
    pub(crate) fn into_planned(self) -> (PlannedTask, Charge) {
        let Self { mut planned, charges: (own, _), .. } = self;
        planned.inputs.clear();
        (planned, own)
    }

    /// Runs until the task ends or is suspended (then nothing comes back: it will be queued again). `run` is
    /// its run: its worker holds it once for all tasks of a batch.
    pub(crate) fn work(
        mut self: Box<Self>,
        run: &Run,
        workspace: &mut Workspace,
    ) -> Option<(Box<Self>, Ended)> {
        if self.decoded.is_empty() {
            self.decoded = workspace.take_inputs();
        }
        while self.decoded.len() < self.planned.inputs.len() {
            if self.run.over.load(Ordering::Acquire) {
                return Some((self, Ended::Dropped));
            }
            match self.decode_next(run, workspace) {
                Step::Decoded(input) => {
                    self.share(&input);
                    self.decoded.push(input);
                }
                Step::Ended(ended) => return Some((self, ended)),
                Step::Suspended => self = self.suspend()?,
                Step::Grown => {}
            }
        }
        if let Some(resumer) = self.resumer.take() {
            workspace.keep_resumer(resumer);
        }
        workspace.keep_scratch(self.scratch.take());
        let ended = self.consume(workspace);
        Some((self, ended))
    }

    fn decode_next(&mut self, run: &Run, workspace: &mut Workspace) -> Step {
        let index = self.decoded.len();
        if let Some(step) = self.stored_as_is(index, &workspace.counters) {
            return step;
        }
        match std::mem::replace(&mut self.planned.inputs[index], Input::Missing) {
            Input::Missing
            | Input::Failed { error: StorageError::NotFound { .. }, whole: true } => {
                add(&workspace.counters.chunks_missing, 1);
                match self.run.accept_missing() {
                    Ok(()) => Step::Decoded(DecodedInput::Missing),
                    Err(kind) => Step::Ended(self.failed(index, kind)),
                }
            }
            Input::Cached { versions, .. } => match self.cached(index, &versions) {
                Some(elements) => {
                    add(&workspace.counters.cache_hits, 1);
                    Step::Decoded(DecodedInput::Shared(elements))
                }
                None => self.uncached(&workspace.counters),
            },
            Input::Stale => {
                self.forget_cached(index);
                self.uncached(&workspace.counters)
            }
            Input::Placed => Step::Decoded(DecodedInput::InPlace),
            Input::Failed { error, whole } => Step::Ended(self.read_failed(index, error, whole)),
            Input::Short { expected, actual } => {
                Step::Ended(self.failed(index, ChunkErrorKind::Truncated { expected, actual }))
            }
            Input::Encoded { parts, params, whole, keep } => {
                let step = self.decode(run, (index, &params, keep.is_some()), &parts, workspace);
                let elapsed = workspace.lap();
                add_time(&workspace.counters.decode_nanos, elapsed);
                match (step, keep) {
                    (step @ (Step::Suspended | Step::Grown), keep) => {
                        // They will be decoded again.
                        self.planned.inputs[index] = Input::Encoded { parts, params, whole, keep };
                        step
                    }
                    (Step::Decoded(DecodedInput::Fixed(elements)), Some(kept)) => {
                        let counters = &workspace.counters;
                        Step::Decoded(self.keep(index, elements, kept.versions, counters))
                    }
                    (step, _) => step,
                }
            }
        }
    }

    /// What was planned to come from the cache is read.
    fn uncached(&self, counters: &Counters) -> Step {
        add(&counters.cache_misses, 1);
        Step::Ended(Ended::Again(Attempt { uncached: true, ..self.planned.attempt }))
    }

    /// Hands the next input, now decoded, to others that want it too.
    fn share(&mut self, decoded: &DecodedInput) {
        let index = self.decoded.len();
        let (run, task) = (&self.run, &self.planned.task);
        let lent = match decoded {
            DecodedInput::Missing => Some(Lent::Missing),
            DecodedInput::Fixed(bytes) => Some(Lent::Fixed(bytes)),
            DecodedInput::Shared(bytes) => Some(Lent::Fixed(bytes)),
            DecodedInput::InPlace => {
                run.operation.in_place(task, index, &run.sources).map(Lent::Fixed)
            }
            DecodedInput::Variable(_) => None,
        };
        let input = &task.inputs[index];
        if let Some(lent) = lent {
            let seen = (self.fresh, &self.planned.known[..]);
            flight::share(&self.shared, &run.sources[input.source], input, seen, lent);
        }
        self.flights.retain(|flight| !flight.brings(input));
    }

    /// The decoded bytes, or what is wrong with them, if they need no decoding: the chunk is stored as
    /// it is, and the buffer can be handed on.
    fn stored_as_is(&mut self, index: usize, counters: &Counters) -> Option<Step> {
        let info = self.info(index);
        let (codec, expected) = (info.stored_as_is?, info.decoded_len);
        let Input::Encoded { parts, keep, .. } = &mut self.planned.inputs[index] else {
            return None;
        };
        let [part] = &mut parts[..] else { return None };
        let bytes = part.take()?;
        let keep = keep.take();
        let actual = bytes.len() as u64;
        if actual != expected {
            let kind = if actual < expected {
                ChunkErrorKind::Truncated { expected, actual }
            } else {
                ChunkErrorKind::Length { expected, actual }
            };
            let error = chunk_error(&self.run, &self.planned.task.inputs[index], kind);
            let error = ChunkError { codec: Some(codec), ..error };
            return Some(Step::Ended(Ended::Failed(error.into())));
        }
        let input = match (bytes.into_lease(), keep) {
            (Ok(lease), None) => DecodedInput::Fixed(lease),
            (Ok(lease), Some(keep)) => self.keep(index, lease, keep.versions, counters),
            // A part of a longer read, all of which it would keep.
            (Err(bytes), Some(keep)) => {
                let Some(mut lease) = self.lease(expected) else {
                    return Some(Step::Ended(out_of_memory(expected)));
                };
                lease.copy_from_slice(&bytes);
                add(&counters.bytes_copied, expected);
                self.keep(index, lease, keep.versions, counters)
            }
            (Err(bytes), None) if self.run.operation.takes_shared() => DecodedInput::Shared(bytes),
            (Err(bytes), None) => {
                *part = Some(bytes);
                return None;
            }
        };
        add(&counters.chunks_decoded, 1);
        add(&counters.bytes_encoded, actual);
        add(&counters.bytes_decoded, actual);
        Some(Step::Decoded(input))
    }

    fn info(&self, index: usize) -> &ArrayInfo {
        self.run.sources[self.planned.task.inputs[index].source].source.info()
    }

    fn failed(&self, index: usize, kind: ChunkErrorKind) -> Ended {
        let none = TaskInput { source: 0, chunk: Vec::new(), placements: SmallVec::new() };
        let input = self.planned.task.inputs.get(index).unwrap_or(&none);
        Ended::Failed(chunk_error(&self.run, input, kind).into())
    }

    fn read_failed(&self, index: usize, error: StorageError, whole: bool) -> Ended {
        let limit = self.info(index).encoded_limit;
        match error {
            StorageError::TooLong { len, .. }
                if whole && len <= limit && len > self.planned.attempt.encoded =>
            {
                Ended::Again(Attempt { encoded: len, ..self.planned.attempt })
            }
            StorageError::TooLong { len, .. } => {
                self.failed(index, ChunkErrorKind::TooLarge { needed: len, limit })
            }
            StorageError::Conflict { .. } => {
                match self.failed(index, ChunkErrorKind::Storage(error)) {
                    Ended::Failed(error) => Ended::Conflict(error),
                    other => other,
                }
            }
            error => self.failed(index, ChunkErrorKind::Storage(error)),
        }
    }

    fn decode(
        &mut self,
        run: &Run,
        (index, params, to_keep): (usize, &Params, bool),
        parts: &[Option<SharedBytes>],
        workspace: &mut Workspace,
    ) -> Step {
        let handle = &run.sources[self.planned.task.inputs[index].source];
        let info = handle.source.info();
        let Some(encoded) =
            parts.iter().map(|part| part.as_deref()).collect::<Option<SmallVec<[&[u8]; 1]>>>()
        else {
            let reason = "a part of the encoded bytes did not arrive".to_owned();
            return Step::Ended(self.failed(index, ChunkErrorKind::Panic(reason)));
        };
        if self.scratch.is_none() {
            let inputs = self.planned.task.inputs.iter();
            let lengths = inputs.map(|input| run.sources[input.source].source.info().scratch_len);
            let len = lengths.max().unwrap_or(0);
            if len > 0 {
                self.scratch = workspace.take_scratch(len).or_else(|| self.lease(len));
                if self.scratch.is_none() {
                    return Step::Ended(out_of_memory(len));
                }
            }
        }
        let fixed = handle.element.is_some();
        // What is kept has a buffer of its own.
        let place = (fixed && !to_keep)
            .then(|| run.operation.place(&self.planned.task, index, &run.sources))
            .flatten();
        // Others could not be given a chunk that is in pieces.
        let in_pieces = fixed
            && !to_keep
            && info.comes_in_pieces
            && place.is_none()
            && self.is_private()
            && run.operation.takes_pieces(&self.planned.task, &run.sources);
        if fixed && place.is_none() && !in_pieces && self.buffer.is_none() {
            let len = info.decoded_len;
            self.buffer = workspace.take_buffer(len).or_else(|| self.lease(len));
            if self.buffer.is_none() {
                return Step::Ended(out_of_memory(info.decoded_len));
            }
        }
        let resumer = self.resumer.get_or_insert_with(|| workspace.take_resumer(&self.shared));
        let resume: Arc<dyn Resume> = resumer.clone();
        let task = &self.planned.task;
        let chunk = &task.inputs[index].chunk;
        let mut pieces = in_pieces.then(|| PieceCopy::new(&*run.operation, task, &run.sources));
        let mut variable = VariableChunk {
            offsets: Vec::new(),
            bytes: Vec::new(),
            limit: info.decoded_len.max(self.planned.attempt.decoded),
        };
        let scratch = self.scratch.as_deref_mut().unwrap_or_default();
        let mut call = |destination: Destination<'_>| {
            contain(|| handle.source.decode(chunk, params, &encoded, destination, scratch, &resume))
                .unwrap_or_else(|panic| {
                    Err(chunk_error(run, &task.inputs[index], ChunkErrorKind::Panic(panic)))
                })
        };
        let outcome = match (place, &mut pieces, self.buffer.as_deref_mut()) {
            _ if !fixed => call(Destination::Variable(&mut variable)),
            (Some(place), ..) => call(Destination::Fixed(place)),
            (None, Some(pieces), _) => call(Destination::Pieces(&mut |piece| pieces.take(piece))),
            (None, None, buffer) => call(Destination::Fixed(buffer.unwrap_or_default())),
        };
        match outcome {
            Ok(Decoded::Complete) => {
                let counters = &workspace.counters;
                add(&counters.chunks_decoded, 1);
                add(&counters.bytes_encoded, encoded.iter().map(|part| part.len() as u64).sum());
                if !fixed {
                    let Some(bytes) = sound_bytes(&variable, &info.chunk_shape) else {
                        let reason = "the offsets or the length of its elements are wrong";
                        let kind = ChunkErrorKind::Panic(reason.to_owned());
                        return Step::Ended(self.failed(index, kind));
                    };
                    add(&counters.bytes_decoded, bytes);
                    return Step::Decoded(DecodedInput::Variable(variable));
                }
                add(&counters.bytes_decoded, info.decoded_len);
                match pieces.map(|pieces| pieces.finish(info.decoded_len)) {
                    Some(Ok(())) => add(&counters.bytes_copied, info.decoded_len),
                    Some(Err(kind)) => return Step::Ended(self.failed(index, kind)),
                    None => {}
                }
                Step::Decoded(self.buffer.take().map_or(DecodedInput::InPlace, DecodedInput::Fixed))
            }
            Ok(Decoded::Suspended) => Step::Suspended,
            Ok(Decoded::Outgrown { needed }) => self.outgrown(index, needed, info.decoded_limit),
            Err(error) => Step::Ended(Ended::Failed(error.into())),
        }
    }

    /// A buffer out of the task's own memory.
    pub(crate) fn lease(&mut self, len: u64) -> Option<Lease> {
        self.reservation.as_mut()?.lease(usize::try_from(len).ok()?)
    }

    /// A variable chunk needs more room: grow if that is possible now, else give everything back and
    /// come again with the larger size.
    fn outgrown(&mut self, index: usize, needed: u64, limit: u64) -> Step {
        if needed > limit {
            return Step::Ended(self.failed(index, ChunkErrorKind::TooLarge { needed, limit }));
        }
        let had = self.info(index).decoded_len.max(self.planned.attempt.decoded);
        if needed <= had {
            let reason = format!("the source wants {needed} bytes but had {had}");
            return Step::Ended(self.failed(index, ChunkErrorKind::Panic(reason)));
        }
        // Operations reserve a chunk up to twice (decoded, and gathered for delivery).
        let more = (class_size(needed) - class_size(had)).saturating_mul(2);
        self.planned.attempt.decoded = needed;
        if self.try_grow(more) {
            return Step::Grown;
        }
        Step::Ended(Ended::Again(self.planned.attempt))
    }

    /// Puts this suspended task aside. It comes back if it was resumed meanwhile.
    fn suspend(mut self: Box<Self>) -> Option<Box<Self>> {
        // A task that was never decoded has not been suspended.
        let Some(resumer) = self.resumer.clone() else { return Some(self) };
        // Nobody knows for how long: others read it themselves.
        self.flights.clear();
        // A run that fails resumes all that it knows of, so it is told first.
        if !std::mem::replace(&mut self.suspended, true) {
            self.run.state().suspend(&resumer);
        }
        resumer.park(self)
    }

    fn try_grow(&mut self, more: u64) -> bool {
        let run = &self.run;
        let (own, reads) = &mut self.charges;
        let limit = self.shared.memory.usage().limit;
        let task = own.bytes().saturating_add(reads.bytes()).saturating_add(more);
        let whole_run = read(&run.counters.reserved).saturating_add(more);
        let within = task <= allowed_bytes(run, limit)
            && run.options.memory.is_none_or(|cap| whole_run <= cap)
            && run.operation.may_grow(more);
        let grown =
            within && self.reservation.as_mut().is_some_and(|reserved| reserved.try_grow(more));
        if grown {
            own.grow(more);
        }
        grown
    }

    fn consume(&mut self, workspace: &mut Workspace) -> Ended {
        let mut inputs = std::mem::take(&mut self.decoded);
        let Some(reservation) = self.reservation.take() else { return Ended::Dropped };
        let run = &self.run;
        let task = &self.planned.task;
        // Most tasks of a shard find it said already, and leave the line in the others' caches.
        for known in self.planned.known.iter().filter(|known| !known.shown.load(Ordering::Relaxed))
        {
            known.shown.store(true, Ordering::Release);
        }
        let counters = &workspace.counters;
        let result = contain(|| {
            run.operation.consume(task, &mut inputs, &run.sources, reservation, counters)
        })
        .unwrap_or_else(|panic| Err(ChunkErrorKind::Panic(panic)));
        let elapsed = workspace.lap();
        add_time(&workspace.counters.apply_nanos, elapsed);
        workspace.keep_inputs(inputs);
        match result {
            Ok(()) => Ended::Done,
            Err(kind) => self.failed(0, kind),
        }
    }
}

/// Bytes of a chunk of varying elements that is what its source owes: one element for each place, one
/// after the other, within the limit.
fn sound_bytes(chunk: &VariableChunk, shape: &[u64]) -> Option<u64> {
    let places = checked_product(shape.iter().copied())?;
    let sound = chunk.offsets.len() as u64 == places.checked_add(1)?
        && chunk.offsets.first() == Some(&0)
        && chunk.offsets.is_sorted()
        && chunk.offsets.last() == Some(&(chunk.bytes.len() as u64));
    let bytes = (chunk.offsets.len() * size_of::<u64>() + chunk.bytes.len()) as u64;
    (sound && bytes <= chunk.limit).then_some(bytes)
}

fn out_of_memory(bytes: u64) -> Ended {
    Ended::Failed(RunError::OutOfMemory { bytes })
}
