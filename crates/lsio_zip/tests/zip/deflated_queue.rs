//! Deflated members that are read at once take no more memory than their archive is allowed, and none of the
//! reads that wait for it is forgotten.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use lsio_io::{
    ByteRange, CancelToken, Completion, CompletionSink, Fault, FaultStorage, Freshness, IoMode,
    Memory, MemoryStorage, Read, Reads, Resident, Storage, StorageError, WriteStorage, blocking,
};
use lsio_zip::ZipStorage;

use super::{ARCHIVE, PanickingStore, archive, archive_threads, key};

/// Numbers that deflate makes no shorter.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(next).collect()
}

#[derive(Debug)]
struct Ended(Mutex<Sender<Completion>>);

impl CompletionSink for Ended {
    fn complete(&self, completion: Completion) {
        self.0.lock().unwrap().send(completion).unwrap();
    }
}

/// An archive with the deflated member "b", which has been read once, over a store that can hold answers.
struct Reading {
    content: Vec<u8>,
    panics: Arc<PanickingStore>,
    faults: Arc<FaultStorage>,
    memory: Arc<Memory>,
    zip: ZipStorage,
    sink: Arc<Ended>,
    ended: Receiver<Completion>,
}

impl Reading {
    fn new(len: usize, deflated_at_once: u64) -> Self {
        let content = noise(len);
        let members = BTreeMap::from([("a".into(), Vec::new()), ("b".into(), content.clone())]);
        let panics = Arc::new(PanickingStore(MemoryStorage::new(), AtomicBool::new(false)));
        panics.0.put(&key(ARCHIVE), &archive(&members)).unwrap();
        let faults = Arc::new(FaultStorage::new(panics.clone(), 1));
        let memory = Memory::new(1 << 26);
        let zip = ZipStorage::open_with_deflated_limit(
            faults.clone(),
            key(ARCHIVE),
            &memory,
            archive_threads(),
            deflated_at_once,
        )
        .unwrap();
        // From now on it is known where the member lies.
        let range = ByteRange::Bounded { offset: 0, len: 1 };
        blocking::read_range(&zip, &memory, &key("b"), range, Freshness::Current).unwrap();
        let (sender, ended) = channel();
        let sink = Arc::new(Ended(Mutex::new(sender)));
        Self { content, panics, faults, memory, zip, sink, ended }
    }

    /// Ten bytes of the member, from `tag` on.
    fn read(&self, tag: u64, cancel: &CancelToken) -> Read {
        Read {
            key: key("b"),
            range: ByteRange::Bounded { offset: tag, len: 10 },
            freshness: Freshness::Current,
            reservation: self.memory.reserve_unwaited(Read::reserve_for(10)),
            mode: IoMode::Auto,
            request_bytes: 10,
            cancel: cancel.clone(),
            tag,
            sink: self.sink.clone(),
            begun: None,
        }
    }

    fn submit(&self, tags: std::ops::Range<u64>, cancel: &CancelToken) {
        self.zip.submit(tags.map(|tag| self.read(tag, cancel)).collect());
    }

    /// The tag and the error of the next read that ends, whose bytes are checked.
    fn end(&self) -> (u64, Option<StorageError>) {
        let Completion { tag, result, .. } = self.ended.recv().unwrap();
        let checked = result.map(|answer| {
            let from = tag as usize;
            assert_eq!(*answer.bytes, self.content[from..from + 10]);
        });
        (tag, checked.err())
    }
}

#[test]
fn deflated_members_under_way_stay_below_their_limit() {
    let limit = 16 << 20;
    let reading = Reading::new(4 << 20, limit);
    let before = reading.memory.usage().held;
    reading.faults.inject(Reads::All, 32, Fault::Block);
    reading.submit(0..32, &CancelToken::new());
    let mut most_blocked = 0;
    for _ in 0..32 {
        reading.faults.wait_until_blocked(1);
        most_blocked = most_blocked.max(reading.faults.blocked());
        let held = reading.memory.usage().held - before;
        assert!(held <= limit, "{held} bytes are held");
        assert!(reading.faults.release_one());
    }
    assert_eq!(most_blocked, 3, "as many as fit are under way");
    let mut tags: Vec<u64> = (0..32)
        .map(|_| {
            let (tag, error) = reading.end();
            assert!(error.is_none(), "{error:?}");
            tag
        })
        .collect();
    tags.sort_unstable();
    assert!(tags.into_iter().eq(0..32));
    assert_eq!(reading.memory.usage().held, before);
}

#[test]
fn reads_that_wait_for_a_deflated_member_end_once_they_are_cancelled() {
    // Even a member that is longer than the limit is read, by itself.
    let reading = Reading::new(1 << 20, 1);
    reading.faults.inject(Reads::All, 2, Fault::Block);
    let (kept, cancelled) = (CancelToken::new(), CancelToken::new());
    reading.submit(0..1, &kept);
    let asked = reading.faults.counts().reads;
    reading.submit(1..2, &kept);
    reading.submit(2..8, &cancelled);
    cancelled.cancel();
    assert_eq!(reading.faults.blocked(), 1);
    assert!(reading.faults.release_one());
    // The second read, before which the cancelled ones have left the queue, waits below now.
    reading.faults.wait_until_blocked(1);
    let mut ended: Vec<_> = (0..7).map(|_| reading.end()).collect();
    ended.sort_by_key(|(tag, _)| *tag);
    assert!(matches!(ended[0], (0, None)), "{ended:?}");
    for (tag, error) in &ended[1..] {
        assert!(*tag >= 2 && matches!(error, Some(StorageError::Cancelled { .. })), "{ended:?}");
    }
    assert!(reading.faults.release_one());
    assert!(matches!(reading.end(), (1, None)));
    assert_eq!(reading.faults.counts().reads, asked + 1);
}

#[test]
fn reads_that_fail_let_the_next_ones_go_on_however_many_wait() {
    let reading = Reading::new(1 << 10, 1);
    reading.faults.inject(Reads::All, 1, Fault::Block);
    reading.submit(0..1, &CancelToken::new());
    // Each could fail within the end of the one before.
    let closed = StorageError::Closed { location: "memory://".to_owned() };
    reading.faults.inject(Reads::All, 5000, Fault::Fail(closed));
    let batch = (0..5000).map(|_| reading.read(1, &CancelToken::new())).collect();
    reading.zip.submit(batch);
    assert!(reading.faults.release_one());
    assert!((0..5001).map(|_| reading.end()).all(|(tag, error)| match error {
        None => tag == 0,
        Some(error) => tag == 1 && matches!(error, StorageError::Closed { .. }),
    }));
    reading.submit(2..3, &CancelToken::new());
    assert!(matches!(reading.end(), (2, None)));
}

#[test]
fn reads_whose_store_panics_end_with_an_error_and_let_the_next_ones_go_on() {
    let reading = Reading::new(1 << 10, 1);
    reading.faults.inject(Reads::All, 1, Fault::Block);
    reading.panics.1.store(true, Ordering::Relaxed);
    reading.submit(0..4, &CancelToken::new());
    // The others are asked for where the first is inflated.
    assert!(reading.faults.release_one());
    assert!((0..4).map(|_| reading.end()).all(|(tag, error)| match error {
        None => tag == 0,
        Some(StorageError::Io { operation: "read", .. }) => tag > 0,
        Some(_) => false,
    }));
    reading.panics.1.store(false, Ordering::Relaxed);
    reading.submit(4..5, &CancelToken::new());
    assert!(matches!(reading.end(), (4, None)));
}

#[test]
fn what_is_found_in_memory_waits_too_where_there_is_no_room() {
    let reading = Reading::new(1 << 20, 1);
    let cancel = CancelToken::new();
    let before = reading.memory.usage().held;
    let resident = |tag| reading.zip.try_read_resident(reading.read(tag, &cancel));
    let found = |tag| match resident(tag) {
        Resident::Hit(completion) => completion.result.unwrap().bytes.to_vec(),
        Resident::Miss(read) => panic!("{read:?}"),
    };
    let content = |tag: usize| reading.content[tag..tag + 10].to_vec();
    assert_eq!(found(3), content(3));
    assert_eq!(reading.memory.usage().held, before);

    reading.faults.inject(Reads::All, 1, Fault::Block);
    reading.submit(0..1, &cancel);
    let under_way = reading.memory.usage().held;
    let Resident::Miss(missed) = resident(4) else { panic!("there is no room") };
    assert_eq!(reading.memory.usage().held, under_way);
    reading.zip.submit(vec![missed]);
    assert!(reading.faults.release_one());
    let mut ended = [reading.end(), reading.end()].map(|(tag, error)| (tag, error.is_none()));
    ended.sort_unstable();
    assert_eq!(ended, [(0, true), (4, true)]);
    assert_eq!(found(5), content(5));
}
