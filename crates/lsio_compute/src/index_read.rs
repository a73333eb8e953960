//! Reads that a source needs before it can locate chunks: shard indexes, tree nodes, manifests.
//!
//! Each is read once for all tasks that wait for it. What an earlier run has read is used again after a
//! look at the object's identity, once a run.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use lsio_array::{Answer, ChunkErrorKind, TaskInput};
use lsio_io::{
    ByteRange, Completion, CompletionSink, Freshness, Memory, Read, Resident, StorageError,
};

use crate::executor::{Job, Shared};
use crate::panics::contain;
use crate::planning::chunk_error;
use crate::run::{Known, KnownKey, Run, RunState};
use crate::stats::add;

/// Most answers that a run keeps at hand; others are found in the cache of the executor, or read
/// again.
const KNOWN_PER_RUN: usize = 1024;

/// One such read under way.
#[derive(Debug)]
pub(crate) struct IndexRead {
    run: Arc<Run>,
    shared: Arc<Shared>,
    key: KnownKey,
    /// What an earlier run read; only the identity is read now.
    cached: Option<Answer>,
}

/// A read that has ended.
#[derive(Debug)]
pub(crate) struct IndexArrived {
    read: Arc<IndexRead>,
    completion: Completion,
}

/// Starts a read that a source asked for. `false`: there is no memory for it now.
pub(crate) fn start(shared: &Arc<Shared>, run: &Arc<Run>, state: &mut RunState) -> bool {
    let Some((source, spec)) = state.unread.front() else { return false };
    let handle = &run.sources[*source];
    let cached = shared.known.get(handle.id, spec).filter(|answer| answer.identity.is_some());
    let (range, limit) = match &cached {
        Some(_) => (ByteRange::Bounded { offset: 0, len: 0 }, 0),
        None => (spec.range, spec.limit),
    };
    let Some(storage) = handle.source.stores().get(spec.store).cloned() else {
        let input = first_waiting(state, &(*source, spec.clone()));
        let reason = format!("the source has no store {}", spec.store);
        if let Some(input) = input {
            state.fail(run, chunk_error(run, &input, ChunkErrorKind::Panic(reason)).into());
        }
        return true;
    };
    let bytes = Read::reserve_for(limit);
    // Tasks of other runs may wait for what this one reads while they keep their memory, so small
    // reads do not queue behind them.
    let reservation = if bytes <= Memory::SMALL {
        shared.memory.reserve_unwaited(bytes)
    } else {
        match shared.reserve(run, state, bytes) {
            Some(reservation) => reservation,
            None => return false,
        }
    };
    let Some(key) = state.unread.pop_front() else { return false };
    let object = key.1.key.clone();
    state.reading += 1;
    let read = Arc::new(IndexRead { run: run.clone(), shared: shared.clone(), key, cached });
    let request = Read {
        key: object,
        range,
        freshness: Freshness::Current,
        reservation,
        mode: run.options.mode,
        request_bytes: run.request_bytes,
        cancel: run.cancel.clone(),
        tag: 0,
        sink: read.clone(),
        begun: None,
    };
    match storage.try_read_resident(request) {
        Resident::Hit(completion) => read.queue(completion),
        Resident::Miss(request) => storage.submit(vec![request]),
    }
    true
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
            cached: self.cached.clone(),
        };
        Arc::new(read).queue(completion);
    }
}

/// Makes sense of an answer and lets the tasks that wait for it be located again.
pub(crate) fn arrived(arrived: IndexArrived) {
    let IndexArrived { read, completion } = arrived;
    let IndexRead { run, shared, key, cached } = &*read;
    if let Ok(answer) = &completion.result {
        let bytes = answer.bytes.len() as u64;
        run.counters.count_read(bytes, completion.route, completion.elapsed);
        if bytes > 0 {
            add(&run.counters.index_reads, 1);
        }
    }
    let handle = &run.sources[key.0];
    let found = match (&completion.result, cached) {
        (Ok(answer), Some(cached)) if cached.identity.as_ref() == Some(&answer.identity) => {
            Found::Known(cached.clone(), 0)
        }
        // Another version, or gone: what is known of it is of no use.
        (Ok(_) | Err(StorageError::NotFound { .. }), Some(_)) => {
            shared.known.forget(handle.id, &key.1);
            Found::ReadAgain
        }
        (Ok(answer), None) => {
            let parse = || handle.source.parse(&key.1, Some(&answer.bytes), answer.object_len);
            Found::from_parse(contain(parse), |value| {
                let identity = Some(answer.identity.clone());
                (Answer { value, identity, object_len: answer.object_len }, answer.bytes.len())
            })
        }
        (Err(StorageError::NotFound { .. }), None) => {
            let parse = || handle.source.parse(&key.1, None, 0);
            Found::from_parse(contain(parse), |value| {
                (Answer { value, identity: None, object_len: 0 }, 0)
            })
        }
        (Err(StorageError::TooLong { len, reserved, .. }), _) => {
            Found::Failed(ChunkErrorKind::TooLarge { needed: *len, limit: *reserved })
        }
        (Err(error), _) => Found::Failed(ChunkErrorKind::Storage(error.clone())),
    };
    // The buffer goes back before anybody asks for memory.
    drop(completion);
    let mut state = run.state();
    state.reading -= 1;
    if state.failure.is_none() && !state.restarting {
        match found {
            Found::Known(answer, bytes) => {
                if bytes > 0 {
                    shared.known.put(handle.id, key.1.clone(), answer.clone(), bytes as u64);
                }
                state.learn(key.clone(), answer);
            }
            Found::ReadAgain => state.unread.push_front(key.clone()),
            Found::Failed(kind) => {
                if let Some(input) = first_waiting(&state, key) {
                    state.fail(run, chunk_error(run, &input, kind).into());
                }
            }
            Found::Refused(error) => state.fail(run, error.into()),
        }
    }
    shared.settle(run, state);
}

enum Found {
    Known(Answer, usize),
    ReadAgain,
    Failed(ChunkErrorKind),
    Refused(lsio_array::ChunkError),
}

type Parsed = Result<Arc<dyn std::any::Any + Send + Sync>, lsio_array::ChunkError>;

impl Found {
    fn from_parse(
        parsed: Result<Parsed, String>,
        known: impl FnOnce(Arc<dyn std::any::Any + Send + Sync>) -> (Answer, usize),
    ) -> Self {
        match parsed {
            Ok(Ok(value)) => {
                let (answer, bytes) = known(value);
                Self::Known(answer, bytes)
            }
            Ok(Err(error)) => Self::Refused(error),
            Err(panic) => Self::Failed(ChunkErrorKind::Panic(panic)),
        }
    }
}

/// The chunk that an error about this read names: the first that waits for it.
fn first_waiting(state: &RunState, key: &KnownKey) -> Option<TaskInput> {
    let (task, _) = state.parked.get(key)?.first()?;
    task.inputs.iter().find(|input| input.source == key.0).cloned()
}

impl RunState {
    /// An answer has come: the tasks that wait for it can be located.
    fn learn(&mut self, key: KnownKey, answer: Answer) {
        if let Some(waiting) = self.parked.remove(&key) {
            self.parked_tasks -= waiting.len();
            for task in waiting.into_iter().rev() {
                self.again.push_front(task);
            }
        }
        let known = Known { answer, shown: Arc::new(AtomicBool::new(false)) };
        if self.known.insert(key.clone(), known).is_none() {
            self.known_order.push_back(key);
        }
        if self.known_order.len() > KNOWN_PER_RUN
            && let Some(oldest) = self.known_order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}
