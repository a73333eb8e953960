//! Byte ranges of files, past the page cache, without an array around them.

use std::fs;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use lsio::{Engine, IoMode};
use lsio_io::{
    ByteRange, CancelToken, Completion, CompletionSink, Freshness, Key, Memory, Read, Storage,
};
use lsio_uring::LocalStorage;

use crate::Failure;
use crate::measurement::Outcome;

/// Bytes of a range; the tail of a file is a shorter one.
const RANGE: u64 = 256 << 10;
/// Reads under way. The engine keeps as many in the ring as it has slots and the others in its queue.
const IN_FLIGHT: usize = 64;
/// Completions that are taken together, as long as there are so many: half of what the engine holds back
/// beyond the slots of its ring, so that the device has enough to do until the next ones are submitted.
const TOGETHER: usize = 16;

/// All ranges of all files of a folder, in a random order.
pub(crate) struct Ranges {
    storage: LocalStorage,
    memory: Arc<Memory>,
    /// File, first byte, number of bytes.
    list: Vec<(usize, u64, u64)>,
    files: Vec<Key>,
    bytes: u64,
}

impl Ranges {
    pub(crate) fn of(engine: &Arc<Engine>, folder: &str) -> Result<Self, Failure> {
        let entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
        let mut files = Vec::new();
        for entry in entries {
            let name = entry.file_name().into_string().map_err(|_| "a name that is no text")?;
            files.push((name, entry.metadata()?.len()));
        }
        files.sort();
        let mut list: Vec<(usize, u64, u64)> = Vec::new();
        for (file, (_, len)) in files.iter().enumerate() {
            let starts = (0..*len).step_by(RANGE as usize);
            list.extend(starts.map(|offset| (file, offset, RANGE.min(len - offset))));
        }
        shuffle(&mut list);
        let bytes = list.iter().map(|(_, _, len)| len).sum();
        let files = files.iter().map(|(name, _)| Key::new(name)).collect::<Result<_, _>>()?;
        let storage = engine.open_folder(folder.as_ref())?;
        let memory = Memory::new(Memory::default_limit());
        Ok(Self { storage, memory, list, files, bytes })
    }

    /// Reads each range once.
    pub(crate) fn read(&self) -> Result<impl FnOnce() -> Outcome, Failure> {
        let inbox = Arc::new(Inbox::default());
        // What a file is, once for all of its ranges.
        let first = |file| self.read_of(&inbox, (file, 0, 0), Freshness::Current);
        self.storage.submit((0..self.files.len()).map(first).collect());
        let mut versions = vec![None; self.files.len()];
        let mut known = 0;
        while known < versions.len() {
            for completion in inbox.take(versions.len() - known) {
                versions[completion.tag as usize] = Some(completion.result?.identity);
                known += 1;
            }
        }
        let pinned: Vec<Freshness> =
            versions.into_iter().flatten().map(Freshness::Pinned).collect();

        let mut waiting = self.list.iter();
        let (mut ended, mut checksum) = (0, 0);
        let mut room = IN_FLIGHT;
        while ended < self.list.len() {
            let next = waiting.by_ref().take(room);
            let batch = next.map(|&range| self.read_of(&inbox, range, pinned[range.0].clone()));
            self.storage.submit(batch.collect());
            let completions = inbox.take(TOGETHER.min(self.list.len() - ended));
            room = completions.len();
            ended += room;
            for completion in completions {
                let bytes = completion.result?.bytes;
                let ends = bytes.first().zip(bytes.last()).ok_or("an empty range")?;
                checksum += u64::from(*ends.0) + u64::from(*ends.1);
            }
        }
        let decoded_bytes = self.bytes;
        Ok(move || Outcome { decoded_bytes, checksum: Some(checksum), ..Outcome::default() })
    }

    fn read_of(
        &self,
        inbox: &Arc<Inbox>,
        (file, offset, len): (usize, u64, u64),
        freshness: Freshness,
    ) -> Read {
        Read {
            key: self.files[file].clone(),
            range: ByteRange::Bounded { offset, len },
            freshness,
            reservation: self.memory.reserve_unwaited(Read::reserve_for(len)),
            mode: IoMode::Direct,
            request_bytes: self.bytes,
            cancel: CancelToken::new(),
            tag: file as u64,
            sink: inbox.clone(),
            begun: None,
        }
    }
}

/// Fisher-Yates from the end, by the generator of all programs of the benchmark, seed 1.
fn shuffle<T>(list: &mut [T]) {
    let mut state = 1u32;
    for last in (1..list.len()).rev() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        list.swap(last, (state >> 8) as usize % (last + 1));
    }
}

/// Completions that have arrived.
#[derive(Debug, Default)]
struct Inbox {
    state: Mutex<Arrived>,
    enough: Condvar,
}

#[derive(Debug, Default)]
struct Arrived {
    completions: Vec<Completion>,
    /// How many the one who waits wants.
    wanted: usize,
}

impl Inbox {
    /// All that have arrived; waits until there are `least`.
    fn take(&self, least: usize) -> Vec<Completion> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.wanted = least;
        let enough = self.enough.wait_while(state, |state| state.completions.len() < least);
        std::mem::take(&mut enough.unwrap_or_else(PoisonError::into_inner).completions)
    }
}

impl CompletionSink for Inbox {
    fn complete(&self, completion: Completion) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.completions.push(completion);
        if state.completions.len() == state.wanted {
            self.enough.notify_one();
        }
    }
}
