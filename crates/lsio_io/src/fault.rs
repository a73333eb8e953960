//! A storage around another one that misbehaves as a test tells it to.

use std::fmt;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::hold_back::{Delivery, HoldBack};
use crate::{
    Completion, CompletionSink, Identity, Key, ListDone, Read, ReadLimits, ReadTarget, Resident,
    Route, SharedBytes, Storage, StorageError,
};

/// Which reads a fault is meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reads {
    /// Every one.
    All,
    /// The read with this number, counted from 0 in the order of submission.
    Nth(u64),
    /// Those of one object.
    Of(Key),
    /// Those of all objects below a prefix.
    Below(Key),
}

impl Reads {
    fn matches(&self, number: u64, key: &Key) -> bool {
        match self {
            Self::All => true,
            Self::Nth(n) => *n == number,
            Self::Of(object) => object == key,
            Self::Below(prefix) if prefix.is_root() => true,
            Self::Below(prefix) => key
                .as_str()
                .strip_prefix(prefix.as_str())
                .is_some_and(|below| below.starts_with('/')),
        }
    }
}

/// What happens to a read.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It ends in this error without being read.
    Fail(StorageError),
    /// It ends in [`StorageError::Conflict`] without being read.
    Conflict,
    /// Its last bytes (so many) are missing, and it is passed off as a success.
    Truncate(usize),
    /// One bit of its answer, counted from the start and modulo the length, is flipped. The answer
    /// is then a copy outside the pool.
    FlipBit(usize),
    /// It seems to come from another version of the object.
    Identity(Identity),
    /// Its completion is kept until so many others have arrived, or nothing else is under way.
    Delay(u64),
    /// It is not begun before [`FaultStorage::release`].
    Block,
}

/// What went through a [`FaultStorage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FaultCounts {
    /// Reads submitted.
    pub reads: u64,
    /// Batches submitted.
    pub submissions: u64,
    /// Reads served by [`Storage::try_read_resident`].
    pub resident: u64,
    /// Bytes in successful answers, both ways.
    pub bytes: u64,
    /// Listings.
    pub lists: u64,
}

/// A storage around another one that misbehaves as a test tells it to, and counts.
///
/// Without faults it passes everything on. It spawns no thread: completions that are held back leave
/// when others arrive, when nothing else is under way, or at [`FaultStorage::release`].
pub struct FaultStorage {
    inner: Arc<dyn Storage>,
    device: Option<usize>,
    resident: AtomicBool,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    blocked_more: Condvar,
}

struct State {
    rules: Vec<Rule>,
    hold_back: HoldBack,
    blocked: Vec<Read>,
    counts: FaultCounts,
}

struct Rule {
    reads: Reads,
    times: u64,
    fault: Fault,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FaultStorage {
    /// Passes everything on to `inner`. `seed` decides the order of whatever is shuffled.
    #[must_use]
    pub fn new(inner: Arc<dyn Storage>, seed: u64) -> Self {
        let state = State {
            rules: Vec::new(),
            hold_back: HoldBack::new(seed),
            blocked: Vec::new(),
            counts: FaultCounts::default(),
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), blocked_more: Condvar::new() });
        Self { inner, device: None, resident: AtomicBool::new(true), shared }
    }

    /// It seems to be on this [`Storage::device`].
    #[must_use]
    pub fn on_device(mut self, device: usize) -> Self {
        self.device = Some(device);
        self
    }

    /// From now on `fault` happens to the next `times` reads that match. A read meets all faults that
    /// it matches, in the order in which they were injected.
    pub fn inject(&self, reads: Reads, times: u64, fault: Fault) {
        self.shared.state().rules.push(Rule { reads, times, fault });
    }

    /// No more faults for reads to come. What is held or blocked stays so.
    pub fn clear(&self) {
        self.shared.state().rules.clear();
    }

    /// From now on up to `window` completions are held back, and leave in a random order. They are all
    /// let go when no other read is under way; an inner storage that answers at once is reordered
    /// only within a batch.
    pub fn reorder(&self, window: usize) {
        self.shared.state().hold_back.set_window(window);
    }

    /// Whether [`Storage::try_read_resident`] is passed on (it is at first). Otherwise it misses, so
    /// that every read is submitted. Reads that a fault is waiting for always miss.
    pub fn allow_resident(&self, allowed: bool) {
        self.resident.store(allowed, Ordering::Release);
    }

    /// Lets everything go that is held back, and begins all reads that are blocked, in random order.
    pub fn release(&self) {
        let held = self.shared.state().hold_back.flush();
        held.into_iter().for_each(Delivery::deliver);
        while self.release_one() {}
    }

    /// Begins one of the blocked reads, chosen at random. Returns whether there was one.
    pub fn release_one(&self) -> bool {
        let mut state = self.shared.state();
        if state.blocked.is_empty() {
            return false;
        }
        let blocked = state.blocked.len();
        let chosen = state.hold_back.choose(blocked);
        let read = state.blocked.swap_remove(chosen);
        state.hold_back.begin(1);
        drop(state);
        self.inner.submit(vec![read]);
        true
    }

    /// Reads that are blocked now.
    #[must_use]
    pub fn blocked(&self) -> usize {
        self.shared.state().blocked.len()
    }

    /// Waits until at least `reads` of them are blocked.
    pub fn wait_until_blocked(&self, reads: usize) {
        let state = self.shared.state();
        let wait = self.shared.blocked_more.wait_while(state, |state| state.blocked.len() < reads);
        drop(wait.unwrap_or_else(PoisonError::into_inner));
    }

    /// What went through so far.
    #[must_use]
    pub fn counts(&self) -> FaultCounts {
        self.shared.state().counts
    }
}

impl State {
    /// The faults for the next read, which is counted.
    fn faults_for(&mut self, key: &Key) -> Vec<Fault> {
        let number = self.counts.reads;
        self.counts.reads += 1;
        let matching =
            self.rules.iter_mut().filter(|rule| rule.times > 0 && rule.reads.matches(number, key));
        matching
            .map(|rule| {
                rule.times -= 1;
                rule.fault.clone()
            })
            .collect()
    }

    fn expects(&self, key: &Key) -> bool {
        let number = self.counts.reads;
        self.rules.iter().any(|rule| rule.times > 0 && rule.reads.matches(number, key))
    }
}

/// The error that a read ends in without being read.
fn failure(faults: &[Fault], key: &Key) -> Option<StorageError> {
    faults.iter().find_map(|fault| match fault {
        Fault::Fail(error) => Some(error.clone()),
        Fault::Conflict => Some(StorageError::Conflict { key: key.clone() }),
        _ => None,
    })
}

impl Storage for FaultStorage {
    fn location(&self) -> &str {
        self.inner.location()
    }

    fn limits(&self) -> ReadLimits {
        self.inner.limits()
    }

    fn enough_in_flight(&self) -> u64 {
        self.inner.enough_in_flight()
    }

    fn reads_at_once(&self) -> u32 {
        self.inner.reads_at_once()
    }

    fn device(&self) -> usize {
        self.device.unwrap_or_else(|| self.inner.device())
    }

    fn submit(&self, batch: Vec<Read>) {
        let mut passed_on = Vec::new();
        let mut failed = Vec::new();
        let mut state = self.shared.state();
        state.counts.submissions += 1;
        for mut read in batch {
            let faults = state.faults_for(&read.key);
            let error = failure(&faults, &read.key);
            let blocks = faults.iter().any(|fault| matches!(fault, Fault::Block));
            let sink = Arc::clone(&read.sink);
            read.sink = Arc::new(FaultSink { shared: Arc::clone(&self.shared), sink, faults });
            match error {
                Some(error) => failed.push((read, error)),
                None if blocks => state.blocked.push(read),
                None => passed_on.push(read),
            }
        }
        state.hold_back.begin(passed_on.len() + failed.len());
        drop(state);
        self.shared.blocked_more.notify_all();

        for (read, error) in failed {
            let cancelled = read.cancel.is_cancelled();
            let error =
                if cancelled { StorageError::Cancelled { key: read.key.clone() } } else { error };
            read.complete(Err(error), Route::Memory, Duration::ZERO);
        }
        if !passed_on.is_empty() {
            self.inner.submit(passed_on);
        }
    }

    fn try_read_resident(&self, read: Read) -> Resident {
        if !self.resident.load(Ordering::Acquire) || self.shared.state().expects(&read.key) {
            return Resident::Miss(read);
        }
        let answer = self.inner.try_read_resident(read);
        if let Resident::Hit(completion) = &answer {
            let mut state = self.shared.state();
            state.counts.resident += 1;
            state.counts.bytes += answered_bytes(completion);
        }
        answer
    }

    fn try_read_resident_into(
        &self,
        read: &Read,
        len: u64,
        target: &mut dyn ReadTarget,
    ) -> Option<Duration> {
        if !self.resident.load(Ordering::Acquire) || self.shared.state().expects(&read.key) {
            return None;
        }
        let elapsed = self.inner.try_read_resident_into(read, len, target)?;
        let mut state = self.shared.state();
        state.counts.resident += 1;
        state.counts.bytes += len;
        Some(elapsed)
    }

    fn list(&self, prefix: &Key, done: ListDone) {
        self.shared.state().counts.lists += 1;
        self.inner.list(prefix, done);
    }

    fn folder_identity(&self, prefix: &Key) -> Option<u128> {
        self.inner.folder_identity(prefix)
    }
}

impl Drop for FaultStorage {
    /// Reads that are still blocked end in [`StorageError::Closed`].
    fn drop(&mut self) {
        let mut state = self.shared.state();
        let blocked = mem::take(&mut state.blocked);
        state.hold_back.begin(blocked.len());
        drop(state);
        for read in blocked {
            let location = self.inner.location().to_owned();
            read.complete(Err(StorageError::Closed { location }), Route::Memory, Duration::ZERO);
        }
    }
}

impl fmt::Debug for FaultStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultStorage")
            .field("inner", &self.inner)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

fn answered_bytes(completion: &Completion) -> u64 {
    completion.result.as_ref().map_or(0, |answer| answer.bytes.len() as u64)
}

/// Stands between the inner storage and the sink of one read.
struct FaultSink {
    shared: Arc<Shared>,
    sink: Arc<dyn CompletionSink>,
    faults: Vec<Fault>,
}

impl CompletionSink for FaultSink {
    fn complete(&self, mut completion: Completion) {
        let mut delay = 0;
        for fault in &self.faults {
            if let Fault::Delay(others) = fault {
                delay = *others;
            }
            spoil(&mut completion, fault);
        }
        let delivery = Delivery { sink: Arc::clone(&self.sink), completion };
        let mut state = self.shared.state();
        state.counts.bytes += answered_bytes(&delivery.completion);
        let leaving = state.hold_back.arrive(delivery, delay);
        drop(state);
        leaving.into_iter().for_each(Delivery::deliver);
    }
}

impl fmt::Debug for FaultSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultSink").field("faults", &self.faults).finish_non_exhaustive()
    }
}

/// Does to a successful answer what the fault says.
fn spoil(completion: &mut Completion, fault: &Fault) {
    let Ok(answer) = &mut completion.result else { return };
    match fault {
        Fault::Truncate(missing) => {
            let kept = answer.bytes.len().saturating_sub(*missing);
            if let Some(shorter) = answer.bytes.slice(0..kept) {
                answer.bytes = shorter;
            }
        }
        Fault::FlipBit(bit) => {
            let mut bytes = answer.bytes.to_vec();
            let len = bytes.len();
            if let Some(byte) = (bit / 8).checked_rem(len).and_then(|at| bytes.get_mut(at)) {
                *byte ^= 1 << (bit % 8);
            }
            answer.bytes = SharedBytes::from(bytes);
        }
        Fault::Identity(identity) => answer.identity = identity.clone(),
        Fault::Fail(_) | Fault::Conflict | Fault::Delay(_) | Fault::Block => {}
    }
}
