//! Turns the next tasks of a run into bundles: locates their chunks, plans the reads, works out the
//! memory. Nothing here waits or reads.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use lsio_array::{
    Answer, ArrayInfo, ChunkError, ChunkErrorKind, KnownReads, Location, ReadSpec, Reads, Task,
    TaskInput,
};
use lsio_io::{ByteRange, Read, class_size};
use smallvec::{SmallVec, smallvec};

use crate::RunError;
use crate::bundle::{Input, PlannedTask, User};
use crate::bundling::{Wish, bundles, plan_reads};
use crate::cache::Cache;
use crate::cached_inputs::{self, Take};
use crate::flight;
use crate::operation::InputMemory;
use crate::panics::contain;
use crate::run::{Attempt, Known, KnownKey, Run, RunState, UsedAnswers};

/// Most reads under way or waiting that a source needs before it can locate chunks: as many shards are opened
/// side by side.
const UNREAD: usize = 16;

/// How far a run is planned ahead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Foresight {
    /// Most tasks planned together.
    tasks: usize,
    /// Most tasks that wait for reads which their source needs first.
    parked: usize,
}

impl Foresight {
    /// Where a device or a network is waited for: enough that a whole shard of 8 x 8 x 8 chunks is read in
    /// few requests, and a window is planned in well under a millisecond.
    pub(crate) const FAR: Self = Self { tasks: 512, parked: 1024 };
    /// Where reads are answered from memory: few enough that what is planned for short chunks, and the bytes
    /// that are read for them, stay in the L2 cache, and that few tasks are located twice because their shard
    /// is not open yet (benches/findings.md, short chunks through the executor).
    pub(crate) const NEAR: Self = Self { tasks: 256, parked: UNREAD };
}

/// Tasks that are planned together, and the encoded bytes that they need.
#[derive(Default)]
struct Window {
    tasks: Vec<PlannedTask>,
    wishes: Vec<(User, Wish)>,
    bytes: u64,
}

impl Window {
    /// Adds a task, and what it wishes for, which leaves `wishes` empty.
    fn add(&mut self, planned: PlannedTask, wishes: &mut Vec<(User, Wish)>, bytes: u64) {
        for (user, _) in &mut *wishes {
            user.task = self.tasks.len();
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.tasks.push(planned);
        self.wishes.append(wishes);
    }

    /// Makes bundles. `false`: some turned out too large, and their tasks have to be planned again.
    fn plan(self, state: &mut RunState, allowed: u64) -> bool {
        let alone = self.tasks.first().is_some_and(|task| task.attempt.alone);
        let mut all_fit = true;
        let reads = plan_reads(self.wishes, allowed, alone);
        for bundle in bundles(self.tasks, reads, allowed / 8) {
            // Reads joined over gaps may need more than the sum of what is wanted.
            if bundle.bytes() > allowed && !alone {
                all_fit = false;
                state.take_apart(bundle);
            } else if let Some(first) = bundle.tasks.first() {
                state.bundles.insert(first.task.number, bundle);
            }
        }
        all_fit
    }
}

/// Plans the tasks that have to be planned again and, if none is planned, further ones, until a window
/// is full or nothing more can be planned now.
pub(crate) fn plan_window(
    run: &Arc<Run>,
    state: &mut RunState,
    limit: u64,
    cache: &Cache,
    foresight: Foresight,
) -> Result<(), RunError> {
    let allowed = allowed_bytes(run, limit);
    let further = state.bundles.is_empty();
    let all_fit = plan_tasks(run, state, allowed, further, cache, foresight)?;
    if !all_fit {
        plan_tasks(run, state, allowed, false, cache, foresight)?;
    }
    Ok(())
}

fn plan_tasks(
    run: &Arc<Run>,
    state: &mut RunState,
    allowed: u64,
    further: bool,
    cache: &Cache,
    foresight: Foresight,
) -> Result<bool, RunError> {
    // At least a byte: a run that may reserve next to nothing is to be told what it needs.
    let window_bytes = (allowed / 4).max(1).min(run.operation.window_bytes());
    let mut window = Window::default();
    let mut wishes = Vec::new();
    let mut all_fit = true;
    let mut from = 0;
    while window.tasks.len() < foresight.tasks && window.bytes < window_bytes {
        let unread = state.unread.len() + state.reading;
        if state.parked_tasks >= foresight.parked || unread >= UNREAD {
            break;
        }
        let (task, attempt) = match state.again.pop_first() {
            Some((_, again)) => again,
            None if further => match next_task(run, state, from)? {
                Some(task) => {
                    from = task.number;
                    (task, Attempt::default())
                }
                None => break,
            },
            None => break,
        };
        let recent = window.tasks.last().and_then(|task| task.known.last());
        wishes.clear();
        let Some(planned) =
            locate_task(run, state, (task, attempt), allowed, recent, cache, &mut wishes)?
        else {
            continue;
        };
        let wished = wishes.iter().map(|(_, wish)| wish.bytes());
        let more = wished.fold(planned.bytes, u64::saturating_add);
        if attempt.alone {
            let mut own = Window::default();
            own.add(planned, &mut wishes, more);
            own.plan(state, allowed);
            continue;
        }
        if window.bytes.saturating_add(more) > allowed {
            // Together they might never fit: this one starts a window of its own.
            all_fit &= std::mem::take(&mut window).plan(state, allowed);
        }
        window.add(planned, &mut wishes, more);
    }
    Ok(window.plan(state, allowed) && all_fit)
}

/// The next task that has not been planned. `None`: there is none, or other runs are about to bring the
/// chunks of those in the queue. Those below `from` have been looked at.
fn next_task(run: &Arc<Run>, state: &mut RunState, from: u64) -> Result<Option<Task>, RunError> {
    flight::enqueue(run, state)?;
    if !state.queued.is_empty() {
        return Ok(state.next_queued(run, from));
    }
    if state.next >= run.plan.len() {
        return Ok(None);
    }
    state.next += 1;
    task_of(run, state.next - 1).map(Some)
}

/// The plan is the caller's own: what it says is checked.
pub(crate) fn task_of(run: &Run, number: u64) -> Result<Task, RunError> {
    let task = contain(|| run.plan.task(number)).and_then(|task| {
        let known = task.inputs.iter().all(|input| input.source < run.sources.len());
        let sound = task.number == number && known;
        sound.then_some(task).ok_or_else(|| "it has another number or an unknown source".to_owned())
    });
    task.map_err(|reason| {
        let array = run.sources.first().map(|handle| handle.source.info().name.clone());
        let kind = ChunkErrorKind::Panic(format!("task {number} of the plan: {reason}"));
        let array = array.unwrap_or_else(|| "no array".into());
        ChunkError { array, chunk: Vec::new(), codec: None, kind }.into()
    })
}

/// Most bytes that one task may reserve. Readers whose consumer does not come back may keep half of
/// the budget for as long as they like; what fits into the other half is sure to run.
pub(crate) fn allowed_bytes(run: &Run, limit: u64) -> u64 {
    (limit / 2).min(run.options.memory.unwrap_or(u64::MAX))
}

/// Remembers which answers a source used.
struct Recorder<'a> {
    source: usize,
    known: &'a HashMap<KnownKey, Arc<Known>>,
    /// What the task before was located with: mostly the chunks of one shard follow one another.
    recent: Option<&'a Arc<Known>>,
    used: RefCell<UsedAnswers>,
}

impl KnownReads for Recorder<'_> {
    fn get(&self, spec: &ReadSpec) -> Option<Answer> {
        let is_it = |known: &&Arc<Known>| known.key.0 == self.source && known.key.1 == *spec;
        let known = match self.recent.filter(is_it) {
            Some(known) => known,
            None => self.known.get(&(self.source, spec.clone()))?,
        };
        self.used.borrow_mut().push(known.clone());
        Some(known.answer.clone())
    }
}

/// Finds out where the chunks of a task are. What has to be read of them is added to `wishes`, which are
/// of this task alone. `None`: it waits for a read that its source needs first.
fn locate_task(
    run: &Run,
    state: &mut RunState,
    (task, attempt): (Task, Attempt),
    allowed: u64,
    recent: Option<&Arc<Known>>,
    cache: &Cache,
    wishes: &mut Vec<(User, Wish)>,
) -> Result<Option<PlannedTask>, RunError> {
    let mut inputs = SmallVec::with_capacity(task.inputs.len());
    let mut known = UsedAnswers::new();
    let mut cached = Vec::new();
    for (index, input) in task.inputs.iter().enumerate() {
        let handle = &run.sources[input.source];
        let used = RefCell::default();
        let recorder = Recorder { source: input.source, known: &state.known, recent, used };
        let location = contain(|| handle.source.locate(&input.chunk, &recorder))
            .unwrap_or_else(|panic| Err(chunk_error(run, input, ChunkErrorKind::Panic(panic))))?;
        let before = known.len();
        known.append(&mut recorder.used.into_inner());
        if cache.keeps_chunks() {
            let used = &known[before..];
            cached.push(cached_inputs::look_up(run, cache, input, attempt, &location, used));
        }
        match location {
            Location::Missing => inputs.push(Input::Missing),
            Location::Inline(bytes, params) => {
                let parts = smallvec![Some(bytes)];
                inputs.push(Input::Encoded { parts, params, whole: None, keep: None });
            }
            Location::After(spec) => {
                let key = (input.source, spec);
                if state.known.contains_key(&key) {
                    let reason = format!("the source asks again for '{}', which it has", key.1.key);
                    return Err(chunk_error(run, input, ChunkErrorKind::Panic(reason)).into());
                }
                park(state, key, task, attempt);
                return Ok(None);
            }
            Location::At { store, key, reads, freshness, params } => {
                let storage = handle.source.stores().get(store).ok_or_else(|| {
                    let reason = format!("the source has no store {store}");
                    chunk_error(run, input, ChunkErrorKind::Panic(reason))
                })?;
                let info = handle.source.info();
                let whole_bytes = Read::reserve_for(info.encoded_estimate.max(attempt.encoded));
                let (ranges, whole) = match &reads {
                    Reads::Whole => (&[ByteRange::Whole][..], Some(key.clone())),
                    Reads::Ranges(ranges) => (&ranges[..], None),
                };
                let parts = smallvec![None; ranges.len()];
                for (part, &range) in ranges.iter().enumerate() {
                    let user = User { task: 0, input: index, part, offset: 0, len: None };
                    let (storage, key) = (storage.clone(), key.clone());
                    let freshness = freshness.clone();
                    wishes.push((user, Wish { storage, key, range, freshness, whole_bytes }));
                }
                inputs.push(Input::Encoded { parts, params, whole, keep: None });
            }
        }
    }
    let mut bytes = task_bytes(run, &task, attempt, |_| Take::Decoded);
    let encoded = wishes.iter().map(|(_, wish)| wish.bytes()).fold(0, u64::saturating_add);
    if encoded.saturating_add(bytes) > allowed {
        let array = task.inputs.first().map(|input| &run.sources[input.source]);
        let array = array.map_or_else(String::new, |handle| handle.source.info().name.to_string());
        let needed = encoded.saturating_add(bytes);
        return Err(RunError::Budget { array, needed, encoded, decoded: bytes, limit: allowed });
    }
    if !cached.is_empty() {
        // Whether a task fits never depends on the cache.
        let with = |takes: &[Take]| task_bytes(run, &task, attempt, |input| takes[input]);
        let mut takes = cached_inputs::takes(&cached, true);
        if encoded.saturating_add(with(&takes)) > allowed {
            takes = cached_inputs::takes(&cached, false);
        }
        bytes = with(&takes);
        cached_inputs::replace(cached, &takes, &mut inputs, wishes);
    }
    let waiting = wishes.len();
    Ok(Some(PlannedTask { task, attempt, inputs, bytes, waiting, known }))
}

/// Bytes that a task needs beside its encoded ones.
fn task_bytes(run: &Run, task: &Task, attempt: Attempt, take: impl Fn(usize) -> Take) -> u64 {
    let info = |input: &TaskInput| run.sources[input.source].source.info();
    let memory = |(index, input)| {
        let take = take(index);
        let decoded = match take {
            Take::Decoded | Take::Kept => class_size(info(input).decoded_len.max(attempt.decoded)),
            Take::Cached => 0,
        };
        InputMemory { decoded, shared: take != Take::Decoded }
    };
    // One input is decoded after the other.
    let beside = |info: &ArrayInfo| class_size(info.scratch_len).saturating_add(info.suspended_len);
    let decoded = task.inputs.iter().enumerate().filter(|(index, _)| take(*index) != Take::Cached);
    let beside = decoded.map(|(_, input)| beside(info(input))).max();
    let needs = |memory: &[InputMemory]| run.operation.needs(task, &run.sources, memory);
    let needs = match &task.inputs[..] {
        [input] => needs(&[memory((0, input))]),
        inputs => needs(&inputs.iter().enumerate().map(memory).collect::<Vec<_>>()),
    };
    beside.unwrap_or(0).saturating_add(needs)
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
