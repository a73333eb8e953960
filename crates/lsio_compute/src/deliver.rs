//! Hands decoded chunks to a consumer that takes them when it likes: the operation behind chunk
//! iterators.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lsio_array::{ArrayInfo, ChunkErrorKind, Task, TaskPlan};
use lsio_io::{Reservation, class_size};

use crate::chunk_data::gather;
use crate::executor::Shared;
use crate::operation::{DecodedInput, Gate, Operation, Restart, Sources};
use crate::panics::contain;
use crate::run::RunOptions;
use crate::stats::Counters;
use crate::undelivered::Undelivered;
use crate::{ChunkData, Executor, RunError, RunHandle, RunStats, SourceHandle};

/// What a stream keeps in flight and undelivered for each worker, even if the budget allows more. Two
/// workers read and decode as fast with 16 MiB in all as with 256, cold files included (benches/findings.md);
/// 32 hold what the 24 MiB that a device is asked for at once bring.
const READ_AHEAD_PER_WORKER: u64 = 16 << 20;

/// Tasks for each worker that a stream of large chunks may keep: one to work on, one that waits.
const TASKS_PER_WORKER: u64 = 2;

/// How chunks are delivered.
#[derive(Debug, Clone, Default)]
pub struct DeliverOptions {
    /// How the run reads.
    pub run: RunOptions,
    /// Most chunks in flight or undelivered; `None`: memory alone limits them.
    pub concurrency: Option<usize>,
    /// In the order of the plan rather than of completion.
    pub in_order: bool,
}

/// Receives a batch of chunks; an empty one is the end.
pub type BatchDone = Box<dyn FnOnce(Result<Vec<ChunkData>, RunError>) + Send>;

/// One who waits for chunks.
struct Waiter {
    least: usize,
    most: usize,
    done: BatchDone,
}

/// One who waits, and what he gets.
type Answer = (BatchDone, Result<Vec<ChunkData>, RunError>);

/// The consumer's side of a run that delivers its chunks. Dropping it ends the run.
#[derive(Debug)]
pub struct ChunkStream {
    handle: RunHandle,
    delivery: Arc<Delivery>,
}

/// What the run and the consumer share.
struct Delivery {
    state: Mutex<DeliveryState>,
    in_order: bool,
    concurrency: usize,
    /// Most bytes that may be undelivered.
    cap: u64,
    /// Bytes that all streams of the executor keep, and half of the budget.
    total: Arc<AtomicU64>,
    total_cap: u64,
}

struct DeliveryState {
    chunks: Undelivered,
    /// Bytes reserved by tasks in flight and by chunks that wait for the consumer.
    bytes: u64,
    /// Bytes of chunks that wait for the consumer.
    waiting_bytes: u64,
    waiters: VecDeque<Waiter>,
    /// Whether a thread is serving those who wait.
    serving: bool,
    /// The consumer wants no more chunks.
    closed: bool,
    ended: Option<Result<(), RunError>>,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("in_order", &self.in_order).finish_non_exhaustive()
    }
}

struct Deliver(Arc<Delivery>);

impl DeliveryState {
    fn new(in_order: bool) -> Self {
        Self {
            chunks: Undelivered::new(in_order),
            bytes: 0,
            waiting_bytes: 0,
            waiters: VecDeque::new(),
            serving: false,
            closed: false,
            ended: None,
        }
    }

    /// Whether no task is under way that could bring another chunk.
    fn is_idle(&self) -> bool {
        self.bytes == self.waiting_bytes
    }

    /// Whether one who waits for `least` chunks gets what there is.
    fn are_enough(&self, least: usize) -> bool {
        self.chunks.len() >= least || self.is_idle() || self.ended.is_some()
    }

    /// The answer to the first who waits, if there is one. Its chunks are not held yet.
    fn next_answer(&mut self) -> Option<Answer> {
        let &Waiter { least, most, .. } = self.waiters.front()?;
        let batch = if self.are_enough(least) { self.chunks.take(most) } else { Vec::new() };
        self.waiting_bytes -= batch.iter().map(ChunkData::charged).sum::<u64>();
        let result = match (&self.ended, batch.is_empty()) {
            (_, false) | (Some(Ok(())), true) => Ok(batch),
            (Some(Err(error)), true) => Err(error.clone()),
            (None, true) => return None,
        };
        let waiter = self.waiters.pop_front()?;
        Some((waiter.done, result))
    }
}

impl Executor {
    /// Starts to decode the chunks of `plan` and keeps them for the consumer.
    #[must_use]
    pub fn deliver(
        &self,
        source: Arc<SourceHandle>,
        plan: Arc<dyn TaskPlan>,
        options: DeliverOptions,
    ) -> ChunkStream {
        let shared: &Arc<Shared> = self.shared();
        let half = shared.memory.usage().limit / 2;
        let workers = shared.stealers.len() as u64;
        let ahead = workers.saturating_mul(read_ahead_per_worker(source.source().info()));
        let delivery = Arc::new(Delivery {
            state: Mutex::new(DeliveryState::new(options.in_order)),
            in_order: options.in_order,
            concurrency: options.concurrency.unwrap_or(usize::MAX).max(1),
            cap: half.min(ahead).min(options.run.memory.unwrap_or(u64::MAX)),
            total: shared.undelivered.clone(),
            total_cap: half,
        });
        let operation = Box::new(Deliver(delivery.clone()));
        let handle = self.start(vec![source], plan, operation, options.run);
        ChunkStream { handle, delivery }
    }
}

/// Bytes that a stream over this array keeps for each worker.
fn read_ahead_per_worker(info: &ArrayInfo) -> u64 {
    let lens = [info.encoded_estimate, info.decoded_len, info.scratch_len, info.suspended_len];
    let task = lens.iter().fold(0, |sum: u64, &len| sum.saturating_add(class_size(len)));
    READ_AHEAD_PER_WORKER.max(task.saturating_mul(TASKS_PER_WORKER))
}

impl ChunkStream {
    /// Asks for at least one and at most `most` chunks (at least 1). `done` is called once: with
    /// chunks, with none at the end, or with the error that ended the run. Calls may overlap and are
    /// served in their order.
    pub fn next_batch(&self, most: usize, done: BatchDone) {
        self.next_batch_of(1, most, done);
    }

    /// As [`next_batch`](Self::next_batch), but waits for `least` chunks as long as others are under way:
    /// for a consumer to whom each batch costs something.
    pub fn next_batch_of(&self, least: usize, most: usize, done: BatchDone) {
        let most = most.max(1);
        let mut state = self.delivery.lock();
        state.waiters.push_back(Waiter { least: least.min(most), most, done });
        self.delivery.serve(state);
        self.handle.wake();
    }

    /// Ends the run: no further chunks come, what was not delivered is given back.
    pub fn close(&self) {
        let mut state = self.delivery.lock();
        state.closed = true;
        let none = Undelivered::new(self.delivery.in_order);
        let chunks = std::mem::replace(&mut state.chunks, none);
        let waiting = std::mem::take(&mut state.waiting_bytes);
        self.delivery.kept_less(&mut state, waiting);
        drop(state);
        drop(chunks);
        self.handle.cancel();
        // Other streams may start what these chunks were in the way of.
        self.handle.wake();
    }

    /// What the run has done so far.
    #[must_use]
    pub fn stats(&self) -> RunStats {
        self.handle.stats()
    }
}

impl Drop for ChunkStream {
    fn drop(&mut self) {
        self.close();
    }
}

impl Delivery {
    fn lock(&self) -> MutexGuard<'_, DeliveryState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept_more(&self, state: &mut DeliveryState, bytes: u64) {
        state.bytes += bytes;
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }

    fn kept_less(&self, state: &mut DeliveryState, bytes: u64) {
        state.bytes -= bytes;
        self.total.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Serves those who wait, as far as that is possible, without the lock. One thread does so at a
    /// time, so that all are served in their order and one that asks again at once is served by the
    /// same loop.
    fn serve<'a>(&'a self, mut state: MutexGuard<'a, DeliveryState>) {
        if std::mem::replace(&mut state.serving, true) {
            return;
        }
        while let Some((done, mut result)) = state.next_answer() {
            drop(state);
            if let Ok(batch) = &mut result {
                let bytes = batch.iter().map(ChunkData::charged).sum();
                ChunkData::hold_all(batch);
                // Not before: what starts in their place must not be reserved beside them.
                self.kept_less(&mut self.lock(), bytes);
            }
            // The consumer's function: if it panics, the panic hook says so, and others are served.
            drop(contain(|| done(result)));
            state = self.lock();
        }
        state.serving = false;
    }
}

impl Operation for Deliver {
    fn consume(
        &self,
        task: &Task,
        inputs: &mut Vec<DecodedInput>,
        sources: &Sources,
        mut reservation: Reservation,
        counters: &Counters,
    ) -> Result<(), ChunkErrorKind> {
        let ([input], Some(decoded)) = (&task.inputs[..], inputs.pop()) else {
            return Err(ChunkErrorKind::Panic("a stream has one input".to_owned()));
        };
        let source = &sources[input.source];
        let chunk = gather(task.number, input, source, decoded, &mut reservation, counters)?;
        let delivery = &self.0;
        let mut state = delivery.lock();
        if state.closed {
            return Ok(());
        }
        let bytes = chunk.charged();
        delivery.kept_more(&mut state, bytes);
        state.waiting_bytes += bytes;
        state.chunks.put(chunk);
        delivery.serve(state);
        Ok(())
    }

    fn gate(&self, first: u64, bytes: u64, in_flight: usize) -> Gate {
        let delivery = &self.0;
        let state = delivery.lock();
        let total = delivery.total.load(Ordering::Relaxed);
        let fits = state.bytes.saturating_add(bytes) <= delivery.cap
            && total.saturating_add(bytes) <= delivery.total_cap
            && in_flight + state.chunks.len() < delivery.concurrency;
        // A consumer that waits is owed one task, whatever others keep: the one it waits for.
        let owed = !state.waiters.is_empty()
            && in_flight == 0
            && !state.chunks.has_next()
            && state.chunks.may_be_next(first);
        match (fits, owed) {
            (true, _) => Gate::Open,
            (false, true) => Gate::OneTask,
            (false, false) => Gate::Closed,
        }
    }

    fn may_grow(&self, more: u64) -> bool {
        let delivery = &self.0;
        let state = delivery.lock();
        let total = delivery.total.load(Ordering::Relaxed);
        state.bytes.saturating_add(more) <= delivery.cap
            && total.saturating_add(more) <= delivery.total_cap
    }

    fn admitted(&self, bytes: u64) {
        let mut state = self.0.lock();
        self.0.kept_more(&mut state, bytes);
    }

    fn released(&self, bytes: u64) {
        let mut state = self.0.lock();
        self.0.kept_less(&mut state, bytes);
        // Of several that were under way the last has ended: whoever waits for more gets what there is.
        if !state.waiters.is_empty() && state.is_idle() {
            self.0.serve(state);
        }
    }

    fn window_bytes(&self) -> u64 {
        if self.0.concurrency == usize::MAX { self.0.cap / 4 } else { 1 }
    }

    fn restart(&self) -> Restart {
        Restart::PerObject
    }

    fn finish(&self, result: Result<(), RunError>) {
        let mut state = self.0.lock();
        state.ended = Some(result);
        self.0.serve(state);
    }
}
