//! Shards that are replaced while they are being read: wholly old, wholly new, or an error.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;

use lsio::{ErrorCode, GetOptions, IoMode, LsioError, ReadOptions, ReadResult, Values};
use lsio_io::{Fault, FaultStorage, Key, Reads, Storage, WriteStorage};
use lsio_zarr::ArrayWriter;

use crate::reading::{
    AMPLE, all_chunks, bytes_of, engine, get_all, next_batch, open_at, open_in, start_get,
};
use crate::scratch_folder::ScratchFolder;
use crate::written_array::WrittenArray;

/// One shard of 16 chunks in three versions whose chunks have different lengths.
fn versions() -> [WrittenArray; 3] {
    [1, 2, 3].map(|seed| WrittenArray::floats(&[32, 32], &[8, 8], seed).sharded(&[32, 32]))
}

/// A storage that misbehaves around `store`, with the first version in it, and the writer of more.
fn written<S: Storage + WriteStorage + 'static>(
    store: &Arc<S>,
    first: &WrittenArray,
) -> (Arc<FaultStorage>, ArrayWriter) {
    let writer = ArrayWriter::create(store.clone(), Key::root(), &first.spec).unwrap();
    first.write_chunks(&writer);
    let storage = FaultStorage::new(store.clone(), 0);
    storage.allow_resident(false);
    (Arc::new(storage), writer)
}

/// Injects a fault into the read of chunks of the `plan`-th plan from now (0 is the first): each plan
/// reads the index and then the chunks.
fn at_chunks_of_plan(storage: &FaultStorage, plan: u64, fault: Fault) {
    let number = storage.counts().reads + 2 * plan + 1;
    storage.inject(Reads::Nth(number), 1, fault);
}

/// Waits for a blocked read of a call that must not end before.
fn wait_until_blocked(storage: &FaultStorage, result: &Receiver<Result<ReadResult, LsioError>>) {
    while storage.blocked() == 0 {
        let early = result.try_recv().map(|result| result.map(drop));
        assert!(early.is_err(), "the read has ended: {early:?}");
        std::thread::yield_now();
    }
}

#[test]
fn a_shard_replaced_after_its_index_was_read_is_read_wholly_new_or_wholly_old() {
    let [old, new, _] = versions();
    let engine = engine(2, AMPLE);
    let folder = ScratchFolder::new();
    let local = Arc::new(engine.open_folder(folder.path()).unwrap());
    let memory = engine.memory_store("replaced");
    let (files, files_writer) = written(&local, &old);
    let (objects, objects_writer) = written(&memory, &old);
    // An open file goes on showing its version; a store without handles has only the new one.
    for (storage, writer, expected) in
        [(files, files_writer, &old), (objects, objects_writer, &new)]
    {
        let opened = open_in(&engine, storage.clone(), "");
        at_chunks_of_plan(&storage, 0, Fault::Block);
        let (_handle, result) = start_get(&opened, &[None], GetOptions::default()).unwrap();
        wait_until_blocked(&storage, &result);
        new.write_chunks(&writer);
        assert!(storage.release_one());
        let result = result.recv().unwrap().unwrap();
        assert!(bytes_of(&result) == expected.elements, "neither old nor new");
        let (bytes, _) = get_all(&opened, IoMode::Auto).unwrap();
        assert!(bytes == new.elements, "the next read brings the new version");
    }
}

#[test]
fn a_shard_replaced_again_during_the_second_plan_is_a_conflict() {
    let [first, second, third] = versions();
    let engine = engine(2, AMPLE);
    let memory = engine.memory_store("twice");
    let (storage, writer) = written(&memory, &first);
    let opened = open_in(&engine, storage.clone(), "");
    at_chunks_of_plan(&storage, 0, Fault::Block);
    at_chunks_of_plan(&storage, 1, Fault::Block);
    let (_handle, result) = start_get(&opened, &[None], GetOptions::default()).unwrap();
    for version in [&second, &third] {
        wait_until_blocked(&storage, &result);
        version.write_chunks(&writer);
        assert!(storage.release_one());
    }
    let error = result.recv().unwrap().unwrap_err();
    assert_eq!(error.code, ErrorCode::Conflict, "{error}");
    assert!(error.is_retryable() && error.chunk.is_some() && error.path.is_some());
    let (bytes, _) = get_all(&opened, IoMode::Auto).unwrap();
    assert!(bytes == third.elements, "a new call sees the present version");
    assert_eq!(engine.memory_usage().reserved, 0);
}

#[test]
fn one_conflict_is_planned_again_and_two_are_an_error() {
    let [array, ..] = versions();
    let engine = engine(2, AMPLE);
    let folder = ScratchFolder::new();
    let local = Arc::new(engine.open_folder(folder.path()).unwrap());
    let (storage, _) = written(&local, &array);
    let opened = open_in(&engine, storage.clone(), "");
    at_chunks_of_plan(&storage, 0, Fault::Conflict);
    let (bytes, stats) = get_all(&opened, IoMode::Auto).unwrap();
    assert!(bytes == array.elements);
    assert_eq!(stats.index_reads, 2);
    at_chunks_of_plan(&storage, 0, Fault::Conflict);
    let reader = opened.read_chunks(None, &ReadOptions::default()).unwrap();
    assert_eq!(all_chunks(&reader, 4).unwrap().len(), 16, "nothing was shown, so it starts again");
    at_chunks_of_plan(&storage, 0, Fault::Conflict);
    at_chunks_of_plan(&storage, 1, Fault::Conflict);
    assert_eq!(get_all(&opened, IoMode::Auto).unwrap_err().code, ErrorCode::Conflict);
    assert_eq!(engine.memory_usage().reserved, 0);
}

#[test]
fn a_reader_never_mixes_versions_of_a_shard() {
    let [old, new, _] = versions();
    let engine = engine(2, AMPLE);
    let memory = engine.memory_store("mixed");
    let (_, writer) = written(&memory, &old);
    let opened = open_in(&engine, memory, "");
    let options = ReadOptions { concurrency: Some(1), grid_order: true, ..ReadOptions::default() };
    let reader = opened.read_chunks(None, &options).unwrap();
    let mut chunks = next_batch(&reader, 1).unwrap();
    assert_eq!(chunks.len(), 1);
    new.write_chunks(&writer);
    match all_chunks(&reader, 1) {
        Ok(rest) => chunks.extend(rest),
        Err(error) => assert_eq!(error.code, ErrorCode::Conflict, "{error}"),
    }
    for chunk in &chunks {
        let Values::Fixed(bytes) = &chunk.values else { panic!("no fixed-size elements") };
        assert!(**bytes == *old.chunk(&chunk.coordinates), "{:?} is new", chunk.coordinates);
    }
}

#[test]
fn reads_beside_a_writer_that_replaces_shards_all_the_time_see_whole_versions() {
    let [first, second, _] = versions();
    let engine = engine(2, AMPLE);
    let folder = ScratchFolder::new();
    let local = Arc::new(engine.open_folder(folder.path()).unwrap());
    let (_, writer) = written(&local, &first);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Also when an assertion fails: the scope waits for the writer.
        let _ends_the_writer = SetWhenDropped(&over);
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                second.write_chunks(&writer);
                first.write_chunks(&writer);
            }
        });
        let opened = open_at(&engine, folder.location()).unwrap();
        let mut whole = 0;
        for number in 0..300 {
            let mode = [IoMode::Auto, IoMode::Direct, IoMode::Buffered][number % 3];
            match get_all(&opened, mode) {
                Ok((bytes, _)) => {
                    assert!(bytes == first.elements || bytes == second.elements, "a mixture");
                    whole += 1;
                }
                Err(error) => assert_eq!(error.code, ErrorCode::Conflict, "{error}"),
            }
        }
        assert!(whole > 0);
    });
    assert_eq!(engine.memory_usage().reserved, 0);
}

struct SetWhenDropped<'a>(&'a AtomicBool);

impl Drop for SetWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
