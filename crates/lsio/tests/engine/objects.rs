//! Objects as bytes: whole, ranges, what is not there, limits, cancelled reads.

use std::sync::Arc;

use lsio::{ByteRange, CancelToken, Engine, ErrorCode, LsioError, Objects, StorageOptions};

use crate::reading::{AMPLE, engine, wait};
use crate::scratch_folder::ScratchFolder;

fn read(objects: &Objects, key: &str, range: ByteRange) -> Result<Option<Vec<u8>>, LsioError> {
    let lease = objects.read_blocking(key, range, u64::MAX, &CancelToken::new())?;
    Ok(lease.map(|lease| lease.to_vec()))
}

/// Bytes that tell where they are.
fn content(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8).collect()
}

/// The same objects in a folder and in memory: `a/b` of 3 MiB and a bit, `empty`.
fn stores(folder: &ScratchFolder) -> (Arc<Engine>, [Objects; 2], Vec<u8>) {
    let engine = engine(2, AMPLE);
    let bytes = content((3 << 20) + 17);
    std::fs::create_dir(folder.join("a")).unwrap();
    for (key, value) in [("a/b", bytes.as_slice()), ("empty", &[])] {
        std::fs::write(folder.join(key), value).unwrap();
        let put = wait(|done| engine.put_in_memory("objects", key, value.to_vec(), done));
        put.unwrap();
    }
    let objects = [folder.location(), "memory://objects"]
        .map(|at| Objects::new(&engine, at, StorageOptions::default()));
    (engine, objects, bytes)
}

#[test]
fn whole_objects_and_ranges_are_read_as_they_are() {
    let folder = ScratchFolder::new();
    let (engine, objects, bytes) = stores(&folder);
    for objects in &objects {
        assert!(read(objects, "a/b", ByteRange::Whole).unwrap().unwrap() == bytes);
        assert!(read(objects, "empty", ByteRange::Whole).unwrap().unwrap().is_empty());
        for (offset, len) in [(0, 1), (5, 0), (4095, 2), (1 << 20, 2 << 20), (3 << 20, 17)] {
            let range = ByteRange::Bounded { offset, len };
            let expected = &bytes[offset as usize..(offset + len) as usize];
            assert!(read(objects, "a/b", range).unwrap().unwrap() == expected, "{range:?}");
        }
        let last = read(objects, "a/b", ByteRange::Suffix { len: 20 }).unwrap().unwrap();
        assert_eq!(last, bytes[bytes.len() - 20..]);
        assert_eq!(read(objects, "a/c", ByteRange::Whole).unwrap(), None);
        assert_eq!(read(objects, "a/c", ByteRange::Suffix { len: 1 }).unwrap(), None);
    }
    let usage = engine.memory_usage();
    assert_eq!((usage.reserved, usage.held, usage.small), (0, 0, 0), "all of it was given back");
}

#[test]
fn what_was_read_counts_as_held_and_nothing_is_taken_for_bytes_that_are_not_there() {
    let folder = ScratchFolder::new();
    let (engine, objects, bytes) = stores(&folder);
    for objects in &objects {
        let kept = objects.read_blocking("a/b", ByteRange::Whole, u64::MAX, &CancelToken::new());
        assert!(engine.memory_usage().held >= bytes.len() as u64);
        drop(kept);
        for range in [
            ByteRange::Bounded { offset: 0, len: 1 << 60 },
            ByteRange::Bounded { offset: u64::MAX, len: 2 },
            ByteRange::Bounded { offset: bytes.len() as u64, len: 1 },
            ByteRange::Suffix { len: u64::MAX },
        ] {
            let error = read(objects, "a/b", range).unwrap_err();
            assert_eq!(error.code, ErrorCode::Truncated, "{range:?}: {error}");
            assert!(error.path.is_some_and(|path| path.ends_with("a/b")));
        }
    }
    assert_eq!(engine.memory_usage().held, 0);
}

#[test]
fn reads_are_refused_above_the_limit_outside_the_root_and_when_cancelled() {
    let folder = ScratchFolder::new();
    let (_engine, objects, _) = stores(&folder);
    for objects in &objects {
        let whole = |max_bytes, cancel: &CancelToken| {
            objects.read_blocking("a/b", ByteRange::Whole, max_bytes, cancel).unwrap_err().code
        };
        assert_eq!(whole(3 << 20, &CancelToken::new()), ErrorCode::Budget);
        let cancelled = CancelToken::new();
        cancelled.cancel();
        assert_eq!(whole(u64::MAX, &cancelled), ErrorCode::Closed);
        for key in ["../a/b", "/a/b", "a//b", "a/./b"] {
            let error = read(objects, key, ByteRange::Whole).unwrap_err();
            assert_eq!(error.code, ErrorCode::Metadata, "{key}: {error}");
        }
    }
    let error = read(&objects[0], "a", ByteRange::Whole).unwrap_err();
    assert_eq!(error.code, ErrorCode::Io, "a folder is no object: {error}");
}

#[test]
fn members_of_archives_are_objects_too() {
    let engine = engine(1, AMPLE);
    let archive = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/data/zip");
    let archive = std::fs::read_dir(archive).unwrap().map(|entry| entry.unwrap().path());
    let archive = archive.min().unwrap();
    let objects = Objects::new(&engine, archive.to_str().unwrap(), StorageOptions::default());
    let keys = ["zarr.json", ".zgroup", ".zarray"];
    let documents = keys.map(|key| read(&objects, key, ByteRange::Whole).unwrap());
    let document = documents.into_iter().flatten().next().unwrap();
    assert!(document.starts_with(b"{"));
}

#[test]
fn a_location_is_shown_without_what_is_secret_in_it() {
    let engine = engine(1, AMPLE);
    for (location, shown) in [
        ("https://user:secret@host/a?sig=secret", "https://host/a"),
        ("s3://user:secret@bucket/a", "s3://bucket/a"),
        ("ftp://user:secret@host/a?secret", "ftp://host/a"),
        ("data/is it? #1", "data/is it? #1"),
        ("memory://store/is it?", "memory://store/is it?"),
    ] {
        let objects = Objects::new(&engine, location, StorageOptions::default());
        assert_eq!(objects.location(), shown);
    }
}
