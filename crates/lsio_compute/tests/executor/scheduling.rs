//! Threads: who works, who sleeps, and that nobody can tell from the result.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex};

use lsio_array::{Decoded, Location, Task, TaskPlan};
use lsio_compute::{ChunkData, RunError, RunOptions};

use crate::test_source::{
    ELEMENTS, TestSource, World, bytes_of, concat, copy, each_chunk, elements, input, join,
};

#[test]
fn a_sum_of_floats_has_the_same_bits_on_any_number_of_threads() {
    const CHUNKS: u64 = 300;
    let mut bits = Vec::new();
    for threads in [1, 2, 8] {
        for seed in [1, 2, 3] {
            let mut world = World::new(threads, 64 << 20);
            world.faults = Arc::new(lsio_io::FaultStorage::new(world.store.clone(), seed));
            world.faults.allow_resident(seed == 1);
            world.faults.reorder(8);
            world.put_chunks(CHUNKS);
            let source = world.register(world.source(CHUNKS));
            let sum = world.executor.fold_blocking(
                vec![source],
                each_chunk(CHUNKS),
                RunOptions::default(),
                |chunks| {
                    let values = join(chunks)?;
                    Ok(values.iter().map(|&value| (value as f64).sqrt() * 0.1).sum::<f64>())
                },
                |left, right| left + right,
            );
            bits.push(sum.unwrap().unwrap().to_bits());
        }
    }
    assert!(bits.windows(2).all(|pair| pair[0] == pair[1]), "{bits:x?}");
}

#[test]
fn a_skewed_load_is_stolen_and_keeps_every_worker_busy() {
    const THREADS: usize = 4;
    const CHUNKS: u64 = 64;
    let world = World::new(THREADS, 64 << 20);
    let everything: Vec<u64> = (0..CHUNKS).flat_map(elements).collect();
    world.put("all", &bytes_of(&everything));
    let mut source = world.source(CHUNKS);
    source.info.encoded_estimate = CHUNKS * ELEMENTS * 8;
    // One read on one worker makes all tasks: the others have to take theirs from it.
    source.locate = Box::new(|_, _| Ok(crate::test_source::whole("all")));
    let together = Barrier::new(THREADS);
    source.decode = Box::new(move |call| {
        // Passed only if all workers decode at the same time.
        if call.chunk % (CHUNKS / THREADS as u64) == 0 {
            together.wait();
        }
        let start = (call.chunk * ELEMENTS * 8) as usize;
        copy(&call.encoded[0][start..start + ELEMENTS as usize * 8], call.destination);
        Ok(Decoded::Complete)
    });
    let source = world.register(source);
    assert_eq!(world.fold(&[source], each_chunk(CHUNKS)).unwrap(), everything);
    let stats = world.executor.stats();
    assert!(stats.steals >= THREADS as u64 - 1, "{stats:?}");
    assert!(stats.tasks_by_worker.iter().all(|&tasks| tasks > 0), "{stats:?}");
    assert_eq!(stats.tasks_by_worker.iter().sum::<u64>(), CHUNKS);
    assert_eq!(stats.runs.reads, 1);
}

#[test]
fn a_host_that_does_not_answer_keeps_nobody_from_reading_elsewhere() {
    const CHUNKS: u64 = 512;
    let world = World::new(2, 64 << 20);
    world.put_chunks(CHUNKS);
    let silent = Arc::new(lsio_io::FaultStorage::new(world.store.clone(), 1).on_device(1));
    silent.allow_resident(false);
    silent.inject(lsio_io::Reads::All, CHUNKS, lsio_io::Fault::Block);
    let (_, at_silent) = world.start(
        &[world.register(TestSource::new(silent.clone(), CHUNKS))],
        each_chunk(CHUNKS),
        RunOptions::default(),
    );
    // So many reads that no more are begun there.
    silent.wait_until_blocked(lsio_io::LOCAL_READS_AT_ONCE as usize);
    world.faults.allow_resident(false);
    let everything: Vec<u64> = (0..CHUNKS).flat_map(elements).collect();
    let source = world.register(world.source(CHUNKS));
    assert_eq!(world.fold(&[source], each_chunk(CHUNKS)).unwrap(), everything);
    let under_way = silent.blocked();
    silent.clear();
    silent.release();
    assert_eq!(at_silent.recv().unwrap().unwrap(), everything);
    // Each worker may have begun one bundle of short neighbours more.
    assert!(under_way < CHUNKS as usize / 2, "{under_way} reads where nothing answers");
}

#[test]
fn workers_sleep_while_a_run_waits() {
    const THREADS: usize = 4;
    let world = World::new(THREADS, 64 << 20);
    world.put_chunks(8);
    world.faults.allow_resident(false);
    world.faults.inject(lsio_io::Reads::All, 8, lsio_io::Fault::Block);
    let source = world.register(world.source(8));
    let (_, end) = world.start(&[source], each_chunk(8), RunOptions::default());
    world.faults.wait_until_blocked(8);
    // A worker that does not sleep goes round its loop and is counted as parking each time.
    let parks = || world.executor.stats().parks;
    let mut last = parks();
    let mut same = 0;
    while same < 10_000 {
        std::thread::yield_now();
        let now = parks();
        same = if now == last { same + 1 } else { 0 };
        assert!(now < 1000, "the workers do not sleep: {now} parks");
        last = now;
    }
    world.faults.release();
    end.recv().unwrap().unwrap();
}

#[test]
fn a_fold_leases_no_more_than_its_workers_and_reads_need() {
    const THREADS: usize = 2;
    const CHUNKS: u64 = 500;
    // Short chunks that are started together: 512 KiB of reservations, of 12 KiB for each read and 4 KiB
    // for each decoded chunk.
    const TOGETHER: u64 = 32;
    // Resident: each worker has its chunks encoded, decoded and scratch.
    let world = World::new(THREADS, 64 << 20);
    world.put_chunks(CHUNKS);
    let source = world.register(world.source(CHUNKS));
    world.fold(std::slice::from_ref(&source), each_chunk(CHUNKS)).unwrap();
    let peak = world.memory.usage().peak_leases;
    assert!(peak <= (TOGETHER + 2) * THREADS as u64, "{peak} leases at once");

    // Submitted: 32 reads or ready tasks, and what each worker may begin together beside them.
    world.faults.allow_resident(false);
    world.fold(&[source], each_chunk(CHUNKS)).unwrap();
    let peak = world.memory.usage().peak_leases;
    assert!(peak <= 32 + THREADS as u64 * (TOGETHER + 3), "{peak} leases at once");
}

#[test]
fn runs_started_from_the_end_of_another_run_go_on() {
    let world = Arc::new(World::new(1, 64 << 20));
    world.put_chunks(4);
    let source = world.register(world.source(4));
    let done = Arc::new((Mutex::new(None), Condvar::new()));
    let (again, answer) = (world.clone(), done.clone());
    world.executor.fold(
        vec![source.clone()],
        each_chunk(4),
        RunOptions::default(),
        join,
        concat,
        move |_| {
            again.executor.fold(
                vec![source],
                each_chunk(4),
                RunOptions::default(),
                join,
                concat,
                move |end| {
                    *answer.0.lock().unwrap() = Some(end.unwrap().unwrap());
                    answer.1.notify_one();
                },
            );
        },
    );
    let guard = done.1.wait_while(done.0.lock().unwrap(), |end| end.is_none()).unwrap();
    assert_eq!(*guard, Some((0..4).flat_map(elements).collect()));
}

#[test]
fn a_plan_without_tasks_ends_at_once() {
    let world = World::new(1, 64 << 20);
    let source = world.register(world.source(1));
    let end = world.executor.fold_blocking(
        vec![source],
        each_chunk(0),
        RunOptions::default(),
        join,
        concat,
    );
    assert_eq!(end.unwrap(), None);
}

#[test]
fn dropping_the_executor_ends_what_still_runs() {
    let world = World::new(2, 64 << 20);
    world.put_chunks(100);
    let mut source = world.source(100);
    let decoded = Arc::new(AtomicU64::new(0));
    let (count, (suspended, seen)) = (decoded.clone(), std::sync::mpsc::channel());
    source.decode = Box::new(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        suspended.send(()).unwrap();
        Ok(Decoded::Suspended)
    });
    let source = world.register(source);
    let (_, end) = world.start(&[source], each_chunk(100), RunOptions::default());
    seen.recv().unwrap();
    drop(world.executor);
    assert!(matches!(end.recv().unwrap(), Err(RunError::Cancelled)));
    assert_eq!(world.memory.usage().reserved, 0);
}

/// A task for the first chunk, again and again.
#[derive(Debug)]
struct Endless;

impl TaskPlan for Endless {
    fn len(&self) -> u64 {
        1 << 50
    }

    fn task(&self, number: u64) -> Task {
        Task { number, inputs: [input(0, 0)].into_iter().collect() }
    }
}

#[test]
fn runs_without_end_leave_turns_to_those_behind_them() {
    for threads in [1, 2] {
        let world = World::new(threads, 64 << 20);
        world.put_chunks(40);
        let mut source = world.source(1);
        source.locate = Box::new(|_, _| Ok(Location::Missing));
        let missing = world.register(source);
        let start = || {
            let (sender, ended) = std::sync::mpsc::channel();
            let nothing = |_: &[ChunkData]| Ok(());
            let end = move |end: Result<Option<()>, RunError>| sender.send(end.err()).unwrap();
            let options = RunOptions::default();
            let (plan, sources) = (Arc::new(Endless), vec![missing.clone()]);
            (world.executor.fold(sources, plan, options, nothing, |(), ()| (), end), ended)
        };
        let endless = [start(), start()];
        let source = world.register(world.source(40));
        let expected: Vec<u64> = (0..40).flat_map(elements).collect();
        assert_eq!(world.fold(&[source], each_chunk(40)).unwrap(), expected);
        for (handle, ended) in endless {
            handle.cancel();
            assert!(matches!(ended.recv().unwrap(), Some(RunError::Cancelled)));
        }
    }
}
