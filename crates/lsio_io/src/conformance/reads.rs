//! How the conformance suite reads, and counts that each read completes exactly once.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::ensure;
use crate::{
    ByteRange, CancelToken, Completion, CompletionSink, Freshness, IoMode, Key, Memory, Read,
    ReadAnswer, ReadTarget, Resident, Storage, StorageError,
};

/// A budget that no check exhausts.
const BUDGET: u64 = 1 << 30;

type ReadResult = Result<ReadAnswer, StorageError>;

/// Reads from the storage under test.
pub(super) struct Reader {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) memory: Arc<Memory>,
    inbox: Arc<Inbox>,
}

/// A read to come.
#[derive(Debug, Clone)]
pub(super) struct Request {
    key: Key,
    range: ByteRange,
    freshness: Freshness,
    mode: IoMode,
    cancel: CancelToken,
    reserved: u64,
}

impl Request {
    /// A read of the current version, with room for the whole range, or for 8 MiB where its length is
    /// not known.
    pub(super) fn new(key: &Key, range: ByteRange) -> Self {
        let len = match range {
            ByteRange::Bounded { len, .. } | ByteRange::Suffix { len } => len,
            ByteRange::Whole => 8 << 20,
        };
        let (freshness, mode) = (Freshness::Current, IoMode::Auto);
        let (key, cancel, reserved) = (key.clone(), CancelToken::new(), Read::reserve_for(len));
        Self { key, range, freshness, mode, cancel, reserved }
    }

    pub(super) fn mode(mut self, mode: IoMode) -> Self {
        self.mode = mode;
        self
    }

    pub(super) fn freshness(mut self, freshness: Freshness) -> Self {
        self.freshness = freshness;
        self
    }

    pub(super) fn cancel(mut self, token: &CancelToken) -> Self {
        self.cancel = token.clone();
        self
    }

    pub(super) fn reserved(mut self, bytes: u64) -> Self {
        self.reserved = bytes;
        self
    }
}

/// Tags of reads that were submitted.
#[derive(Debug)]
pub(super) struct Pending(Vec<u64>);

impl Reader {
    pub(super) fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, memory: Memory::new(BUDGET), inbox: Arc::new(Inbox::default()) }
    }

    /// Reads a range of the current version.
    pub(super) fn read(&self, key: &Key, range: ByteRange) -> Result<ReadResult, String> {
        self.run(Request::new(key, range), false)
    }

    /// Reads, if `resident` by asking [`Storage::try_read_resident`] first.
    pub(super) fn run(&self, request: Request, resident: bool) -> Result<ReadResult, String> {
        if resident {
            return Ok(self.run_resident(request)?.1);
        }
        let mut results = self.run_batch(vec![request])?;
        results.pop().ok_or_else(|| "a read without a result".to_owned())
    }

    /// Reads all, submitted together.
    pub(super) fn run_batch(&self, requests: Vec<Request>) -> Result<Vec<ReadResult>, String> {
        self.wait(self.submit(requests)?)
    }

    /// Asks [`Storage::try_read_resident`] first. Returns whether that was enough.
    pub(super) fn run_resident(&self, request: Request) -> Result<(bool, ReadResult), String> {
        let mut missed = false;
        let result = self.run_resident_with(request, || {
            missed = true;
            Ok(())
        })?;
        Ok((!missed, result))
    }

    /// As [`Reader::run_resident`], and does `between` after a miss, before the read is submitted.
    pub(super) fn run_resident_with(
        &self,
        request: Request,
        between: impl FnOnce() -> Result<(), String>,
    ) -> Result<ReadResult, String> {
        let read = self.prepare(request)?;
        let tag = read.tag;
        match self.storage.try_read_resident(read) {
            Resident::Hit(completion) => {
                ensure!(completion.tag == tag, "a hit for {tag} has tag {}", completion.tag);
                self.inbox.forget(tag)?;
                Ok(completion.result)
            }
            Resident::Miss(read) => {
                ensure!(read.tag == tag, "the read {tag} came back as {}", read.tag);
                between()?;
                self.storage.submit(vec![read]);
                let mut results = self.wait(Pending(vec![tag]))?;
                results.pop().ok_or_else(|| "a read without a result".to_owned())
            }
        }
    }

    /// Asks [`Storage::try_read_resident_into`] for as many bytes as `lengths` add up to, with room for
    /// one length after the other. Returns them if it had them all.
    pub(super) fn run_into(
        &self,
        request: Request,
        lengths: &[usize],
    ) -> Result<Option<Vec<u8>>, String> {
        let read = self.prepare(request)?;
        let mut pieces = Pieces { bytes: vec![0; lengths.iter().sum()], start: 0, lengths };
        let len = pieces.bytes.len() as u64;
        let read_all = self.storage.try_read_resident_into(&read, len, &mut pieces).is_some();
        self.inbox.forget(read.tag)?;
        if read_all {
            ensure!(pieces.lengths.is_empty(), "{} pieces were left out", pieces.lengths.len());
        }
        Ok(read_all.then_some(pieces.bytes))
    }

    pub(super) fn submit(&self, requests: Vec<Request>) -> Result<Pending, String> {
        let batch: Vec<Read> =
            requests.into_iter().map(|request| self.prepare(request)).collect::<Result<_, _>>()?;
        let pending = Pending(batch.iter().map(|read| read.tag).collect());
        self.storage.submit(batch);
        Ok(pending)
    }

    /// Results in the order of the requests.
    pub(super) fn wait(&self, pending: Pending) -> Result<Vec<ReadResult>, String> {
        pending.0.into_iter().map(|tag| self.inbox.wait(tag)).collect()
    }

    /// Every read has completed once, and all memory has been given back.
    pub(super) fn is_at_rest(&self) -> Result<(), String> {
        let state = self.inbox.state();
        ensure!(state.faults.is_empty(), "{}", state.faults.join(", "));
        ensure!(state.open.is_empty(), "{} reads have not completed", state.open.len());
        drop(state);
        let usage = self.memory.usage();
        ensure!(
            usage.reserved + usage.held + usage.leases == 0,
            "memory was not given back: {usage:?}"
        );
        Ok(())
    }

    fn prepare(&self, request: Request) -> Result<Read, String> {
        let Request { key, range, freshness, mode, cancel, reserved } = request;
        let reservation =
            self.memory.reserve(0, reserved).ok_or("the budget of the check is exhausted")?;
        let tag = self.inbox.open();
        Ok(Read {
            key,
            range,
            freshness,
            reservation,
            mode,
            request_bytes: reserved,
            cancel,
            tag,
            sink: Arc::clone(&self.inbox) as Arc<dyn CompletionSink>,
            begun: None,
        })
    }
}

/// One buffer, filled piece by piece.
struct Pieces<'a> {
    bytes: Vec<u8>,
    start: usize,
    /// Of the pieces that are not there yet.
    lengths: &'a [usize],
}

impl ReadTarget for Pieces<'_> {
    fn room(&mut self) -> &mut [u8] {
        let len = self.lengths.first().copied().unwrap_or(0);
        &mut self.bytes[self.start..self.start + len]
    }

    fn filled(&mut self) {
        if let [len, rest @ ..] = self.lengths {
            self.start += len;
            self.lengths = rest;
        }
    }
}

/// Completions by tag.
#[derive(Debug, Default)]
struct Inbox {
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct State {
    next_tag: u64,
    /// Tags without a completion so far: `None`; with one that was not fetched yet: `Some`.
    open: HashMap<u64, Option<ReadResult>>,
    faults: Vec<String>,
}

impl Inbox {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> u64 {
        let mut state = self.state();
        // No small numbers: a storage that makes up its own tags is found out.
        state.next_tag += 1;
        let tag = state.next_tag << 32 | 0x5eed;
        state.open.insert(tag, None);
        tag
    }

    /// The read ended without a completion, which is right for a resident one.
    fn forget(&self, tag: u64) -> Result<(), String> {
        match self.state().open.remove(&tag) {
            Some(None) => Ok(()),
            _ => Err("a hit was completed at its sink too".to_owned()),
        }
    }

    fn wait(&self, tag: u64) -> Result<ReadResult, String> {
        let mut state = self.state();
        loop {
            match state.open.remove(&tag) {
                Some(Some(result)) => return Ok(result),
                Some(None) => {
                    state.open.insert(tag, None);
                }
                None => return Err(format!("the read {tag} is not open")),
            }
            state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl CompletionSink for Inbox {
    fn complete(&self, completion: Completion) {
        let Completion { tag, result, .. } = completion;
        let mut state = self.state();
        match state.open.get_mut(&tag) {
            Some(slot @ None) => *slot = Some(result),
            _ => state.faults.push(format!("{tag} was completed twice or never submitted")),
        }
        drop(state);
        self.more.notify_all();
    }
}
