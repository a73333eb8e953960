//! A task whose bytes have arrived: decode its inputs, then hand them to the operation.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use lsio_array::{ArrayInfo, ChunkErrorKind, Decoded, Destination, Params, Resume, VariableChunk};
use lsio_io::{Lease, Reservation, SharedBytes, StorageError, class_size};

use crate::RunError;
use crate::bundle::{Input, PlannedTask};
use crate::executor::Shared;
use crate::operation::{DecodedInput, Target};
use crate::panics::contain;
use crate::planning::chunk_error;
use crate::run::{Attempt, Run};
use crate::stats::{add, add_time};

pub(crate) struct TaskJob {
    pub(crate) planned: PlannedTask,
    pub(crate) run: Arc<Run>,
    /// Bytes that the run was charged for this task and its reads.
    pub(crate) charged: u64,
    /// Gone once the operation has it.
    reservation: Option<Reservation>,
    decoded: Vec<DecodedInput>,
    scratch: Option<Lease>,
    /// A buffer that a suspended decode will be given again.
    buffer: Option<Lease>,
    resumer: Arc<Resumer>,
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
    Ended(Ended),
}

impl TaskJob {
    pub(crate) fn new(
        shared: Arc<Shared>,
        run: Arc<Run>,
        planned: PlannedTask,
        reservation: Reservation,
        charged: u64,
    ) -> Self {
        let resumer = Arc::new(Resumer { shared, state: Mutex::default() });
        let decoded = Vec::with_capacity(planned.inputs.len());
        let reservation = Some(reservation);
        Self { planned, run, charged, reservation, decoded, scratch: None, buffer: None, resumer }
    }

    /// What is left to book of a task that has ended; its memory goes back.
    pub(crate) fn into_parts(self) -> (Arc<Run>, PlannedTask, u64) {
        (self.run, self.planned, self.charged)
    }

    /// Runs until the task ends or is suspended (then nothing comes back: it will be queued again).
    pub(crate) fn work(mut self: Box<Self>) -> Option<(Box<Self>, Ended)> {
        while self.decoded.len() < self.planned.inputs.len() {
            if self.run.over.load(Ordering::Acquire) {
                return Some((self, Ended::Dropped));
            }
            match self.decode_next() {
                Step::Decoded(input) => self.decoded.push(input),
                Step::Ended(ended) => return Some((self, ended)),
                Step::Suspended => return Resumer::park(self),
            }
        }
        let ended = self.consume();
        Some((self, ended))
    }

    fn decode_next(&mut self) -> Step {
        let index = self.decoded.len();
        let counters = &self.run.counters;
        match self.planned.inputs[index].clone() {
            Input::Missing => {
                add(&counters.chunks_missing, 1);
                Step::Decoded(DecodedInput::Missing)
            }
            Input::Failed { error: StorageError::NotFound { .. }, whole: true } => {
                add(&counters.chunks_missing, 1);
                Step::Decoded(DecodedInput::Missing)
            }
            Input::Failed { error, whole } => Step::Ended(self.read_failed(index, error, whole)),
            Input::Encoded { parts, params, .. } => {
                let started = Instant::now();
                let step = self.decode(index, &parts, &params);
                add_time(&self.run.counters.decode_nanos, started.elapsed());
                if matches!(step, Step::Decoded(_)) {
                    // The encoded bytes are not needed any more.
                    self.planned.inputs[index] = Input::Missing;
                }
                step
            }
        }
    }

    fn info(&self, index: usize) -> &ArrayInfo {
        self.run.sources[self.planned.task.inputs[index].source].source.info()
    }

    fn failed(&self, index: usize, kind: ChunkErrorKind) -> Ended {
        let error = chunk_error(&self.run, &self.planned.task.inputs[index], kind);
        Ended::Failed(error.into())
    }

    fn read_failed(&self, index: usize, error: StorageError, whole: bool) -> Ended {
        let limit = self.info(index).encoded_limit;
        match error {
            StorageError::TooLong { len, .. } if whole && len <= limit => {
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

    fn decode(&mut self, index: usize, parts: &[Option<SharedBytes>], params: &Params) -> Step {
        let run = self.run.clone();
        let handle = &run.sources[self.planned.task.inputs[index].source];
        let info = handle.source.info();
        let Some(encoded) =
            parts.iter().map(|part| part.as_deref()).collect::<Option<Vec<&[u8]>>>()
        else {
            let reason = "a part of the encoded bytes did not arrive".to_owned();
            return Step::Ended(self.failed(index, ChunkErrorKind::Panic(reason)));
        };
        if self.scratch.is_none() {
            let inputs = self.planned.task.inputs.iter();
            let lengths = inputs.map(|input| run.sources[input.source].source.info().scratch_len);
            let len = lengths.max().unwrap_or(0);
            self.scratch = self.lease(len);
            if self.scratch.is_none() {
                return Step::Ended(out_of_memory(len));
            }
        }
        let fixed = handle.element.is_some();
        let in_place = fixed
            && matches!(
                run.operation.target(&self.planned.task, index, &run.sources),
                Target::InPlace(_)
            );
        if fixed && !in_place && self.buffer.is_none() {
            self.buffer = self.lease(info.decoded_len);
            if self.buffer.is_none() {
                return Step::Ended(out_of_memory(info.decoded_len));
            }
        }
        let resume: Arc<dyn Resume> = self.resumer.clone();
        let task = &self.planned.task;
        let chunk = &task.inputs[index].chunk;
        let mut variable = VariableChunk {
            offsets: Vec::new(),
            bytes: Vec::new(),
            limit: info.decoded_len.max(self.planned.attempt.decoded),
        };
        let scratch = self.scratch.as_deref_mut().unwrap_or_default();
        let mut call = |destination: Destination<'_>| {
            contain(|| handle.source.decode(chunk, params, &encoded, destination, scratch, &resume))
                .unwrap_or_else(|panic| {
                    Err(chunk_error(&run, &task.inputs[index], ChunkErrorKind::Panic(panic)))
                })
        };
        let outcome = if !fixed {
            call(Destination::Variable(&mut variable))
        } else if let Some(buffer) = &mut self.buffer {
            call(Destination::Fixed(buffer))
        } else {
            match run.operation.target(task, index, &run.sources) {
                Target::InPlace(place) => call(Destination::Fixed(place)),
                Target::Buffer => call(Destination::Fixed(&mut [])),
            }
        };
        match outcome {
            Ok(Decoded::Complete) => {
                let counters = &run.counters;
                add(&counters.chunks_decoded, 1);
                add(&counters.bytes_encoded, encoded.iter().map(|part| part.len() as u64).sum());
                if !fixed {
                    let bytes = variable.offsets.len() * size_of::<u64>() + variable.bytes.len();
                    add(&counters.bytes_decoded, bytes as u64);
                    return Step::Decoded(DecodedInput::Variable(variable));
                }
                add(&counters.bytes_decoded, info.decoded_len);
                Step::Decoded(self.buffer.take().map_or(DecodedInput::InPlace, DecodedInput::Fixed))
            }
            Ok(Decoded::Suspended) => Step::Suspended,
            Ok(Decoded::Outgrown { needed }) => self.outgrown(index, needed, info.decoded_limit),
            Err(error) => Step::Ended(Ended::Failed(error.into())),
        }
    }

    fn lease(&mut self, len: u64) -> Option<Lease> {
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
        let more = 2 * (class_size(needed) - class_size(had));
        self.planned.attempt.decoded = needed;
        if self.reservation.as_mut().is_some_and(|reservation| reservation.try_grow(more)) {
            self.charged += more;
            self.run.counters.reserve(more);
            self.run.operation.admitted(more);
            return self.decode_next();
        }
        Step::Ended(Ended::Again(self.planned.attempt))
    }

    fn consume(&mut self) -> Ended {
        self.scratch = None;
        let inputs = std::mem::take(&mut self.decoded);
        let Some(reservation) = self.reservation.take() else { return Ended::Dropped };
        let run = &self.run;
        let task = &self.planned.task;
        for (_, shown) in &self.planned.known {
            shown.store(true, Ordering::Release);
        }
        let started = Instant::now();
        let result = contain(|| {
            run.operation.consume(task, inputs, &run.sources, reservation, &run.counters)
        })
        .unwrap_or_else(|panic| Err(ChunkErrorKind::Panic(panic)));
        add_time(&run.counters.apply_nanos, started.elapsed());
        match result {
            Ok(()) => Ended::Done,
            Err(kind) => self.failed(0, kind),
        }
    }
}

fn out_of_memory(bytes: u64) -> Ended {
    Ended::Failed(RunError::OutOfMemory { bytes })
}

/// Where a suspended task waits.
pub(crate) struct Resumer {
    shared: Arc<Shared>,
    state: Mutex<Suspension>,
}

#[derive(Default)]
enum Suspension {
    #[default]
    Running,
    /// Resumed before the task was put here.
    Resumed,
    Parked(Box<TaskJob>),
}

impl fmt::Debug for Resumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resumer").finish_non_exhaustive()
    }
}

impl Resumer {
    /// Puts a suspended task aside, or goes on with it if it was resumed meanwhile.
    fn park(job: Box<TaskJob>) -> Option<(Box<TaskJob>, Ended)> {
        let resumer = job.resumer.clone();
        let run = job.run.clone();
        // A run that fails resumes all that it knows of, so it is told first.
        run.state().suspend(&resumer);
        let mut state = resumer.state.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, Suspension::Resumed) || run.over.load(Ordering::Acquire) {
            *state = Suspension::Running;
            drop(state);
            return job.work();
        }
        *state = Suspension::Parked(job);
        None
    }
}

impl Resume for Resumer {
    fn resume(self: Arc<Self>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, Suspension::Resumed) {
            Suspension::Parked(job) => {
                *state = Suspension::Running;
                drop(state);
                self.shared.queue_tasks(vec![job]);
            }
            Suspension::Running | Suspension::Resumed => {}
        }
    }
}
