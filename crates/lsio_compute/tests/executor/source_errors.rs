//! Whatever fails or panics ends its run with an error that names the chunk, and nothing else.

use std::sync::{Arc, mpsc};

use lsio_array::{ChunkErrorKind, Decoded, Location, Task, TaskPlan};
use lsio_compute::{FunctionError, RunError, RunOptions};
use lsio_io::{Fault, Reads, StorageError};

use crate::test_source::{
    TestSource, World, concat, each_chunk, elements, index, input, join, number, whole,
};

const CHUNKS: u64 = 20;

/// Runs a fold over `source` in a world of its own; returns the error, and checks that other runs of
/// the same executor still work.
fn error_of(world: &World, source: TestSource) -> (Vec<u64>, ChunkErrorKind) {
    let source = world.register(source);
    let error = world.fold(&[source], each_chunk(CHUNKS)).unwrap_err();
    assert_still_works(world);
    let RunError::Chunk(error) = error else { panic!("{error}") };
    assert_eq!(&*error.array, "test");
    (error.chunk, error.kind)
}

fn assert_still_works(world: &World) {
    world.faults.clear();
    let source = world.register(world.source(CHUNKS));
    let expected: Vec<u64> = (0..CHUNKS).flat_map(elements).collect();
    assert_eq!(world.fold(&[source], each_chunk(CHUNKS)).unwrap(), expected);
    assert_eq!(world.memory.usage().reserved, 0);
}

fn world() -> World {
    let world = World::new(2, 64 << 20);
    world.put_chunks(CHUNKS);
    world
}

#[test]
fn a_panic_while_locating_names_the_chunk() {
    let world = world();
    let mut source = world.source(CHUNKS);
    source.locate = Box::new(|chunk, _| {
        assert!(chunk != 7, "no place for {chunk}");
        Ok(whole(&format!("c/{chunk}")))
    });
    let (chunk, kind) = error_of(&world, source);
    assert_eq!(chunk, [7]);
    assert!(matches!(kind, ChunkErrorKind::Panic(text) if text == "no place for 7"));
}

#[test]
fn a_panic_while_parsing_names_a_chunk_that_waits() {
    let world = world();
    world.put("index", &[0; 8]);
    let mut source = world.source(CHUNKS);
    source.locate = Box::new(|chunk, known| {
        let known = (chunk == 3).then(|| known.get(&index("index")));
        Ok(match known {
            Some(None) => Location::After(index("index")),
            _ => whole(&format!("c/{chunk}")),
        })
    });
    source.parse = Box::new(|_, _| panic!("not an index"));
    let (chunk, kind) = error_of(&world, source);
    assert_eq!(chunk, [3]);
    assert!(matches!(kind, ChunkErrorKind::Panic(text) if text == "not an index"));
}

#[test]
fn a_panic_while_decoding_names_the_chunk() {
    let world = world();
    let mut source = world.source(CHUNKS);
    source.decode = Box::new(|call| {
        assert!(call.chunk != 5, "cannot decode");
        crate::test_source::copy(call.encoded[0], call.destination);
        Ok(Decoded::Complete)
    });
    let (chunk, kind) = error_of(&world, source);
    assert_eq!(chunk, [5]);
    assert!(matches!(kind, ChunkErrorKind::Panic(text) if text == "cannot decode"));
}

#[test]
fn what_a_function_fails_or_panics_with_names_the_chunk() {
    let world = world();
    for panics in [false, true] {
        let source = world.register(world.source(CHUNKS));
        let end = world.executor.fold_blocking(
            vec![source],
            each_chunk(CHUNKS),
            RunOptions::default(),
            move |chunks| {
                if chunks[0].chunk == [11] {
                    assert!(!panics, "a function's panic");
                    return Err(Arc::new(std::fmt::Error) as FunctionError);
                }
                join(chunks)
            },
            concat,
        );
        let Err(RunError::Chunk(error)) = end else { panic!("{end:?}") };
        assert_eq!(error.chunk, [11]);
        match error.kind {
            ChunkErrorKind::Panic(text) => assert!(panics && text == "a function's panic"),
            ChunkErrorKind::Function(_) => assert!(!panics),
            other => panic!("{other}"),
        }
        assert_still_works(&world);
    }
}

#[test]
fn a_panic_while_merging_ends_the_run() {
    let world = world();
    let source = world.register(world.source(CHUNKS));
    let plan = each_chunk(CHUNKS);
    let merge = |_, _| panic!("cannot merge");
    let end = world.executor.fold_blocking(vec![source], plan, RunOptions::default(), join, merge);
    let Err(RunError::Chunk(error)) = end else { panic!("{end:?}") };
    assert!(matches!(error.kind, ChunkErrorKind::Panic(text) if text == "cannot merge"));
    assert_still_works(&world);
}

#[test]
fn a_panic_of_the_function_that_takes_the_end_leaves_the_workers_alive() {
    let world = world();
    let source = world.register(world.source(CHUNKS));
    let plan = each_chunk(CHUNKS);
    let (sender, ended) = mpsc::channel();
    let done = move |end: Result<_, _>| {
        sender.send(end.is_ok()).unwrap();
        panic!("cannot take the end");
    };
    world.executor.fold(vec![source], plan, RunOptions::default(), join, concat, done);
    assert!(ended.recv().unwrap());
    assert_still_works(&world);
    assert_still_works(&world);
}

#[derive(Debug)]
struct OddPlan(fn(u64) -> Task);

impl TaskPlan for OddPlan {
    fn len(&self) -> u64 {
        4
    }

    fn task(&self, number: u64) -> Task {
        (self.0)(number)
    }
}

#[test]
fn a_plan_that_panics_or_makes_no_sense_ends_its_run() {
    let world = world();
    let plans = [
        OddPlan(|number| panic!("no task {number}")),
        OddPlan(|_| Task { number: 2, inputs: [input(0, 0)].into() }),
        OddPlan(|number| Task { number, inputs: [input(1, 0)].into() }),
    ];
    for plan in plans {
        let source = world.register(world.source(CHUNKS));
        let options = RunOptions::default();
        let end = world.executor.fold_blocking(vec![source], Arc::new(plan), options, join, concat);
        assert!(matches!(end, Err(RunError::Chunk(_))), "{end:?}");
        assert_still_works(&world);
    }
}

#[test]
fn a_source_that_asks_for_what_it_has_is_stopped() {
    let world = world();
    world.put("index", &[0; 8]);
    let mut source = world.source(CHUNKS);
    source.locate = Box::new(|_, _| Ok(Location::After(index("index"))));
    let (chunk, kind) = error_of(&world, source);
    assert_eq!(chunk, [0]);
    assert!(matches!(kind, ChunkErrorKind::Panic(_)));
}

#[test]
fn a_store_that_the_source_does_not_have_is_an_error() {
    let world = world();
    for after in [false, true] {
        let mut source = world.source(CHUNKS);
        source.locate = Box::new(move |_, _| {
            if after {
                return Ok(Location::After(lsio_array::ReadSpec { store: 9, ..index("index") }));
            }
            let mut location = whole("c/0");
            if let Location::At { store, .. } = &mut location {
                *store = 9;
            }
            Ok(location)
        });
        assert!(matches!(error_of(&world, source), (_, ChunkErrorKind::Panic(_))));
    }
}

#[test]
fn failed_reads_of_chunks_and_indexes_name_the_chunk() {
    let key = lsio_io::Key::new("c/4").unwrap();
    let error = StorageError::Access {
        key: key.clone(),
        source: Arc::new(std::io::ErrorKind::PermissionDenied.into()),
    };
    let world = world();
    world.faults.inject(Reads::Of(key), 1, Fault::Fail(error.clone()));
    let (chunk, kind) = error_of(&world, world.source(CHUNKS));
    assert_eq!(chunk, [4]);
    assert!(matches!(kind, ChunkErrorKind::Storage(StorageError::Access { .. })));

    world.put("index", &[0; 8]);
    world.faults.inject(Reads::Of(index("index").key), 1, Fault::Fail(error));
    let mut source = world.source(CHUNKS);
    source.locate = Box::new(|chunk, known| {
        Ok(match known.get(&index("index")) {
            Some(answer) => whole(&format!("c/{}", chunk + number(&answer))),
            None => Location::After(index("index")),
        })
    });
    let (chunk, kind) = error_of(&world, source);
    assert_eq!(chunk, [0]);
    assert!(matches!(kind, ChunkErrorKind::Storage(StorageError::Access { .. })));
}

#[test]
fn a_range_that_arrives_short_is_an_error() {
    let world = world();
    let mut source = world.source(CHUNKS);
    source.locate =
        Box::new(|chunk, _| Ok(crate::test_source::range(&format!("c/{chunk}"), 0, 128)));
    let key = lsio_io::Key::new("c/4").unwrap();
    world.faults.inject(Reads::Of(key), 1, Fault::Truncate(1));
    assert_eq!(error_of(&world, source).0, [4]);
}

#[test]
fn huge_ranges_are_refused_with_numbers() {
    let world = world();
    let mut source = world.source(CHUNKS);
    source.locate = Box::new(|_, _| {
        let huge = lsio_io::ByteRange::Bounded { offset: 0, len: u64::MAX };
        let ranges = lsio_array::Reads::Ranges(vec![huge, huge]);
        Ok(crate::test_source::at("c/0", ranges, lsio_io::Freshness::Current))
    });
    let source = world.register(source);
    let error = world.fold(&[source], each_chunk(CHUNKS)).unwrap_err();
    assert!(matches!(error, RunError::Budget { needed: u64::MAX, .. }), "{error}");
    assert_still_works(&world);
}
