//! Lists, points, masks and blocks of arrays whose chunks, or whose shards, vary in length.

use std::path::Path;
use std::sync::Arc;

use lsio::{Array, BitMask, DimensionSelection, IoMode};
use serde_json::Value;

use crate::naive_model::pick;
use crate::picked::{points, wait_for};
use crate::random::Random;
use crate::reading::{AMPLE, bytes_of, engine, get_with, in_mode, open_at};

/// A slice of the elements of some chunks in a row, by counting.
fn elements_of(edges: &[u64], chunks: std::ops::Range<usize>, len: u64) -> DimensionSelection {
    let bound = |chunk: usize| edges[..chunk].iter().sum::<u64>().min(len).cast_signed();
    let (start, stop) = (Some(bound(chunks.start)), Some(bound(chunks.end)));
    DimensionSelection::Slice { start, stop, step: None }
}

#[test]
fn whatever_is_picked_of_chunks_that_vary_is_right() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/data");
    let engine = engine(2, AMPLE);
    let manifest = std::fs::read_to_string(data.join("manifest_zarrs.json")).unwrap();
    let manifest: Vec<Value> = serde_json::from_str(&manifest).unwrap();
    let mut random = Random(11);
    let mut seen = 0;
    for entry in manifest.iter().filter(|entry| entry["chunkEdges"].is_array()) {
        seen += 1;
        let path = entry["path"].as_str().unwrap();
        let edges: Vec<Vec<u64>> = serde_json::from_value(entry["chunkEdges"].clone()).unwrap();
        let all = std::fs::read(data.join(entry["expected"].as_str().unwrap())).unwrap();
        let array: Arc<Array> = open_at(&engine, data.join(path).to_str().unwrap()).unwrap();
        let shape = array.metadata().shape.clone();
        let size = array.metadata().data_type.size().unwrap();
        let at = |numbers: &[u64]| -> Vec<u8> {
            numbers.iter().flat_map(|&at| &all[at as usize * size..][..size]).copied().collect()
        };

        let (coordinates, numbers) = points(&mut random, &shape, 500);
        let (result, stats) =
            wait_for(&|options, done| array.get_points(&coordinates, options, done)).unwrap();
        assert!(*bytes_of(&result) == at(&numbers), "{path}");
        let chunks = array.grid().grid_shape().iter().product::<u64>();
        assert!(stats.chunks_decoded + stats.chunks_missing <= chunks, "{path}: {stats:?}");

        let count = shape.iter().product();
        let set: Vec<bool> = (0..count).map(|_| random.below(3) == 0).collect();
        let mask: Arc<BitMask> = Arc::new(set.iter().copied().collect());
        let wanted: Vec<u64> = (0..count).filter(|&at| set[at as usize]).collect();
        let (result, _) = wait_for(&|options, done| array.get_mask(&mask, options, done)).unwrap();
        assert!(*bytes_of(&result) == at(&wanted), "{path}");

        let lists = shape.iter().map(|&len| {
            let len = len.cast_signed();
            let list = (0..30).map(|_| random.between(-len, len - 1)).collect();
            DimensionSelection::Indices(Arc::new(list))
        });
        let lists: Vec<_> = lists.collect();
        let backwards = (1..=shape.len()).map(|axis| {
            let step = Some(-i64::try_from(axis).unwrap());
            DimensionSelection::Slice { start: None, stop: None, step }
        });
        for selection in [lists, backwards.collect()] {
            let (result, _) = get_with(&array, &[Some(&selection)], in_mode(IoMode::Auto)).unwrap();
            let (expected_shape, expected) = pick(&all, size, &shape, &selection);
            assert_eq!(result.regions[0].layout.shape, expected_shape, "{path}");
            assert!(*bytes_of(&result) == expected, "{path} {selection:?}");
        }

        // The second block to the last but one, and the last.
        for last in [false, true] {
            let along = edges.iter().zip(&shape).map(|(edges, &len)| {
                let count = edges.len();
                if last {
                    return (
                        DimensionSelection::Index(-1),
                        elements_of(edges, count - 1..count, len),
                    );
                }
                let slice =
                    DimensionSelection::Slice { start: Some(1), stop: Some(-1), step: None };
                (slice, elements_of(edges, 1..(count - 1).max(1), len))
            });
            let (blocks, elements): (Vec<_>, Vec<_>) = along.unzip();
            let (result, _) =
                wait_for(&|options, done| array.get_blocks(&blocks, options, done)).unwrap();
            let (expected_shape, expected) = pick(&all, size, &shape, &elements);
            assert_eq!(result.regions[0].layout.shape, expected_shape, "{path}");
            assert!(*bytes_of(&result) == expected, "{path} {blocks:?}");
        }
    }
    assert_eq!(seen, 9);
    assert_eq!(engine.memory_usage().reserved, 0);
}
