//! Chunks that several runs want at the same time: each is read and decoded once for all of them.
//!
//! A run whose operation can take elements from a chunk that another run has decoded keeps its next
//! tasks in the table of their source. Whoever has decoded a chunk hands it, while it is in the
//! processor's cache, to every task in the table that wants it. While a chunk is on its way, tasks
//! that want it are passed over; they are not bound to it, so a flight that fails or is cancelled costs
//! nobody more than a look: nothing here waits for anything.
//!
//! A task is served only from bytes that were looked for after its run had started, and only from the
//! version that its run has seen of the same object. So a read never brings what the store held before
//! it was asked for, and never parts of two versions.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crossbeam_deque::Steal;
use lsio_array::{ChunkErrorKind, Task, TaskInput};

use crate::executor::Shared;
use crate::operation::Lent;
use crate::panics::contain;
use crate::planning::task_of;
use crate::run::{Attempt, Known, Run, RunState, Start};
use crate::stats::{add, add_time};
use crate::{RunError, SourceHandle};

/// Tasks of one run that others can find: twice what a window of a sharded array plans at once for a
/// small request, and some 100 KiB for a run over a whole array.
const QUEUED_TASKS: usize = 256;

/// What the runs over one source want, and what is on its way.
#[derive(Default)]
pub(crate) struct Flights {
    /// Runs over the source that have not ended: while there is one, nothing is looked up.
    runs: AtomicUsize,
    chunks: Mutex<HashMap<Vec<u64>, Chunk>>,
}

#[derive(Default)]
struct Chunk {
    /// Tasks in the queues of their runs that want it.
    wanted: Vec<(Arc<Run>, u64)>,
    flying: Vec<Flying>,
}

/// A task in flight that will share what it decodes.
struct Flying {
    run: Arc<Run>,
    number: u64,
    /// As [`TaskJob::fresh`](crate::task_job::TaskJob).
    fresh: u64,
}

impl fmt::Debug for Flights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flights").field("runs", &self.runs).finish_non_exhaustive()
    }
}

impl Flights {
    pub(crate) fn run_starts(&self) {
        self.runs.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn run_ends(&self) {
        self.runs.fetch_sub(1, Ordering::SeqCst);
    }

    /// Whether several runs read this source now.
    fn are_shared(&self) -> bool {
        self.runs.load(Ordering::SeqCst) > 1
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Vec<u64>, Chunk>> {
        self.chunks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, run: &Run, task: &Task) {
        let Some(input) = task.inputs.first() else { return };
        let mut chunks = self.lock();
        let Some(chunk) = chunks.get_mut(&input.chunk) else { return };
        chunk.wanted.retain(|(other, number)| other.id != run.id || *number != task.number);
        if chunk.is_empty() {
            chunks.remove(&input.chunk);
        }
    }

    /// Takes a task out of the table, to be started by its own run. `false`: it stays, because its
    /// chunk is on its way and will be shared.
    fn depart(&self, run: &Run, task: &Task) -> bool {
        let Some(input) = task.inputs.first() else { return true };
        let mut chunks = self.lock();
        let Some(chunk) = chunks.get_mut(&input.chunk) else { return true };
        let comes =
            |flying: &Flying| run.id < flying.fresh && !flying.run.over.load(Ordering::Acquire);
        if chunk.flying.iter().any(comes) {
            return false;
        }
        chunk.wanted.retain(|(other, number)| other.id != run.id || *number != task.number);
        if chunk.is_empty() {
            chunks.remove(&input.chunk);
        }
        true
    }

    /// Takes the tasks that may have a chunk which is as fresh as this.
    fn take(&self, chunk: &[u64], fresh: u64) -> Vec<(Arc<Run>, u64)> {
        let mut chunks = self.lock();
        let Some(entry) = chunks.get_mut(chunk) else { return Vec::new() };
        let taken = entry.wanted.extract_if(.., |(run, _)| run.id < fresh).collect();
        if entry.is_empty() {
            chunks.remove(chunk);
        }
        taken
    }
}

impl Chunk {
    fn is_empty(&self) -> bool {
        self.wanted.is_empty() && self.flying.is_empty()
    }
}

/// A chunk on its way, until it was shared or cannot come any more.
pub(crate) struct Flight {
    shared: Arc<Shared>,
    run: Arc<Run>,
    number: u64,
    source: usize,
    chunk: Vec<u64>,
}

impl Flight {
    /// Makes it known that the chunks of `task` are on their way, if others may want them.
    pub(crate) fn announce(
        shared: &Arc<Shared>,
        run: &Arc<Run>,
        task: &Task,
        fresh: u64,
    ) -> Vec<Self> {
        if !run.operation.lends() {
            return Vec::new();
        }
        let announced = task.inputs.iter().filter_map(|input| {
            let flights = &run.sources[input.source].flights;
            if !flights.are_shared() {
                return None;
            }
            let number = task.number;
            let flying = Flying { run: run.clone(), number, fresh };
            flights.lock().entry(input.chunk.clone()).or_default().flying.push(flying);
            let (shared, run) = (shared.clone(), run.clone());
            Some(Self { shared, run, number, source: input.source, chunk: input.chunk.clone() })
        });
        announced.collect()
    }

    /// Whether it is the flight of this input.
    pub(crate) fn brings(&self, input: &TaskInput) -> bool {
        self.source == input.source && self.chunk == input.chunk
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut chunks = self.run.sources[self.source].flights.lock();
        let Some(chunk) = chunks.get_mut(&self.chunk) else { return };
        let mine = |flying: &Flying| flying.run.id == self.run.id && flying.number == self.number;
        if let Some(at) = chunk.flying.iter().position(mine) {
            chunk.flying.swap_remove(at);
        }
        // What was passed over has to be looked at again.
        let left = !chunk.wanted.is_empty();
        if chunk.is_empty() {
            chunks.remove(&self.chunk);
        }
        drop(chunks);
        if left {
            self.shared.bell.ring();
        }
    }
}

/// Hands a decoded chunk to the tasks of all runs that wait for it.
pub(crate) fn share(
    shared: &Arc<Shared>,
    handle: &SourceHandle,
    input: &TaskInput,
    (fresh, known): (u64, &[Arc<Known>]),
    lent: Lent<'_>,
) {
    if !handle.flights.are_shared() {
        return;
    }
    shared.enlist();
    // Runs that read several sources know this one by another number.
    let known = || known.iter().filter(|known| known.key.0 == input.source);
    for (run, number) in handle.flights.take(&input.chunk, fresh) {
        let mut state = run.state();
        // It may have been started, or have ended, since it was put into the table.
        let Some(task) = state.queued.remove(&number) else { continue };
        if !state.adopt(known()) {
            state.again.insert(number, (task, Attempt::default()));
            drop(state);
            shared.bell.ring();
            continue;
        }
        state.admitted += 1;
        enqueue_or_fail(&run, &mut state);
        drop(state);
        let started = Instant::now();
        let accepted = match lent {
            Lent::Missing => run.accept_missing(),
            Lent::Fixed(_) => Ok(()),
        };
        let borrow = || run.operation.borrow(&task, lent, &run.sources, &run.counters);
        let result = accepted.and_then(|()| {
            contain(borrow).unwrap_or_else(|panic| Err(ChunkErrorKind::Panic(panic)))
        });
        add_time(&run.counters.apply_nanos, started.elapsed());
        let counted = match lent {
            Lent::Missing => &run.counters.chunks_missing,
            Lent::Fixed(_) => &run.counters.chunks_shared,
        };
        add(counted, 1);
        shared.end_shared(&run, &task, result);
    }
}

/// Puts the next tasks of a run where others find them, if there are others.
pub(crate) fn enqueue(run: &Arc<Run>, state: &mut RunState) -> Result<(), RunError> {
    let [handle] = &run.sources[..] else { return Ok(()) };
    let enough = state.queued.len() > QUEUED_TASKS / 2 || state.next >= run.plan.len();
    // A run that starts over has met a version that others may still be handing out.
    let first = state.is_active() && state.start == Start::First;
    // Whether a run fits a limit of its own must not depend on who else reads.
    let is_limited = run.options.memory.is_some();
    let borrows = run.operation.borrows() && !is_limited;
    if enough || !first || !borrows || !handle.flights.are_shared() {
        return Ok(());
    }
    let room = (QUEUED_TASKS - state.queued.len()) as u64;
    let end = run.plan.len().min(state.next.saturating_add(room));
    let tasks = (state.next..end).map(|number| task_of(run, number));
    let tasks = tasks.collect::<Result<Vec<_>, _>>()?;
    state.next = end;
    let mut chunks = handle.flights.lock();
    for task in &tasks {
        if let [input] = &task.inputs[..] {
            let entry = chunks.entry(input.chunk.clone()).or_default();
            entry.wanted.push((run.clone(), task.number));
        }
    }
    drop(chunks);
    state.queued.extend(tasks.into_iter().map(|task| (task.number, task)));
    Ok(())
}

fn enqueue_or_fail(run: &Arc<Run>, state: &mut RunState) {
    if let Err(error) = enqueue(run, state) {
        state.fail(run, error);
    }
}

impl RunState {
    /// The next task in the queue, at or above number `from`, whose chunk is not on its way.
    pub(crate) fn next_queued(&mut self, run: &Run, from: u64) -> Option<Task> {
        let [handle] = &run.sources[..] else { return None };
        let mut queued = self.queued.range(from..);
        let number = queued.find(|(_, task)| handle.flights.depart(run, task)).map(|(n, _)| *n)?;
        self.queued.remove(&number)
    }

    /// Nobody is to serve the tasks in the queue any more.
    pub(crate) fn drop_queued(&mut self, run: &Run) {
        let queued = std::mem::take(&mut self.queued);
        if let [handle] = &run.sources[..] {
            for task in queued.values() {
                handle.flights.forget(run, task);
            }
        }
    }

    /// Takes over what a chunk was located with. `false`: this run has seen, or is looking for, another
    /// version.
    fn adopt<'a>(&mut self, known: impl Iterator<Item = &'a Arc<Known>> + Clone) -> bool {
        let agrees = |theirs: &Arc<Known>| {
            let key = (0, theirs.key.1.clone());
            let same = |ours: &Arc<Known>| ours.answer.identity == theirs.answer.identity;
            !self.parked.contains_key(&key) && self.known.get(&key).is_none_or(same)
        };
        let all_agree = known.clone().all(agrees);
        if all_agree {
            for theirs in known {
                let key = (0, theirs.key.1.clone());
                if !self.known.contains_key(&key) {
                    self.learn(key, theirs.answer.clone(), theirs.bytes, theirs.checked);
                }
            }
        }
        all_agree
    }
}

impl Shared {
    /// A moment: what is read after it was taken is fresh for every run with a smaller id.
    pub(crate) fn moment(&self) -> u64 {
        self.next_id.load(Ordering::SeqCst)
    }

    /// Puts the tasks of runs that have just started where others find them. Done by workers, so that
    /// the caller's thread is free.
    pub(crate) fn enlist(self: &Arc<Self>) {
        while !self.arrivals.is_empty() {
            let Steal::Success(run) = self.arrivals.steal() else { continue };
            let mut state = run.state();
            enqueue_or_fail(&run, &mut state);
            if state.failure.is_some() {
                self.settle(&run, state);
            }
        }
    }
}
