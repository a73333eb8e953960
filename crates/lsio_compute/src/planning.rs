//! Turns the next tasks of a run into bundles: locates their chunks, plans the reads, works out the
//! memory. Nothing here waits or reads.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use lsio_array::{
    Answer, ChunkError, ChunkErrorKind, KnownReads, Location, ReadSpec, Reads, Task, TaskInput,
};
use lsio_io::plan::{Span, Wanted, merge};
use lsio_io::{ByteRange, Freshness, Key, Read, ReadLimits, Storage, class_size};

use crate::RunError;
use crate::bundle::{Bundle, Input, PhysicalRead, PlannedTask, User};
use crate::panics::contain;
use crate::run::{Attempt, KnownKey, KnownTo, Run, RunState};

/// Most tasks planned together: enough that a whole shard of 8 x 8 x 8 chunks is read in few requests,
/// and a window is planned in well under a millisecond.
const WINDOW_TASKS: usize = 512;
/// Most tasks of a run that wait for reads which their source needs first.
const PARKED_TASKS: usize = 2 * WINDOW_TASKS;
/// Most such reads under way or waiting: as many shards are opened side by side.
const UNREAD: usize = 16;

/// What [`locate_task`] found out about a task.
enum Located {
    Ready(PlannedTask, Vec<(User, Wish)>),
    Parked,
}

/// Encoded bytes that an input needs.
struct Wish {
    storage: Arc<dyn Storage>,
    key: Key,
    range: ByteRange,
    freshness: Freshness,
    /// Bytes to reserve if the whole object is read.
    whole_bytes: u64,
}

/// Plans tasks until a window is full or nothing more can be planned now.
pub(crate) fn plan_window(run: &Run, state: &mut RunState, limit: u64) -> Result<(), RunError> {
    let allowed = allowed_bytes(run, limit);
    let window_bytes = (allowed / 4).min(run.operation.window_bytes());
    let mut tasks = Vec::new();
    let mut wishes = Vec::new();
    let mut bytes = 0;
    while tasks.len() < WINDOW_TASKS && bytes < window_bytes {
        if state.parked_tasks >= PARKED_TASKS || state.unread.len() + state.reading >= UNREAD {
            break;
        }
        let (task, attempt) = match state.again.pop_front() {
            Some(again) => again,
            None if state.next < run.plan.len() => {
                state.next += 1;
                (run.plan.task(state.next - 1), Attempt::default())
            }
            None => break,
        };
        match locate_task(run, state, task, attempt, tasks.len(), allowed)? {
            Located::Ready(planned, mut wished) => {
                let more = planned.bytes + wished.iter().map(|(_, wish)| wish.bytes()).sum::<u64>();
                if bytes + more > allowed {
                    // Together they might never fit: this one starts a window of its own.
                    let full = (std::mem::take(&mut tasks), std::mem::take(&mut wishes));
                    state.bundles.extend(bundle(full.0, plan_reads(full.1, allowed)));
                    wished.iter_mut().for_each(|(user, _)| user.task = 0);
                }
                bytes += more;
                tasks.push(planned);
                wishes.extend(wished);
            }
            Located::Parked => {}
        }
    }
    state.bundles.extend(bundle(tasks, plan_reads(wishes, allowed)));
    Ok(())
}

/// Most bytes that one task may reserve. Readers whose consumer does not come back may keep half of
/// the budget for as long as they like; what fits into the other half is sure to run.
pub(crate) fn allowed_bytes(run: &Run, limit: u64) -> u64 {
    (limit / 2).min(run.options.memory.unwrap_or(u64::MAX))
}

impl Wish {
    fn bytes(&self) -> u64 {
        match self.range {
            ByteRange::Whole => self.whole_bytes,
            ByteRange::Bounded { len, .. } | ByteRange::Suffix { len } => Read::reserve_for(len),
        }
    }
}

/// Remembers which answers a source used.
struct Recorder<'a> {
    known: KnownTo<'a>,
    used: RefCell<Vec<ReadSpec>>,
}

impl KnownReads for Recorder<'_> {
    fn get(&self, spec: &ReadSpec) -> Option<Answer> {
        let answer = self.known.get(spec)?;
        self.used.borrow_mut().push(spec.clone());
        Some(answer)
    }
}

fn locate_task(
    run: &Run,
    state: &mut RunState,
    task: Task,
    attempt: Attempt,
    number: usize,
    allowed: u64,
) -> Result<Located, RunError> {
    let mut inputs = Vec::with_capacity(task.inputs.len());
    let mut wishes = Vec::new();
    let mut known = Vec::new();
    for (index, input) in task.inputs.iter().enumerate() {
        let handle = &run.sources[input.source];
        let recorder = Recorder {
            known: KnownTo { source: input.source, known: &state.known },
            used: RefCell::default(),
        };
        let location = contain(|| handle.source.locate(&input.chunk, &recorder))
            .unwrap_or_else(|panic| Err(chunk_error(run, input, ChunkErrorKind::Panic(panic))))?;
        let used = recorder.used.into_inner();
        for spec in used {
            let key = (input.source, spec);
            if let Some(entry) = state.known.get(&key) {
                known.push((key, entry.shown.clone()));
            }
        }
        match location {
            Location::Missing => inputs.push(Input::Missing),
            Location::Inline(bytes, params) => {
                inputs.push(Input::Encoded { parts: vec![Some(bytes)], params, whole: None });
            }
            Location::After(spec) => {
                park(state, (input.source, spec), task, attempt);
                return Ok(Located::Parked);
            }
            Location::At { store, key, reads, freshness, params } => {
                let storage = handle.source.stores().get(store).ok_or_else(|| {
                    let reason = format!("the source has no store {store}");
                    chunk_error(run, input, ChunkErrorKind::Panic(reason))
                })?;
                let info = handle.source.info();
                let whole_bytes = Read::reserve_for(info.encoded_estimate.max(attempt.encoded));
                let (ranges, whole) = match reads {
                    Reads::Whole => (vec![ByteRange::Whole], Some(key.clone())),
                    Reads::Ranges(ranges) => (ranges, None),
                };
                let parts = vec![None; ranges.len()];
                for (part, range) in ranges.into_iter().enumerate() {
                    let user = User { task: number, input: index, part, offset: 0, len: None };
                    let (storage, key) = (storage.clone(), key.clone());
                    let freshness = freshness.clone();
                    wishes.push((user, Wish { storage, key, range, freshness, whole_bytes }));
                }
                inputs.push(Input::Encoded { parts, params, whole });
            }
        }
    }
    let bytes = task_bytes(run, &task, attempt);
    let encoded: u64 = wishes.iter().map(|(_, wish)| wish.bytes()).sum();
    if encoded.saturating_add(bytes) > allowed {
        let array = task.inputs.first().map(|input| &run.sources[input.source]);
        let array = array.map_or_else(String::new, |handle| handle.source.info().name.to_string());
        let needed = encoded.saturating_add(bytes);
        return Err(RunError::Budget { array, needed, encoded, decoded: bytes, limit: allowed });
    }
    let waiting = wishes.len();
    Ok(Located::Ready(PlannedTask { task, attempt, inputs, bytes, waiting, known }, wishes))
}

/// Bytes that a task needs beside its encoded ones.
fn task_bytes(run: &Run, task: &Task, attempt: Attempt) -> u64 {
    let infos = || task.inputs.iter().map(|input| run.sources[input.source].source.info());
    let decoded: Vec<u64> =
        infos().map(|info| class_size(info.decoded_len.max(attempt.decoded))).collect();
    let scratch = infos().map(|info| class_size(info.scratch_len)).max().unwrap_or(0);
    scratch.saturating_add(run.operation.needs(task, &run.sources, &decoded))
}

fn park(state: &mut RunState, key: KnownKey, task: Task, attempt: Attempt) {
    state.parked_tasks += 1;
    let waiting = state.parked.entry(key.clone()).or_default();
    if waiting.is_empty() {
        state.unread.push_back(key);
    }
    waiting.push((task, attempt));
}

/// An error that names the chunk.
pub(crate) fn chunk_error(run: &Run, input: &TaskInput, kind: ChunkErrorKind) -> ChunkError {
    let array = run.sources[input.source].source.info().name.clone();
    ChunkError { array, chunk: input.chunk.clone(), codec: None, kind }
}

/// Merges the wishes for one object into physical reads.
fn plan_reads(wishes: Vec<(User, Wish)>, allowed: u64) -> Vec<PhysicalRead> {
    let mut reads: Vec<PhysicalRead> = Vec::new();
    let mut whole: HashMap<(usize, Key), usize> = HashMap::new();
    let mut ranges: Vec<(Arc<dyn Storage>, Key, Freshness, Vec<Wanted<User>>)> = Vec::new();
    let mut ranged: HashMap<(usize, Key), usize> = HashMap::new();
    for (user, wish) in wishes {
        let bytes = wish.bytes();
        let Wish { storage, key, range, freshness, .. } = wish;
        // Two sources may share a storage, so objects are told apart by the storage's address.
        let object = (Arc::as_ptr(&storage).cast::<()>() as usize, key.clone());
        let alone = PhysicalRead { storage, key, range, freshness, bytes, users: vec![user] };
        match range {
            ByteRange::Whole => {
                if let Some(&index) = whole.get(&object) {
                    reads[index].bytes = reads[index].bytes.max(bytes);
                    reads[index].users.push(user);
                } else {
                    whole.insert(object, reads.len());
                    reads.push(alone);
                }
            }
            ByteRange::Bounded { offset, len } => {
                // A range whose end does not fit 64 bits is refused by the storage, by name.
                let Some(span) = Span::new(offset, len) else {
                    reads.push(alone);
                    continue;
                };
                let wanted = Wanted { span, tag: user };
                if let Some(&index) = ranged.get(&object) {
                    ranges[index].3.push(wanted);
                } else {
                    ranged.insert(object, ranges.len());
                    let PhysicalRead { storage, key, freshness, .. } = alone;
                    ranges.push((storage, key, freshness, vec![wanted]));
                }
            }
            ByteRange::Suffix { .. } => reads.push(alone),
        }
    }
    for (storage, key, freshness, wanted) in ranges {
        let limits = storage.limits();
        let limits = ReadLimits { max_merged: limits.max_merged.min(allowed / 8), ..limits };
        let plan = merge(wanted, &limits);
        let first = reads.len();
        reads.extend(plan.reads.iter().map(|&span| PhysicalRead {
            storage: storage.clone(),
            key: key.clone(),
            range: span.into(),
            freshness: freshness.clone(),
            bytes: Read::reserve_for(span.len()),
            users: Vec::new(),
        }));
        for part in plan.placements {
            let user = User { offset: part.offset, len: Some(part.len), ..part.tag };
            reads[first + part.read].users.push(user);
        }
    }
    reads
}

/// Puts tasks that share a read into one bundle, in the order of their first tasks.
fn bundle(tasks: Vec<PlannedTask>, reads: Vec<PhysicalRead>) -> Vec<Bundle> {
    let mut leader: Vec<usize> = (0..tasks.len()).collect();
    for read in &reads {
        for pair in read.users.windows(2) {
            let (a, b) = (find(&mut leader, pair[0].task), find(&mut leader, pair[1].task));
            leader[a.max(b)] = a.min(b);
        }
    }
    // For each task: its bundle and its place there.
    let mut place = Vec::with_capacity(tasks.len());
    let mut bundles: Vec<Bundle> = Vec::new();
    let mut bundle_of = HashMap::new();
    for (index, task) in tasks.into_iter().enumerate() {
        let at = *bundle_of.entry(find(&mut leader, index)).or_insert_with(|| {
            bundles.push(Bundle { reads: Vec::new(), tasks: Vec::new() });
            bundles.len() - 1
        });
        place.push((at, bundles[at].tasks.len()));
        bundles[at].tasks.push(task);
    }
    for mut read in reads {
        let Some(first) = read.users.first() else { continue };
        let at = place[first.task].0;
        for user in &mut read.users {
            user.task = place[user.task].1;
        }
        bundles[at].reads.push(read);
    }
    bundles
}

fn find(leader: &mut [usize], mut task: usize) -> usize {
    while leader[task] != task {
        leader[task] = leader[leader[task]];
        task = leader[task];
    }
    task
}
