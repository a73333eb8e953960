//! Chunks for a consumer that takes them when it likes, or never.

use std::sync::{Arc, Mutex, mpsc};

use lsio_compute::{ChunkData, ChunkStream, DeliverOptions, RunError, RunOptions};
use lsio_io::{Fault, Reads};

use crate::test_source::{ELEMENTS, World, each_chunk, elements, elements_of};

const CHUNKS: u64 = 200;

/// What one task of [`World::source`] reserves at most: encoded with padding, decoded, scratch.
const TASK: u64 = 12288 + 4096 + 4096;

fn next(stream: &ChunkStream, most: usize) -> Result<Vec<ChunkData>, RunError> {
    let (sender, answer) = mpsc::channel();
    stream.next_batch(most, Box::new(move |result| sender.send(result).unwrap()));
    answer.recv().unwrap()
}

/// All elements that a stream brings, in the order in which they come.
pub(crate) fn take_all(stream: &ChunkStream) -> Result<Vec<u64>, RunError> {
    let mut all = Vec::new();
    loop {
        let batch = next(stream, 7)?;
        if batch.is_empty() {
            return Ok(all);
        }
        all.extend(batch.iter().flat_map(|chunk| elements_of(chunk.bytes())));
    }
}

fn world(threads: usize, limit: u64) -> World {
    let world = World::new(threads, limit);
    world.put_chunks(CHUNKS);
    world
}

fn open(world: &World, options: DeliverOptions) -> ChunkStream {
    let source = world.register(world.source(CHUNKS));
    world.executor.deliver(source, each_chunk(CHUNKS), options)
}

fn all() -> Vec<u64> {
    (0..CHUNKS).flat_map(elements).collect()
}

#[test]
fn grid_order_is_kept_and_the_order_of_completion_loses_nothing() {
    for in_order in [true, false] {
        for concurrency in [None, Some(1), Some(3)] {
            let world = world(2, 64 << 20);
            world.faults.allow_resident(false);
            world.faults.reorder(5);
            let options = DeliverOptions { in_order, concurrency, ..DeliverOptions::default() };
            let mut values = take_all(&open(&world, options)).unwrap();
            if !in_order {
                values.sort_unstable();
            }
            assert_eq!(values, all());
        }
    }
}

#[test]
fn overlapping_calls_are_served_in_their_order_and_the_rest_get_the_end() {
    let world = world(2, 64 << 20);
    let options = DeliverOptions { in_order: true, ..DeliverOptions::default() };
    let stream = open(&world, options);
    let (sender, answers) = mpsc::channel();
    for call in 0..CHUNKS + 3 {
        let sender = sender.clone();
        let done = move |result: Result<Vec<ChunkData>, RunError>| {
            let numbers: Vec<u64> = result.unwrap().iter().map(|chunk| chunk.number).collect();
            sender.send((call, numbers)).unwrap();
        };
        stream.next_batch(1, Box::new(done));
    }
    drop(sender);
    for (expected, (call, numbers)) in (0..).zip(answers.iter()) {
        assert_eq!(call, expected);
        assert_eq!(numbers, if call < CHUNKS { vec![call] } else { vec![] });
    }
}

#[test]
fn a_consumer_that_asks_from_within_its_answer_needs_no_more_stack() {
    const MANY: u64 = 20_000;
    struct Consumer {
        stream: Mutex<Option<Arc<ChunkStream>>>,
        end: Mutex<mpsc::Sender<u64>>,
    }
    fn ask(consumer: &Arc<Consumer>, seen: u64) {
        let stream = consumer.stream.lock().unwrap().clone();
        let again = consumer.clone();
        if let Some(stream) = stream {
            stream.next_batch(
                1,
                Box::new(move |batch| match batch.unwrap().len() {
                    0 => again.end.lock().unwrap().send(seen).unwrap(),
                    more => ask(&again, seen + more as u64),
                }),
            );
        }
    }
    let world = World::new(1, 256 << 20);
    let mut source = world.source(MANY);
    source.locate = Box::new(|_, _| Ok(lsio_array::Location::Missing));
    let source = world.register(source);
    let stream = world.executor.deliver(source, each_chunk(MANY), DeliverOptions::default());
    let (sender, end) = mpsc::channel();
    let consumer =
        Arc::new(Consumer { stream: Mutex::new(Some(Arc::new(stream))), end: Mutex::new(sender) });
    ask(&consumer, 0);
    assert_eq!(end.recv().unwrap(), MANY);
    consumer.stream.lock().unwrap().take();
}

#[test]
fn paused_readers_keep_half_of_the_budget_at_most_and_a_fold_completes() {
    let limit = 8 * TASK;
    let world = world(2, limit);
    let streams: Vec<ChunkStream> =
        (0..6).map(|_| open(&world, DeliverOptions::default())).collect();
    // Each takes one chunk and does not come back.
    for stream in &streams {
        assert_eq!(next(stream, 1).unwrap().len(), 1);
    }
    let source = world.register(world.source(CHUNKS));
    assert_eq!(world.fold(&[source], each_chunk(CHUNKS)).unwrap(), all());
    let undelivered = world.memory.usage().reserved;
    assert!(undelivered <= limit / 2, "{undelivered} of {limit} bytes are undelivered");

    // Whoever asks goes on, whatever the others keep.
    for stream in &streams {
        for _ in 0..10 {
            assert!(!next(stream, 3).unwrap().is_empty());
        }
    }
    let runs = streams.len() as u64 + 1;
    drop(streams);
    while world.executor.stats().runs_ended < runs {
        std::thread::yield_now();
    }
    assert_eq!(world.memory.usage().reserved, 0);
}

#[test]
fn room_for_one_task_is_enough_for_many_readers() {
    for in_order in [true, false] {
        let world = world(2, 2 * TASK);
        world.faults.allow_resident(false);
        let options = DeliverOptions { in_order, ..DeliverOptions::default() };
        let streams: Vec<ChunkStream> = (0..3).map(|_| open(&world, options.clone())).collect();
        let mut counts = [0; 3];
        for _ in 0..CHUNKS {
            for (stream, count) in streams.iter().zip(&mut counts) {
                *count += next(stream, 1).unwrap().len() as u64;
            }
        }
        assert_eq!(counts, [CHUNKS; 3]);
        assert!(world.memory.usage().peak_reserved <= 2 * TASK);
    }
}

#[test]
fn a_reader_that_is_owed_a_chunk_does_not_get_all_that_share_its_read() {
    let limit = 64 * TASK;
    let world = World::new(2, limit);
    let everything: Vec<u64> = (0..CHUNKS).flat_map(elements).collect();
    world.put("all", &crate::test_source::bytes_of(&everything));
    let streams: Vec<ChunkStream> = (0..12)
        .map(|_| {
            let mut source = world.source(CHUNKS);
            source.info.encoded_estimate = CHUNKS * ELEMENTS * 8;
            source.locate = Box::new(|_, _| Ok(crate::test_source::whole("all")));
            source.decode = Box::new(|call| {
                let len = ELEMENTS as usize * 8;
                let start = call.chunk as usize * len;
                let chunk = &call.encoded[0][start..start + len];
                crate::test_source::copy(chunk, call.destination);
                Ok(lsio_array::Decoded::Complete)
            });
            let source = world.register(source);
            world.executor.deliver(source, each_chunk(CHUNKS), DeliverOptions::default())
        })
        .collect();
    for stream in &streams {
        assert_eq!(next(stream, 1).unwrap().len(), 1);
    }
    // Nothing more starts, so what is reserved once a fold is through is what is undelivered.
    let source = world.register(world.source(CHUNKS));
    world.put_chunks(CHUNKS);
    assert_eq!(world.fold(&[source], each_chunk(CHUNKS)).unwrap(), all());
    let undelivered = world.memory.usage().reserved;
    assert!(undelivered <= limit / 2, "{undelivered} of {limit} bytes are undelivered");
}

#[test]
fn closing_early_gives_memory_back_and_ends_those_who_wait() {
    let world = world(2, 64 << 20);
    world.faults.allow_resident(false);
    let stream = open(&world, DeliverOptions::default());
    next(&stream, 1).unwrap();
    stream.close();
    // A run that was through before has nothing more, any other was cancelled.
    match next(&stream, 1) {
        Ok(batch) => assert!(batch.is_empty()),
        Err(error) => assert!(matches!(error, RunError::Cancelled)),
    }
    // What was in flight has ended once the run has.
    while world.executor.stats().runs_ended == 0 {
        std::thread::yield_now();
    }
    assert_eq!(world.memory.usage().reserved, 0);

    // A read under way: the stream ends when it is back.
    world.faults.inject(Reads::All, 1, Fault::Block);
    let stream = open(&world, DeliverOptions { concurrency: Some(1), ..DeliverOptions::default() });
    let (sender, answer) = mpsc::channel();
    stream.next_batch(1, Box::new(move |result| sender.send(result.map(drop)).unwrap()));
    world.faults.wait_until_blocked(1);
    drop(stream);
    world.faults.release();
    assert!(matches!(answer.recv().unwrap(), Err(RunError::Cancelled)));
    assert_eq!(world.memory.usage().reserved, 0);
}

#[test]
fn chunks_that_arrive_while_a_stream_closes_leave_nothing_behind() {
    let limit = 8 * TASK;
    let world = world(4, limit);
    for _ in 0..200 {
        let stream = open(&world, DeliverOptions::default());
        drop(next(&stream, 1).unwrap());
        stream.close();
    }
    // Were any of it still counted as undelivered, this stream would get single chunks only.
    let _stream = open(&world, DeliverOptions::default());
    let full = limit / 2 / 4096 - 5;
    let mut seen = 0;
    while world.memory.usage().reserved < full * 4096 / 2 {
        std::thread::yield_now();
        seen += 1;
        assert!(seen < 100_000_000, "{:?}", world.memory.usage());
    }
}

#[test]
fn the_memory_option_limits_what_a_stream_keeps() {
    let world = world(2, 64 << 20);
    let run = RunOptions { memory: Some(3 * TASK), ..RunOptions::default() };
    let stream = open(&world, DeliverOptions { run, ..DeliverOptions::default() });
    let mut values = take_all(&stream).unwrap();
    values.sort_unstable();
    assert_eq!(values, all());
    assert!(stream.stats().peak_reserved <= 3 * TASK);
    let usage = world.memory.usage();
    assert!(usage.peak_reserved <= 3 * TASK, "{usage:?}");
}

#[test]
fn what_came_before_an_error_is_delivered_first() {
    let world = world(1, 64 << 20);
    let mut source = world.source(CHUNKS);
    source.decode = Box::new(|call| {
        assert!(call.chunk != 50, "chunk 50");
        crate::test_source::copy(call.encoded[0], call.destination);
        Ok(lsio_array::Decoded::Complete)
    });
    let source = world.register(source);
    let options = DeliverOptions { in_order: true, ..DeliverOptions::default() };
    let stream = world.executor.deliver(source, each_chunk(CHUNKS), options);
    let mut seen = 0;
    let error = loop {
        match next(&stream, 4) {
            Ok(batch) => seen += batch.len(),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, RunError::Chunk(error) if error.chunk == [50]));
    assert!(seen <= 50);
    drop(stream);
    assert_eq!(world.memory.usage().reserved, 0);
}

#[test]
fn a_consumer_that_waits_for_several_loses_none_and_waits_for_none_in_vain() {
    for in_order in [true, false] {
        for (concurrency, limit) in [(None, 64 << 20), (Some(3), 64 << 20), (None, 6 * TASK)] {
            let world = world(2, limit);
            world.faults.allow_resident(false);
            world.faults.reorder(5);
            let options = DeliverOptions { in_order, concurrency, ..DeliverOptions::default() };
            let stream = open(&world, options);
            let mut values = Vec::new();
            loop {
                let (sender, answer) = mpsc::channel();
                let done = move |result| sender.send(result).unwrap();
                stream.next_batch_of(64, 150, Box::new(done));
                let batch = answer.recv().unwrap().unwrap();
                assert!(batch.len() <= 150);
                if batch.is_empty() {
                    break;
                }
                values.extend(batch.iter().flat_map(|chunk| elements_of(chunk.bytes())));
            }
            if !in_order {
                values.sort_unstable();
            }
            assert_eq!(values, all());
        }
    }
}
