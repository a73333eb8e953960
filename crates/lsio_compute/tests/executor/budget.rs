//! The budget: what cannot fit is refused, what can fit runs, whoever else waits.

use std::sync::Arc;

use lsio_compute::{RunError, RunOptions};
use lsio_io::{Fault, MemoryStorage, ReadLimits, Reads};

use crate::test_source::{ELEMENTS, World, bytes_of, each_chunk, elements, range};

const CHUNKS: u64 = 64;

fn all() -> Vec<u64> {
    (0..CHUNKS).flat_map(elements).collect()
}

#[test]
fn a_task_that_can_never_fit_is_refused_with_numbers() {
    let world = World::new(1, 1 << 20);
    world.put_chunks(CHUNKS);
    let mut source = world.source(CHUNKS);
    source.info.scratch_len = 1 << 20;
    let source = world.register(source);
    let error = world.fold(&[source], each_chunk(CHUNKS)).unwrap_err();
    let RunError::Budget { array, needed, encoded, decoded, limit } = error else {
        panic!("{error}");
    };
    assert_eq!((&array[..], limit), ("test", 512 << 10));
    assert_eq!(encoded, lsio_io::Read::reserve_for(ELEMENTS * 8));
    assert_eq!(decoded, (1 << 20) + 4096);
    assert_eq!(needed, encoded + decoded);
}

#[test]
fn the_memory_option_is_kept() {
    for resident in [true, false] {
        let world = World::new(4, 64 << 20);
        world.faults.allow_resident(resident);
        world.put("all", &bytes_of(&all()));
        let mut source = world.source(CHUNKS);
        source.locate = Box::new(|chunk, _| Ok(range("all", chunk * ELEMENTS * 8, ELEMENTS * 8)));
        let source = world.register(source);
        let cap = 100 << 10;
        let options = RunOptions { memory: Some(cap), ..RunOptions::default() };
        let (handle, end) = world.start(&[source], each_chunk(CHUNKS), options);
        assert_eq!(end.recv().unwrap().unwrap(), all());
        assert!(handle.stats().peak_reserved <= cap, "{:?}", handle.stats());
        assert!(world.memory.usage().peak_reserved <= cap, "{:?}", world.memory.usage());
    }
}

#[test]
fn reads_joined_over_wide_gaps_never_outgrow_the_budget() {
    let limit = 1 << 20;
    let mut world = World::new(2, limit);
    let gap = 30 << 10;
    let limits = ReadLimits { merge_gap: 64 << 10, max_merged: 4 << 20, max_request: u64::MAX };
    world.store = Arc::new(MemoryStorage::new().with_limits(limits));
    world.faults = Arc::new(lsio_io::FaultStorage::new(world.store.clone(), 1));
    let mut data = Vec::new();
    for chunk in 0..CHUNKS {
        data.extend(bytes_of(&elements(chunk)));
        data.resize(((chunk + 1) * gap) as usize, 0);
    }
    world.put("data", &data);
    let mut source = world.source(CHUNKS);
    // Two ranges of neighbours to a chunk tie all reads of the window together.
    source.locate = Box::new(move |chunk, _| {
        let own = lsio_io::ByteRange::Bounded { offset: chunk * gap, len: ELEMENTS * 8 };
        let next = (chunk + 8) % CHUNKS;
        let other = lsio_io::ByteRange::Bounded { offset: next * gap, len: 1 };
        let ranges = lsio_array::Reads::Ranges(vec![own, other]);
        Ok(crate::test_source::at("data", ranges, lsio_io::Freshness::Current))
    });
    let source = world.register(source);
    assert_eq!(world.fold(&[source], each_chunk(CHUNKS)).unwrap(), all());
    assert!(world.memory.usage().peak_reserved <= limit);
}

#[test]
fn a_paused_reader_does_not_stand_in_the_way_of_younger_runs() {
    let world = World::new(1, 512 << 10);
    world.put_chunks(CHUNKS);
    let paused = world.register(world.source(CHUNKS));
    let stream =
        world.executor.deliver(paused, each_chunk(CHUNKS), lsio_compute::DeliverOptions::default());
    let source = world.register(world.source(CHUNKS));
    for _ in 0..3 {
        assert_eq!(world.fold(std::slice::from_ref(&source), each_chunk(CHUNKS)).unwrap(), all());
    }
    drop(stream);
    // The worker may be decoding a chunk for it, whose end gives back the last.
    while world.memory.usage().reserved != 0 {
        std::thread::yield_now();
    }
}

#[test]
fn a_run_that_ends_while_it_waits_for_memory_does_not_hold_up_others() {
    let limit = 1 << 20;
    let world = World::new(2, limit);
    world.put_chunks(CHUNKS);
    world.faults.allow_resident(false);
    // The older run has a read that does not come back and wants more memory than there is.
    world.faults.inject(Reads::Nth(0), 1, Fault::Block);
    let mut source = world.source(CHUNKS);
    source.info.scratch_len = 400 << 10;
    let large = world.register(source);
    let small = world.register(world.source(CHUNKS));
    let (older, older_end) = world.start(&[large], each_chunk(CHUNKS), RunOptions::default());
    world.faults.wait_until_blocked(1);
    // The oldest request there is: it gets what the next task gives back.
    let rest = loop {
        match world.memory.reserve(0, 500 << 10) {
            Some(rest) => break rest,
            None => std::thread::yield_now(),
        }
    };
    older.cancel();
    // Its read is still under way, and it is not in the queue for memory any more.
    assert_eq!(world.fold(&[small], each_chunk(CHUNKS)).unwrap(), all());
    assert!(older_end.try_recv().is_err());
    world.faults.release();
    assert!(matches!(older_end.recv().unwrap(), Err(RunError::Cancelled)));
    drop(rest);
    assert_eq!(world.memory.usage().reserved, 0);
}

#[test]
fn a_longer_object_is_read_again_up_to_the_limit_of_the_array() {
    let world = World::new(1, 4 << 20);
    let long = vec![1; 100_000];
    world.put("c/0", &long);
    for limit in [1 << 20, 50_000] {
        let mut source = world.source(1);
        source.info.encoded_limit = limit;
        source.decode = Box::new(|call| {
            assert_eq!(call.encoded[0].len(), 100_000);
            crate::test_source::copy(&call.encoded[0][..128], call.destination);
            Ok(lsio_array::Decoded::Complete)
        });
        let source = world.register(source);
        let end = world.fold(&[source], each_chunk(1));
        match end {
            Ok(values) => assert!(limit > 100_000 && values.len() == 16),
            Err(RunError::Chunk(error)) => {
                assert!(limit < 100_000);
                let kind = format!("{:?}", error.kind);
                assert_eq!(kind, "TooLarge { needed: 100000, limit: 50000 }");
            }
            Err(error) => panic!("{error}"),
        }
    }
}
