//! Cancelling, dropping and panicking.

use std::sync::Arc;
use std::sync::mpsc;

use lsio_io::{ByteRange, Completion, CompletionSink, IoMode, Storage, StorageError};
use lsio_uring::{EngineChoice, LocalConfig, LocalEngine};

use crate::harness::{Ask, Bench, Folder, Random, choices};

const LEN: usize = 16 << 20;
const MODES: [IoMode; 2] = [IoMode::Direct, IoMode::Buffered];

#[test]
fn an_engine_dropped_with_reads_in_flight_answers_each_once() {
    let folder = Folder::new();
    let bytes = folder.file("data", LEN, 1);
    for choice in choices() {
        for mode in MODES {
            let bench = Bench::new(&folder, choice);
            let mut random = Random::new(1);
            let offsets: Vec<_> = (0..150).map(|_| random.below(LEN as u64 - 1_500_000)).collect();
            let batch = offsets.iter().zip(0..).map(|(&offset, tag)| {
                let range = ByteRange::Bounded { offset, len: 1_500_000 };
                bench.make(tag, "data", range, &Ask::new(mode, 1_500_000))
            });
            bench.storage.submit(batch.collect());
            let first = bench.completion();
            let (completions, memory) = bench.close();
            let mut seen = vec![false; offsets.len()];
            let rest: Vec<_> = completions.try_iter().collect();
            for completion in std::iter::once(first).chain(rest) {
                let tag = completion.tag as usize;
                assert!(!std::mem::replace(&mut seen[tag], true), "answered twice");
                match completion.result {
                    Ok(answer) => {
                        let offset = offsets[tag] as usize;
                        assert!(answer.bytes[..] == bytes[offset..offset + 1_500_000]);
                    }
                    Err(StorageError::Closed { .. }) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
            // The drop waited: nothing arrives later, and no buffer is left behind.
            assert!(seen.iter().all(|&seen| seen), "{choice:?} {mode:?}");
            let usage = memory.usage();
            assert_eq!((usage.reserved, usage.leases), (0, 0));
        }
    }
}

#[test]
fn cancelled_reads_are_not_begun() {
    let folder = Folder::new();
    let bytes = folder.file("data", LEN, 2);
    for choice in choices() {
        for mode in MODES {
            let bench = Bench::new(&folder, choice);
            let ask = Ask::new(mode, 300_000);
            let make = |tag: u64| {
                let range = ByteRange::Bounded { offset: tag * 50_000, len: 300_000 };
                bench.make(tag, "data", range, &ask)
            };
            // While they are on their way: each is read rightly or not at all.
            bench.storage.submit((0..200).map(make).collect());
            ask.cancel.cancel();
            for _ in 0..200 {
                let completion = bench.completion();
                match completion.result {
                    Ok(answer) => {
                        let offset = completion.tag as usize * 50_000;
                        assert!(answer.bytes[..] == bytes[offset..offset + 300_000]);
                    }
                    Err(StorageError::Cancelled { .. }) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
            // Before they are submitted: none is read.
            let before = bench.storage.engine().stats();
            bench.storage.submit((0..50).map(make).collect());
            for _ in 0..50 {
                let error = bench.completion().result.unwrap_err();
                assert!(matches!(error, StorageError::Cancelled { .. }), "{error:?}");
            }
            assert_eq!(bench.storage.engine().stats().bytes, before.bytes);
            assert_eq!(bench.memory.usage().reserved, 0);
        }
    }
}

/// Panics at the read with tag 0.
#[derive(Debug)]
struct Panicking(mpsc::Sender<Completion>);

impl CompletionSink for Panicking {
    fn complete(&self, completion: Completion) {
        assert_ne!(completion.tag, 0, "this panic belongs to the test");
        self.0.send(completion).unwrap();
    }
}

#[test]
fn a_sink_that_panics_stops_no_thread() {
    let folder = Folder::new();
    let bytes = folder.file("data", 10_000, 3);
    for choice in choices() {
        for mode in MODES {
            let config = LocalConfig { pread_threads: 1, ring_slots: 1, ..LocalConfig::default() };
            let bench = Bench::with_config(&folder, choice, config);
            let (sender, completions) = mpsc::channel();
            let sink: Arc<dyn CompletionSink> = Arc::new(Panicking(sender));
            let ask = Ask::new(mode, 10_000);
            for round in 1..4 {
                let reads = [0, round].map(|tag| {
                    let mut read = bench.make(tag, "data", ByteRange::Whole, &ask);
                    read.sink = Arc::clone(&sink);
                    read
                });
                bench.storage.submit(reads.into());
                let completion = completions.recv().unwrap();
                assert_eq!(completion.tag, round);
                assert!(completion.result.unwrap().bytes[..] == bytes[..]);
            }
        }
    }
}

/// Holds the storage that it answers for.
#[derive(Debug)]
struct Holding(std::sync::Mutex<Option<(Bench, mpsc::Sender<()>)>>);

impl CompletionSink for Holding {
    fn complete(&self, _completion: Completion) {
        let (bench, done) = self.0.lock().unwrap().take().unwrap();
        drop(bench);
        done.send(()).unwrap();
    }
}

#[test]
fn the_last_storage_may_be_dropped_by_an_engine_thread() {
    let folder = Folder::new();
    folder.file("data", 10_000, 4);
    for choice in choices() {
        for mode in MODES {
            let bench = Bench::new(&folder, choice);
            let (sender, done) = mpsc::channel();
            let mut read = bench.make(0, "data", ByteRange::Whole, &Ask::new(mode, 10_000));
            let sink = Arc::new(Holding(std::sync::Mutex::default()));
            read.sink = Arc::clone(&sink) as Arc<dyn CompletionSink>;
            let mut held = sink.0.lock().unwrap();
            let (bench, _) = held.insert((bench, sender));
            bench.storage.submit(vec![read]);
            drop(held);
            done.recv().unwrap();
        }
    }
}

#[test]
fn many_storages_share_one_engine() {
    let folders: Vec<_> = (0..20).map(|_| Folder::new()).collect();
    let engine = LocalEngine::new(EngineChoice::Auto, LocalConfig::default()).unwrap();
    for (folder, seed) in folders.iter().zip(0..) {
        let bytes = folder.file("data", 3000, seed);
        let bench = Bench::at(folder.path(), &engine);
        let ask = Ask::new(IoMode::Direct, 3000);
        assert!(bench.whole("data", &ask).unwrap().bytes[..] == bytes[..]);
    }
    assert_eq!(engine.stats().opens, 20);
}
