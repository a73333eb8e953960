//! Storages that fail or lie: an error that names the chunk, and an engine that goes on.

use std::io;
use std::sync::Arc;

use lsio::{Array, Engine, ErrorCode, IoMode, LsioError, ReadOptions};
use lsio_io::{Fault, FaultStorage, Key, Reads, StorageError};
use serde_json::Value;

use crate::reading::{AMPLE, all_chunks, engine, get_all, mean, open_at, open_in};
use crate::scratch_folder::ScratchFolder;
use crate::written_array::WrittenArray;

/// Every way to read all of an array; whether each ended well.
fn read_in_every_way(array: &Array) -> [Result<(), LsioError>; 3] {
    let reader = array.read_chunks(None, &ReadOptions::default()).unwrap();
    [
        get_all(array, IoMode::Auto).map(drop),
        all_chunks(&reader, 3).map(drop),
        mean(array, IoMode::Auto).map(drop),
    ]
}

fn written(engine: &Arc<Engine>, name: &str, array: &WrittenArray) -> Arc<FaultStorage> {
    let store = engine.memory_store(name);
    array.write(store.clone(), "");
    let storage = Arc::new(FaultStorage::new(store, 1));
    storage.allow_resident(false);
    storage
}

fn checked(mut array: WrittenArray) -> WrittenArray {
    array.spec.codecs.push(("crc32c".into(), Value::Null));
    array
}

fn storage_error(key: &str, kind: io::ErrorKind) -> StorageError {
    StorageError::from_io("read", &Key::new(key).unwrap(), kind.into())
}

#[test]
fn every_fault_of_a_chunk_is_an_error_that_names_it() {
    let engine = engine(2, AMPLE);
    let plain = checked(WrittenArray::floats(&[40, 40], &[8, 8], 1));
    let sharded = checked(WrittenArray::floats(&[40, 40], &[8, 8], 1)).sharded(&[16, 16]);
    let refused = |key| storage_error(key, io::ErrorKind::PermissionDenied);
    let broken = |key| storage_error(key, io::ErrorKind::Other);
    for (name, array, key) in [("plain", plain, "c/2/3"), ("sharded", sharded, "c/1/1")] {
        let storage = written(&engine, name, &array);
        let opened = open_in(&engine, storage.clone(), "");
        let cases = [
            (Fault::FlipBit(77), vec![ErrorCode::Checksum]),
            (Fault::Truncate(1), vec![ErrorCode::Checksum, ErrorCode::Truncated]),
            (Fault::Truncate(usize::MAX), vec![ErrorCode::Checksum, ErrorCode::Truncated]),
            (Fault::Fail(refused(key)), vec![ErrorCode::Access]),
            (Fault::Fail(broken(key)), vec![ErrorCode::Io]),
        ];
        for (fault, codes) in cases {
            storage.inject(Reads::Of(Key::new(key).unwrap()), u64::MAX, fault.clone());
            for outcome in read_in_every_way(&opened) {
                let error = outcome.unwrap_err();
                assert!(codes.contains(&error.code), "{name}, {fault:?}: {error}");
                let chunk = error.chunk.clone().unwrap();
                let object: Vec<u64> = match name {
                    "plain" => chunk.clone(),
                    _ => chunk.iter().map(|at| at / 2).collect(),
                };
                assert_eq!(format!("c/{}/{}", object[0], object[1]), key, "{fault:?}: {error}");
                assert!(error.path.is_some_and(|path| path.contains(name)));
            }
            storage.clear();
            let (bytes, _) = get_all(&opened, IoMode::Auto).unwrap();
            assert!(bytes == array.elements, "{name} after {fault:?}");
            let usage = engine.memory_usage();
            assert_eq!((usage.reserved, usage.held, usage.leases), (0, 0, 0), "{fault:?}");
        }
    }
}

#[test]
fn a_chunk_that_the_store_says_is_absent_becomes_fill_values() {
    let engine = engine(2, AMPLE);
    let array = WrittenArray::floats(&[40, 40], &[8, 8], 2).with_missing(6);
    let storage = written(&engine, "absent", &array);
    let opened = open_in(&engine, storage.clone(), "");
    let absent = StorageError::NotFound { key: Key::new("c/0/0").unwrap() };
    storage.inject(Reads::Below(Key::new("c").unwrap()), u64::MAX, Fault::Fail(absent));
    let (bytes, stats) = get_all(&opened, IoMode::Auto).unwrap();
    assert_eq!((stats.chunks_missing, stats.chunks_decoded), (25, 0));
    let (values, _) = bytes.as_chunks::<4>();
    assert!(values.iter().all(|value| f32::from_ne_bytes(*value).to_bits() == (-1f32).to_bits()));
}

#[test]
fn a_shard_that_vanishes_after_its_index_was_read_is_a_conflict() {
    let engine = engine(2, AMPLE);
    let array = WrittenArray::floats(&[32, 32], &[8, 8], 2).sharded(&[32, 32]);
    let storage = written(&engine, "vanished", &array);
    let opened = open_in(&engine, storage.clone(), "");
    // The first read is that of the index.
    let chunks = Reads::Nth(storage.counts().reads + 1);
    let absent = StorageError::NotFound { key: Key::new("c/0/0").unwrap() };
    storage.inject(chunks, 1, Fault::Fail(absent));
    assert_eq!(get_all(&opened, IoMode::Auto).unwrap_err().code, ErrorCode::Conflict);
    assert!(get_all(&opened, IoMode::Auto).unwrap().0 == array.elements);
}

#[test]
fn a_folder_that_vanishes_is_an_error_and_not_an_array_of_fill_values() {
    let folder = ScratchFolder::new();
    let engine = engine(2, AMPLE);
    let array = WrittenArray::floats(&[32, 32], &[8, 8], 2);
    array.write(Arc::new(engine.open_folder(&folder.join("array")).unwrap()), "");
    let opened = open_at(&engine, folder.join("array").to_str().unwrap()).unwrap();
    std::fs::rename(folder.join("array"), folder.join("elsewhere")).unwrap();
    for mode in [IoMode::Auto, IoMode::Direct, IoMode::Buffered] {
        let error = get_all(&opened, mode).unwrap_err();
        assert_eq!(error.code, ErrorCode::Io, "{mode:?}: {error}");
    }
    std::fs::rename(folder.join("elsewhere"), folder.join("array")).unwrap();
    assert!(get_all(&opened, IoMode::Auto).unwrap().0 == array.elements);
    std::fs::remove_dir_all(folder.join("array/c")).unwrap();
    let (bytes, _) = get_all(&opened, IoMode::Auto).unwrap();
    assert!(bytes.as_chunks::<4>().0.iter().all(|value| *value == (-1f32).to_ne_bytes()));
}
