//! Opening, closing and cancelling, many times over.

use std::sync::Arc;

use lsio::{DimensionSelection, ErrorCode, GetOptions, IoMode, ReadOptions};
use lsio_io::{Fault, FaultStorage, Reads};

use crate::naive_model::number_of;
use crate::own_process::{in_own_process, open_descriptors, resident_memory};
use crate::reading::{
    AMPLE, all_chunks, bytes_of, engine, get_all, get_with, in_mode, mean, next_batch, open_at,
    open_in, start_get,
};
use crate::scratch_folder::ScratchFolder;
use crate::written_array::WrittenArray;

#[test]
fn ten_thousand_arrays_opened_and_closed_leave_nothing_open() {
    let test = "life_cycle::ten_thousand_arrays_opened_and_closed_leave_nothing_open";
    in_own_process(test, || {
        let folder = ScratchFolder::new();
        let engine = engine(2, 64 << 20);
        let array = WrittenArray::floats(&[16, 16], &[4, 4], 1).sharded(&[8, 8]);
        array.write(Arc::new(engine.open_folder(folder.path()).unwrap()), "");
        let (mut descriptors, mut memory) = (0, 0);
        for number in 0..10_000u64 {
            let opened = open_at(&engine, folder.location()).unwrap();
            if number % 4 == 0 {
                let at = number / 4 % 16;
                let one =
                    [DimensionSelection::Index(at.cast_signed()), DimensionSelection::Index(3)];
                let (result, _) = get_with(&opened, &[Some(&one)], in_mode(IoMode::Auto)).unwrap();
                let first = number_of(&[at, 3], &[16, 16]) * 4;
                assert_eq!(bytes_of(&result), &array.elements[first..first + 4]);
            }
            if number == 1000 {
                (descriptors, memory) = (open_descriptors(), resident_memory());
            }
        }
        assert!(open_descriptors() <= descriptors, "{descriptors} were open");
        let growth = resident_memory().saturating_sub(memory);
        println!("resident memory grew by {} KiB", growth >> 10);
        assert!(growth <= 4 << 20, "by {growth} bytes");
        assert_eq!(engine.memory_usage().reserved, 0);
    });
}

#[test]
fn engines_that_come_and_go_leave_no_threads_and_descriptors() {
    let test = "life_cycle::engines_that_come_and_go_leave_no_threads_and_descriptors";
    in_own_process(test, || {
        let folder = ScratchFolder::new();
        let array = WrittenArray::floats(&[16, 16], &[4, 4], 1);
        array.write(Arc::new(engine(1, AMPLE).open_folder(folder.path()).unwrap()), "");
        let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
        let come_and_go = |number: usize| {
            let engine = engine(2, AMPLE);
            let opened = open_at(&engine, folder.location()).unwrap();
            let mode = [IoMode::Auto, IoMode::Direct][number % 2];
            assert!(get_all(&opened, mode).unwrap().0 == array.elements);
        };
        let counts = || (open_descriptors(), threads());
        let before = counts();
        (0..40).for_each(come_and_go);
        // Where one of its own threads lets go of an engine last, that thread still takes it down
        // for a moment. What leaks stays.
        let is_down = |number| {
            come_and_go(number);
            let after = counts();
            after.0 <= before.0 && after.1 <= before.1
        };
        assert!((0..1000).any(is_down), "{before:?} became {:?}", counts());
    });
}

#[test]
fn a_cancelled_read_ends_as_closed_when_its_reads_in_flight_have() {
    let engine = engine(2, AMPLE);
    let folder = ScratchFolder::new();
    let local = Arc::new(engine.open_folder(folder.path()).unwrap());
    let array = WrittenArray::floats(&[64, 64], &[8, 8], 1);
    array.write(local.clone(), "");
    let storage = Arc::new(FaultStorage::new(local, 0));
    storage.allow_resident(false);
    let opened = open_in(&engine, storage.clone(), "");
    storage.inject(Reads::All, u64::MAX, Fault::Block);
    let (handle, result) = start_get(&opened, &[None], GetOptions::default()).unwrap();
    storage.wait_until_blocked(1);
    handle.cancel();
    handle.cancel();
    assert!(result.try_recv().is_err(), "buffers are still being written");
    assert!(engine.memory_usage().held > 0);
    storage.clear();
    storage.release();
    // A worker may have submitted one more batch just before it learned of the end.
    let ended = loop {
        match result.try_recv() {
            Ok(ended) => break ended,
            Err(_) => storage.release(),
        }
    };
    assert_eq!(ended.unwrap_err().code, ErrorCode::Closed);
    let usage = engine.memory_usage();
    assert_eq!((usage.reserved, usage.held, usage.leases), (0, 0, 0));
    assert!(get_all(&opened, IoMode::Auto).unwrap().0 == array.elements);
}

#[test]
fn reads_of_one_array_from_many_threads_do_not_disturb_each_other() {
    let engine = engine(2, 16 << 20);
    let folder = ScratchFolder::new();
    let array = WrittenArray::floats(&[128, 128], &[16, 16], 2).with_missing(6);
    array.write(Arc::new(engine.open_folder(folder.path()).unwrap()), "");
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (engine, array, folder) = (&engine, &array, &folder);
            scope.spawn(move || {
                let opened = open_at(engine, folder.location()).unwrap();
                let mode = [IoMode::Auto, IoMode::Direct, IoMode::Buffered][number % 3];
                for _ in 0..10 {
                    assert!(get_all(&opened, mode).unwrap().0 == array.elements);
                }
            });
        }
    });
    let usage = engine.memory_usage();
    assert_eq!((usage.reserved, usage.held, usage.leases), (0, 0, 0));
    assert!(usage.peak_reserved <= usage.limit);
}

#[test]
fn readers_that_nobody_reads_do_not_hold_up_others() {
    let engine = engine(2, 8 << 20);
    let folder = ScratchFolder::new();
    let array = WrittenArray::floats(&[512, 512], &[64, 64], 3);
    array.write(Arc::new(engine.open_folder(folder.path()).unwrap()), "");
    let opened = open_at(&engine, folder.location()).unwrap();
    for mode in [IoMode::Auto, IoMode::Direct] {
        let options = ReadOptions { mode, ..ReadOptions::default() };
        let stalled: Vec<_> = (0..4)
            .map(|number| {
                let reader = opened.read_chunks(None, &options).unwrap();
                // Some were read for a while, some never.
                let taken = next_batch(&reader, 1 + number).unwrap();
                (reader, taken)
            })
            .chain((0..4).map(|_| (opened.read_chunks(None, &options).unwrap(), Vec::new())))
            .collect();
        assert!(get_all(&opened, mode).unwrap().0 == array.elements);
        mean(&opened, mode).unwrap();
        let reader = opened.read_chunks(None, &options).unwrap();
        assert_eq!(all_chunks(&reader, 5).unwrap().len(), 64);
        // And each of those goes on when it is asked.
        for (reader, taken) in &stalled {
            assert_eq!(taken.len() + all_chunks(reader, 64).unwrap().len(), 64);
        }
    }
    assert_eq!(engine.memory_usage().held, 0);
}

#[test]
fn a_consumer_that_keeps_every_chunk_holds_them_beside_the_budget() {
    let engine = engine(2, 2 << 20);
    let folder = ScratchFolder::new();
    let array = WrittenArray::floats(&[1024, 1024], &[128, 128], 4);
    array.write(Arc::new(engine.open_folder(folder.path()).unwrap()), "");
    let opened = open_at(&engine, folder.location()).unwrap();
    let reader = opened.read_chunks(None, &ReadOptions::default()).unwrap();
    let kept = all_chunks(&reader, 3).unwrap();
    assert_eq!(kept.len(), 64);
    assert!(engine.memory_usage().held >= array.elements.len() as u64);
    assert!(get_all(&opened, IoMode::Auto).unwrap().0 == array.elements);
    drop((kept, reader));
    let usage = engine.memory_usage();
    assert_eq!((usage.reserved, usage.held, usage.leases), (0, 0, 0));
    assert!(usage.peak_reserved <= usage.limit);
}
