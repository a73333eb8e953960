//! Reads chunk by chunk: every chunk in its place, and nothing left behind.

use std::sync::Arc;

use lsio::{
    Array, Chunk, DataType, DimensionSelection, IoMode, PackedChunk, PackedElements, ReadOptions,
    Values,
};

use crate::naive_model::{for_each_index, number_of, pick};
use crate::random::Random;
use crate::reading::{
    AMPLE, all_chunks, bytes_of, engine, get_with, in_mode, next_batch, open_at, open_in, wait,
};
use crate::scratch_folder::ScratchFolder;
use crate::written_array::WrittenArray;

fn bytes(chunk: &Chunk) -> &[u8] {
    match &chunk.values {
        Values::Fixed(lease) => lease,
        Values::Variable(_) => panic!("no fixed-size elements"),
    }
}

/// Puts chunks together by their origins, shapes and strides. Every element must be written once.
fn assemble(chunks: &[Chunk], shape: &[u64], size: usize) -> Vec<u8> {
    let count = shape.iter().product::<u64>() as usize;
    let mut result = vec![0; count * size];
    let mut written = vec![false; count];
    for chunk in chunks {
        let layout = &chunk.layout;
        assert_eq!(bytes(chunk).len(), layout.shape.iter().product::<u64>() as usize * size);
        for_each_index(&layout.shape, |index| {
            let source: u64 = index.iter().zip(&layout.strides).map(|(at, step)| at * step).sum();
            let place: Vec<u64> =
                index.iter().zip(&chunk.origin).map(|(at, from)| at + from).collect();
            assert!(place.iter().zip(shape).all(|(at, len)| at < len), "{chunk:?} in {shape:?}");
            let (from, to) = (source as usize * size, number_of(&place, shape));
            assert!(!std::mem::replace(&mut written[to], true), "{place:?} is written twice");
            result[to * size..(to + 1) * size].copy_from_slice(&bytes(chunk)[from..from + size]);
        });
    }
    assert!(written.iter().all(|done| *done), "elements are missing");
    result
}

fn read(
    array: &Array,
    selection: Option<&[DimensionSelection]>,
    options: &ReadOptions,
) -> Vec<Chunk> {
    let reader = array.read_chunks(selection, options).unwrap();
    let chunks = all_chunks(&reader, 7).unwrap();
    let stats = reader.stats();
    assert_eq!((stats.tasks, stats.tasks_done), (chunks.len() as u64, chunks.len() as u64));
    chunks
}

fn arrays() -> [WrittenArray; 3] {
    let shape = [13, 22, 17];
    [
        WrittenArray::floats(&shape, &[4, 8, 8], 1).with_missing(5),
        WrittenArray::floats(&shape, &[2, 4, 8], 2).with_missing(7).sharded(&[4, 8, 16]),
        WrittenArray::floats(&shape, &[4, 8, 8], 3).f_order(),
    ]
}

#[test]
fn clipped_chunks_make_up_the_selection_in_both_orders() {
    let engine = engine(2, AMPLE);
    let store = engine.memory_store("clipped");
    let mut random = Random(4);
    for (number, array) in arrays().iter().enumerate() {
        let path = format!("a{number}");
        array.write(store.clone(), &path);
        let opened = open_in(&engine, store.clone(), &path);
        let shape = &array.spec.shape;
        let mut selections: Vec<_> = (0..60).map(|_| random.selection(shape)).collect();
        selections.push(vec![DimensionSelection::All; shape.len()]);
        for selection in &selections {
            let (result_shape, expected) = pick(&array.elements, array.size(), shape, selection);
            for grid_order in [false, true] {
                let options = ReadOptions { grid_order, ..ReadOptions::default() };
                let chunks = read(&opened, Some(selection), &options);
                if expected.is_empty() {
                    assert!(chunks.is_empty(), "{selection:?} is empty");
                    continue;
                }
                let found = assemble(&chunks, &result_shape, array.size());
                assert!(found == expected, "{selection:?}, grid order: {grid_order}");
                let coordinates: Vec<_> = chunks.iter().map(|chunk| &chunk.coordinates).collect();
                assert!(!grid_order || coordinates.is_sorted(), "{coordinates:?}");
            }
        }
    }
    assert_eq!(engine.memory_usage().held, 0);
}

#[test]
fn chunks_come_from_files_in_every_mode() {
    let engine = engine(2, AMPLE);
    let folder = ScratchFolder::new();
    let store = Arc::new(engine.open_folder(folder.path()).unwrap());
    for (number, array) in arrays().iter().enumerate() {
        let path = format!("a{number}");
        array.write(store.clone(), &path);
        let opened = open_at(&engine, folder.join(&path).to_str().unwrap()).unwrap();
        for mode in [IoMode::Auto, IoMode::Direct, IoMode::Buffered] {
            let chunks = read(&opened, None, &ReadOptions { mode, ..ReadOptions::default() });
            assert!(assemble(&chunks, &array.spec.shape, array.size()) == array.elements);
        }
    }
}

#[test]
fn float16_becomes_float32_when_asked_for() {
    let engine = engine(2, AMPLE);
    let store = engine.memory_store("halves");
    // Every finite pattern and every special one: 65,536 elements.
    let patterns = 0..=u16::MAX;
    let elements = patterns.clone().flat_map(u16::to_ne_bytes).collect();
    let array = WrittenArray::new(&[1 << 16], &[5000], DataType::Float16, elements);
    array.write(store.clone(), "");
    let opened = open_in(&engine, store, "");
    let expected: Vec<f32> = patterns.map(|bits| half::f16::from_bits(bits).to_f32()).collect();
    let same = |found: &[u8]| {
        let (found, rest) = found.as_chunks::<4>();
        let found = found.iter().map(|bytes| f32::from_ne_bytes(*bytes));
        rest.is_empty()
            && found.len() == expected.len()
            && found
                .zip(&expected)
                .all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan())
    };
    let wide = opened.converted(&DataType::Float32).unwrap();
    let chunks = read(&wide, None, &ReadOptions::default());
    assert!(same(&assemble(&chunks, &[1 << 16], 4)));
    let (result, _) = get_with(&wide, &[None], in_mode(IoMode::Auto)).unwrap();
    assert!(same(bytes_of(&result)));
    let chunks = read(&opened, None, &ReadOptions::default());
    assert!(assemble(&chunks, &[1 << 16], 2) == array.elements);
}

#[test]
fn a_reader_that_is_closed_or_dropped_early_leaves_nothing_reserved() {
    let engine = engine(2, 64 << 20);
    let folder = ScratchFolder::new();
    let array = WrittenArray::floats(&[512, 512], &[32, 32], 5);
    array.write(Arc::new(engine.open_folder(folder.path()).unwrap()), "");
    let opened = open_at(&engine, folder.location()).unwrap();
    for mode in [IoMode::Buffered, IoMode::Direct] {
        for (taken, concurrency) in [(0, None), (1, None), (9, Some(3)), (40, Some(1))] {
            let options = ReadOptions { mode, concurrency, ..ReadOptions::default() };
            for closed in [true, false] {
                let reader = opened.read_chunks(None, &options).unwrap();
                let mut kept = Vec::new();
                while kept.len() < taken {
                    kept.extend(next_batch(&reader, taken - kept.len()).unwrap());
                }
                if closed {
                    reader.close();
                    let rest = all_chunks(&reader, 100);
                    assert!(rest.map_or(true, |rest| rest.is_empty()), "closed readers end");
                }
                drop(reader);
                // The next run of the engine ends after all that was in flight has: it needs the
                // same workers.
                wait_until_nothing_is_reserved(&engine);
                let usage = engine.memory_usage();
                assert!(usage.held > 0 || taken == 0);
                drop(kept);
                assert_eq!(engine.memory_usage().held, 0);
            }
        }
    }
}

/// Reads in flight finish by themselves: runs of this engine follow until they have.
fn wait_until_nothing_is_reserved(engine: &Arc<lsio::Engine>) {
    let store = engine.memory_store("tiny");
    WrittenArray::constant(&[1], &[1], 7).write(store.clone(), "");
    let opened = open_in(engine, store, "");
    while engine.memory_usage().reserved > 0 {
        let chunk = wait(|done: Box<dyn FnOnce(_) + Send>| {
            drop(opened.get_chunk(&[0], in_mode(IoMode::Auto), done).unwrap());
        });
        assert_eq!(*bytes_of(&chunk.unwrap()), [7]);
    }
}

#[test]
fn a_chunk_by_its_coordinates_has_the_part_beyond_the_edge_too() {
    let engine = engine(2, AMPLE);
    let store = engine.memory_store("whole chunks");
    let array = WrittenArray::floats(&[13, 22], &[4, 8], 6);
    array.write(store.clone(), "");
    let opened = open_in(&engine, store, "");
    for_each_index(&array.grid(), |chunk| {
        let result = wait(|done: Box<dyn FnOnce(_) + Send>| {
            drop(opened.get_chunk(chunk, in_mode(IoMode::Auto), done).unwrap());
        });
        let result: lsio::ReadResult = Result::unwrap(result);
        assert_eq!(result.regions[0].layout.shape, array.spec.chunk_shape);
        assert!(bytes_of(&result) == array.chunk(chunk), "{chunk:?}");
    });
    let outside = opened.get_chunk(&[4, 0], in_mode(IoMode::Auto), Box::new(drop));
    assert_eq!(outside.unwrap_err().code, lsio::ErrorCode::Selection);
}

#[test]
fn a_reader_that_cannot_hand_out_its_chunks_says_so_at_once() {
    let engine = engine(2, AMPLE);
    let store = engine.memory_store("limits");
    WrittenArray::floats(&[64], &[16], 7).write(store.clone(), "");
    let opened = open_in(&engine, store, "");
    let options = ReadOptions { max_bytes: Some(63), ..ReadOptions::default() };
    let error = opened.read_chunks(None, &options).unwrap_err();
    assert_eq!(error.code, lsio::ErrorCode::Budget);
    assert!(error.message.contains("64") && error.message.contains("63"), "{error}");
}

#[test]
fn packed_batches_bring_the_same_chunks_and_small_ones_share_a_buffer() {
    let engine = engine(2, AMPLE);
    let store = engine.memory_store("packed");
    for (number, array) in arrays().iter().enumerate() {
        let path = format!("a{number}");
        array.write(store.clone(), &path);
        let opened = open_in(&engine, store.clone(), &path);
        let expected = read(&opened, None, &ReadOptions::default());
        let reader = opened.read_chunks(None, &ReadOptions::default()).unwrap();
        let mut chunks = Vec::new();
        loop {
            let batch = wait(|done| reader.next_packed(done)).unwrap();
            if batch.chunks.is_empty() {
                break;
            }
            assert_eq!(batch.buffers.len(), 1, "{} chunks", batch.chunks.len());
            for PackedChunk { coordinates, origin, elements, .. } in &batch.chunks {
                let PackedElements::Bytes { buffer, offset, len } = *elements else {
                    panic!("no fixed-size elements")
                };
                let bytes = batch.buffers[buffer][offset..offset + len].to_vec();
                chunks.push((coordinates.clone(), origin.clone(), bytes));
            }
        }
        chunks.sort();
        let mut expected: Vec<_> = expected
            .iter()
            .map(|chunk| (chunk.coordinates.clone(), chunk.origin.clone(), bytes(chunk).to_vec()))
            .collect();
        expected.sort();
        assert_eq!(chunks, expected);
    }
}
