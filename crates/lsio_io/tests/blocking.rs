//! Blocking reads over storages that answer late, lie about lengths or go away.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use lsio_io::blocking::{list_blocking, read_many, read_whole};
use lsio_io::{
    Entry, Fault, FaultStorage, Key, ListDone, Memory, MemoryStorage, Read, ReadLimits, Reads,
    Route, Storage, StorageError, WriteStorage,
};

fn key(name: &str) -> Key {
    Key::new(name).unwrap()
}

#[test]
fn results_keep_the_order_of_the_keys_when_answers_come_late_and_shuffled() {
    let objects = MemoryStorage::new();
    let keys: Vec<Key> = (0..100).map(|i| key(&format!("m/{i}"))).collect();
    for (i, key) in keys.iter().enumerate().filter(|(i, _)| i % 10 != 3) {
        objects.put(key, &vec![i as u8; i * 3000]).unwrap();
    }
    let faults = FaultStorage::new(Arc::new(objects), 5);
    faults.allow_resident(false);
    faults.inject(Reads::All, u64::MAX, Fault::Block);
    faults.inject(Reads::Of(key("m/7")), 1, Fault::Conflict);
    let memory = Memory::new(1);
    let done = AtomicBool::new(false);
    let results = thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                faults.release_one();
                thread::yield_now();
            }
        });
        let results = read_many(&faults, &memory, &keys, 1 << 20);
        done.store(true, Ordering::Release);
        results
    });
    assert_eq!(results.len(), 100);
    for (i, result) in results.into_iter().enumerate() {
        match (i, result) {
            (7, Err(StorageError::Conflict { .. })) => {}
            (i, Ok(None)) if i % 10 == 3 => {}
            (i, Ok(Some((bytes, _)))) if i % 10 != 3 && i != 7 => {
                assert_eq!(*bytes, *vec![i as u8; i * 3000]);
            }
            (i, other) => panic!("{i}: {other:?}"),
        }
    }
    // Objects above the first try were asked for once more.
    assert_eq!(
        faults.counts().reads,
        100 + keys.iter().enumerate().filter(|(i, _)| i % 10 != 3 && i * 3000 > 72 << 10).count()
            as u64
    );
    let usage = memory.usage();
    assert_eq!((usage.reserved, usage.small, usage.held), (0, 0, 0));
}

#[test]
fn an_object_up_to_the_limit_is_read_and_a_longer_one_is_not() {
    let objects = MemoryStorage::new();
    let memory = Memory::new(0);
    for len in [0, 1, 65_536, 1 << 20, 5 << 20] {
        objects.put(&key("x"), &vec![9; len]).unwrap();
        let (bytes, _) = read_whole(&objects, &memory, &key("x"), len as u64).unwrap().unwrap();
        assert_eq!(bytes.len(), len);
        if len > 0 {
            let limit = len as u64 - 1;
            match read_whole(&objects, &memory, &key("x"), limit) {
                Err(StorageError::TooLong { len: told, reserved, .. }) => {
                    assert_eq!((told, reserved), (len as u64, limit));
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(read_whole(&objects, &memory, &key("y"), 1).unwrap().map(drop), None);
}

/// Says each time that the object is a byte longer than what was reserved, and forgets listings.
#[derive(Debug, Default)]
struct NeverContent {
    reads: AtomicU64,
}

impl Storage for NeverContent {
    fn location(&self) -> &'static str {
        "nowhere"
    }

    fn limits(&self) -> ReadLimits {
        ReadLimits { merge_gap: 0, max_merged: 1, max_request: 1 }
    }

    fn submit(&self, batch: Vec<Read>) {
        for read in batch {
            self.reads.fetch_add(1, Ordering::Relaxed);
            let reserved = read.reservation.bytes();
            let error =
                StorageError::TooLong { key: read.key.clone(), len: reserved + 1, reserved };
            read.complete(Err(error), Route::Memory, Duration::ZERO);
        }
    }

    fn list(&self, _: &Key, _: ListDone) {}
}

#[test]
fn an_object_that_keeps_growing_is_given_up() {
    let storage = NeverContent::default();
    let result = read_whole(&storage, &Memory::new(0), &key("x"), u64::MAX);
    assert!(matches!(result, Err(StorageError::TooLong { .. })), "{result:?}");
    assert_eq!(storage.reads.into_inner(), 4);
}

#[test]
fn a_listing_that_is_dropped_is_an_error_and_not_a_hang() {
    let result = list_blocking(&NeverContent::default(), &Key::root());
    assert!(matches!(result, Err(StorageError::Closed { location }) if location == "nowhere"));
    let objects = MemoryStorage::new();
    objects.put(&key("x"), &[1, 2]).unwrap();
    objects.put(&key("x/y"), &[]).unwrap();
    let members = list_blocking(&objects, &Key::root()).unwrap();
    assert_eq!(members, [Entry::Object("x".to_owned(), 2), Entry::Prefix("x".to_owned())]);
}
