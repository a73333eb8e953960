//! Decoded chunks that later runs take from the cache, as long as they are what the store has.

use std::sync::Arc;

use lsio_array::{Answer, ChunkErrorKind, Decoded, Location, ReadSpec, Reads};
use lsio_compute::{DeliverOptions, RunError, RunOptions, RunStats, SourceHandle};
use lsio_io::{ByteRange, Fault, Freshness, Key, SharedBytes};

use crate::test_source::{
    ELEMENTS, Tasks, World, at, bytes_of, each_chunk, elements, index, input, number, whole,
};

const CHUNKS: u64 = 32;
const MIB: u64 = 1 << 20;

/// Bytes that a chunk counts: its buffer, and what finds it.
const KEPT: u64 = 4096 + 512;

fn run_over(world: &World, source: &Arc<SourceHandle>, plan: Arc<Tasks>) -> (Vec<u64>, RunStats) {
    let sources = std::slice::from_ref(source);
    let (handle, end) = world.start(sources, plan, RunOptions::default());
    (end.recv().unwrap().unwrap(), handle.stats())
}

fn run(world: &World, source: &Arc<SourceHandle>) -> (Vec<u64>, RunStats) {
    run_over(world, source, each_chunk(CHUNKS))
}

fn one_chunk(chunk: u64) -> Arc<Tasks> {
    Arc::new(Tasks(vec![vec![input(0, chunk)]]))
}

fn all() -> Vec<u64> {
    (0..CHUNKS).flat_map(elements).collect()
}

#[test]
fn a_chunk_that_is_wanted_hundreds_of_times_is_read_and_decoded_once() {
    for resident in [true, false] {
        let world = World::caching(2, 64 * MIB, Some(MIB));
        world.faults.allow_resident(resident);
        world.put_chunks(CHUNKS);
        let source = world.register(world.source(CHUNKS));
        let (values, stats) = run_over(&world, &source, one_chunk(7));
        assert_eq!(values, elements(7));
        assert_eq!((stats.cache_hits, stats.cache_misses, stats.chunks_decoded), (0, 1, 1));
        for _ in 0..300 {
            let (values, stats) = run_over(&world, &source, one_chunk(7));
            assert_eq!(values, elements(7));
            assert_eq!((stats.cache_hits, stats.cache_misses, stats.chunks_decoded), (1, 0, 0));
            assert_eq!((stats.reads, stats.bytes_read), (1, 0), "one look at the object");
        }
        let counts = world.faults.counts();
        assert_eq!(counts.bytes, ELEMENTS * 8, "{counts:?}");
        let usage = world.memory.usage();
        assert_eq!((usage.cached, usage.reserved), (4096, 0));
    }
}

#[test]
fn what_was_replaced_is_read_again_and_what_is_gone_is_missing() {
    let world = World::caching(2, 64 * MIB, Some(MIB));
    world.put_chunks(CHUNKS);
    let source = world.register(world.source(CHUNKS));
    assert_eq!(run(&world, &source).0, all());
    world.put("c/3", &bytes_of(&elements(100)));
    world.store.remove(&Key::new("c/5").unwrap());
    let expected = |chunk| match chunk {
        3 => elements(100),
        5 => vec![u64::MAX; ELEMENTS as usize],
        other => elements(other),
    };
    let (values, stats) = run(&world, &source);
    assert_eq!(values, (0..CHUNKS).flat_map(expected).collect::<Vec<u64>>());
    assert_eq!((stats.cache_hits, stats.cache_misses), (CHUNKS - 2, 1));
    assert_eq!((stats.chunks_decoded, stats.chunks_missing), (1, 1));
    // The new version is kept in its turn.
    let (values, stats) = run_over(&world, &source, one_chunk(3));
    assert_eq!((values, stats.cache_hits, stats.bytes_read), (elements(100), 1, 0));
}

#[test]
fn nothing_is_kept_without_a_cache() {
    for cache in [None, Some(0)] {
        let world = World::caching(2, 64 * MIB, cache);
        world.put_chunks(CHUNKS);
        let source = world.register(world.source(CHUNKS));
        for _ in 0..3 {
            let (values, stats) = run(&world, &source);
            assert_eq!(values, all());
            assert_eq!((stats.chunks_decoded, stats.reads), (CHUNKS, CHUNKS));
            assert_eq!((stats.cache_hits, stats.cache_misses), (0, 0));
        }
        assert_eq!(world.memory.usage().cached, 0);
    }
}

/// An index, which says how many chunks further on a chunk lies, and all chunks in one object.
fn pinned(world: &World) -> Arc<SourceHandle> {
    let mut source = world.source(CHUNKS);
    source.locate = Box::new(|chunk, known| {
        let range = ByteRange::Bounded { offset: 0, len: 8 };
        let spec = ReadSpec { range, ..index("index") };
        let Some(answer) = known.get(&spec) else { return Ok(Location::After(spec)) };
        let Answer { identity: Some(identity), .. } = answer.clone() else {
            return Err(ChunkErrorKind::Missing);
        };
        let bytes = ELEMENTS * 8;
        let offset = 8 + (chunk + number(&answer)) % CHUNKS * bytes;
        let range = ByteRange::Bounded { offset, len: bytes };
        Ok(at("index", Reads::Ranges(vec![range]), Freshness::Pinned(identity)))
    });
    world.register(source)
}

fn put_pinned(world: &World, shift: u64) {
    let chunks = bytes_of(&all());
    world.put("index", &[&shift.to_ne_bytes()[..], &chunks].concat());
}

#[test]
fn chunks_beside_their_index_need_no_look_of_their_own() {
    let world = World::caching(2, 64 * MIB, Some(MIB));
    put_pinned(&world, 0);
    let source = pinned(&world);
    let shifted = |shift| {
        (0..CHUNKS).flat_map(|chunk| elements((chunk + shift) % CHUNKS)).collect::<Vec<u64>>()
    };
    assert_eq!(run(&world, &source).0, shifted(0));
    let (values, stats) = run(&world, &source);
    assert_eq!(values, shifted(0));
    // The look at the index, and no other read.
    assert_eq!((stats.reads, stats.bytes_read, stats.chunks_decoded), (1, 0, 0));
    assert_eq!((stats.cache_hits, stats.cache_misses), (CHUNKS + 1, 0));
    // The same bytes, found by another index.
    put_pinned(&world, 1);
    let (values, stats) = run(&world, &source);
    assert_eq!(values, shifted(1));
    assert_eq!((stats.cache_hits, stats.chunks_decoded), (0, CHUNKS));
}

#[test]
fn chunks_that_an_answer_holds_are_kept_for_its_version() {
    let world = World::caching(2, 64 * MIB, Some(MIB));
    world.put("index", &4u64.to_ne_bytes());
    let mut source = world.source(CHUNKS);
    source.locate = Box::new(|chunk, known| {
        let spec = index("index");
        Ok(match known.get(&spec) {
            Some(answer) => {
                let bytes = bytes_of(&elements(chunk + number(&answer)));
                Location::Inline(SharedBytes::from(bytes), None)
            }
            None => Location::After(spec),
        })
    });
    let source = world.register(source);
    for shift in [4, 9] {
        world.put("index", &u64::to_ne_bytes(shift));
        let expected = (0..CHUNKS).flat_map(|chunk| elements(chunk + shift)).collect::<Vec<u64>>();
        let (values, stats) = run(&world, &source);
        assert_eq!((values, stats.chunks_decoded), (expected.clone(), CHUNKS));
        let (values, stats) = run(&world, &source);
        assert_eq!((values, stats.chunks_decoded), (expected, 0));
    }
}

#[test]
fn a_run_that_decodes_more_than_the_cache_holds_leaves_it_as_it_is() {
    let world = World::caching(2, 64 * MIB, Some(4 * KEPT));
    world.put_chunks(4096);
    let source = world.register(world.source(4096));
    for chunk in 0..4 {
        run_over(&world, &source, one_chunk(chunk));
    }
    let (values, stats) = run_over(&world, &source, each_chunk(4096));
    assert_eq!(values.len() as u64, 4096 * ELEMENTS);
    assert_eq!((stats.cache_hits, stats.cache_evictions), (4, 0), "it takes what is there");
    // One more pushes out the one not used for longest.
    let (_, stats) = run_over(&world, &source, one_chunk(9));
    assert_eq!((stats.cache_misses, stats.cache_evictions), (1, 1));
    assert_eq!(world.memory.usage().cached, 4 * 4096);
}

#[test]
fn a_full_cache_gives_way_to_every_run() {
    let limit = MIB;
    for resident in [true, false] {
        let world = World::caching(4, limit, Some(limit));
        world.faults.allow_resident(resident);
        world.put_chunks(512);
        let small = world.register(world.source(512));
        let mut large = world.source(512);
        // One task is nearly all that may be reserved.
        large.info.scratch_len = 480 << 10;
        let large = world.register(large);
        for _ in 0..4 {
            for from in (0..512).step_by(128) {
                let plan = (from..from + 128).map(|chunk| vec![input(0, chunk)]).collect();
                run_over(&world, &small, Arc::new(Tasks(plan)));
            }
            let runs: Vec<_> = [&small, &large, &large, &small]
                .into_iter()
                .map(|source| {
                    let sources = [source.clone()];
                    world.start(&sources, each_chunk(64), RunOptions::default())
                })
                .collect();
            for (_handle, end) in runs {
                let expected = (0..64).flat_map(elements).collect::<Vec<u64>>();
                assert_eq!(end.recv().unwrap().unwrap(), expected);
            }
        }
        let usage = world.memory.usage();
        assert!(usage.reserved == 0 && usage.peak_reserved <= limit, "{usage:?}");
        assert!(usage.cached > 0 && usage.cached <= limit, "{usage:?}");
        assert!(world.executor.stats().runs.cache_evictions > 0);
    }
}

#[test]
fn a_task_whose_chunk_has_gone_since_it_was_planned_reads_it() {
    let world = World::caching(1, MIB, Some(MIB));
    world.put_chunks(CHUNKS);
    world.faults.allow_resident(false);
    let source = world.register(world.source(CHUNKS));
    run_over(&world, &source, one_chunk(2));
    // The look at the object is under way when the cache has to give way.
    world.faults.inject(lsio_io::Reads::All, 1, Fault::Block);
    let (handle, end) =
        world.start(std::slice::from_ref(&source), one_chunk(2), RunOptions::default());
    world.faults.wait_until_blocked(1);
    let reserved = world.memory.usage().reserved;
    let rest = world.memory.reserve(0, MIB - reserved).unwrap();
    assert_eq!(world.memory.usage().cached, 0);
    drop(rest);
    world.faults.release();
    assert_eq!(end.recv().unwrap().unwrap(), elements(2));
    let stats = handle.stats();
    assert_eq!((stats.cache_hits, stats.cache_misses, stats.chunks_decoded), (0, 1, 1));
}

#[test]
fn whether_a_task_fits_does_not_depend_on_the_cache() {
    let world = World::caching(1, MIB, Some(MIB));
    world.put_chunks(CHUNKS);
    let mut source = world.source(CHUNKS);
    source.info.scratch_len = 64 << 10;
    let source = world.register(source);
    run_over(&world, &source, one_chunk(1));
    let options = RunOptions { memory: Some(32 << 10), ..RunOptions::default() };
    let (_handle, end) = world.start(std::slice::from_ref(&source), one_chunk(1), options);
    assert!(matches!(end.recv().unwrap(), Err(RunError::Budget { .. })));
}

#[test]
fn what_fails_to_decode_is_not_kept() {
    let world = World::caching(1, 64 * MIB, Some(MIB));
    world.put_chunks(CHUNKS);
    let mut source = world.source(CHUNKS);
    source.decode = Box::new(|_| Err(ChunkErrorKind::Missing));
    let source = world.register(source);
    for _ in 0..2 {
        let (_handle, end) =
            world.start(std::slice::from_ref(&source), one_chunk(1), RunOptions::default());
        assert!(matches!(end.recv().unwrap(), Err(RunError::Chunk(_))));
    }
    assert_eq!(world.memory.usage().cached, 0);
}

#[test]
fn cancelled_runs_and_closed_streams_leave_nothing_but_the_cache() {
    let world = World::caching(2, 64 * MIB, Some(MIB));
    world.put_chunks(CHUNKS);
    let source = world.register(world.source(CHUNKS));
    run(&world, &source);
    world.faults.allow_resident(false);
    world.faults.inject(lsio_io::Reads::All, 1, Fault::Block);
    let (handle, end) =
        world.start(std::slice::from_ref(&source), each_chunk(CHUNKS), RunOptions::default());
    world.faults.wait_until_blocked(1);
    handle.cancel();
    world.faults.release();
    assert!(matches!(end.recv().unwrap(), Err(RunError::Cancelled)));
    let stream =
        world.executor.deliver(source.clone(), each_chunk(CHUNKS), DeliverOptions::default());
    let (sender, receiver) = std::sync::mpsc::channel();
    stream.next_batch(1, Box::new(move |batch| sender.send(batch.unwrap().len()).unwrap()));
    assert_eq!(receiver.recv().unwrap(), 1);
    stream.close();
    drop(stream);
    while world.executor.stats().runs_ended < 3 {
        std::thread::yield_now();
    }
    let usage = world.memory.usage();
    assert_eq!((usage.reserved, usage.held, usage.cached), (0, 0, CHUNKS * 4096));
}

#[test]
fn a_source_that_is_kept_for_its_chunks_goes_with_them() {
    let world = World::caching(1, MIB, Some(MIB));
    world.put_chunks(CHUNKS);
    let alive = Arc::new(());
    let mut source = world.source(CHUNKS);
    let held = alive.clone();
    source.decode = Box::new(move |call| {
        assert!(Arc::strong_count(&held) > 1);
        crate::test_source::copy(call.encoded[0], call.destination);
        Ok(Decoded::Complete)
    });
    source.locate = Box::new(|chunk, known| {
        let spec = index("index");
        Ok(match known.get(&spec) {
            Some(_) => whole(&format!("c/{chunk}")),
            None => Location::After(spec),
        })
    });
    world.put("index", &0u64.to_ne_bytes());
    let source = world.register(source);
    run(&world, &source);
    drop(source);
    assert_eq!(Arc::strong_count(&alive), 2);
    drop(world.memory.reserve(0, MIB).unwrap());
    assert_eq!(world.memory.usage().cached, 0);
    // The run that has just ended may have it for a moment.
    while Arc::strong_count(&alive) > 1 {
        std::thread::yield_now();
    }
}
