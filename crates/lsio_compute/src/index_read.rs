//! Reads that a source needs before it can locate chunks: shard indexes, tree nodes, manifests.
//!
//! Each is read once for all tasks that wait for it. What an earlier run has read is used again after a
//! look at the object's identity, once a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use lsio_array::{Answer, ChunkError, ChunkErrorKind, Parsed, ReadSpec, TaskInput};
use lsio_io::{
    ByteRange, Completion, CompletionSink, Freshness, Memory, Read, Resident, Storage, StorageError,
};
use smallvec::SmallVec;

use crate::RunError;
use crate::cache::CachedAnswer;
use crate::executor::{Job, Shared};
use crate::panics::contain;
use crate::planning::{allowed_bytes, chunk_error};
use crate::run::{Known, KnownKey, Run, RunState, Start};
use crate::settled_version::is_settled;
use crate::stats::{add, read};

/// Most answers that a run keeps at hand; others are found in the cache of the executor, or read
/// again.
const KNOWN_PER_RUN: usize = 1024;
/// Bytes of answers that a run keeps at hand; this many answers are kept whatever they hold, four times as
/// many as are read at the same time.
const KNOWN_BYTES: u64 = 16 << 20;
const KNOWN_ALWAYS: usize = 64;
/// Most bytes of an answer that is kept so: the index of 16,384 chunks. Decoded shards hold more, and only the
/// newest of them, and those that tasks wait with, are kept beyond [`KNOWN_BYTES`].
const SMALL_ANSWER: u64 = 256 << 10;
/// Bytes of the allowance for metadata above which a run has only one index read under way that does
/// not wait for memory: half of what resident memory may exceed the budget by.
const UNWAITED_BYTES: u64 = 32 << 20;

/// One such read under way.
#[derive(Debug)]
pub(crate) struct IndexRead {
    run: Arc<Run>,
    shared: Arc<Shared>,
    key: KnownKey,
    /// Most bytes that the answer may have: what the source asked for, or more.
    limit: u64,
    /// What an earlier run read, and the bytes it holds; only the identity is read now.
    cached: Option<(Answer, u64)>,
    /// The moment at which it was prepared, and the time.
    checked: u64,
    asked: SystemTime,
    /// Bytes of the budget that the run is charged.
    charged: u64,
}

/// A read that has ended.
#[derive(Debug)]
pub(crate) struct IndexArrived {
    read: Arc<IndexRead>,
    completion: Completion,
}

/// A read that has its memory.
pub(crate) struct Prepared {
    read: Arc<IndexRead>,
    storage: Arc<dyn Storage>,
    request: Read,
}

/// Prepares the reads that sources asked for, as far as there is memory for them. `true`: some tasks
/// need not wait, because another run has looked since this one started.
pub(crate) fn prepare(
    shared: &Arc<Shared>,
    run: &Arc<Run>,
    state: &mut RunState,
    prepared: &mut Vec<Prepared>,
) -> bool {
    let mut learned = false;
    while let Some(key) = state.unread.front().cloned() {
        // A run that starts over has met a version that may still be the known one.
        let known = shared.cache.answer(run.sources[key.0].id, &key.1);
        let fresh = |known: &CachedAnswer| known.checked > run.id && state.start == Start::First;
        if let Some(CachedAnswer { answer, bytes, checked, .. }) = known.filter(fresh) {
            add(&run.counters.cache_hits, 1);
            state.unread.pop_front();
            state.learn(key, answer, bytes, checked);
            learned = true;
            continue;
        }
        match prepare_one(shared, run, state, key) {
            Ok(Some(read)) => prepared.push(read),
            Ok(None) => return learned,
            Err(error) => state.fail(run, error),
        }
    }
    learned
}

/// `None`: there is no memory for it now.
fn prepare_one(
    shared: &Arc<Shared>,
    run: &Arc<Run>,
    state: &mut RunState,
    key: KnownKey,
) -> Result<Option<Prepared>, RunError> {
    let (source, spec) = &key;
    let handle = &run.sources[*source];
    let Some(storage) = handle.source.stores().get(spec.store).cloned() else {
        let reason = format!("the source has no store {}", spec.store);
        return Err(failed(run, state, &key, ChunkErrorKind::Panic(reason)));
    };
    let cached = shared.cache.answer(handle.id, spec);
    let cached = cached.filter(|known| known.answer.identity.is_some() && known.settled);
    let cached = cached.map(|CachedAnswer { answer, bytes, .. }| (answer, bytes));
    let grown = state.grown.get(&key).copied();
    let (range, limit) = match &cached {
        Some(_) => (ByteRange::Bounded { offset: 0, len: 0 }, 0),
        None => (spec.range, grown.unwrap_or(spec.limit)),
    };
    let bytes = Read::reserve_for(limit);
    // Tasks of other runs may wait for what this one reads while they keep their memory, so small
    // reads do not queue behind them.
    let (reservation, charged) = if bytes <= Memory::SMALL {
        let usage = shared.memory.usage();
        if usage.small.saturating_add(bytes) > UNWAITED_BYTES && state.reading > 0 {
            return Ok(None);
        }
        (shared.memory.reserve_unwaited(bytes), 0)
    } else {
        let allowed = allowed_bytes(run, shared.memory.usage().limit);
        if bytes > allowed {
            let array = handle.source.info().name.to_string();
            let (needed, limit) = (bytes, allowed);
            return Err(RunError::Budget { array, needed, encoded: bytes, decoded: 0, limit });
        }
        let reserved = read(&run.counters.reserved);
        let over_cap = run.options.memory.is_some_and(|cap| reserved.saturating_add(bytes) > cap);
        if over_cap && reserved > 0 {
            return Ok(None);
        }
        let Some(reservation) = shared.reserve(run, state, bytes) else { return Ok(None) };
        run.counters.reserve(bytes);
        (reservation, bytes)
    };
    state.unread.pop_front();
    state.reading += 1;
    let object = spec.key.clone();
    let (checked, asked) = (shared.moment(), SystemTime::now());
    let (shared, run) = (shared.clone(), run.clone());
    let index = Arc::new(IndexRead {
        run: run.clone(),
        shared,
        key,
        limit,
        cached,
        checked,
        asked,
        charged,
    });
    let request = Read {
        key: object,
        range,
        freshness: Freshness::Current,
        reservation,
        mode: run.options.mode,
        request_bytes: run.request_bytes,
        cancel: run.cancel.clone(),
        tag: 0,
        sink: index.clone(),
        begun: None,
    };
    Ok(Some(Prepared { read: index, storage, request }))
}

impl Prepared {
    /// Reads what is in memory on this thread, else submits the read.
    pub(crate) fn begin(self) {
        match self.storage.try_read_resident(self.request) {
            Resident::Hit(completion) => self.read.queue(completion),
            Resident::Miss(request) => {
                self.read.shared.waits_for_device.store(true, Ordering::Relaxed);
                self.storage.submit(vec![request]);
            }
        }
    }
}

impl IndexRead {
    fn queue(self: Arc<Self>, completion: Completion) {
        let shared = self.shared.clone();
        shared.queue(Job::Index(Box::new(IndexArrived { read: self, completion })));
    }
}

impl CompletionSink for IndexRead {
    fn complete(&self, completion: Completion) {
        let read = Self {
            run: self.run.clone(),
            shared: self.shared.clone(),
            key: self.key.clone(),
            limit: self.limit,
            cached: self.cached.clone(),
            checked: self.checked,
            asked: self.asked,
            charged: self.charged,
        };
        Arc::new(read).queue(completion);
    }
}

/// Makes sense of an answer and lets the tasks that wait for it be located again.
pub(crate) fn arrived(arrived: IndexArrived) {
    let IndexArrived { read, completion } = arrived;
    let IndexRead { run, shared, key, limit, cached, checked, asked, charged } = &*read;
    run.counters.count_requests(completion.requests);
    if let Ok(answer) = &completion.result {
        let bytes = answer.bytes.len() as u64;
        run.counters.count_read(bytes, completion.route, completion.elapsed);
        if bytes > 0 {
            add(&run.counters.index_reads, 1);
        }
    }
    let handle = &run.sources[key.0];
    let found = match (&completion.result, cached) {
        (Ok(answer), Some((cached, bytes)))
            if cached.identity.as_ref() == Some(&answer.identity) =>
        {
            add(&run.counters.cache_hits, 1);
            Found::Known(cached.clone(), *bytes)
        }
        // Another version, or gone: what is known of it is of no use.
        (Ok(_) | Err(StorageError::NotFound { .. }), Some(_)) => {
            shared.cache.forget_answer(handle.id, &key.1);
            Found::ReadAgain
        }
        (Ok(answer), None) => {
            add(&run.counters.cache_misses, u64::from(shared.cache.capacity() > 0));
            let spec = ReadSpec { limit: *limit, ..key.1.clone() };
            let parse = || handle.source.parse(&spec, Some(&answer.bytes), answer.object_len);
            Found::from_parse(contain(parse), &spec, |Parsed { value, bytes }| {
                let identity = Some(answer.identity.clone());
                (Answer { value, identity, object_len: answer.object_len }, bytes)
            })
        }
        (Err(StorageError::NotFound { .. }), None) => {
            let parse = || handle.source.parse(&key.1, None, 0);
            Found::from_parse(contain(parse), &key.1, |Parsed { value, .. }| {
                (Answer { value, identity: None, object_len: 0 }, 0)
            })
        }
        (Err(StorageError::TooLong { len, reserved, .. }), _) => {
            match grown(&ReadSpec { limit: *limit, ..key.1.clone() }, *len) {
                Some(bytes) => Found::Outgrown(bytes),
                None => Found::Failed(ChunkErrorKind::TooLarge { needed: *len, limit: *reserved }),
            }
        }
        (Err(error @ StorageError::Conflict { .. }), _) => {
            shared.cache.forget_answer(handle.id, &key.1);
            Found::Replaced(error.clone())
        }
        (Err(error), _) => Found::Failed(ChunkErrorKind::Storage(error.clone())),
    };
    // The buffer goes back before anybody asks for memory.
    drop(completion);
    run.counters.release(*charged);
    let mut state = run.state();
    state.reading -= 1;
    if state.failure.is_none() && !state.is_restarting() {
        match found {
            Found::Known(answer, bytes) => {
                if bytes > 0 {
                    let identity = answer.identity.as_ref();
                    let settled = cached.is_some()
                        || identity.is_none_or(|identity| is_settled(identity, *asked));
                    let (answer, checked) = (answer.clone(), *checked);
                    let known = CachedAnswer { answer, bytes, checked, settled };
                    handle.has_answers.store(true, Ordering::Relaxed);
                    let gone = shared.cache.keep_answer(handle.id, key.1.clone(), known);
                    add(&run.counters.cache_evictions, gone);
                }
                state.learn(key.clone(), answer, bytes, *checked);
            }
            Found::ReadAgain => state.unread.push_front(key.clone()),
            Found::Outgrown(bytes) => {
                state.grown.insert(key.clone(), bytes);
                state.unread.push_front(key.clone());
            }
            Found::Replaced(error) => {
                if state.replaced.insert(key.clone()) {
                    state.unread.push_front(key.clone());
                } else {
                    let error = failed(run, &state, key, ChunkErrorKind::Storage(error));
                    state.fail(run, error);
                }
            }
            Found::Failed(kind) => {
                let error = failed(run, &state, key, kind);
                state.fail(run, error);
            }
            Found::Refused(error) => state.fail(run, error.into()),
        }
    }
    shared.settle(run, state);
    // What waited for the answer may be started by others than this worker.
    shared.bell.ring();
}

enum Found {
    /// The answer and the bytes that it holds.
    Known(Answer, u64),
    ReadAgain,
    /// It is to be read again with so many bytes.
    Outgrown(u64),
    /// The object was replaced while it was being read.
    Replaced(StorageError),
    Failed(ChunkErrorKind),
    Refused(ChunkError),
}

impl Found {
    fn from_parse(
        parsed: Result<Result<Parsed, ChunkError>, String>,
        spec: &ReadSpec,
        known: impl FnOnce(Parsed) -> (Answer, u64),
    ) -> Self {
        match parsed {
            Ok(Ok(parsed)) => {
                let (answer, bytes) = known(parsed);
                Self::Known(answer, bytes)
            }
            Ok(Err(error)) => match error.kind {
                ChunkErrorKind::TooLarge { needed, .. } => match grown(spec, needed) {
                    Some(bytes) => Self::Outgrown(bytes),
                    None => Self::Refused(error),
                },
                _ => Self::Refused(error),
            },
            Err(panic) => Self::Failed(ChunkErrorKind::Panic(panic)),
        }
    }
}

/// What the limit is raised to for a read that needs so many bytes; `None` if it cannot be.
fn grown(spec: &ReadSpec, needed: u64) -> Option<u64> {
    Some(needed.min(spec.growth_limit)).filter(|&bytes| bytes > spec.limit)
}

/// An error about this read: it names the first chunk that waits for it.
fn failed(run: &Run, state: &RunState, key: &KnownKey, kind: ChunkErrorKind) -> RunError {
    let waiting = state.parked.get(key).and_then(|waiting| waiting.first());
    let input = waiting.and_then(|(task, _)| task.inputs.iter().find(|at| at.source == key.0));
    let nobody = TaskInput { source: key.0, chunk: Vec::new(), placements: SmallVec::new() };
    chunk_error(run, input.unwrap_or(&nobody), kind).into()
}

impl RunState {
    /// An answer has come: the tasks that wait for it can be located.
    pub(crate) fn learn(&mut self, key: KnownKey, answer: Answer, bytes: u64, checked: u64) {
        let mut awaited_by = None;
        if let Some(waiting) = self.parked.remove(&key) {
            self.parked_tasks -= waiting.len();
            let numbers = waiting.iter().map(|(task, _)| task.number);
            awaited_by = numbers.clone().min().zip(numbers.max());
            let numbered = waiting.into_iter().map(|again| (again.0.number, again));
            self.again.extend(numbered);
        }
        let shown = AtomicBool::new(false);
        let known = Known { key: key.clone(), answer, bytes, checked, shown, awaited_by };
        self.known_bytes += bytes;
        match self.known.insert(key.clone(), Arc::new(known)) {
            Some(old) => self.known_bytes -= old.bytes,
            None => self.known_order.push_back(key),
        }
        while let Some(key) = self.dispensable() {
            self.forget(&key);
        }
    }

    /// The answer that is to go because there are too many.
    fn dispensable(&self) -> Option<KnownKey> {
        let oldest = || self.known_order.front().cloned();
        if self.known.len() > KNOWN_PER_RUN {
            return oldest();
        }
        if self.known_bytes <= KNOWN_BYTES {
            return None;
        }
        let earlier = self.known_order.iter().take(self.known_order.len().saturating_sub(1));
        let mut known = earlier.filter_map(|key| self.known.get(key));
        let large = known.find(|known| known.bytes > SMALL_ANSWER && !self.is_awaited(known));
        match large {
            Some(known) => Some(known.key.clone()),
            None => oldest().filter(|_| self.known.len() > KNOWN_ALWAYS),
        }
    }

    /// Whether tasks that waited for an answer may not have been located since: without it they would wait
    /// for it again, and two of them could take turns for ever.
    fn is_awaited(&self, known: &Known) -> bool {
        let Some((first, last)) = known.awaited_by else { return false };
        let mut parked = self.parked.values().flatten();
        self.again.range(first..=last).next().is_some()
            || parked.any(|(task, _)| (first..=last).contains(&task.number))
    }

    /// What was read for this key does not hold any more, or takes too much room.
    pub(crate) fn forget(&mut self, key: &KnownKey) {
        if let Some(old) = self.known.remove(key) {
            self.known_bytes -= old.bytes;
            self.known_order.retain(|other| other != key);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use lsio_array::Task;
    use lsio_io::Key;

    use super::*;
    use crate::run::Attempt;

    fn key(number: u64) -> KnownKey {
        let (key, range) = (Key::new(&number.to_string()).unwrap(), ByteRange::Whole);
        (0, ReadSpec { store: 0, key, range, limit: 0, growth_limit: 0, purpose: 0 })
    }

    fn learn(state: &mut RunState, number: u64, bytes: u64) {
        let answer = Answer { value: Arc::new(()), identity: None, object_len: 0 };
        state.learn(key(number), answer, bytes, 0);
    }

    fn park(state: &mut RunState, number: u64) {
        let task = Task { number, inputs: SmallVec::new() };
        state.parked.insert(key(number), vec![(task, Attempt::default())]);
        state.parked_tasks += 1;
    }

    #[test]
    fn large_answers_are_kept_by_what_they_hold_and_small_ones_beside_them() {
        let mut state = RunState::default();
        for number in 0..40 {
            learn(&mut state, number, 1000);
        }
        for number in 40..110 {
            learn(&mut state, number, 1 << 20);
        }
        assert!(state.known_bytes <= KNOWN_BYTES, "{}", state.known_bytes);
        let is_known = |number| state.known.contains_key(&key(number));
        assert!((0..40).all(is_known) && (95..110).all(is_known) && !(40..95).any(is_known));
        learn(&mut state, 110, KNOWN_BYTES + 1);
        assert!(state.known.contains_key(&key(110)), "the newest is kept whatever it holds");
        assert_eq!(state.known.len(), 41);
    }

    #[test]
    fn a_large_answer_stays_until_the_tasks_that_waited_for_it_were_located() {
        let mut state = RunState::default();
        for number in 0..3 {
            park(&mut state, number);
        }
        for number in 0..3 {
            learn(&mut state, number, KNOWN_BYTES);
        }
        assert_eq!(state.known.len(), 3);
        // One waits for something else by now.
        state.again.clear();
        let task = Task { number: 1, inputs: SmallVec::new() };
        state.parked.insert(key(9), vec![(task, Attempt::default())]);
        state.parked_tasks += 1;
        learn(&mut state, 3, KNOWN_BYTES);
        let mut left: Vec<_> = state.known.keys().map(|key| key.1.key.to_string()).collect();
        left.sort();
        assert_eq!(left, ["1", "3"]);
    }
}
