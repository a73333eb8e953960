//! Reads that a source needs first: each once for all tasks, kept between runs, checked once a run.

use std::sync::Arc;

use lsio_array::Location;
use lsio_compute::{RunError, RunOptions, RunStats, SourceHandle};

use crate::test_source::{World, bytes_of, each_chunk, elements, index, number, whole};

const CHUNKS: u64 = 64;
const SHARDS: u64 = 4;

/// Sixteen chunks to an index, which says what to add to their number.
fn sharded(world: &World) -> Arc<SourceHandle> {
    let mut source = world.source(CHUNKS);
    source.locate = Box::new(|chunk, known| {
        let spec = index(&format!("shard/{}", chunk / (CHUNKS / SHARDS)));
        Ok(match known.get(&spec) {
            Some(answer) => whole(&format!("c/{}", chunk + number(&answer))),
            None => Location::After(spec),
        })
    });
    world.register(source)
}

fn put_shards(world: &World, shift: u64) {
    for shard in 0..SHARDS {
        world.put(&format!("shard/{shard}"), &shift.to_ne_bytes());
    }
}

fn run(world: &World, source: &Arc<SourceHandle>) -> (Vec<u64>, RunStats) {
    let sources = [source.clone()];
    let (handle, end) = world.start(&sources, each_chunk(CHUNKS), RunOptions::default());
    (end.recv().unwrap().unwrap(), handle.stats())
}

#[test]
fn an_index_is_read_once_and_only_looked_at_in_later_runs() {
    for resident in [true, false] {
        let world = World::new(2, 64 << 20);
        world.faults.allow_resident(resident);
        world.put_chunks(CHUNKS + 1);
        put_shards(&world, 0);
        let source = sharded(&world);
        let expected = |shift| (shift..CHUNKS + shift).flat_map(elements).collect::<Vec<u64>>();

        let (values, stats) = run(&world, &source);
        assert_eq!(values, expected(0));
        assert_eq!((stats.index_reads, stats.reads), (SHARDS, SHARDS + CHUNKS));
        assert_eq!((stats.cache_hits, stats.cache_misses), (0, SHARDS));

        let (values, stats) = run(&world, &source);
        assert_eq!(values, expected(0));
        assert_eq!((stats.index_reads, stats.reads), (0, SHARDS + CHUNKS));
        assert_eq!((stats.cache_hits, stats.cache_misses), (SHARDS, 0));

        put_shards(&world, 1);
        let (values, stats) = run(&world, &source);
        assert_eq!(values, expected(1));
        assert_eq!((stats.index_reads, stats.reads), (SHARDS, 2 * SHARDS + CHUNKS));
        assert_eq!((stats.cache_hits, stats.cache_misses), (0, SHARDS));
        assert_eq!(stats.cache_evictions, 0);
        let usage = world.memory.usage();
        assert!(usage.cached > 0 && usage.reserved == 0, "{usage:?}");
    }
}

#[test]
fn indexes_give_way_to_what_is_to_be_reserved() {
    let world = World::new(2, 1 << 20);
    world.put_chunks(CHUNKS);
    put_shards(&world, 0);
    let source = sharded(&world);
    run(&world, &source);
    assert!(world.memory.usage().cached > 0);
    let everything = world.memory.reserve(0, 1 << 20).unwrap();
    assert_eq!(world.memory.usage().cached, 0);
    drop(everything);
    let (values, stats) = run(&world, &source);
    assert_eq!(values.len() as u64, CHUNKS * 16);
    assert_eq!((stats.index_reads, stats.cache_misses), (SHARDS, SHARDS));
    assert_eq!(world.executor.stats().runs.cache_evictions, SHARDS);
}

#[test]
fn nothing_is_kept_of_a_source_that_nobody_has_any_more() {
    let world = World::new(1, 64 << 20);
    world.put_chunks(CHUNKS);
    put_shards(&world, 0);
    let source = sharded(&world);
    run(&world, &source);
    assert!(world.memory.usage().cached > 0);
    drop(source);
    // The run that has just ended may have it for a moment.
    while world.memory.usage().cached > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn an_index_that_is_gone_is_not_used_any_more() {
    let world = World::new(1, 64 << 20);
    world.put_chunks(CHUNKS);
    put_shards(&world, 0);
    let source = sharded(&world);
    run(&world, &source);
    world.store.remove(&index("shard/2").key);
    let error = world.fold(&[source], each_chunk(CHUNKS)).unwrap_err();
    // The source says so itself: it was asked to parse nothing.
    assert!(
        matches!(error, RunError::Chunk(error) if format!("{:?}", error.kind).contains("no index"))
    );
}

#[test]
fn a_full_budget_does_not_keep_a_small_index_from_being_read() {
    let world = World::new(1, 1 << 20);
    world.put_chunks(CHUNKS);
    put_shards(&world, 0);
    world.faults.allow_resident(false);
    let source = sharded(&world);
    let everything = world.memory.reserve(0, 1 << 20).unwrap();
    let (_, end) = world.start(&[source], each_chunk(CHUNKS), RunOptions::default());
    let block = lsio_io::Fault::Block;
    world.faults.inject(lsio_io::Reads::Below(lsio_io::Key::new("c").unwrap()), 1, block);
    // All indexes have been read while nothing was free.
    while world.faults.counts().reads < SHARDS {
        std::thread::yield_now();
    }
    drop(everything);
    world.faults.wait_until_blocked(1);
    world.faults.release();
    assert_eq!(end.recv().unwrap().unwrap().len() as u64, CHUNKS * 16);
}

#[test]
fn an_index_larger_than_the_budget_allows_is_refused_with_numbers() {
    let world = World::new(1, 4 << 20);
    world.put("index", &bytes_of(&[0]));
    for memory in [None, Some(1 << 20)] {
        let mut source = world.source(1);
        source.locate = Box::new(|_, _| {
            Ok(Location::After(lsio_array::ReadSpec { limit: 3 << 20, ..index("index") }))
        });
        let source = world.register(source);
        let options = RunOptions { memory, ..RunOptions::default() };
        let (_, end) = world.start(&[source], each_chunk(1), options);
        let error = end.recv().unwrap().unwrap_err();
        let limit = memory.unwrap_or(2 << 20);
        assert!(
            matches!(error, RunError::Budget { needed, limit: allowed, .. } if allowed == limit && needed > limit),
            "{error}"
        );
    }
}

#[test]
fn more_indexes_than_a_run_keeps_are_read_again_rather_than_lost() {
    const MANY: u64 = 3000;
    let world = World::new(2, 64 << 20);
    world.put_chunks(1);
    let mut source = world.source(MANY);
    for chunk in 0..MANY {
        world.put(&format!("index/{chunk}"), &0u64.to_ne_bytes());
    }
    source.locate = Box::new(|chunk, known| {
        let spec = index(&format!("index/{}", chunk % 1500));
        Ok(match known.get(&spec) {
            Some(answer) => whole(&format!("c/{}", number(&answer))),
            None => Location::After(spec),
        })
    });
    let source = world.register(source);
    let values = world.fold(&[source], each_chunk(MANY)).unwrap();
    assert_eq!(values.len() as u64, MANY * 16);
    assert_eq!(world.memory.usage().small, 0);
}
