//! The executor: worker threads, the runs they work on, and what they share.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use crossbeam_deque::{Injector, Stealer, Worker as Deque};
use lsio_array::{ChunkSource, TaskPlan};
use lsio_io::Memory;

use crate::batch::{Tasks, batches};
use crate::bell::Bell;
use crate::cache::Cache;
use crate::device::Devices;
use crate::index_read::IndexArrived;
use crate::operation::Operation;
use crate::run::{Run, RunOptions};
use crate::stats::{Counters, read};
use crate::{ExecutorStats, RunError, RunHandle, SourceHandle, worker};

/// What the workers aim for when reads have to wait for a device or a network, counted in reads under way and tasks
/// ready to decode: as many as the storage says. One read of a local file is a [`UNIT`], so that reads of stores which
/// want more of them can be a part of that.
const READ_AHEAD: usize = LOCAL_READS * UNIT;

/// What a read of a storage that wants [`LOCAL_READS`] at once counts.
pub(crate) const UNIT: usize = 64;

/// Reads of local files under way that the workers aim for: see [`Storage::reads_at_once`].
const LOCAL_READS: usize = lsio_io::LOCAL_READS_AT_ONCE as usize;

/// What a short read counts at a storage that wants so many at once.
pub(crate) fn unit(reads_at_once: u32) -> usize {
    (READ_AHEAD / (reads_at_once.max(1) as usize)).max(1)
}

/// What a read of `bytes` counts at a storage that has enough to do with `enough` bytes, or with so many reads.
pub(crate) fn weight(bytes: u64, enough: u64, reads_at_once: u32) -> usize {
    let share = (enough / LOCAL_READS as u64).max(1);
    let reads = (bytes.div_ceil(share) as usize).clamp(1, LOCAL_READS);
    (reads * unit(reads_at_once)).min(READ_AHEAD)
}

/// Bytes of a worker's stack: what the standard library gives a thread.
const STACK: usize = 2 << 20;
/// One piece of work in the queues.
pub(crate) enum Job {
    Tasks(Tasks),
    Index(Box<IndexArrived>),
}

/// What the workers, the runs and the storages' threads share.
pub(crate) struct Shared {
    pub(crate) memory: Arc<Memory>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) bell: Bell,
    pub(crate) injector: Injector<Job>,
    pub(crate) stealers: Vec<Stealer<Job>>,
    /// The runs that have not ended, by their id: oldest first.
    runs: RwLock<BTreeMap<u64, Arc<Run>>>,
    /// Of runs and sources; also the clock by which runs are told from what was read before them.
    pub(crate) next_id: AtomicU64,
    /// Runs that have started since workers looked here.
    pub(crate) arrivals: Injector<Arc<Run>>,
    /// Batches of tasks in the queues.
    pub(crate) ready: AtomicUsize,
    /// What the runs read from, with the reads that were submitted and have not ended, by their [`weight`].
    devices: Devices,
    /// Whether the last read was not in memory.
    pub(crate) waits_for_device: AtomicBool,
    /// What a task that is ready to decode counts beside the reads under way.
    pub(crate) ready_unit: AtomicUsize,
    pub(crate) stop: AtomicBool,
    /// Bytes of all streams' tasks in flight and undelivered chunks.
    pub(crate) undelivered: Arc<AtomicU64>,
    pub(crate) totals: Counters,
    pub(crate) runs_ended: AtomicU64,
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
        Self::with_cache(threads, memory, None)
    }

    /// As [`new`](Self::new), and `cache` says how many bytes are kept of what later runs may want again:
    /// parsed indexes and decoded chunks; 0: none of them. `None`: indexes only, up to 16 MiB. They are part
    /// of `memory` and give way to what is to be reserved.
    #[must_use]
    pub fn with_cache(threads: usize, memory: Arc<Memory>, cache: Option<u64>) -> Self {
        let threads = threads.max(1);
        let queues: Vec<Deque<Job>> = (0..threads).map(|_| Deque::new_lifo()).collect();
        let shared = Arc::new(Shared {
            cache: Cache::new(&memory, cache),
            memory,
            bell: Bell::default(),
            injector: Injector::new(),
            stealers: queues.iter().map(Deque::stealer).collect(),
            runs: RwLock::default(),
            next_id: AtomicU64::new(1),
            arrivals: Injector::new(),
            ready: AtomicUsize::new(0),
            devices: Devices::default(),
            waits_for_device: AtomicBool::new(false),
            ready_unit: AtomicUsize::new(UNIT),
            stop: AtomicBool::new(false),
            undelivered: Arc::default(),
            totals: Counters::default(),
            runs_ended: AtomicU64::new(0),
            steals: AtomicU64::new(0),
            parks: AtomicU64::new(0),
            tasks_by_worker: (0..threads).map(|_| AtomicU64::new(0)).collect(),
        });
        let weak = Arc::downgrade(&shared);
        shared.memory.on_release(Arc::new(move || {
            if let Some(shared) = weak.upgrade() {
                shared.bell.ring();
            }
        }));
        Self { shared, idle: Mutex::new(queues), threads: Mutex::default() }
    }

    /// Makes a source known to this executor. `None` if its chunk shape does not fit its shape.
    #[must_use]
    pub fn register(&self, source: Arc<dyn ChunkSource>) -> Option<Arc<SourceHandle>> {
        let id = self.shared.next_id.fetch_add(1, Ordering::SeqCst);
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

    /// Most bytes that are cached.
    #[must_use]
    pub fn cache_limit(&self) -> u64 {
        self.shared.cache.capacity()
    }

    /// What the workers have done so far.
    #[must_use]
    pub fn stats(&self) -> ExecutorStats {
        let shared = &self.shared;
        let mut runs = shared.totals.snapshot();
        runs.cache_evictions += shared.cache.gave_way();
        ExecutorStats {
            runs,
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
        let id = self.shared.next_id.fetch_add(1, Ordering::SeqCst);
        let estimates = sources.iter().map(|handle| handle.source.info().encoded_estimate);
        let estimate = estimates.fold(0, u64::saturating_add);
        let request_bytes = plan.len().saturating_mul(estimate);
        let keeps_chunks = self.keeps_chunks(&sources, plan.len());
        let devices = self.shared.devices.of(&sources);
        let mut run = Run::new(id, (sources, devices), plan, operation, options, request_bytes);
        run.keeps_chunks = keeps_chunks;
        let run = Arc::new(run);
        self.shared.add_run(run.clone());
        if run.operation.borrows() {
            self.shared.arrivals.push(run.clone());
        }
        if self.start_threads() {
            let state = run.state();
            self.shared.settle(&run, state);
            self.shared.bell.ring();
        } else {
            self.shared.fail(&run, RunError::OutOfMemory { bytes: STACK as u64 });
        }
        RunHandle { shared: self.shared.clone(), run }
    }

    /// Whether the cache takes the chunks of a run of so many tasks. One that decodes more than the cache holds
    /// would push out what others use, and itself find nothing of it.
    fn keeps_chunks(&self, sources: &[Arc<SourceHandle>], tasks: u64) -> bool {
        let cache = &self.shared.cache;
        let lens =
            sources.iter().map(|handle| Cache::chunk_bytes(handle.source.info().decoded_len));
        let kept = lens.fold(0, u64::saturating_add).saturating_mul(tasks);
        cache.keeps_chunks() && kept <= cache.capacity()
    }

    /// Starts the threads that do not run yet. With fewer than wanted everything still runs; `false`:
    /// there is none.
    fn start_threads(&self) -> bool {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(queue) = idle.pop() {
            let number = idle.len();
            let shared = self.shared.clone();
            let builder =
                std::thread::Builder::new().name(format!("lsio-worker-{number}")).stack_size(STACK);
            let Ok(thread) = builder.spawn(move || worker::work(&shared, number, &queue)) else {
                break;
            };
            threads.push(thread);
        }
        !threads.is_empty()
    }
}

impl Drop for Executor {
    /// Cancels what still runs and waits for the workers.
    fn drop(&mut self) {
        let mut after = 0;
        while let Some(run) = self.shared.run_after(after) {
            after = run.id;
            self.shared.cancel(&run);
        }
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.bell.ring_all();
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let me = std::thread::current().id();
        for thread in threads.drain(..).filter(|thread| thread.thread().id() != me) {
            // A worker that drops the last executor cannot wait for itself. One that panicked outside
            // a task has nothing to report here.
            drop(thread.join());
        }
    }
}

impl Shared {
    /// The oldest run that has not ended and was started after the one with this id. Nothing is copied
    /// for a look at all runs: with thousands of them a copy for each would cost more than their work.
    pub(crate) fn run_after(&self, id: u64) -> Option<Arc<Run>> {
        let runs = self.runs.read().unwrap_or_else(PoisonError::into_inner);
        let next = runs.range((Bound::Excluded(id), Bound::Unbounded)).next();
        next.map(|(_, run)| run.clone())
    }

    /// Whether all runs have ended.
    pub(crate) fn is_idle(&self) -> bool {
        self.runs.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn add_run(&self, run: Arc<Run>) {
        run.sources.iter().for_each(|handle| handle.flights.run_starts());
        self.runs.write().unwrap_or_else(PoisonError::into_inner).insert(run.id, run);
    }

    pub(crate) fn remove_run(&self, run: &Run) {
        self.runs.write().unwrap_or_else(PoisonError::into_inner).remove(&run.id);
        run.sources.iter().for_each(|handle| handle.flights.run_ends());
    }

    /// Puts a job where any worker finds it.
    pub(crate) fn queue(&self, job: Job) {
        if matches!(job, Job::Tasks(_)) {
            self.ready.fetch_add(1, Ordering::Relaxed);
        }
        self.injector.push(job);
        self.bell.ring();
    }

    pub(crate) fn queue_tasks(&self, tasks: Tasks) {
        for batch in batches(tasks, self.stealers.len()) {
            self.queue(Job::Tasks(batch));
        }
    }

    /// Whether more reads should be started before anything else, so that no device falls idle.
    pub(crate) fn wants_read_ahead(&self) -> bool {
        self.waits_for_device.load(Ordering::Relaxed) && self.devices.any_below(self.read_ahead())
    }

    /// Whether all devices have enough to do: more reads would take memory and bring nothing.
    pub(crate) fn devices_are_busy(&self) -> bool {
        self.waits_for_device.load(Ordering::Relaxed) && !self.devices.any_below(self.read_ahead())
    }

    /// Whether what a run reads from has enough to do.
    pub(crate) fn is_busy_for(&self, run: &Run) -> bool {
        self.waits_for_device.load(Ordering::Relaxed) && {
            let limit = self.read_ahead();
            run.devices.iter().any(|device| device.outstanding() >= limit)
        }
    }

    /// What is to be under way at a device, beside the tasks that are ready to decode.
    fn read_ahead(&self) -> usize {
        let ready = self.ready.load(Ordering::Relaxed) * self.ready_unit.load(Ordering::Relaxed);
        READ_AHEAD.saturating_sub(ready)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_weighs_what_it_takes_of_what_is_enough() {
        assert_eq!(weight(1, u64::MAX, 32), UNIT);
        assert_eq!(weight(8 << 30, u64::MAX, 32), UNIT);
        assert_eq!(weight(0, 32 << 20, 32), UNIT);
        assert_eq!(weight(1 << 20, 32 << 20, 32), UNIT);
        assert_eq!(weight((1 << 20) + 1, 32 << 20, 32), 2 * UNIT);
        assert_eq!(weight(1 << 40, 32 << 20, 32), READ_AHEAD);
        assert_eq!(weight(u64::MAX, 0, 32), READ_AHEAD);
    }

    #[test]
    fn a_storage_has_as_many_reads_under_way_as_it_wants() {
        for at_once in [1, 2, 32, 64, 256] {
            assert_eq!(weight(1 << 20, u64::MAX, at_once) * at_once as usize, READ_AHEAD);
        }
        assert_eq!(weight(1 << 20, u64::MAX, u32::MAX), 1);
        assert_eq!(weight(1 << 40, 32 << 20, 1), READ_AHEAD);
    }
}
