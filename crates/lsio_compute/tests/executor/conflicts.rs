//! Objects that are replaced while they are read: wholly old, wholly new, or an error.

use std::sync::{Arc, mpsc};

use lsio_array::{ChunkErrorKind, Location, Reads as ChunkReads};
use lsio_compute::{DeliverOptions, RunError, RunOptions, SourceHandle};
use lsio_io::{ByteRange, Fault, Freshness, Key, Reads, StorageError};

use crate::streams::take_all;
use crate::test_source::{
    ELEMENTS, Tasks, World, at, bytes_of, each_chunk, elements, index, input,
};

const CHUNKS: u64 = 32;

fn is_conflict(error: &RunError) -> bool {
    let RunError::Chunk(error) = error else { return false };
    matches!(error.kind, ChunkErrorKind::Storage(StorageError::Conflict { .. }))
}

/// All chunks in one object behind an index, of which each is pinned to the version that it was
/// located with: the identity of `pin`.
fn pinned(world: &World) -> Arc<SourceHandle> {
    let mut source = world.source(CHUNKS);
    source.locate = Box::new(|chunk, known| {
        let spec = lsio_array::ReadSpec {
            range: ByteRange::Bounded { offset: 0, len: 8 },
            ..index("shard")
        };
        let Some(answer) = known.get(&spec) else { return Ok(Location::After(spec)) };
        let range = ByteRange::Bounded { offset: 8 + chunk * ELEMENTS * 8, len: ELEMENTS * 8 };
        let freshness = Freshness::Pinned(answer.identity.clone().unwrap());
        Ok(at("shard", ChunkReads::Ranges(vec![range]), freshness))
    });
    world.register(source)
}

/// Element `e` is `e + add`.
fn put_shard(world: &World, add: u64) {
    let mut shard = vec![0; 8];
    let all: Vec<u64> = (0..CHUNKS).flat_map(elements).map(|element| element + add).collect();
    shard.extend(bytes_of(&all));
    world.put("shard", &shard);
}

fn all(add: u64) -> Vec<u64> {
    (0..CHUNKS).flat_map(elements).map(|element| element + add).collect()
}

#[test]
fn a_fold_over_an_object_that_is_replaced_once_sees_only_the_new_one() {
    let world = World::new(2, 64 << 20);
    put_shard(&world, 0);
    world.faults.allow_resident(false);
    // The index is read, the chunks are held back, the shard is replaced.
    world.faults.inject(Reads::Nth(1), 1, Fault::Block);
    let source = pinned(&world);
    let (handle, end) = world.start(&[source], each_chunk(CHUNKS), RunOptions::default());
    world.faults.wait_until_blocked(1);
    put_shard(&world, 1000);
    world.faults.release();
    assert_eq!(end.recv().unwrap().unwrap(), all(1000));
    assert_eq!(handle.stats().index_reads, 2);
    assert_eq!(handle.stats().tasks_done, CHUNKS);
    assert_eq!(world.memory.usage().reserved, 0);
}

#[test]
fn one_conflict_starts_a_fold_over_and_two_end_it() {
    for conflicts in [1, 2] {
        let world = World::new(2, 64 << 20);
        world.put_chunks(CHUNKS);
        world.faults.reorder(4);
        let chunk = Key::new("c/9").unwrap();
        world.faults.inject(Reads::Of(chunk), conflicts, Fault::Conflict);
        let source = world.register(world.source(CHUNKS));
        let end = world.fold(&[source], each_chunk(CHUNKS));
        match conflicts {
            1 => assert_eq!(end.unwrap(), all(0)),
            _ => assert!(is_conflict(&end.unwrap_err())),
        }
        assert_eq!(world.memory.usage().reserved, 0);
    }
}

#[test]
fn one_conflict_plans_a_stream_again_and_two_end_it() {
    for conflicts in [1, 2] {
        for sharded in [false, true] {
            let world = World::new(2, 64 << 20);
            world.put_chunks(CHUNKS);
            put_shard(&world, 0);
            world.faults.allow_resident(false);
            let source = if sharded {
                // Everything after the index comes in one read.
                world.faults.inject(Reads::Nth(1), 1, Fault::Conflict);
                world.faults.inject(Reads::Nth(3), conflicts - 1, Fault::Conflict);
                pinned(&world)
            } else {
                let chunk = Key::new("c/9").unwrap();
                world.faults.inject(Reads::Of(chunk), conflicts, Fault::Conflict);
                world.register(world.source(CHUNKS))
            };
            let options = DeliverOptions { in_order: true, ..DeliverOptions::default() };
            let stream = world.executor.deliver(source, each_chunk(CHUNKS), options);
            let end = take_all(&stream);
            match conflicts {
                1 => assert_eq!(end.unwrap(), all(0)),
                _ => assert!(is_conflict(&end.unwrap_err())),
            }
            drop(stream);
            assert_eq!(world.memory.usage().reserved, 0);
        }
    }
}

#[test]
fn a_conflict_while_an_index_is_read_has_it_read_once_more() {
    for conflicts in [1, 2] {
        let world = World::new(1, 64 << 20);
        put_shard(&world, 0);
        world.faults.inject(Reads::Of(index("shard").key), conflicts, Fault::Conflict);
        let source = pinned(&world);
        match world.fold(&[source], each_chunk(CHUNKS)) {
            Ok(values) => assert!(conflicts == 1 && values == all(0)),
            Err(error) => assert!(conflicts == 2 && is_conflict(&error)),
        }
    }
}

#[test]
fn another_failure_of_a_replaced_object_does_not_end_a_run_that_starts_over() {
    let world = World::new(1, 64 << 20);
    world.put_chunks(CHUNKS);
    world.faults.allow_resident(false);
    world.faults.inject(Reads::Nth(0), 1, Fault::Conflict);
    let key = Key::new("c/1").unwrap();
    let truncated = StorageError::Truncated { key, expected: 128, actual: 0 };
    world.faults.inject(Reads::Nth(1), 1, Fault::Fail(truncated));
    let source = world.register(world.source(CHUNKS));
    assert_eq!(world.fold(&[source], each_chunk(CHUNKS)).unwrap(), all(0));
}

#[test]
fn sources_that_pin_different_versions_never_share_a_read() {
    let world = World::new(1, 64 << 20);
    put_shard(&world, 0);
    let source_at = |version| {
        let mut source = world.source(CHUNKS);
        source.locate = Box::new(move |chunk, _| {
            let range = ByteRange::Bounded { offset: 8 + chunk * ELEMENTS * 8, len: ELEMENTS * 8 };
            let freshness = Freshness::Pinned(lsio_io::Identity::Version(version));
            Ok(at("shard", ChunkReads::Ranges(vec![range]), freshness))
        });
        world.register(source)
    };
    // The store holds version 1 only: what is pinned to version 2 must not be served by it.
    let plan = Arc::new(Tasks(vec![vec![input(0, 0)], vec![input(1, 1)]]));
    let error = world.fold(&[source_at(1), source_at(2)], plan).unwrap_err();
    assert!(is_conflict(&error), "{error}");
}

#[test]
fn a_run_that_is_cancelled_while_it_starts_over_ends_once() {
    let world = World::new(2, 64 << 20);
    world.put_chunks(CHUNKS);
    world.faults.allow_resident(false);
    world.faults.inject(Reads::Nth(0), 1, Fault::Conflict);
    world.faults.inject(Reads::Nth(1), 1, Fault::Block);
    let source = world.register(world.source(CHUNKS));
    let (sender, end) = mpsc::channel();
    let handle = world.executor.fold(
        vec![source],
        each_chunk(CHUNKS),
        RunOptions::default(),
        crate::test_source::join,
        crate::test_source::concat,
        move |end| sender.send(end).unwrap(),
    );
    world.faults.wait_until_blocked(1);
    handle.cancel();
    world.faults.release();
    assert!(matches!(end.recv().unwrap(), Err(RunError::Cancelled)));
    assert!(end.recv().is_err());
    assert_eq!(world.memory.usage().reserved, 0);
}
