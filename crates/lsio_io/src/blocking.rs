//! Reads that wait: for metadata, on a thread that may block.
//!
//! Never call these on a worker of the executor or on a storage's own thread: the one could be needed
//! to free memory, the other to bring the answer. They take no part in the budget's queue (see
//! [`Memory::reserve_unwaited`]), so they wait for the storage and for nothing else.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};

use crate::{
    ByteRange, CancelToken, Completion, CompletionSink, Entry, Freshness, Identity, IoMode, Key,
    Memory, Read, ReadAnswer, Resident, SharedBytes, Storage, StorageError,
};

/// Most metadata objects under way at once: together they take at most this many times
/// [`FIRST_TRY`], until one turns out to be longer.
const CONCURRENT: usize = 16;

/// Length up to which an object is read at the first try, in bytes. Metadata is rarely longer, except
/// consolidated metadata.
const FIRST_TRY: u64 = 64 << 10;

/// Times that an object is tried again because it is longer than it was just before.
const RETRIES: u32 = 3;

/// A whole object and its version, or `None` for one that does not exist.
pub type WholeObject = Option<(SharedBytes, Identity)>;

/// Reads one whole object of at most `limit` bytes. `None` if the store says that it does not exist.
///
/// # Errors
/// [`StorageError::TooLong`] if it has more bytes, otherwise whatever the storage says.
pub fn read_whole(
    storage: &dyn Storage,
    memory: &Arc<Memory>,
    key: &Key,
    limit: u64,
) -> Result<WholeObject, StorageError> {
    let only = read_many(storage, memory, std::slice::from_ref(key), limit).pop();
    only.unwrap_or_else(|| Err(StorageError::NotFound { key: key.clone() }))
}

/// Reads a range of one object. Keep it short: its buffer is taken from the allowance for metadata (see
/// [`Memory::reserve_unwaited`]).
///
/// # Errors
/// Whatever the storage says.
pub fn read_range(
    storage: &dyn Storage,
    memory: &Arc<Memory>,
    key: &Key,
    range: ByteRange,
    freshness: Freshness,
) -> Result<ReadAnswer, StorageError> {
    read_range_unless(storage, memory, key, range, freshness, CancelToken::new())
}

/// As [`read_range`], unless it is cancelled before the storage has begun. A range longer than
/// [`Memory::SMALL`] counts as held from the start: it is to be the user's.
///
/// # Errors
/// Whatever the storage says, [`StorageError::Cancelled`] included.
pub fn read_range_unless(
    storage: &dyn Storage,
    memory: &Arc<Memory>,
    key: &Key,
    range: ByteRange,
    freshness: Freshness,
    cancel: CancelToken,
) -> Result<ReadAnswer, StorageError> {
    let len = match range {
        ByteRange::Whole => FIRST_TRY,
        ByteRange::Bounded { len, .. } | ByteRange::Suffix { len } => len,
    };
    let inbox = Arc::new(Inbox::default());
    let read = Read {
        key: key.clone(),
        range,
        freshness,
        reservation: memory.reserve_unwaited(Read::reserve_for(len)),
        mode: IoMode::Auto,
        request_bytes: len,
        cancel,
        tag: 0,
        sink: Arc::clone(&inbox) as Arc<dyn CompletionSink>,
        begun: None,
    };
    match storage.try_read_resident(read) {
        Resident::Hit(completion) => completion.result,
        Resident::Miss(read) => {
            storage.submit(vec![read]);
            inbox.wait().result
        }
    }
}

/// Reads several whole objects of at most `limit` bytes each, some at the same time. The results are
/// in the order of `keys`, each as from [`read_whole`].
pub fn read_many(
    storage: &dyn Storage,
    memory: &Arc<Memory>,
    keys: &[Key],
    limit: u64,
) -> Vec<Result<WholeObject, StorageError>> {
    let reading = Reading { storage, memory, keys, limit, inbox: Arc::new(Inbox::default()) };
    let mut results: Vec<Option<Result<WholeObject, StorageError>>> = Vec::new();
    results.resize_with(keys.len(), || None);
    let mut tries = vec![0; keys.len()];

    let mut started = keys.len().min(CONCURRENT);
    let mut under_way = started;
    reading.start((0..started).map(|index| (index, FIRST_TRY.min(limit))).collect());
    while under_way > 0 {
        let completion = reading.inbox.wait();
        let index = completion.tag as usize;
        match reading.judge(completion, tries[index]) {
            Outcome::Longer(len) => {
                tries[index] += 1;
                reading.start(vec![(index, len)]);
                continue;
            }
            Outcome::Done(result) => results[index] = Some(result),
        }
        under_way -= 1;
        if started < keys.len() {
            reading.start(vec![(started, FIRST_TRY.min(limit))]);
            started += 1;
            under_way += 1;
        }
    }
    // Every index was started, and every start ended above: nothing is left out.
    results.into_iter().flatten().collect()
}

/// Lists the direct members below `prefix`, as [`Storage::list`] does.
///
/// # Errors
/// Whatever the storage says; [`StorageError::Closed`] if it dropped the listing.
pub fn list_blocking(storage: &dyn Storage, prefix: &Key) -> Result<Vec<Entry>, StorageError> {
    let (sender, receiver) = mpsc::sync_channel(1);
    storage.list(
        prefix,
        Box::new(move |result| {
            let sent = sender.send(result);
            debug_assert!(
                sent.is_ok(),
                "the receiver waits below until the sender is used or gone"
            );
        }),
    );
    receiver
        .recv()
        .unwrap_or_else(|_| Err(StorageError::Closed { location: storage.location().to_owned() }))
}

struct Reading<'a> {
    storage: &'a dyn Storage,
    memory: &'a Arc<Memory>,
    keys: &'a [Key],
    limit: u64,
    inbox: Arc<Inbox>,
}

enum Outcome {
    Done(Result<WholeObject, StorageError>),
    Longer(u64),
}

impl Reading<'_> {
    /// Begins to read objects (by index) that are thought to have no more than so many bytes.
    fn start(&self, wanted: Vec<(usize, u64)>) {
        let mut missed = Vec::new();
        for (index, len) in wanted {
            let key = self.keys[index].clone();
            let read = Read {
                key,
                range: ByteRange::Whole,
                freshness: Freshness::Current,
                reservation: self.memory.reserve_unwaited(Read::reserve_for(len)),
                mode: IoMode::Auto,
                request_bytes: len,
                cancel: CancelToken::new(),
                tag: index as u64,
                sink: Arc::clone(&self.inbox) as Arc<dyn CompletionSink>,
                begun: None,
            };
            match self.storage.try_read_resident(read) {
                Resident::Hit(completion) => self.inbox.complete(completion),
                Resident::Miss(read) => missed.push(read),
            }
        }
        if !missed.is_empty() {
            self.storage.submit(missed);
        }
    }

    fn judge(&self, completion: Completion, tries: u32) -> Outcome {
        let key = || self.keys[completion.tag as usize].clone();
        let reserved = self.limit;
        Outcome::Done(match completion.result {
            Ok(answer) if answer.object_len > self.limit => {
                Err(StorageError::TooLong { key: key(), len: answer.object_len, reserved })
            }
            Ok(answer) => Ok(Some((answer.bytes, answer.identity))),
            Err(StorageError::NotFound { .. }) => Ok(None),
            Err(StorageError::TooLong { len, .. }) if len > self.limit => {
                Err(StorageError::TooLong { key: key(), len, reserved })
            }
            Err(StorageError::TooLong { len, .. }) if tries < RETRIES => {
                return Outcome::Longer(len);
            }
            Err(error) => Err(error),
        })
    }
}

/// Completions that have arrived.
#[derive(Debug, Default)]
struct Inbox {
    arrived: Mutex<VecDeque<Completion>>,
    more: Condvar,
}

impl Inbox {
    fn wait(&self) -> Completion {
        let mut arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(completion) = arrived.pop_front() {
                return completion;
            }
            arrived = self.more.wait(arrived).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl CompletionSink for Inbox {
    fn complete(&self, completion: Completion) {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner).push_back(completion);
        self.more.notify_one();
    }
}
