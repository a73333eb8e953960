//! Asking the kernel for the pages of reads that wait for a thread.
//!
//! Of reads, that is, for which nobody has looked in the page cache before: a look that finds nothing makes
//! the kernel read ahead by itself.
//!
//! Cold reads through the page cache by two plain threads reached 0.68 GB/s; with one more thread
//! calling readahead(2) for what comes next 1.3-1.6 GB/s, at less than half the CPU time.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use lsio_io::{ByteRange, Freshness, Key};

use crate::locking::lock;
use crate::open_file::Access;
use crate::owed_read::OwedRead;
use crate::reader::Reader;
use crate::root::Root;
use crate::unsafe_syscalls;

/// Bytes that are asked for before their readers need them: 16-32 MiB measured best. More would push
/// out pages that were asked for and not read yet where memory is short.
const WINDOW_BYTES: u64 = 32 << 20;

/// Reads that are asked for in advance at most: fewer than the handle cache keeps open.
const WINDOW_READS: usize = 64;

/// Bytes of one readahead(2). The kernel cuts a call to the device's read-ahead or request size,
/// whichever is larger, and forgets the rest.
const STEP_BYTES: usize = 512 << 10;

/// The reads to come.
#[derive(Debug, Default)]
pub(crate) struct ReadAhead {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    hints: VecDeque<Hint>,
    window_bytes: u64,
    window_reads: usize,
    closed: bool,
}

/// Bytes that will be read soon.
#[derive(Debug)]
struct Hint {
    root: Arc<Root>,
    key: Key,
    freshness: Freshness,
    range: ByteRange,
    stage: Arc<Mutex<Stage>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting,
    /// The kernel was asked for so many bytes.
    Asked(u64),
    /// The read itself has begun.
    Begun,
}

/// Goes with a read whose bytes may be asked for in advance. Dropping it makes room for others.
#[derive(Debug)]
pub(crate) struct Advice {
    ahead: Arc<ReadAhead>,
    stage: Arc<Mutex<Stage>>,
}

impl ReadAhead {
    /// Notes that `read` waits for a thread.
    pub(crate) fn announce(self: &Arc<Self>, read: &OwedRead) -> Advice {
        let stage = Arc::new(Mutex::new(Stage::Waiting));
        let hint = Hint {
            root: Arc::clone(&read.root),
            key: read.key.clone(),
            freshness: read.freshness.clone(),
            range: read.range,
            stage: Arc::clone(&stage),
        };
        lock(&self.state).hints.push_back(hint);
        self.changed.notify_all();
        Advice { ahead: Arc::clone(self), stage }
    }

    /// Ends [`run`].
    pub(crate) fn close(&self) {
        lock(&self.state).closed = true;
        self.changed.notify_all();
    }

    /// Waits for a hint and for room in the window. `None` when closed.
    fn next(&self) -> Option<Hint> {
        let mut state = lock(&self.state);
        loop {
            if state.closed {
                return None;
            }
            let room = state.window_bytes < WINDOW_BYTES && state.window_reads < WINDOW_READS;
            if let Some(hint) = room.then(|| state.hints.pop_front()).flatten() {
                return Some(hint);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Puts `bytes` of a read in the window, unless it has begun by itself.
    fn enter(&self, stage: &Mutex<Stage>, bytes: u64) -> bool {
        let mut stage = lock(stage);
        if *stage != Stage::Waiting {
            return false;
        }
        *stage = Stage::Asked(bytes);
        let mut state = lock(&self.state);
        state.window_bytes += bytes;
        state.window_reads += 1;
        true
    }
}

impl Advice {
    /// The read begins: nothing is asked for any more if it was not yet.
    pub(crate) fn begin(&self) {
        let mut stage = lock(&self.stage);
        if *stage == Stage::Waiting {
            *stage = Stage::Begun;
        }
    }
}

impl Drop for Advice {
    fn drop(&mut self) {
        let stage = std::mem::replace(&mut *lock(&self.stage), Stage::Begun);
        if let Stage::Asked(bytes) = stage {
            let mut state = lock(&self.ahead.state);
            state.window_bytes = state.window_bytes.saturating_sub(bytes);
            state.window_reads = state.window_reads.saturating_sub(1);
            drop(state);
            self.ahead.changed.notify_all();
        }
    }
}

/// The read-ahead thread: asks for the pages of announced reads in their order.
pub(crate) fn run(reader: &Reader) {
    while let Some(hint) = reader.ahead.next() {
        if *lock(&hint.stage) == Stage::Waiting {
            ask(reader, &hint);
        }
    }
}

/// Asks for the pages of one read. What goes wrong here the read itself will meet and report.
fn ask(reader: &Reader, hint: &Hint) {
    let opened = reader.open(&hint.root, &hint.key, &hint.freshness, Access::Buffered);
    let Ok(file) = opened else { return };
    let Ok((offset, len)) = hint.range.resolve(&hint.key, file.len()) else { return };
    let Ok(buffered) = file.buffered() else { return };
    let bytes = len.min(WINDOW_BYTES);
    if !reader.ahead.enter(&hint.stage, bytes) {
        return;
    }
    reader.counters.read_aheads.add(1);
    for start in (0..bytes).step_by(STEP_BYTES) {
        let step = (bytes - start).min(STEP_BYTES as u64) as usize;
        if unsafe_syscalls::read_ahead(buffered, offset + start, step).is_err() {
            return;
        }
    }
}
