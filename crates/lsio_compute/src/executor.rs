//! The executor: worker threads, the runs they work on, and what they share.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;

use crossbeam_deque::{Injector, Stealer, Worker as Deque};
use lsio_array::{ChunkSource, TaskPlan};
use lsio_io::{Memory, Reservation, Resident};

use crate::bell::Bell;
use crate::bundle::{Bundle, InFlight};
use crate::index_read::{self, IndexArrived};
use crate::known_cache::KnownCache;
use crate::operation::{Gate, Operation, Restart};
use crate::planning::plan_window;
use crate::run::{Run, RunOptions, RunState};
use crate::stats::{Counters, add, read};
use crate::task_job::{Ended, TaskJob};
use crate::{ExecutorStats, RunError, RunHandle, SourceHandle, worker};

/// Reads under way and tasks ready to decode that the workers aim for when reads have to wait for a
/// device: twice what a queue depth of 8 needs to keep an NVMe drive busy at 256 KiB, so that workers
/// that all decode for a while do not let it fall idle.
const READ_AHEAD: usize = 32;
/// Bundles begun together then, so that their reads are submitted together.
const BATCH: usize = 8;

/// One piece of work in the queues.
pub(crate) enum Job {
    Task(Box<TaskJob>),
    Index(Box<IndexArrived>),
}

/// What the workers, the runs and the storages' threads share.
pub(crate) struct Shared {
    pub(crate) memory: Arc<Memory>,
    pub(crate) known: KnownCache,
    pub(crate) bell: Bell,
    pub(crate) injector: Injector<Job>,
    pub(crate) stealers: Vec<Stealer<Job>>,
    runs: RwLock<Vec<Arc<Run>>>,
    next_id: AtomicU64,
    /// Tasks in the queues.
    pub(crate) ready: AtomicUsize,
    /// Reads that were submitted and have not ended.
    outstanding: AtomicUsize,
    /// Whether the last read was not in memory.
    waits_for_device: AtomicBool,
    pub(crate) stop: AtomicBool,
    /// Bytes of all streams' tasks in flight and undelivered chunks.
    pub(crate) undelivered: Arc<AtomicU64>,
    totals: Counters,
    runs_ended: AtomicU64,
    pub(crate) steals: AtomicU64,
    pub(crate) parks: AtomicU64,
    pub(crate) tasks_by_worker: Vec<AtomicU64>,
}

/// Runs functions on chunks, on threads of its own. Threads start with the first run and sleep when
/// there is nothing to do.
pub struct Executor {
    shared: Arc<Shared>,
    idle: Mutex<Vec<Deque<Job>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let threads = self.shared.tasks_by_worker.len();
        f.debug_struct("Executor").field("threads", &threads).finish_non_exhaustive()
    }
}

impl Executor {
    /// An executor with `threads` workers (at least one) whose buffers come out of `memory`.
    #[must_use]
    pub fn new(threads: usize, memory: Arc<Memory>) -> Self {
        let threads = threads.max(1);
        let queues: Vec<Deque<Job>> = (0..threads).map(|_| Deque::new_lifo()).collect();
        let shared = Arc::new(Shared {
            memory: memory.clone(),
            known: KnownCache::default(),
            bell: Bell::default(),
            injector: Injector::new(),
            stealers: queues.iter().map(Deque::stealer).collect(),
            runs: RwLock::default(),
            next_id: AtomicU64::new(1),
            ready: AtomicUsize::new(0),
            outstanding: AtomicUsize::new(0),
            waits_for_device: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            undelivered: Arc::default(),
            totals: Counters::default(),
            runs_ended: AtomicU64::new(0),
            steals: AtomicU64::new(0),
            parks: AtomicU64::new(0),
            tasks_by_worker: (0..threads).map(|_| AtomicU64::new(0)).collect(),
        });
        let weak = Arc::downgrade(&shared);
        memory.on_release(Arc::new(move || {
            if let Some(shared) = weak.upgrade() {
                shared.bell.ring();
            }
        }));
        Self { shared, idle: Mutex::new(queues), threads: Mutex::default() }
    }

    /// Makes a source known to this executor. `None` if its chunk shape does not fit its shape.
    #[must_use]
    pub fn register(&self, source: Arc<dyn ChunkSource>) -> Option<Arc<SourceHandle>> {
        let id = self.shared.next_id.fetch_add(1, Ordering::Relaxed);
        SourceHandle::new(id, source, &self.shared).map(Arc::new)
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The budget that all runs share.
    #[must_use]
    pub fn memory(&self) -> &Arc<Memory> {
        &self.shared.memory
    }

    /// What the workers have done so far.
    #[must_use]
    pub fn stats(&self) -> ExecutorStats {
        let shared = &self.shared;
        ExecutorStats {
            runs: shared.totals.snapshot(),
            runs_ended: read(&shared.runs_ended),
            steals: read(&shared.steals),
            tasks_by_worker: shared.tasks_by_worker.iter().map(read).collect(),
            parks: read(&shared.parks),
        }
    }

    /// Starts a run.
    pub(crate) fn start(
        &self,
        sources: Vec<Arc<SourceHandle>>,
        plan: Arc<dyn TaskPlan>,
        operation: Box<dyn Operation>,
        options: RunOptions,
    ) -> RunHandle {
        self.start_threads();
        let id = self.shared.next_id.fetch_add(1, Ordering::Relaxed);
        let estimate = sources.iter().map(|handle| handle.source.info().encoded_estimate).sum();
        let request_bytes = plan.len().saturating_mul(estimate);
        let run = Arc::new(Run::new(id, sources, plan, operation, options, request_bytes));
        self.shared.write_runs().push(run.clone());
        let state = run.state();
        self.shared.settle(&run, state);
        self.shared.bell.ring();
        RunHandle { shared: self.shared.clone(), run }
    }

    fn start_threads(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, queue) in idle.drain(..).enumerate() {
            let shared = self.shared.clone();
            let thread = std::thread::Builder::new()
                .name(format!("lsio-worker-{number}"))
                .spawn(move || worker::work(&shared, number, &queue));
            // With fewer threads than asked for everything still runs; with none, runs would hang.
            match thread {
                Ok(thread) => threads.push(thread),
                Err(error) if threads.is_empty() => {
                    // The first thread is owed to every caller: a process that cannot start one cannot
                    // go on.
                    std::panic::panic_any(format!("cannot start a worker thread: {error}"));
                }
                Err(_) => break,
            }
        }
    }
}

impl Drop for Executor {
    /// Cancels what still runs and waits for the workers.
    fn drop(&mut self) {
        let runs = self.shared.read_runs();
        for run in runs {
            self.shared.cancel(&run);
        }
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.bell.ring_all();
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let me = std::thread::current().id();
        for thread in threads.drain(..) {
            // A worker that drops the last executor cannot wait for itself. A worker that panicked
            // outside a task has nothing to report here.
            if thread.thread().id() != me && thread.join().is_err() {
                continue;
            }
        }
    }
}

impl Shared {
    fn read_runs(&self) -> Vec<Arc<Run>> {
        self.runs.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn write_runs(&self) -> std::sync::RwLockWriteGuard<'_, Vec<Arc<Run>>> {
        self.runs.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn has_runs(&self) -> bool {
        !self.runs.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Puts a job where any worker finds it.
    pub(crate) fn queue(&self, job: Job) {
        if matches!(job, Job::Task(_)) {
            self.ready.fetch_add(1, Ordering::Relaxed);
        }
        self.injector.push(job);
        self.bell.ring();
    }

    pub(crate) fn queue_tasks(&self, tasks: Vec<Box<TaskJob>>) {
        for task in tasks {
            self.queue(Job::Task(task));
        }
    }

    pub(crate) fn read_has_ended(&self) {
        self.outstanding.fetch_sub(1, Ordering::Relaxed);
        self.bell.ring();
    }

    /// Whether more reads should be started before anything else, so that the device stays busy.
    pub(crate) fn wants_read_ahead(&self) -> bool {
        self.waits_for_device.load(Ordering::Relaxed) && !self.has_read_ahead()
    }

    /// Whether the device has enough to do: more reads would take memory and bring nothing.
    pub(crate) fn device_is_busy(&self) -> bool {
        self.waits_for_device.load(Ordering::Relaxed) && self.has_read_ahead()
    }

    fn has_read_ahead(&self) -> bool {
        let (outstanding, ready) = (&self.outstanding, &self.ready);
        outstanding.load(Ordering::Relaxed) + ready.load(Ordering::Relaxed) >= READ_AHEAD
    }

    /// Starts the next work of the oldest run that can start any. `false`: none can.
    pub(crate) fn advance(self: &Arc<Self>, queue: &Deque<Job>) -> bool {
        self.read_runs().iter().any(|run| self.advance_run(run, queue))
    }

    fn advance_run(self: &Arc<Self>, run: &Arc<Run>, queue: &Deque<Job>) -> bool {
        let most = if self.waits_for_device.load(Ordering::Relaxed) { BATCH } else { 1 };
        let mut started = false;
        let mut admitted = Vec::new();
        let mut state = run.state();
        while admitted.len() < most && state.is_active() {
            while index_read::start(self, run, &mut state) {
                started = true;
            }
            if state.bundles.is_empty() {
                let limit = self.memory.usage().limit;
                if let Err(error) = plan_window(run, &mut state, limit) {
                    state.fail(run, error);
                }
                while state.is_active() && index_read::start(self, run, &mut state) {
                    started = true;
                }
            }
            let Some(bundle) = self.admit(run, &mut state) else { break };
            admitted.push(bundle);
        }
        let failed = state.failure.is_some();
        if failed {
            self.settle(run, state);
        } else {
            drop(state);
        }
        started |= !admitted.is_empty();
        self.begin(run, admitted, queue);
        started
    }

    /// Takes the next bundle if it may start and there is memory for it.
    fn admit(&self, run: &Run, state: &mut RunState) -> Option<(Bundle, Reservation)> {
        let bundle = state.bundles.front()?;
        let total = bundle.task_bytes() + bundle.read_bytes();
        let reserved = read(&run.counters.reserved);
        let over_cap = run.options.memory.is_some_and(|cap| reserved + total > cap);
        let closed = run.operation.gate(total, state.admitted) == Gate::Closed;
        if closed || (over_cap && reserved > 0) {
            if std::mem::take(&mut state.waits_for_memory) {
                self.memory.withdraw(run.id);
            }
            return None;
        }
        let reservation = self.reserve(run, state, total)?;
        let bundle = state.bundles.pop_front()?;
        state.admitted += bundle.tasks.len();
        run.counters.reserve(total);
        run.operation.admitted(total);
        Some((bundle, reservation))
    }

    /// Reserves memory for a run and remembers if it has to wait.
    pub(crate) fn reserve(
        &self,
        run: &Run,
        state: &mut RunState,
        bytes: u64,
    ) -> Option<Reservation> {
        let reservation = self.memory.reserve(run.id, bytes);
        state.waits_for_memory = reservation.is_none();
        reservation
    }

    /// Reads what is in memory on this thread and submits the rest together.
    fn begin(
        self: &Arc<Self>,
        run: &Arc<Run>,
        admitted: Vec<(Bundle, Reservation)>,
        queue: &Deque<Job>,
    ) {
        let mut batches: Vec<(Arc<dyn lsio_io::Storage>, Vec<lsio_io::Read>)> = Vec::new();
        for (bundle, reservation) in admitted {
            let started = InFlight::start(self, run, bundle, reservation);
            self.push_tasks(queue, started.ready);
            for (storage, read) in started.reads {
                match storage.try_read_resident(read) {
                    Resident::Hit(completion) => {
                        let ready = started.in_flight.arrive(&completion);
                        drop(completion);
                        self.push_tasks(queue, ready);
                        self.waits_for_device.store(false, Ordering::Relaxed);
                    }
                    Resident::Miss(read) => {
                        self.waits_for_device.store(true, Ordering::Relaxed);
                        let known = batches.iter_mut().find(|(at, _)| Arc::ptr_eq(at, &storage));
                        match known {
                            Some((_, reads)) => reads.push(read),
                            None => batches.push((storage, vec![read])),
                        }
                    }
                }
            }
        }
        for (storage, reads) in batches {
            self.outstanding.fetch_add(reads.len(), Ordering::Relaxed);
            storage.submit(reads);
        }
    }

    fn push_tasks(&self, queue: &Deque<Job>, tasks: Vec<Box<TaskJob>>) {
        let several = tasks.len() > 1;
        for task in tasks.into_iter().rev() {
            self.ready.fetch_add(1, Ordering::Relaxed);
            queue.push(Job::Task(task));
        }
        if several {
            self.bell.ring();
        }
    }

    /// Books the end of a task.
    pub(crate) fn end_task(self: &Arc<Self>, job: Box<TaskJob>, ended: Ended) {
        let (run, planned, charged) = job.into_parts();
        run.counters.release(charged);
        run.operation.released(charged);
        let mut state = run.state();
        state.admitted -= 1;
        match ended {
            Ended::Done => {
                add(&run.counters.tasks_done, 1);
                state.done += 1;
            }
            Ended::Again(attempt) if state.is_active() => {
                state.again.push_front((planned.task, attempt));
            }
            Ended::Again(_) | Ended::Dropped => {}
            Ended::Failed(error) => state.fail(&run, error),
            Ended::Conflict(error) if state.is_active() => {
                self.replaced(&run, &mut state, planned, error);
            }
            Ended::Conflict(_) => {}
        }
        self.settle(&run, state);
        self.bell.ring();
    }

    /// An object was replaced while chunks were being read from it: plan again, once.
    fn replaced(
        &self,
        run: &Run,
        state: &mut RunState,
        planned: crate::bundle::PlannedTask,
        error: RunError,
    ) {
        for (key, _) in &planned.known {
            self.known.forget(run.sources[key.0].id, &key.1);
        }
        if run.operation.restart() == Restart::Whole {
            if state.restarted {
                state.fail(run, error);
            } else {
                state.start_over(run);
            }
            return;
        }
        // Only what was located with the present answers has met a new replacement.
        let mut present = planned.known.is_empty();
        let mut shown = false;
        for (key, flag) in &planned.known {
            shown |= flag.load(Ordering::Acquire);
            if state.known.get(key).is_some_and(|known| Arc::ptr_eq(&known.shown, flag)) {
                state.known.remove(key);
                present = true;
            }
        }
        let again =
            !present || planned.known.iter().all(|(key, _)| state.replaced.insert(key.clone()));
        if shown || !again || planned.known.is_empty() {
            state.fail(run, error);
        } else {
            state.again.push_front((planned.task, planned.attempt));
        }
    }

    /// Ends or restarts a run that has nothing in flight, if it is time.
    pub(crate) fn settle<'a>(
        self: &Arc<Self>,
        run: &'a Arc<Run>,
        mut state: MutexGuard<'a, RunState>,
    ) {
        if state.failure.is_some() {
            let suspended = std::mem::take(&mut state.suspended);
            if !suspended.is_empty() {
                drop(state);
                for resumer in suspended.iter().filter_map(std::sync::Weak::upgrade) {
                    lsio_array::Resume::resume(resumer);
                }
                state = run.state();
            }
        }
        if state.finished || !state.is_quiet() {
            return;
        }
        if state.restarting && state.failure.is_none() {
            run.operation.reset();
            state.reset(run);
            drop(state);
            self.bell.ring();
            return;
        }
        if state.failure.is_none() && state.done < run.plan.len() {
            return;
        }
        state.finished = true;
        let failure = state.failure.clone();
        drop(state);
        run.over.store(true, Ordering::Release);
        self.memory.withdraw(run.id);
        self.write_runs().retain(|other| other.id != run.id);
        run.counters.add_to(&self.totals);
        add(&self.runs_ended, 1);
        run.operation.finish(failure.map_or(Ok(()), Err));
        if self.stop.load(Ordering::SeqCst) {
            self.bell.ring_all();
        }
    }

    /// Ends a run early; its operation is told as soon as nothing is in flight.
    pub(crate) fn cancel(self: &Arc<Self>, run: &Arc<Run>) {
        let mut state = run.state();
        if !state.finished {
            state.fail(run, RunError::Cancelled);
        }
        self.settle(run, state);
    }
}
