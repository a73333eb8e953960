//! Which way bytes went, by the counters.

use std::path::Path;

use lsio_io::{ByteRange, IoMode, Resident, Route, Storage};
use lsio_uring::{AvailableMemory, Engine, EngineChoice, LocalConfig};

use crate::harness::{Ask, Bench, Folder, choices};
use crate::unsafe_page_cache::forget;

const LEN: usize = (5 << 20) + 99;

fn direct_route(choice: EngineChoice) -> Route {
    if choice == EngineChoice::Uring { Route::UringDirect } else { Route::PreadDirect }
}

#[test]
fn every_route_serves_bytes_and_counts_them() {
    let folder = Folder::new();
    let bytes = folder.file("data", LEN, 1);
    for choice in choices() {
        let bench = Bench::new(&folder, choice);
        let len = LEN as u64;
        let direct = direct_route(choice);
        for (mode, route) in [(IoMode::Buffered, Route::Buffered), (IoMode::Direct, direct)] {
            let completion = bench.read("data", ByteRange::Whole, &Ask::new(mode, len));
            assert_eq!(completion.route, route);
            assert!(completion.result.unwrap().bytes[..] == bytes[..]);
        }
        let read = bench.make(0, "data", ByteRange::Whole, &Ask::new(IoMode::Auto, len));
        let Resident::Hit(completion) = bench.storage.try_read_resident(read) else {
            panic!("what was just read is in the page cache");
        };
        assert_eq!(completion.route, Route::Resident);
        assert!(completion.result.unwrap().bytes[..] == bytes[..]);

        let stats = bench.storage.engine().stats();
        for route in Route::ALL {
            let expected = u64::from([Route::Resident, Route::Buffered, direct].contains(&route));
            assert_eq!(stats.reads_by(route), expected, "{choice:?} {route:?}");
            assert_eq!(stats.bytes_by(route), expected * len, "{choice:?} {route:?}");
        }
        assert_eq!((stats.opens, stats.handle_hits, stats.direct_fallbacks), (1, 2, 0));
        assert!((1..4096).contains(&stats.over_read_bytes), "{stats:?}");
        if choice == EngineChoice::Uring {
            assert_eq!(bench.storage.engine().engine(), Engine::Uring);
            // Six pieces of a megabyte or less, submitted together.
            assert_eq!(stats.ring_requests, 6);
            assert!((1..6).contains(&stats.submissions), "{stats:?}");
        } else {
            assert_eq!((stats.ring_requests, stats.submissions), (0, 0));
        }
    }
}

#[test]
fn auto_goes_direct_for_requests_that_do_not_fit_in_memory() {
    let folder = Folder::new();
    let bytes = folder.file("data", 100_000, 2);
    for choice in choices() {
        let config = LocalConfig {
            available_memory: AvailableMemory::new(|| 1 << 20),
            ..LocalConfig::default()
        };
        let bench = Bench::with_config(&folder, choice, config);
        let small = Ask::new(IoMode::Auto, 100_000);
        assert_eq!(bench.read("data", ByteRange::Whole, &small).route, Route::Buffered);
        let large = Ask { request_bytes: 1 << 20, ..small };
        // Not even resident bytes are read through the page cache then.
        let read = bench.make(0, "data", ByteRange::Whole, &large);
        let Resident::Miss(read) = bench.storage.try_read_resident(read) else {
            panic!("a direct read was served from the page cache");
        };
        assert!(read.begun.is_none());
        bench.storage.submit(vec![read]);
        let completion = bench.completion();
        assert_eq!(completion.route, direct_route(choice));
        assert!(completion.result.unwrap().bytes[..] == bytes[..]);
    }
}

#[test]
fn a_part_found_in_the_page_cache_is_kept() {
    let folder = Folder::new();
    let bytes = folder.file("data", LEN, 3);
    let bench = Bench::new(&folder, choices()[0]);
    let ask = Ask::new(IoMode::Auto, LEN as u64);
    let answer = bench.whole("data", &ask).unwrap();
    // As if only the first part had been resident.
    let mut read = bench.make(0, "data", ByteRange::Whole, &ask);
    let mut lease = read.reservation.lease(LEN).unwrap();
    lease[..1000].fill(7);
    read.begun = Some(lsio_io::Begun {
        lease,
        filled: 1000,
        object_len: answer.object_len,
        identity: answer.identity,
    });
    bench.storage.submit(vec![read]);
    let completion = bench.completion();
    assert_eq!(completion.route, Route::Buffered);
    let got = completion.result.unwrap().bytes;
    assert!(got[..1000].iter().all(|&byte| byte == 7), "the part was read again");
    assert!(got[1000..] == bytes[1000..]);
}

#[test]
fn a_file_read_whole_from_the_page_cache_is_not_kept_open() {
    let folder = Folder::new();
    let bytes = folder.file("data", 10_000, 7);
    let bench = Bench::new(&folder, choices()[0]);
    let ask = Ask::new(IoMode::Auto, 10_000);
    let read = |range: ByteRange| {
        let read = bench.make(0, "data", range, &ask);
        match bench.storage.try_read_resident(read) {
            Resident::Hit(completion) => completion.result.unwrap().bytes,
            Resident::Miss(_) => panic!("what was just written is in the page cache"),
        }
    };
    let opened = || {
        let stats = bench.storage.engine().stats();
        (stats.opens, stats.handle_hits)
    };
    assert!(read(ByteRange::Whole)[..] == bytes[..]);
    assert!(read(ByteRange::Whole)[..] == bytes[..]);
    assert_eq!(opened(), (2, 0));
    // Of a file that is read in parts there is probably more to come.
    let range = ByteRange::Bounded { offset: 5000, len: 1000 };
    assert!(read(range)[..] == bytes[5000..6000]);
    assert!(read(range)[..] == bytes[5000..6000]);
    assert!(read(ByteRange::Whole)[..] == bytes[..]);
    assert_eq!(opened(), (3, 2));
}

#[test]
fn reads_that_wait_for_a_thread_are_asked_for_in_advance() {
    let folder = Folder::new();
    let names: Vec<_> = (0..200).map(|number| number.to_string()).collect();
    let files: Vec<_> =
        names.iter().zip(0..).map(|(name, seed)| folder.file(name, 200_000, seed)).collect();
    let config = LocalConfig { buffered_threads: 1, ..LocalConfig::default() };
    let bench = Bench::with_config(&folder, choices()[0], config);
    let ask = Ask::new(IoMode::Buffered, 200_000);
    let batch =
        names.iter().zip(0..).map(|(name, tag)| bench.make(tag, name, ByteRange::Whole, &ask));
    bench.storage.submit(batch.collect());
    for _ in &names {
        let completion = bench.completion();
        assert!(completion.result.unwrap().bytes[..] == files[completion.tag as usize][..]);
    }
    let stats = bench.storage.engine().stats();
    assert_eq!(stats.reads_by(Route::Buffered), 200);
    // How many depends on who is faster; never more than there are.
    assert!(stats.read_aheads < 200, "{stats:?}");
}

#[test]
fn a_file_system_in_memory_is_read_in_every_mode() {
    let shared_memory = Path::new("/dev/shm");
    if !shared_memory.is_dir() {
        eprintln!("SKIPPED: there is no /dev/shm");
        return;
    }
    let folder = Folder::under(shared_memory);
    let bytes = folder.file("data", LEN, 4);
    for choice in choices() {
        let bench = Bench::new(&folder, choice);
        for mode in [IoMode::Direct, IoMode::Buffered, IoMode::Auto] {
            let ask = Ask::new(mode, LEN as u64);
            let range = ByteRange::Bounded { offset: 1001, len: LEN as u64 - 1001 };
            let answer = bench.read("data", range, &ask).result.unwrap();
            assert!(answer.bytes[..] == bytes[1001..], "{choice:?} {mode:?}");
        }
    }
}

#[test]
fn whatever_part_of_a_file_is_resident_its_bytes_are_right() {
    let folder = Folder::new();
    let bytes = folder.file("data", LEN, 5);
    let path = folder.path().join("data");
    let len = LEN as u64;
    // (first byte, number of bytes) that the kernel is asked to forget.
    for forgotten in [(0, len), (0, 1 << 20), (1 << 20, len), (3 << 20, 1 << 20), (0, 0)] {
        for choice in choices() {
            let bench = Bench::new(&folder, choice);
            bench.whole("data", &Ask::new(IoMode::Buffered, len)).unwrap();
            if forgotten.1 > 0 {
                forget(&path, forgotten.0, forgotten.1);
            }
            let ask = Ask::new(IoMode::Auto, len);
            let read = bench.make(0, "data", ByteRange::Whole, &ask);
            let completion = match bench.storage.try_read_resident(read) {
                Resident::Hit(completion) => completion,
                Resident::Miss(read) => {
                    bench.storage.submit(vec![read]);
                    bench.completion()
                }
            };
            assert!(completion.result.unwrap().bytes[..] == bytes[..], "{forgotten:?}");
        }
    }
}

#[test]
fn reads_of_one_open_file_enter_the_ring_together() {
    if !choices().contains(&EngineChoice::Uring) {
        return;
    }
    let folder = Folder::new();
    let bytes = folder.file("data", LEN, 6);
    let bench = Bench::new(&folder, EngineChoice::Uring);
    let answer = bench.whole("data", &Ask::new(IoMode::Direct, LEN as u64)).unwrap();
    let before = bench.storage.engine().stats();
    let ask = Ask::pinned(IoMode::Direct, 10_000, &answer);
    let range = |tag: u64| ByteRange::Bounded { offset: tag * 50_001, len: 10_000 };
    let batch = (0..64).map(|tag| bench.make(tag, "data", range(tag), &ask));
    bench.storage.submit(batch.collect());
    for _ in 0..64 {
        let completion = bench.completion();
        let at = completion.tag as usize * 50_001;
        assert!(completion.result.unwrap().bytes[..] == bytes[at..at + 10_000]);
    }
    let after = bench.storage.engine().stats();
    assert_eq!(after.ring_requests - before.ring_requests, 64);
    // The 32 slots fill up before the ring is entered for the first time; in the worst case each of
    // the other 32 requests enters by itself.
    let entered = after.submissions - before.submissions;
    assert!((2..=33).contains(&entered), "{entered}");
}
