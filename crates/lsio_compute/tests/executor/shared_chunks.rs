//! Runs that want the same chunks at the same time: read and decoded once, and nobody the worse for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use lsio_array::{
    ChunkErrorKind, Decoded, DimensionSelection, Reads as ChunkReads, ResolvedSelection, Resume,
    TouchedChunks,
};
use lsio_compute::{
    CopyOutput, DeliverOptions, RunError, RunHandle, RunOptions, RunStats, SourceHandle,
};
use lsio_io::{ByteRange, Fault, Freshness, Key, Lease, Reads, StorageError};
use proptest::prelude::*;

use crate::streams::take_all;
use crate::test_source::{
    ELEMENTS, World, at, bytes_of, copy, each_chunk, elements, elements_of, index,
};
use crate::unsafe_output::{foreign, leased};

/// A copy that was started, and its end.
struct Get {
    handle: RunHandle,
    end: mpsc::Receiver<Result<Option<Lease>, RunError>>,
}

impl Get {
    fn values(&self) -> Result<Vec<u64>, RunError> {
        self.end.recv().unwrap().map(|lease| elements_of(&lease.unwrap()))
    }

    fn stats(&self) -> RunStats {
        self.handle.stats()
    }
}

/// Starts to read elements `start..stop`.
fn get(world: &World, source: &Arc<SourceHandle>, start: u64, stop: u64) -> Get {
    get_with(world, source, (start, stop), RunOptions::default())
}

fn get_with(
    world: &World,
    source: &Arc<SourceHandle>,
    (start, stop): (u64, u64),
    options: RunOptions,
) -> Get {
    let bytes = (stop - start) as usize * 8;
    let buffer = leased(world.memory.hold(bytes).unwrap());
    get_into(world, source, (start, stop), buffer, options)
}

fn get_into(
    world: &World,
    source: &Arc<SourceHandle>,
    (start, stop): (u64, u64),
    buffer: lsio_array::OutputBuffer,
    options: RunOptions,
) -> Get {
    let slice = DimensionSelection::Slice {
        start: Some(start.cast_signed()),
        stop: Some(stop.cast_signed()),
        step: None,
    };
    let selection = ResolvedSelection::resolve(&[slice], source.grid().shape()).unwrap();
    let plan = Arc::new(TouchedChunks::new(source.grid().clone(), selection).unwrap());
    let outputs = [CopyOutput { offset: 0, shape: vec![stop - start] }];
    let (sender, end) = mpsc::channel();
    let done = Box::new(move |result| drop(sender.send(result)));
    let handle =
        world.executor.copy_into(source.clone(), plan, &outputs, buffer, options, done).unwrap();
    Get { handle, end }
}

/// Keeps a worker busy until it is told to go on.
pub(crate) struct Busy {
    go_on: mpsc::Sender<()>,
    end: mpsc::Receiver<()>,
}

impl Busy {
    /// Occupies one worker of `world`.
    pub(crate) fn new(world: &World) -> Self {
        world.put("busy", &bytes_of(&elements(0)));
        let mut source = world.source(1);
        source.locate = Box::new(|_, _| Ok(crate::test_source::whole("busy")));
        let (go_on, wait) = mpsc::channel();
        let (began, begun) = mpsc::channel();
        let wait = Mutex::new(wait);
        source.decode = Box::new(move |call| {
            began.send(()).unwrap();
            wait.lock().unwrap().recv().unwrap();
            copy(call.encoded[0], call.destination);
            Ok(Decoded::Complete)
        });
        let source = world.register(source);
        let (done, end) = mpsc::channel();
        let join = crate::test_source::join;
        let concat = crate::test_source::concat;
        world.executor.fold(
            vec![source],
            each_chunk(1),
            RunOptions::default(),
            join,
            concat,
            move |_| done.send(()).unwrap(),
        );
        begun.recv().unwrap();
        Self { go_on, end }
    }

    /// Lets it go on and waits for that.
    pub(crate) fn end(self) {
        self.go_on.send(()).unwrap();
        self.end.recv().unwrap();
    }
}

#[test]
fn chunks_that_many_runs_wait_for_are_read_and_decoded_once() {
    const CHUNKS: u64 = 4;
    let world = World::new(1, 64 << 20);
    world.put_chunks(CHUNKS);
    let source = world.register(world.source(CHUNKS));
    let busy = Busy::new(&world);
    // Each touches two chunks; the first of a pair has all of it, and decodes in place.
    let gets: Vec<Get> = (0..100)
        .map(|n| {
            let start = n % (CHUNKS - 1) * ELEMENTS + n % 5;
            get(&world, &source, start, start + ELEMENTS + 3)
        })
        .collect();
    busy.end();
    for (n, get) in (0..).zip(&gets) {
        let start = n % (CHUNKS - 1) * ELEMENTS + n % 5;
        assert_eq!(get.values().unwrap(), (start..start + ELEMENTS + 3).collect::<Vec<_>>());
        let stats = get.stats();
        assert_eq!(stats.chunks_decoded + stats.chunks_shared, 2);
        assert_eq!(stats.tasks_done, 2);
    }
    let stats = world.executor.stats().runs;
    assert_eq!(stats.chunks_decoded, CHUNKS + 1);
    assert_eq!(stats.reads, CHUNKS + 1);
    assert_eq!(stats.chunks_shared, 200 - CHUNKS);
    assert_eq!(world.memory.usage().reserved, 0);
}

#[test]
fn a_limit_of_a_run_holds_also_where_others_could_serve_it() {
    let world = World::new(1, 64 << 20);
    world.put_chunks(1);
    let source = world.register(world.source(1));
    let busy = Busy::new(&world);
    let free = get(&world, &source, 0, ELEMENTS);
    let options = RunOptions { memory: Some(1), ..RunOptions::default() };
    let limited = get_with(&world, &source, (0, ELEMENTS), options);
    busy.end();
    assert_eq!(free.values().unwrap(), elements(0));
    assert!(matches!(limited.values(), Err(RunError::Budget { limit: 1, .. })));
    assert_eq!(world.memory.usage().reserved, 0);
}

#[test]
fn what_is_on_its_way_is_not_read_again() {
    let world = World::new(1, 64 << 20);
    world.put_chunks(2);
    world.faults.allow_resident(false);
    let source = world.register(world.source(2));
    let busy = Busy::new(&world);
    world.faults.inject(Reads::Of(Key::new("c/0").unwrap()), 9, Fault::Block);
    let gets: Vec<Get> = (0..10).map(|n| get(&world, &source, n, n + 1)).collect();
    let other = get(&world, &source, ELEMENTS, ELEMENTS + 1);
    busy.end();
    world.faults.wait_until_blocked(1);
    // Runs behind those that are passed over go on.
    assert_eq!(other.values().unwrap(), [ELEMENTS]);
    assert_eq!(world.faults.blocked(), 1);
    world.faults.release();
    for (n, get) in (0..).zip(&gets) {
        assert_eq!(get.values().unwrap(), [n]);
    }
    assert_eq!(world.executor.stats().runs.chunks_shared, 9);
}

#[test]
fn a_missing_chunk_is_looked_for_once() {
    let world = World::new(1, 64 << 20);
    let source = world.register(world.source(1));
    let busy = Busy::new(&world);
    let gets: Vec<Get> = (0..10).map(|n| get(&world, &source, n, n + 2)).collect();
    let before = world.faults.counts().resident + world.faults.counts().reads;
    busy.end();
    for get in &gets {
        assert_eq!(get.values().unwrap(), [u64::MAX, u64::MAX]);
    }
    let after = world.faults.counts().resident + world.faults.counts().reads;
    assert_eq!(after - before, 1);
    assert_eq!(world.executor.stats().runs.chunks_missing, 10);
}

#[test]
fn others_go_on_when_the_run_that_reads_is_cancelled() {
    let world = World::new(1, 64 << 20);
    world.put_chunks(1);
    world.faults.allow_resident(false);
    let source = world.register(world.source(1));
    let busy = Busy::new(&world);
    world.faults.inject(Reads::Of(Key::new("c/0").unwrap()), 9, Fault::Block);
    let gets: Vec<Get> = (0..3).map(|n| get(&world, &source, n, n + 1)).collect();
    busy.end();
    world.faults.wait_until_blocked(1);
    gets[0].handle.cancel();
    // The second does not wait for the read of the first; the third waits for the second.
    world.faults.wait_until_blocked(2);
    world.faults.release();
    assert!(matches!(gets[0].values(), Err(RunError::Cancelled)));
    assert_eq!(gets[1].values().unwrap(), [1]);
    assert_eq!(gets[2].values().unwrap(), [2]);
    assert_eq!(gets[2].stats().chunks_shared, 1);
    assert_eq!(world.memory.usage().reserved, 0);
}

#[test]
fn a_run_that_is_cancelled_while_others_bring_its_chunk_ends() {
    let world = World::new(1, 64 << 20);
    world.put_chunks(1);
    world.faults.allow_resident(false);
    let source = world.register(world.source(1));
    let busy = Busy::new(&world);
    world.faults.inject(Reads::Of(Key::new("c/0").unwrap()), 1, Fault::Block);
    let gets: Vec<Get> = (0..3).map(|n| get(&world, &source, n, n + 1)).collect();
    busy.end();
    world.faults.wait_until_blocked(1);
    gets[1].handle.cancel();
    assert!(matches!(gets[1].values(), Err(RunError::Cancelled)));
    world.faults.release();
    assert_eq!(gets[0].values().unwrap(), [0]);
    assert_eq!(gets[2].values().unwrap(), [2]);
}

#[test]
fn an_error_reaches_those_whose_own_read_has_it() {
    for failures in [1, 10] {
        let world = World::new(1, 64 << 20);
        world.put_chunks(1);
        let source = world.register(world.source(1));
        let busy = Busy::new(&world);
        let key = Key::new("c/0").unwrap();
        let error = StorageError::Truncated { key: key.clone(), expected: 1, actual: 0 };
        world.faults.inject(Reads::Of(key), failures, Fault::Fail(error));
        let gets: Vec<Get> = (0..10).map(|n| get(&world, &source, n, n + 1)).collect();
        busy.end();
        let failed = gets.iter().filter(|get| get.values().is_err()).count() as u64;
        assert_eq!(failed, failures);
        assert_eq!(world.memory.usage().reserved, 0);
    }
}

#[test]
fn a_read_never_brings_what_was_looked_for_before_it_was_asked_for() {
    let world = World::new(2, 64 << 20);
    world.put_chunks(1);
    let mut source = world.source(1);
    let (began, begun) = mpsc::channel();
    let (go_on, wait) = mpsc::channel();
    let wait = Mutex::new(Some(wait));
    source.decode = Box::new(move |call| {
        let first = wait.lock().unwrap().take();
        if let Some(wait) = first {
            began.send(()).unwrap();
            wait.recv().unwrap();
        }
        copy(call.encoded[0], call.destination);
        Ok(Decoded::Complete)
    });
    let source = world.register(source);
    let old = get(&world, &source, 0, 4);
    // The bytes of the first are read; now they change.
    begun.recv().unwrap();
    world.put("c/0", &bytes_of(&elements(7)));
    let new = get(&world, &source, 0, 4);
    assert_eq!(new.values().unwrap(), elements(7)[..4]);
    go_on.send(()).unwrap();
    assert_eq!(old.values().unwrap(), elements(0)[..4]);
    assert_eq!(new.stats().chunks_shared, 0);
}

#[test]
fn a_decode_that_waits_for_something_else_holds_up_nobody() {
    let world = World::new(1, 64 << 20);
    world.put_chunks(1);
    let mut source = world.source(1);
    let suspended: Arc<Mutex<Option<Arc<dyn Resume>>>> = Arc::default();
    let (first, resume) = (AtomicBool::new(true), suspended.clone());
    source.decode = Box::new(move |call| {
        if first.swap(false, Ordering::SeqCst) {
            *resume.lock().unwrap() = Some(call.resume.clone());
            return Ok(Decoded::Suspended);
        }
        copy(call.encoded[0], call.destination);
        Ok(Decoded::Complete)
    });
    let source = world.register(source);
    let busy = Busy::new(&world);
    let gets: Vec<Get> = (0..3).map(|n| get(&world, &source, n, n + 1)).collect();
    busy.end();
    assert_eq!(gets[1].values().unwrap(), [1]);
    assert_eq!(gets[2].values().unwrap(), [2]);
    suspended.lock().unwrap().take().unwrap().resume();
    assert_eq!(gets[0].values().unwrap(), [0]);
}

#[test]
fn memory_that_others_can_write_to_is_not_shared() {
    let world = World::new(1, 64 << 20);
    world.put_chunks(1);
    world.faults.allow_resident(false);
    let source = world.register(world.source(1));
    let busy = Busy::new(&world);
    world.faults.inject(Reads::Of(Key::new("c/0").unwrap()), 9, Fault::Block);
    let memory = foreign(vec![0; ELEMENTS as usize * 8].into_boxed_slice());
    let shown = get_into(&world, &source, (0, ELEMENTS), memory, RunOptions::default());
    let own = get(&world, &source, 0, ELEMENTS);
    busy.end();
    world.faults.wait_until_blocked(2);
    world.faults.release();
    assert!(shown.end.recv().unwrap().unwrap().is_none());
    assert_eq!(own.values().unwrap(), elements(0));
    assert_eq!(world.executor.stats().runs.chunks_shared, 0);
}

#[test]
fn gets_end_beside_a_reader_that_takes_nothing_and_with_memory_for_one_task() {
    const CHUNKS: u64 = 8;
    const CHUNK: u64 = ELEMENTS * 1024 * 8;
    // Half of the budget holds what one task needs: encoded and decoded bytes, scratch, padding.
    let world = World::new(2, 4 * lsio_io::class_size(CHUNK + 8192) + 8192);
    let mut source = world.source(CHUNKS);
    source.info.shape = vec![CHUNKS * ELEMENTS * 1024];
    source.info.chunk_shape = vec![ELEMENTS * 1024];
    source.info.decoded_len = CHUNK;
    source.info.encoded_estimate = CHUNK;
    let all: Vec<u64> = (0..CHUNKS * ELEMENTS * 1024).collect();
    for (chunk, values) in all.chunks(ELEMENTS as usize * 1024).enumerate() {
        world.put(&format!("c/{chunk}"), &bytes_of(values));
    }
    let source = world.register(source);
    let whole = ResolvedSelection::all(source.grid().shape());
    let plan = Arc::new(TouchedChunks::new(source.grid().clone(), whole).unwrap());
    let options = DeliverOptions { in_order: true, ..DeliverOptions::default() };
    let stream = world.executor.deliver(source.clone(), plan, options);
    let gets: Vec<(u64, Get)> = (0..200)
        .map(|n| {
            let start = n * 37 % (all.len() as u64 - 20_000);
            (start, get(&world, &source, start, start + 20_000))
        })
        .collect();
    for (start, get) in &gets {
        let range = *start as usize..*start as usize + 20_000;
        assert!(get.values().unwrap() == all[range]);
    }
    assert!(take_all(&stream).unwrap() == all);
    drop(stream);
    assert_eq!(world.memory.usage().reserved, 0);
}

/// All chunks in one object behind an index; each is pinned to the version of the index.
fn sharded(world: &World, chunks: u64) -> Arc<SourceHandle> {
    let mut source = world.source(chunks);
    source.locate = Box::new(|chunk, known| {
        let spec = lsio_array::ReadSpec {
            range: ByteRange::Bounded { offset: 0, len: 8 },
            ..index("shard")
        };
        let Some(answer) = known.get(&spec) else { return Ok(lsio_array::Location::After(spec)) };
        let range = ByteRange::Bounded { offset: 8 + chunk * ELEMENTS * 8, len: ELEMENTS * 8 };
        let freshness = Freshness::Pinned(answer.identity.clone().unwrap());
        Ok(at("shard", ChunkReads::Ranges(vec![range]), freshness))
    });
    world.register(source)
}

/// Every element is `version`.
fn put_shard(world: &World, chunks: u64, version: u64) {
    world.put("shard", &bytes_of(&vec![version; (1 + chunks * ELEMENTS) as usize]));
}

#[test]
fn a_shard_that_is_replaced_all_the_time_is_seen_whole_and_as_new_as_the_call() {
    const CHUNKS: u64 = 24;
    const ROUNDS: u64 = 300;
    // Small windows: while some tasks of a run read, others wait in its queue.
    let world = World::new(3, 256 << 10);
    put_shard(&world, CHUNKS, 0);
    let source = sharded(&world, CHUNKS);
    let mut gets = Vec::new();
    for version in 1..=ROUNDS {
        put_shard(&world, CHUNKS, version);
        for _ in 0..4 {
            gets.push((version, get(&world, &source, version % 40, CHUNKS * ELEMENTS)));
        }
        if version % 50 == 0 {
            world.faults.allow_resident(version % 100 == 0);
            gets.drain(..).for_each(check_version);
        }
    }
    gets.drain(..).for_each(check_version);
    assert_eq!(world.memory.usage().reserved, 0);
}

fn check_version((asked_for, get): (u64, Get)) {
    match get.values() {
        Ok(values) => {
            assert!(values.iter().all(|&value| value == values[0]), "parts of two versions");
            assert!(values[0] >= asked_for, "{} after {asked_for}", values[0]);
        }
        Err(error) => {
            let RunError::Chunk(error) = error else { panic!("{error}") };
            let ChunkErrorKind::Storage(error) = error.kind else { panic!("{error}") };
            assert!(matches!(error, StorageError::Conflict { .. }), "{error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn reads_that_overlap_in_time_bring_what_each_brings_alone(
        threads in 1usize..4,
        limit in 64u64..512,
        resident in any::<bool>(),
        in_shard in any::<bool>(),
        reads in prop::collection::vec((0u64..31 * ELEMENTS, 1u64..6 * ELEMENTS, 0u8..10), 1..60),
    ) {
        const CHUNKS: u64 = 32;
        let world = World::new(threads, limit << 10);
        world.put_chunks(CHUNKS);
        world.faults.allow_resident(resident);
        world.faults.reorder(4);
        let source = if in_shard {
            let mut shard = bytes_of(&[0]);
            shard.extend(bytes_of(&(0..CHUNKS * ELEMENTS).collect::<Vec<_>>()));
            world.put("shard", &shard);
            sharded(&world, CHUNKS)
        } else {
            world.register(world.source(CHUNKS))
        };
        let mut gets = Vec::new();
        let mut streams = Vec::new();
        for (start, len, kind) in reads {
            let stop = (start + len).min(CHUNKS * ELEMENTS);
            if kind == 0 {
                let plan = each_chunk(CHUNKS);
                streams.push(world.executor.deliver(source.clone(), plan, DeliverOptions::default()));
                continue;
            }
            let get = get(&world, &source, start, stop);
            if kind == 1 {
                get.handle.cancel();
            }
            gets.push((start, stop, kind == 1, get));
        }
        for (start, stop, cancelled, get) in &gets {
            match get.values() {
                Ok(values) => prop_assert_eq!(values, (*start..*stop).collect::<Vec<_>>()),
                Err(error) => prop_assert!(*cancelled && matches!(error, RunError::Cancelled)),
            }
            let stats = get.stats();
            prop_assert!(*cancelled || stats.chunks_decoded + stats.chunks_shared == stats.tasks);
        }
        drop(streams);
        drop(world.executor);
        prop_assert_eq!(world.memory.usage().reserved, 0);
    }
}
