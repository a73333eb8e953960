//! Every kind of location and of decoding: alone, reordered, with room for one task, and cancelled.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, mpsc};

use lsio_array::{DataType, Decoded, Destination, Location, Params, Resume};
use lsio_compute::{RunError, RunOptions, SourceHandle};
use lsio_io::{Fault, Reads, SharedBytes};

use crate::test_source::{
    ELEMENTS, Tasks, TestSource, World, at, bytes_of, copy, each_chunk, elements, index, input,
    number, range,
};

const CHUNKS: u64 = 24;

/// Sources in a world, a plan, and what it gives.
type Scenario = fn(&World) -> (Vec<Arc<SourceHandle>>, Arc<Tasks>, Vec<u64>);

fn all_elements() -> Vec<u64> {
    (0..CHUNKS).flat_map(elements).collect()
}

/// A chunk's offset is the sum of what three reads say, each of which needs the one before.
fn after_three_deep(world: &World) -> (Vec<Arc<SourceHandle>>, Arc<Tasks>, Vec<u64>) {
    let chunk_bytes = ELEMENTS * 8;
    world.put("root", &1000u64.to_ne_bytes());
    for branch in 0..CHUNKS / 8 {
        world.put(&format!("branch/{branch}"), &(branch * 8 * chunk_bytes).to_ne_bytes());
        for leaf in 0..4 {
            world.put(&format!("leaf/{branch}.{leaf}"), &(leaf * 2 * chunk_bytes).to_ne_bytes());
        }
    }
    let mut data = vec![0; 1000];
    data.extend(bytes_of(&all_elements()));
    world.put("data", &data);
    let mut source = world.source(CHUNKS);
    source.locate = Box::new(move |chunk, known| {
        let (branch, leaf) = (chunk / 8, chunk % 8 / 2);
        let specs = [
            index("root"),
            index(&format!("branch/{branch}")),
            index(&format!("leaf/{branch}.{leaf}")),
        ];
        let mut offset = chunk % 2 * chunk_bytes;
        for spec in specs {
            match known.get(&spec) {
                Some(answer) => offset += number(&answer),
                None => return Ok(Location::After(spec)),
            }
        }
        Ok(range("data", offset, chunk_bytes))
    });
    (vec![world.register(source)], each_chunk(CHUNKS), all_elements())
}

/// Each task needs a chunk of one source and two of the other.
fn two_sources(world: &World) -> (Vec<Arc<SourceHandle>>, Arc<Tasks>, Vec<u64>) {
    world.put_chunks(CHUNKS);
    let sources = vec![world.register(world.source(CHUNKS)), world.register(world.source(CHUNKS))];
    let inputs = |chunk| [(0, chunk), (1, CHUNKS - 1 - chunk), (1, chunk)];
    let tasks = (0..CHUNKS).map(|chunk| inputs(chunk).map(|(at, of)| input(at, of)).to_vec());
    let expected = (0..CHUNKS).flat_map(inputs).flat_map(|(_, chunk)| elements(chunk)).collect();
    (sources, Arc::new(Tasks(tasks.collect())), expected)
}

/// Three objects hold all chunks; each is read whole and feeds those in it.
fn one_read_feeds_many(world: &World) -> (Vec<Arc<SourceHandle>>, Arc<Tasks>, Vec<u64>) {
    for object in 0..3 {
        let chunks = object * 8..(object + 1) * 8;
        world
            .put(&format!("o/{object}"), &bytes_of(&chunks.flat_map(elements).collect::<Vec<_>>()));
    }
    let mut source = world.source(CHUNKS);
    source.info.encoded_estimate = 8 * ELEMENTS * 8;
    source.locate = Box::new(|chunk, _| {
        let params: Params = Some(Arc::new(chunk % 8));
        let mut location = crate::test_source::whole(&format!("o/{}", chunk / 8));
        if let Location::At { params: slot, .. } = &mut location {
            *slot = params;
        }
        Ok(location)
    });
    source.decode = Box::new(|call| {
        let number = *call.params.as_ref().unwrap().downcast_ref::<u64>().unwrap() as usize;
        let len = ELEMENTS as usize * 8;
        copy(&call.encoded[0][number * len..(number + 1) * len], call.destination);
        Ok(Decoded::Complete)
    });
    (vec![world.register(source)], each_chunk(CHUNKS), all_elements())
}

/// Ranges of one object with gaps that are worth reading over; two ranges to a chunk.
fn merged_ranges(world: &World) -> (Vec<Arc<SourceHandle>>, Arc<Tasks>, Vec<u64>) {
    let half = ELEMENTS * 4;
    let mut data = Vec::new();
    for chunk in 0..CHUNKS {
        for part in bytes_of(&elements(chunk)).chunks(half as usize) {
            data.extend_from_slice(part);
            data.extend([0; 100]);
        }
    }
    world.put("data", &data);
    let mut source = world.source(CHUNKS);
    source.locate = Box::new(move |chunk, _| {
        let part = |part| {
            let offset = (chunk * 2 + part) * (half + 100);
            lsio_io::ByteRange::Bounded { offset, len: half }
        };
        let ranges = lsio_array::Reads::Ranges(vec![part(0), part(1)]);
        Ok(at("data", ranges, lsio_io::Freshness::Current))
    });
    source.decode = Box::new(|call| {
        copy(&call.encoded.concat(), call.destination);
        Ok(Decoded::Complete)
    });
    (vec![world.register(source)], each_chunk(CHUNKS), all_elements())
}

/// Texts that are longer than their source thought at first.
fn variable_outgrows(world: &World) -> (Vec<Arc<SourceHandle>>, Arc<Tasks>, Vec<u64>) {
    let source = text_source(world);
    (vec![world.register(source)], each_chunk(CHUNKS), text_lengths())
}

fn text_lengths() -> Vec<u64> {
    (0..CHUNKS).flat_map(|chunk| vec![chunk * 100; ELEMENTS as usize]).collect()
}

fn text_source(world: &World) -> TestSource {
    world.put_chunks(CHUNKS);
    let mut source = world.source(CHUNKS);
    source.info.data_type = DataType::String;
    source.info.fill_value = Vec::new().into();
    source.info.decoded_len = 200;
    source.decode = Box::new(|call| {
        let Destination::Variable(texts) = call.destination else { panic!("not variable") };
        let len = call.chunk * 100;
        let needed = (ELEMENTS + 1) * 8 + ELEMENTS * len;
        if needed > texts.limit {
            // In two steps, to be asked more than once.
            let needed = if texts.limit < 300 { needed.min(300) } else { needed };
            return Ok(Decoded::Outgrown { needed });
        }
        texts.offsets = (0..=ELEMENTS).map(|element| element * len).collect();
        texts.bytes = vec![b'x'; (ELEMENTS * len) as usize];
        Ok(Decoded::Complete)
    });
    source
}

/// Chunks whose decode is suspended: resumed before it returns, and from another thread.
fn suspended(world: &World) -> (Vec<Arc<SourceHandle>>, Arc<Tasks>, Vec<u64>) {
    world.put_chunks(CHUNKS);
    let mut source = world.source(CHUNKS);
    let seen = Mutex::new(HashSet::new());
    let (resumes, resumed) = mpsc::channel::<Arc<dyn Resume>>();
    // Ends with the source.
    std::thread::spawn(move || resumed.iter().for_each(Resume::resume));
    source.decode = Box::new(move |call| {
        if seen.lock().unwrap().insert(call.chunk) {
            match call.chunk % 3 {
                0 => call.resume.clone().resume(),
                1 => resumes.send(call.resume.clone()).unwrap(),
                _ => {
                    seen.lock().unwrap().insert(call.chunk);
                    copy(call.encoded[0], call.destination);
                    return Ok(Decoded::Complete);
                }
            }
            return Ok(Decoded::Suspended);
        }
        copy(call.encoded[0], call.destination);
        Ok(Decoded::Complete)
    });
    (vec![world.register(source)], each_chunk(CHUNKS), all_elements())
}

/// Chunks that are at hand, that are known to be missing, and whose object is missing.
fn inline_and_missing(world: &World) -> (Vec<Arc<SourceHandle>>, Arc<Tasks>, Vec<u64>) {
    let mut source = world.source(CHUNKS);
    source.locate = Box::new(|chunk, _| {
        Ok(match chunk % 3 {
            0 => Location::Inline(SharedBytes::from(bytes_of(&elements(chunk))), None),
            1 => Location::Missing,
            _ => crate::test_source::whole(&format!("c/{chunk}")),
        })
    });
    let value = |chunk| match chunk % 3 {
        0 => elements(chunk),
        _ => vec![u64::MAX; ELEMENTS as usize],
    };
    (vec![world.register(source)], each_chunk(CHUNKS), (0..CHUNKS).flat_map(value).collect())
}

const SCENARIOS: [(&str, Scenario); 7] = [
    ("after three deep", after_three_deep),
    ("two sources", two_sources),
    ("one read feeds many", one_read_feeds_many),
    ("merged ranges", merged_ranges),
    ("variable outgrows", variable_outgrows),
    ("suspended", suspended),
    ("inline and missing", inline_and_missing),
];

#[test]
fn every_kind_of_chunk_is_read() {
    for (name, scenario) in SCENARIOS {
        for threads in [1, 3] {
            let world = World::new(threads, 64 << 20);
            let (sources, plan, expected) = scenario(&world);
            assert_eq!(world.fold(&sources, plan).unwrap(), expected, "{name}");
            assert_eq!(world.memory.usage().reserved, 0, "{name}");
            assert_eq!(world.memory.usage().leases, 0, "{name}");
        }
    }
}

#[test]
fn the_order_in_which_reads_arrive_does_not_matter() {
    for (name, scenario) in SCENARIOS {
        for seed in 0..4 {
            let mut world = World::new(2, 64 << 20);
            world.faults = Arc::new(lsio_io::FaultStorage::new(world.store.clone(), seed));
            world.faults.allow_resident(false);
            world.faults.reorder(6);
            let (sources, plan, expected) = scenario(&world);
            assert_eq!(world.fold(&sources, plan).unwrap(), expected, "{name}");
            assert_eq!(world.memory.usage().reserved, 0, "{name}");
        }
    }
}

#[test]
fn room_for_one_task_is_enough() {
    for (name, scenario) in SCENARIOS {
        let mut limit = 4096;
        let needed = loop {
            let world = World::new(2, limit);
            world.faults.allow_resident(false);
            world.faults.reorder(3);
            let (sources, plan, expected) = scenario(&world);
            let (_, end) = world.start(&sources, plan, RunOptions::default());
            match end.recv().unwrap() {
                Ok(values) => {
                    assert_eq!(values, expected, "{name}");
                    break world.memory.usage();
                }
                Err(RunError::Budget { needed, limit: allowed, encoded, decoded, .. }) => {
                    assert_eq!((allowed, needed), (limit / 2, encoded + decoded), "{name}");
                    assert!(needed > allowed, "{name}");
                    assert_eq!(world.memory.usage().reserved, 0, "{name}");
                    limit = needed * 2;
                }
                Err(error) => panic!("{name}: {error}"),
            }
        };
        assert!(needed.peak_reserved <= limit && needed.reserved == 0, "{name}: {needed:?}");
    }
}

#[test]
fn a_cancelled_run_ends_once_and_gives_everything_back() {
    for (name, scenario) in SCENARIOS {
        for blocked in [0, 1, 2, 5, 9] {
            let world = World::new(2, 64 << 20);
            world.faults.allow_resident(false);
            world.faults.inject(Reads::Nth(blocked), 1, Fault::Block);
            let (sources, plan, expected) = scenario(&world);
            let (handle, end) = world.start(&sources, plan, RunOptions::default());
            // Runs with fewer reads end by themselves.
            let reached = loop {
                if world.faults.blocked() > 0 {
                    break true;
                }
                if let Ok(values) = end.try_recv() {
                    assert_eq!(values.unwrap(), expected, "{name}");
                    break false;
                }
                std::thread::yield_now();
            };
            handle.cancel();
            world.faults.release();
            if reached {
                assert!(matches!(end.recv().unwrap(), Err(RunError::Cancelled)), "{name}");
            }
            handle.cancel();
            drop((handle, sources));
            assert_eq!(world.executor.stats().runs_ended, 1, "{name}");
            drop(world.executor);
            assert!(end.try_recv().is_err(), "{name}: it ended twice");
            let usage = world.memory.usage();
            assert_eq!((usage.reserved, usage.small, usage.leases), (0, 0, 0), "{name}");
        }
    }
}

#[test]
fn a_run_cancelled_while_its_chunks_are_suspended_ends() {
    let world = World::new(2, 64 << 20);
    world.put_chunks(CHUNKS);
    let mut source = world.source(CHUNKS);
    let (sender, resumes) = mpsc::channel();
    source.decode = Box::new(move |call| {
        sender.send(call.resume.clone()).unwrap();
        Ok(Decoded::Suspended)
    });
    let source = world.register(source);
    let (handle, end) = world.start(&[source], each_chunk(CHUNKS), RunOptions::default());
    let first = resumes.recv().unwrap();
    let second = resumes.recv().unwrap();
    handle.cancel();
    assert!(matches!(end.recv().unwrap(), Err(RunError::Cancelled)));
    // Too late, and too often.
    first.clone().resume();
    first.resume();
    second.resume();
    assert_eq!(world.memory.usage().reserved, 0);
}

#[test]
fn a_chunk_resumed_at_once_time_and_again_needs_no_more_stack() {
    let world = World::new(1, 64 << 20);
    world.put_chunks(1);
    let mut source = world.source(1);
    let left = Mutex::new(100_000);
    source.decode = Box::new(move |call| {
        let mut left = left.lock().unwrap();
        if *left > 0 {
            *left -= 1;
            call.resume.clone().resume();
            return Ok(Decoded::Suspended);
        }
        copy(call.encoded[0], call.destination);
        Ok(Decoded::Complete)
    });
    let source = world.register(source);
    assert_eq!(world.fold(&[source], each_chunk(1)).unwrap(), elements(0));
}

#[test]
fn one_read_serves_all_chunks_of_an_object_that_are_planned_together() {
    let world = World::new(2, 64 << 20);
    let (sources, plan, _) = one_read_feeds_many(&world);
    let (handle, end) = world.start(&sources, plan, RunOptions::default());
    end.recv().unwrap().unwrap();
    assert_eq!(handle.stats().reads, 3);
    let (sources, plan, _) = merged_ranges(&world);
    let (handle, end) = world.start(&sources, plan, RunOptions::default());
    end.recv().unwrap().unwrap();
    assert_eq!(handle.stats().reads, 1);
}

#[test]
fn a_variable_chunk_grows_in_place_while_there_is_room() {
    let world = World::new(1, 64 << 20);
    let source = world.register(text_source(&world));
    let (handle, end) = world.start(&[source], each_chunk(CHUNKS), RunOptions::default());
    assert_eq!(end.recv().unwrap().unwrap(), text_lengths());
    assert_eq!(handle.stats().reads, CHUNKS);
}

#[test]
fn a_variable_chunk_that_cannot_grow_comes_again_with_more_room() {
    let world = World::new(1, 64 << 20);
    let source = world.register(text_source(&world));
    // A younger request that waits: nobody may grow past it.
    let all = world.memory.reserve(0, 1 << 20).unwrap();
    assert!(world.memory.reserve(u64::MAX - 1, 64 << 20).is_none());
    let (handle, end) = world.start(&[source], each_chunk(CHUNKS), RunOptions::default());
    assert_eq!(end.recv().unwrap().unwrap(), text_lengths());
    assert!(handle.stats().reads > CHUNKS, "nothing was read again");
    drop(all);
    assert_eq!(world.memory.usage().reserved, 0);
}
