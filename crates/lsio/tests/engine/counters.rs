//! What the counters of a read prove about its structure.

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;

use lsio::{DimensionSelection, ErrorCode, GetOptions, IoMode, ReadOptions, RunStats};
use lsio_io::plan::{Span, Wanted, merge};
use lsio_io::{MemoryStorage, Read, ReadLimits, Storage, class_size};

use crate::random::Random;
use crate::reading::{
    AMPLE, all_chunks, bytes_of, engine, get_all, get_with, in_mode, mean, open_at, open_in,
};
use crate::scratch_folder::{ScratchFolder, let_files_settle};
use crate::written_array::WrittenArray;

/// Chunks in the shard of these tests.
const CHUNKS: u64 = 256;

/// Bounds on reads under way: what the executor aims for beyond the page cache, and what each of its
/// workers may begin at once.
const READ_AHEAD: u64 = 32;
const BATCH: u64 = 8;

/// The extents of the chunks, as the index at the end of the shard has them: offset and length as
/// little-endian 64-bit integers, then a CRC-32C.
fn extents(shard: &[u8]) -> Vec<Span> {
    let index = &shard[shard.len() - CHUNKS as usize * 16 - 4..shard.len() - 4];
    let (numbers, _) = index.as_chunks::<8>();
    let numbers: Vec<u64> = numbers.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
    numbers.chunks(2).map(|pair| Span::new(pair[0], pair[1]).unwrap()).collect()
}

/// Reads that a planner within these limits makes of the extents.
fn planned(extents: impl IntoIterator<Item = Span>, limits: &ReadLimits) -> u64 {
    let wanted = extents.into_iter().map(|span| Wanted { span, tag: () }).collect();
    merge(wanted, limits).reads.len() as u64
}

fn assert_adds_up(stats: &RunStats) {
    assert_eq!(stats.tasks, stats.tasks_done);
    assert_eq!(stats.bytes_by_route.iter().sum::<u64>(), stats.bytes_read);
}

#[test]
fn a_shard_of_256_chunks_costs_one_index_read_and_one_read_per_merged_range() {
    let folder = ScratchFolder::new();
    let engine = engine(2, AMPLE);
    let store = Arc::new(engine.open_folder(folder.path()).unwrap());
    let limits = store.limits();
    let array = WrittenArray::floats(&[256, 256], &[16, 16], 1).sharded(&[256, 256]);
    array.write(store, "");
    let shard = fs::read(folder.join("c/0/0")).unwrap();
    let extents = extents(&shard);
    assert_eq!(extents.len() as u64, CHUNKS);
    let_files_settle();
    for mode in [IoMode::Buffered, IoMode::Direct] {
        // A new engine knows no index.
        let engine = crate::reading::engine(2, AMPLE);
        let opened = open_at(&engine, folder.location()).unwrap();
        let (bytes, stats) = get_all(&opened, mode).unwrap();
        assert!(bytes == array.elements);
        assert_eq!((stats.index_reads, stats.chunks_decoded), (1, CHUNKS));
        assert_eq!(stats.reads - stats.index_reads, planned(extents.iter().copied(), &limits));
        assert_eq!(stats.bytes_read, shard.len() as u64);
        assert_adds_up(&stats);
        // The second time a look at the shard's identity is enough.
        let (bytes, again) = get_all(&opened, mode).unwrap();
        assert!(bytes == array.elements);
        assert_eq!((again.index_reads, again.chunks_decoded), (0, CHUNKS));
        assert_eq!(again.reads, stats.reads);
    }
}

#[test]
fn chunks_of_a_shard_that_lie_apart_are_merged_as_the_storage_asks() {
    let engine = engine(2, AMPLE);
    // Gaps of one chunk are read over in the first array and left out in the second.
    for (chunk, merged) in [(10u64 << 10, true), (20 << 10, false)] {
        let folder = ScratchFolder::new();
        let store = Arc::new(engine.open_folder(folder.path()).unwrap());
        let limits = store.limits();
        let elements = Random(chunk).bytes((CHUNKS * chunk) as usize);
        let array = WrittenArray::new(&[CHUNKS * chunk], &[chunk], lsio::DataType::UInt8, elements)
            .uncompressed()
            .sharded(&[CHUNKS * chunk]);
        array.write(store, "");
        let opened = open_at(&engine, folder.location()).unwrap();
        let step = i64::try_from(2 * chunk).unwrap();
        let selection = [DimensionSelection::Slice { start: None, stop: None, step: Some(step) }];
        let (result, stats) =
            get_with(&opened, &[Some(&selection)], in_mode(IoMode::Buffered)).unwrap();
        let expected: Vec<u8> =
            array.elements.iter().step_by(2 * chunk as usize).copied().collect();
        assert_eq!(bytes_of(&result), expected);
        assert_eq!((stats.index_reads, stats.chunks_decoded), (1, CHUNKS / 2));
        let shard = fs::read(folder.join("c/0")).unwrap();
        let expected = planned(extents(&shard).into_iter().step_by(2), &limits);
        assert_eq!(expected < CHUNKS / 2, merged);
        assert_eq!(stats.reads - stats.index_reads, expected, "chunks of {chunk} bytes");
        assert_adds_up(&stats);
    }
}

#[test]
fn decoded_bytes_are_copied_at_most_once_and_not_at_all_where_chunks_lie_in_one_piece() {
    let engine = engine(2, AMPLE);
    let store = engine.memory_store("copies");
    // Shape, chunk shape, bytes copied when all of it is read.
    let cases: [(&[u64], &[u64], u64); 4] = [
        (&[64, 128], &[8, 128], 0),
        (&[6, 5, 128], &[1, 5, 128], 0),
        (&[64, 128], &[8, 16], 64 * 128 * 4),
        // The chunks at the edge are decoded whole, and only what is inside is copied.
        (&[60, 128], &[8, 128], 4 * 128 * 4),
    ];
    for (number, (shape, chunk_shape, copied)) in cases.into_iter().enumerate() {
        let path = format!("a{number}");
        let array = WrittenArray::floats(shape, chunk_shape, 2);
        array.write(store.clone(), &path);
        let opened = open_in(&engine, store.clone(), &path);
        let (bytes, stats) = get_all(&opened, IoMode::Auto).unwrap();
        assert!(bytes == array.elements);
        assert_eq!(stats.bytes_copied, copied, "{shape:?} in {chunk_shape:?}");
        assert!(stats.bytes_copied <= stats.bytes_decoded);
        assert_adds_up(&stats);
    }
}

#[test]
fn uncompressed_chunks_in_the_page_cache_are_read_to_where_they_go() {
    let engine = engine(2, AMPLE);
    // Shape, chunk shape, bytes copied when all of it is read.
    let cases: [(&[u64], &[u64], u64); 4] = [
        (&[64, 256], &[8, 256], 0),
        (&[64, 128], &[8, 16], 64 * 128 * 4),
        // Chunks of more than one piece, which end inside of rows.
        (&[200, 600], &[100, 360], 200 * 600 * 4),
        // The chunks at the edge have elements outside of the result.
        (&[60, 512], &[8, 128], 60 * 512 * 4),
    ];
    for (shape, chunk_shape, copied) in cases {
        let folder = ScratchFolder::new();
        let array = WrittenArray::floats(shape, chunk_shape, 4).uncompressed();
        array.write(Arc::new(engine.open_folder(folder.path()).unwrap()), "");
        let opened = open_at(&engine, folder.location()).unwrap();
        let (bytes, stats) = get_all(&opened, IoMode::Buffered).unwrap();
        assert!(bytes == array.elements);
        if stats.bytes_by_route[lsio_io::Route::Resident.index()] == stats.bytes_read {
            assert_eq!(stats.bytes_copied, copied, "{shape:?} in {chunk_shape:?}");
        }
        assert_adds_up(&stats);
        // Beyond the page cache they come in buffers, which are copied once.
        let (bytes, stats) = get_all(&opened, IoMode::Direct).unwrap();
        assert!(bytes == array.elements);
        assert!(stats.bytes_copied <= stats.bytes_decoded);
        // A byte less or more is an error, not a shifted row.
        let path = folder.join("c/0/0");
        let stored = fs::read(&path).unwrap();
        let longer = [&stored[..], &[0]].concat();
        let wrong = [(&stored[1..], ErrorCode::Truncated), (&longer[..], ErrorCode::Codec)];
        for (bytes, code) in wrong {
            fs::write(&path, bytes).unwrap();
            assert_eq!(get_all(&opened, IoMode::Buffered).unwrap_err().code, code);
        }
    }
}

#[test]
fn a_mean_leases_what_its_workers_and_its_reads_in_flight_need() {
    // Short chunks are started together, so many that they reserve this.
    const TOGETHER: u64 = 512 << 10;
    let shape = [512, 1024];
    let array = WrittenArray::floats(&shape, &[16, 64], 3);
    let chunks = array.grid().iter().product::<u64>();
    let decoded = class_size(array.chunk_bytes());
    let expected = {
        let (elements, _) = array.elements.as_chunks::<4>();
        let sum: f64 = elements.iter().map(|bytes| f64::from(f32::from_ne_bytes(*bytes))).sum();
        sum / elements.len() as f64
    };
    for workers in [1, 2, 4] {
        // Everything at hand: a worker reads what it is about to decode, and what is started with that.
        let engine = engine(workers as usize, AMPLE);
        let store = engine.memory_store("mean");
        array.write(store.clone(), "");
        let opened = open_in(&engine, store, "");
        let info = opened.source().source().info();
        let (encoded, scratch) =
            (Read::reserve_for(info.encoded_estimate), class_size(info.scratch_len));
        let (found, stats) = mean(&opened, IoMode::Auto).unwrap();
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
        assert_eq!(stats.chunks_decoded, chunks);
        let usage = engine.memory_usage();
        let together = TOGETHER / (encoded + decoded + scratch);
        assert!(usage.peak_leases <= workers * together + 2 * workers, "{usage:?}");
        assert!(usage.peak_reserved <= workers * TOGETHER, "{usage:?}");
        assert_eq!((usage.reserved, usage.held, usage.leases), (0, 0, 0));
    }
    let folder = ScratchFolder::new();
    for workers in [1, 2, 4] {
        // Past the page cache: reads in flight hold an encoded chunk each, workers the rest.
        let engine = engine(workers as usize, AMPLE);
        array.write(Arc::new(engine.open_folder(folder.path()).unwrap()), "");
        let opened = open_at(&engine, folder.location()).unwrap();
        let info = opened.source().source().info();
        let (encoded, scratch) =
            (Read::reserve_for(info.encoded_estimate), class_size(info.scratch_len));
        let (found, _) = mean(&opened, IoMode::Direct).unwrap();
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
        let together = TOGETHER / (encoded + decoded + scratch);
        // What is begun with fewer reads than a batch, at the end of a window, is followed by more at once.
        let in_flight = READ_AHEAD + (BATCH - 1 + together) * workers;
        let usage = engine.memory_usage();
        assert!(usage.peak_leases <= workers + in_flight + 2 * workers, "{usage:?}");
        let tasks = workers + in_flight;
        assert!(usage.peak_reserved <= tasks * (encoded + decoded + scratch), "{usage:?}");
        assert_eq!((usage.reserved, usage.held, usage.leases), (0, 0, 0));
    }
}

#[test]
fn several_selections_of_one_read_decode_each_chunk_once() {
    let engine = engine(2, AMPLE);
    for (name, array) in [
        ("plain", WrittenArray::floats(&[50, 70], &[8, 16], 4).with_missing(7)),
        ("sharded", WrittenArray::floats(&[50, 70], &[8, 16], 5).sharded(&[16, 32])),
    ] {
        let store: Arc<MemoryStorage> = engine.memory_store(name);
        array.write(store.clone(), "");
        let opened = open_in(&engine, store, "");
        let mut random = Random(6);
        let selections: Vec<_> = (0..40).map(|_| random.selection(&array.spec.shape)).collect();
        let wanted: Vec<_> = selections.iter().map(|list| Some(list.as_slice())).collect();
        let (together, stats) = get_with(&opened, &wanted, in_mode(IoMode::Auto)).unwrap();
        let chunks = array.grid().iter().product::<u64>();
        assert!(stats.chunks_decoded + stats.chunks_missing <= chunks, "{stats:?}");
        let mut alone_decoded = HashMap::new();
        for (number, (selection, region)) in selections.iter().zip(&together.regions).enumerate() {
            let (alone, stats) =
                get_with(&opened, &[Some(selection)], in_mode(IoMode::Auto)).unwrap();
            let range = region.offset as usize..(region.offset + region.len) as usize;
            assert_eq!(bytes_of(&together)[range], *bytes_of(&alone), "{selection:?}");
            assert_eq!(region.layout, alone.regions[0].layout);
            alone_decoded.insert(number, stats.chunks_decoded);
        }
        // They do overlap.
        assert!(alone_decoded.values().sum::<u64>() > 2 * stats.chunks_decoded);
    }
}

#[test]
fn a_call_reserves_no_more_than_it_is_allowed() {
    let engine = engine(4, AMPLE);
    let folder = ScratchFolder::new();
    let array = WrittenArray::floats(&[512, 512], &[64, 64], 7);
    array.write(Arc::new(engine.open_folder(folder.path()).unwrap()), "");
    let opened = open_at(&engine, folder.location()).unwrap();
    let memory = Some(256 << 10);
    for mode in [IoMode::Auto, IoMode::Direct] {
        let options = GetOptions { memory, ..in_mode(mode) };
        let (result, stats) = get_with(&opened, &[None], options).unwrap();
        assert!(*bytes_of(&result) == *array.elements);
        assert!((1..=256 << 10).contains(&stats.peak_reserved), "{stats:?}");
        let options = ReadOptions { memory, mode, ..ReadOptions::default() };
        let reader = opened.read_chunks(None, &options).unwrap();
        assert_eq!(all_chunks(&reader, 8).unwrap().len(), 64);
        let stats = reader.stats();
        assert!((1..=256 << 10).contains(&stats.peak_reserved), "{stats:?}");
        // Less than one chunk needs is refused before anything is read.
        let options = GetOptions { memory: Some(4096), ..in_mode(mode) };
        let error = get_with(&opened, &[None], options).unwrap_err();
        assert_eq!(error.code, ErrorCode::Budget, "{error}");
    }
}

#[test]
fn a_result_that_is_too_large_for_its_caller_is_refused_before_anything_is_read() {
    let engine = engine(2, AMPLE);
    let store = engine.memory_store("limits");
    let array = WrittenArray::floats(&[64, 64], &[16, 16], 8);
    array.write(store.clone(), "");
    let opened = open_in(&engine, store, "");
    let len = array.elements.len() as u64;
    let options = |max_bytes| GetOptions { max_bytes: Some(max_bytes), ..GetOptions::default() };
    assert!(get_with(&opened, &[None], options(len)).is_ok());
    let error = get_with(&opened, &[None], options(len - 1)).unwrap_err();
    assert_eq!(error.code, ErrorCode::Budget);
    assert!(error.message.contains(&len.to_string()), "{error}");
    let one = [const { DimensionSelection::Index(0) }; 2];
    let several = [Some(&one[..]), None, Some(&one[..])];
    assert_eq!(get_with(&opened, &several, options(len)).unwrap_err().code, ErrorCode::Budget);
    assert_eq!(engine.memory_usage().held, 0);
}
