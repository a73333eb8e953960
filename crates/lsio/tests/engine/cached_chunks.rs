//! Decoded chunks in the cache: tile and series servers, every way of reading, files that are replaced.

use std::path::Path;
use std::sync::Arc;

use lsio::{
    Array, DimensionSelection, GetOptions, IoMode, OpenOptions, ReadOptions, RunStats, Values,
};
use lsio_io::{FaultStorage, Key, Storage, WriteStorage};
use lsio_zarr::ArrayWriter;

use crate::naive_model::pick;
use crate::random::Random;
use crate::reading::{
    AMPLE, all_chunks, array_of, bytes_of, caching_engine, engine, get_all, get_with, mean,
    open_at, open_in,
};
use crate::scratch_folder::{ScratchFolder, let_files_settle};
use crate::user_codecs::{encoded, shard, stored};
use crate::web_server::{Manner, WebServer};
use crate::written_array::WrittenArray;

const MIB: u64 = 1 << 20;

/// What a server asks for hundreds of times.
const TILE: [DimensionSelection; 2] = [
    DimensionSelection::Slice { start: Some(3), stop: Some(29), step: None },
    DimensionSelection::Slice { start: Some(34), stop: Some(60), step: Some(5) },
];

/// Arrays that come to a result in every way that there is.
fn arrays() -> Vec<(&'static str, WrittenArray)> {
    let floats = || WrittenArray::floats(&[64, 70], &[32, 32], 1);
    vec![
        ("compressed", floats()),
        ("in shards", floats().sharded(&[64, 64])),
        ("stored as they are", floats().uncompressed()),
        ("stored as they are in shards", floats().uncompressed().sharded(&[64, 64])),
        ("in F order", floats().f_order().sharded(&[64, 64])),
        ("partly missing", floats().with_missing(3)),
        ("partly missing in shards", floats().sharded(&[64, 64]).with_missing(3)),
        ("one chunk wide", WrittenArray::floats(&[64, 64], &[8, 64], 2)),
    ]
}

fn written(store: Arc<dyn WriteStorage>, array: &WrittenArray) -> ArrayWriter {
    let writer = ArrayWriter::create(store, Key::root(), &array.spec).unwrap();
    array.write_chunks(&writer);
    writer
}

/// Elements of chunks, each at its place in the whole array.
fn from_reader(array: &Array, written: &WrittenArray) -> (Vec<u8>, RunStats) {
    let reader = array.read_chunks(None, &ReadOptions::default()).unwrap();
    let shape = &written.spec.shape;
    let size = written.size();
    let mut elements = vec![0; written.elements.len()];
    for chunk in all_chunks(&reader, 8).unwrap() {
        let Values::Fixed(bytes) = &chunk.values else { panic!("no fixed-size elements") };
        crate::naive_model::for_each_index(&chunk.layout.shape, |index| {
            let from: u64 = index.iter().zip(&chunk.layout.strides).map(|(at, by)| at * by).sum();
            let target: Vec<u64> =
                index.iter().zip(&chunk.origin).map(|(at, origin)| at + origin).collect();
            let to = crate::naive_model::number_of(&target, shape) * size;
            let from = from as usize * size;
            elements[to..to + size].copy_from_slice(&bytes[from..from + size]);
        });
    }
    (elements, reader.stats())
}

#[test]
fn a_tile_server_reads_each_chunk_once() {
    for (name, array) in arrays() {
        let engine = caching_engine(2, AMPLE, MIB);
        let store = engine.memory_store("tiles");
        written(store.clone(), &array);
        let counted = Arc::new(FaultStorage::new(store, 0));
        let opened = open_in(&engine, counted.clone(), "");
        let (shape, expected) = pick(&array.elements, array.size(), &array.spec.shape, &TILE);
        let tile = || get_with(&opened, &[Some(&TILE)], GetOptions::default()).unwrap();
        let (first, cold) = tile();
        assert!(bytes_of(&first) == expected, "{name}");
        assert_eq!(first.regions[0].layout.shape, shape);
        let before = counted.counts();
        for _ in 0..300 {
            let (result, stats) = tile();
            assert!(bytes_of(&result) == expected, "{name}");
            assert_eq!((stats.chunks_decoded, stats.bytes_read), (0, 0), "{name}");
            // Of a chunk that does not exist there is nothing to keep.
            assert!(stats.cache_misses <= cold.chunks_missing, "{name}: {stats:?}");
            assert!(stats.cache_hits > 0);
        }
        assert_eq!(counted.counts().bytes, before.bytes, "{name}: looks bring no bytes");
        assert_eq!(engine.memory_usage().reserved, 0);
    }
}

#[test]
fn every_way_of_reading_takes_its_chunks_from_the_cache() {
    for (name, array) in arrays() {
        let engine = caching_engine(2, AMPLE, 8 * MIB);
        let folder = ScratchFolder::new();
        written(Arc::new(engine.open_folder(folder.path()).unwrap()), &array);
        let_files_settle();
        let opened = open_at(&engine, folder.location()).unwrap();
        let plain = open_at(&crate::reading::engine(2, AMPLE), folder.location()).unwrap();
        let (expected_mean, _) = mean(&plain, IoMode::Auto).unwrap();
        let crops = [Some(&TILE[..]), None];
        let (_, tile) = pick(&array.elements, array.size(), &array.spec.shape, &TILE);
        for round in 0..3 {
            let mut all = Vec::new();
            let (bytes, stats) = get_all(&opened, IoMode::Auto).unwrap();
            assert!(bytes == array.elements, "{name}, get in round {round}");
            all.push(stats);
            let (elements, stats) = from_reader(&opened, &array);
            assert!(elements == array.elements, "{name}, readChunks in round {round}");
            all.push(stats);
            let (result, stats) = get_with(&opened, &crops, GetOptions::default()).unwrap();
            let bytes = bytes_of(&result);
            let [first, second] = [0, 1].map(|region| {
                let region = &result.regions[region];
                &bytes[region.offset as usize..(region.offset + region.len) as usize]
            });
            assert!(first == tile && second == array.elements, "{name}, getMany");
            all.push(stats);
            let (mean, stats) = mean(&opened, IoMode::Auto).unwrap();
            assert_eq!(mean.to_bits(), expected_mean.to_bits(), "{name}");
            all.push(stats);
            for (number, stats) in all.iter().enumerate().filter(|(at, _)| round + at > 0) {
                assert_eq!(stats.chunks_decoded, 0, "{name}, {number} in round {round}");
                assert_eq!(stats.bytes_read, 0, "{name}, {number} in round {round}");
            }
        }
        let usage = engine.memory_usage();
        assert!(usage.reserved == 0 && usage.held == 0 && usage.cached > 0, "{usage:?}");
    }
}

#[test]
fn a_replaced_file_or_shard_brings_its_new_values() {
    let versions = |seed| WrittenArray::floats(&[64, 64], &[16, 16], seed);
    for (first, second) in [
        (versions(1), versions(2)),
        (versions(1).sharded(&[32, 32]), versions(2).sharded(&[32, 32])),
    ] {
        let engine = caching_engine(2, AMPLE, MIB);
        let folder = ScratchFolder::new();
        let local = Arc::new(engine.open_folder(folder.path()).unwrap());
        let files = written(local, &first);
        let memory = engine.memory_store("replaced");
        let objects = written(memory.clone(), &first);
        let opened = [open_at(&engine, folder.location()).unwrap(), open_in(&engine, memory, "")];
        for (array, writer) in opened.iter().zip([&files, &objects]) {
            for version in [&first, &second, &first, &second] {
                version.write_chunks(writer);
                for _ in 0..2 {
                    let (bytes, _) = get_all(array, IoMode::Auto).unwrap();
                    assert!(bytes == version.elements);
                    let (elements, _) = from_reader(array, version);
                    assert!(elements == version.elements);
                }
            }
        }
        assert_eq!(engine.memory_usage().reserved, 0);
    }
}

#[test]
fn a_file_that_is_written_to_in_place_all_the_time_brings_its_new_values() {
    let array = WrittenArray::constant(&[64, 64], &[64, 64], 0).uncompressed();
    let engine = caching_engine(2, AMPLE, MIB);
    let folder = ScratchFolder::new();
    written(Arc::new(engine.open_folder(folder.path()).unwrap()), &array);
    let opened = open_at(&engine, folder.location()).unwrap();
    let chunk = folder.path().join("c/0/0");
    for value in 0..=200 {
        // The same file, of the same length, often within the same tick of its times.
        std::fs::write(&chunk, vec![value; 64 * 64]).unwrap();
        for _ in 0..2 {
            let (bytes, _) = get_all(&opened, IoMode::Buffered).unwrap();
            assert!(bytes == vec![value; 64 * 64], "{value} was written, {} read", bytes[0]);
        }
    }
}

/// Puts all files below a folder on the server.
fn put_files(server: &WebServer, root: &Path, folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            put_files(server, root, &path);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            server.put(name, &std::fs::read(&path).unwrap());
        }
    }
}

#[test]
fn a_server_whose_versions_look_the_same_brings_its_new_values() {
    let plain = |value| WrittenArray::constant(&[64, 64], &[32, 32], value).uncompressed();
    let in_a_shard = |value| plain(value).sharded(&[64, 64]);
    let arrays: [&dyn Fn(u8) -> WrittenArray; 2] = [&plain, &in_a_shard];
    // Nothing is known of the time, or the clock of the server is ahead, or all are of the second of their tag.
    for (modified, tags) in [
        (None, false),
        (Some("Tue, 01 Jan 2999 00:00:00 GMT"), false),
        (Some("Mon, 23 Nov 2020 10:00:00 GMT"), true),
    ] {
        for array in arrays {
            let engine = caching_engine(2, AMPLE, MIB);
            let server = WebServer::start(Manner { modified, tags, refuses_head: false });
            let mut opened = None;
            for value in [1, 2, 3] {
                let folder = ScratchFolder::new();
                let array = array(value);
                written(Arc::new(engine.open_folder(folder.path()).unwrap()), &array);
                put_files(&server, folder.path(), folder.path());
                let opened = opened.get_or_insert_with(|| open_at(&engine, &server.url()).unwrap());
                for _ in 0..2 {
                    let (bytes, _) = get_all(opened, IoMode::Auto).unwrap();
                    assert!(bytes == array.elements, "{value} was written, {} read", bytes[0]);
                }
            }
        }
    }
}

#[test]
fn old_objects_of_a_server_without_entity_tags_are_kept() {
    for refuses_head in [false, true] {
        let modified = Some("Mon, 23 Nov 2020 10:00:00 GMT");
        let server = WebServer::start(Manner { modified, tags: false, refuses_head });
        let array = WrittenArray::constant(&[64, 64], &[32, 32], 1).sharded(&[64, 64]);
        let engine = caching_engine(2, AMPLE, MIB);
        let folder = ScratchFolder::new();
        written(Arc::new(engine.open_folder(folder.path()).unwrap()), &array);
        put_files(&server, folder.path(), folder.path());
        let opened = open_at(&engine, &server.url()).unwrap();
        for decoded in [4, 0] {
            let (bytes, stats) = get_all(&opened, IoMode::Auto).unwrap();
            assert!(bytes == array.elements);
            assert_eq!(stats.chunks_decoded, decoded);
        }
    }
}

#[test]
fn an_array_that_is_opened_for_each_call_finds_its_chunks() {
    let array = WrittenArray::floats(&[64, 64], &[16, 16], 3).sharded(&[32, 32]);
    let engine = caching_engine(2, AMPLE, MIB);
    let folder = ScratchFolder::new();
    written(Arc::new(engine.open_folder(folder.path()).unwrap()), &array);
    let_files_settle();
    for round in 0..3 {
        let opened = engine.open_blocking(folder.location(), &OpenOptions::default());
        let (bytes, stats) = get_all(&array_of(opened.unwrap()), IoMode::Auto).unwrap();
        assert!(bytes == array.elements);
        assert_eq!(stats.chunks_decoded, if round == 0 { 16 } else { 0 });
    }
}

#[test]
fn random_crops_are_right_whatever_the_cache_can_hold() {
    let array = WrittenArray::floats(&[128, 128], &[16, 32], 4).sharded(&[64, 64]);
    // Nothing, a few chunks, all of them; much memory, and next to none.
    for (memory, cache) in [(AMPLE, 0), (AMPLE, 40 << 10), (AMPLE, 4 * MIB), (MIB, MIB)] {
        let engine = caching_engine(2, memory, cache);
        let store = engine.memory_store("crops");
        written(store.clone(), &array);
        let storage: Arc<dyn Storage> = store;
        let opened = open_in(&engine, storage, "");
        let mut random = Random(9);
        for _ in 0..200 {
            let crop = [0, 1].map(|_| {
                let from = random.below(100).cast_signed();
                let len = 1 + random.below(28).cast_signed();
                DimensionSelection::Slice { start: Some(from), stop: Some(from + len), step: None }
            });
            let (_, expected) = pick(&array.elements, array.size(), &array.spec.shape, &crop);
            let result = get_with(&opened, &[Some(&crop)], GetOptions::default()).unwrap().0;
            assert!(bytes_of(&result) == expected, "{crop:?} with a cache of {cache}");
        }
        let usage = engine.memory_usage();
        assert!(usage.reserved == 0 && usage.cached <= cache, "{usage:?}");
        assert!(usage.peak_reserved <= memory);
        let hits = engine.stats().0.runs.cache_hits;
        assert_eq!(hits > 0, cache > 0);
    }
}

#[test]
fn the_default_keeps_indexes_only() {
    let array = WrittenArray::floats(&[64, 64], &[16, 16], 5).sharded(&[32, 32]);
    let engine = engine(2, AMPLE);
    let store = engine.memory_store("default");
    written(store.clone(), &array);
    let opened = open_in(&engine, store, "");
    for round in 0..3 {
        let (_, stats) = get_all(&opened, IoMode::Auto).unwrap();
        assert_eq!(stats.chunks_decoded, 16);
        assert_eq!(stats.index_reads, if round == 0 { 4 } else { 0 });
    }
    let off = caching_engine(2, AMPLE, 0);
    let store = off.memory_store("off");
    written(store.clone(), &array);
    let opened = open_in(&off, store, "");
    for _ in 0..3 {
        let (_, stats) = get_all(&opened, IoMode::Auto).unwrap();
        assert_eq!((stats.index_reads, stats.chunks_decoded, stats.cache_misses), (4, 16, 0));
    }
    assert_eq!(off.memory_usage().cached, 0);
}

#[test]
fn decoded_shards_are_counted_by_what_they_hold() {
    const SHARD: usize = 1 << 20;
    let engine = engine(2, AMPLE);
    let codecs = r#"[{"name": "sharding_indexed", "configuration": {"chunk_shape": [65536],
        "codecs": ["bytes"],
        "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}]}},
        {"name": "zstd", "configuration": {"level": 1, "checksum": false}}]"#;
    let stored_shard = encoded("zstd", &shard(&vec![vec![0; 65536]; SHARD / 65536]));
    let length = 70 * SHARD as u64;
    let shape = ("uint8", length, SHARD as u64);
    let array = stored(&engine, "zeros", shape, codecs, &vec![stored_shard; 70]);
    let (bytes, _) = get_all(&array, IoMode::Auto).unwrap();
    assert!(bytes.len() as u64 == length && bytes.iter().all(|&byte| byte == 0));
    let cached = engine.memory_usage().cached;
    assert!(((8 << 20)..=(16 << 20)).contains(&cached), "{cached}");
}
