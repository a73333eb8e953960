//! One request on its way through the executor: what is planned, parked, in flight and done.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use lsio_array::{Answer, ChunkErrorKind, ReadSpec, Task, TaskPlan};
use lsio_io::{CancelToken, IoMode};
use smallvec::SmallVec;

use crate::bundle::Bundle;
use crate::device::RunDevices;
use crate::operation::Operation;
use crate::resumer::Resumer;
use crate::stats::Counters;
use crate::{RunError, RunStats, SourceHandle};

/// What becomes of chunks that the store says do not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingChunks {
    /// They are full of the fill value.
    #[default]
    Fill,
    /// They end the run with [`ChunkErrorKind::Missing`].
    Refuse,
}

/// How a run reads.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Through the page cache or past it.
    pub mode: IoMode,
    /// Most bytes that the run may reserve at once; `None`: only the budget limits it.
    pub memory: Option<u64>,
    /// What becomes of chunks that do not exist.
    pub missing: MissingChunks,
}

/// What earlier tries of a task have shown.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Attempt {
    /// Bytes that it turned out to need.
    pub(crate) encoded: u64,
    pub(crate) decoded: u64,
    /// Its object was replaced once while it was being read.
    pub(crate) replaced: bool,
    /// There is no room for it together with others: its reads are not shared or joined.
    pub(crate) alone: bool,
    /// What the cache had of it was of another version, or has gone: it is read.
    pub(crate) uncached: bool,
}

/// Names a read that a source of this run needs before it can locate chunks.
pub(crate) type KnownKey = (usize, ReadSpec);

pub(crate) struct Run {
    pub(crate) id: u64,
    pub(crate) sources: Vec<Arc<SourceHandle>>,
    /// What these are read from.
    pub(crate) devices: RunDevices,
    pub(crate) plan: Arc<dyn TaskPlan>,
    pub(crate) operation: Box<dyn Operation>,
    pub(crate) options: RunOptions,
    /// Encoded bytes that the whole run may read.
    pub(crate) request_bytes: u64,
    /// Whether the chunks that it decodes are cached.
    pub(crate) keeps_chunks: bool,
    pub(crate) cancel: CancelToken,
    pub(crate) counters: Counters,
    /// Set once the run needs no more planning.
    pub(crate) over: AtomicBool,
    state: Mutex<RunState>,
}

#[derive(Default)]
pub(crate) struct RunState {
    /// Number of the first task that has not been planned.
    pub(crate) next: u64,
    /// Tasks to be located again, by number.
    pub(crate) again: BTreeMap<u64, (Task, Attempt)>,
    /// Tasks that have not been planned and that others may serve, by number.
    pub(crate) queued: BTreeMap<u64, Task>,
    /// Planned, waiting for memory, by the number of their first task.
    pub(crate) bundles: BTreeMap<u64, Bundle>,
    /// Tasks that have memory and have not ended.
    pub(crate) admitted: usize,
    /// Tasks that wait for a read which their source needs first.
    pub(crate) parked: HashMap<KnownKey, Vec<(Task, Attempt)>>,
    pub(crate) parked_tasks: usize,
    /// Reads that sources asked for and that have no memory yet.
    pub(crate) unread: VecDeque<KnownKey>,
    /// Bytes that such reads need where that is more than their source expected.
    pub(crate) grown: HashMap<KnownKey, u64>,
    /// Such reads that are under way.
    pub(crate) reading: usize,
    /// Such reads that have been answered and checked during this run.
    pub(crate) known: HashMap<KnownKey, Arc<Known>>,
    pub(crate) known_order: VecDeque<KnownKey>,
    /// Bytes that what is known holds.
    pub(crate) known_bytes: u64,
    /// Tasks that are complete.
    pub(crate) done: u64,
    pub(crate) failure: Option<RunError>,
    pub(crate) start: Start,
    /// Reads whose object was replaced once already.
    pub(crate) replaced: HashSet<KnownKey>,
    pub(crate) waits_for_memory: bool,
    pub(crate) suspended: Vec<Weak<Resumer>>,
    pub(crate) finished: bool,
}

/// Whether the operation was started once or twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Start {
    #[default]
    First,
    /// It is to be started again once nothing is in flight.
    Restarting,
    Second,
}

/// Answers that chunks were located with: most chunks with one, that of the index of their shard.
pub(crate) type UsedAnswers = SmallVec<[Arc<Known>; 1]>;

/// An answer that holds for this run.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) key: KnownKey,
    pub(crate) answer: Answer,
    /// Bytes that it holds.
    pub(crate) bytes: u64,
    /// The moment from which on it was looked for.
    pub(crate) checked: u64,
    /// Whether the consumer has seen a chunk that was located with it.
    pub(crate) shown: AtomicBool,
    /// Lowest and highest number of the tasks that waited for it.
    pub(crate) awaited_by: Option<(u64, u64)>,
}

impl Run {
    /// Says whether this run goes on without a chunk that does not exist.
    pub(crate) fn accept_missing(&self) -> Result<(), ChunkErrorKind> {
        match self.options.missing {
            MissingChunks::Fill => Ok(()),
            MissingChunks::Refuse => Err(ChunkErrorKind::Missing),
        }
    }

    pub(crate) fn new(
        id: u64,
        (sources, devices): (Vec<Arc<SourceHandle>>, RunDevices),
        plan: Arc<dyn TaskPlan>,
        operation: Box<dyn Operation>,
        options: RunOptions,
        request_bytes: u64,
    ) -> Self {
        let counters = Counters::default();
        crate::stats::add(&counters.tasks, plan.len());
        Self {
            id,
            sources,
            devices,
            plan,
            operation,
            options,
            request_bytes,
            keeps_chunks: false,
            cancel: CancelToken::new(),
            counters,
            over: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, RunState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stats(&self) -> RunStats {
        self.counters.snapshot()
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("id", &self.id)
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

impl RunState {
    /// Whether tasks may be planned and started.
    pub(crate) fn is_active(&self) -> bool {
        self.failure.is_none() && !self.is_restarting() && !self.finished
    }

    pub(crate) fn is_restarting(&self) -> bool {
        self.start == Start::Restarting
    }

    /// Ends the run with `error` unless it has failed before: what is not in flight is dropped, what
    /// is in flight is stopped where it can be.
    pub(crate) fn fail(&mut self, run: &Run, error: RunError) {
        self.failure.get_or_insert(error);
        run.over.store(true, Ordering::Release);
        run.cancel.cancel();
        self.drop_unstarted(run);
    }

    /// Starts over: what is in flight is dropped when it ends, the rest now.
    pub(crate) fn start_over(&mut self, run: &Run) {
        self.start = Start::Restarting;
        run.over.store(true, Ordering::Release);
        self.drop_unstarted(run);
    }

    /// Back to the first task, now that nothing is in flight.
    pub(crate) fn reset(&mut self, run: &Run) {
        *self = Self { start: Start::Second, ..Self::default() };
        run.counters.tasks_done.store(0, Ordering::Relaxed);
        run.over.store(false, Ordering::Release);
    }

    /// Notes a task that waits for something else; a run that fails wakes it.
    pub(crate) fn suspend(&mut self, resumer: &Arc<Resumer>) {
        // Resumers whose tasks have ended are dropped once in a while.
        if self.suspended.len() == self.suspended.capacity() {
            self.suspended.retain(|other| other.strong_count() > 0);
        }
        self.suspended.push(Arc::downgrade(resumer));
    }

    /// The tasks of a bundle that has no room are to be planned each on its own.
    pub(crate) fn take_apart(&mut self, bundle: Bundle) {
        for planned in bundle.tasks {
            let attempt = Attempt { alone: true, ..planned.attempt };
            self.again.insert(planned.task.number, (planned.task, attempt));
        }
    }

    fn drop_unstarted(&mut self, run: &Run) {
        self.drop_queued(run);
        self.again.clear();
        self.bundles.clear();
        self.parked.clear();
        self.parked_tasks = 0;
        self.unread.clear();
    }

    /// Whether nothing is under way.
    pub(crate) fn is_quiet(&self) -> bool {
        self.admitted == 0 && self.reading == 0
    }
}
