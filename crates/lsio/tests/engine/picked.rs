//! Lists, points, masks and blocks through the whole engine: the elements that they name, and each chunk
//! read and decoded once.

use std::sync::{Arc, mpsc};

use lsio::{
    Array, BitMask, DimensionSelection, ErrorCode, GetDone, GetOptions, IoMode, LsioError,
    PointCoordinates, ReadOptions, ReadResult, ReadValues, RunHandle, RunStats,
};
use lsio_io::MemoryStorage;

use crate::naive_model::pick;
use crate::random::Random;
use crate::reading::{AMPLE, bytes_of, engine, get_with, in_mode, open_at, open_in, texts};
use crate::written_array::WrittenArray;

pub(crate) type Start<'a> = &'a dyn Fn(GetOptions, GetDone) -> Result<RunHandle, LsioError>;

pub(crate) fn wait_for(start: Start<'_>) -> Result<(ReadResult, RunStats), LsioError> {
    let (sender, receiver) = mpsc::channel();
    let done = Box::new(move |result| sender.send(result).unwrap());
    let handle = start(GetOptions::default(), done)?;
    let result = receiver.recv().unwrap()?;
    Ok((result, handle.stats()))
}

/// Points all over an array, many of them more than once, and the numbers of their elements.
pub(crate) fn points(
    random: &mut Random,
    shape: &[u64],
    count: usize,
) -> (Vec<PointCoordinates>, Vec<u64>) {
    let lists: Vec<Vec<i64>> = shape
        .iter()
        .map(|&len| {
            let len = len.cast_signed();
            (0..count).map(|_| random.between(-len, len - 1)).collect()
        })
        .collect();
    let number = |point: usize| {
        shape.iter().zip(&lists).fold(0, |number, (&len, list)| {
            number * len + list[point].rem_euclid(len.cast_signed()).cast_unsigned()
        })
    };
    let numbers = (0..count).map(number).collect();
    let each = |list| PointCoordinates::Each(Arc::new(list));
    (lists.into_iter().map(each).collect(), numbers)
}

fn elements(array: &WrittenArray, numbers: &[u64]) -> Vec<u8> {
    let at = |&number: &u64| array.elements[number as usize * 4..][..4].to_vec();
    numbers.iter().flat_map(at).collect()
}

#[test]
fn elements_by_lists_are_right_and_each_chunk_is_decoded_once() {
    let engine = engine(2, AMPLE);
    for (name, array) in [
        ("plain", WrittenArray::floats(&[50, 70], &[8, 16], 4).with_missing(7)),
        ("sharded", WrittenArray::floats(&[50, 70], &[8, 16], 5).sharded(&[16, 32])),
    ] {
        let store: Arc<MemoryStorage> = engine.memory_store(name);
        array.write(store.clone(), "");
        let opened = open_in(&engine, store, "");
        let shape = array.spec.shape.clone();
        let chunks = array.grid().iter().product::<u64>();
        let once = |stats: RunStats| {
            assert_eq!(stats.chunks_decoded + stats.chunks_missing, chunks, "{name}: {stats:?}");
            assert!(stats.reads <= chunks + stats.index_reads, "{name}: {stats:?}");
        };
        let mut random = Random(9);

        let (coordinates, numbers) = points(&mut random, &shape, 5000);
        let (result, stats) =
            wait_for(&|options, done| opened.get_points(&coordinates, options, done)).unwrap();
        assert!(*bytes_of(&result) == elements(&array, &numbers));
        assert_eq!(result.regions[0].layout.shape, [5000]);
        once(stats);

        let count = shape.iter().product();
        let set: Vec<bool> = (0..count).map(|_| random.below(3) == 0).collect();
        let mask: Arc<BitMask> = Arc::new(set.iter().copied().collect());
        let wanted: Vec<u64> = (0..count).filter(|&at| set[at as usize]).collect();
        let (result, stats) =
            wait_for(&|options, done| opened.get_mask(&mask, options, done)).unwrap();
        assert!(*bytes_of(&result) == elements(&array, &wanted));
        once(stats);

        let lists = shape.iter().map(|&len| {
            let len = len.cast_signed();
            let list = (0..300).map(|_| random.between(-len, len - 1)).collect();
            DimensionSelection::Indices(Arc::new(list))
        });
        let lists: Vec<_> = lists.collect();
        let (result, stats) = get_with(&opened, &[Some(&lists)], in_mode(IoMode::Auto)).unwrap();
        let (expected_shape, expected) = pick(&array.elements, 4, &shape, &lists);
        assert_eq!(result.regions[0].layout.shape, expected_shape);
        assert!(*bytes_of(&result) == expected);
        once(stats);

        let unsorted = [lists[0].clone(), DimensionSelection::All];
        let error = opened.read_chunks(Some(&unsorted), &ReadOptions::default()).unwrap_err();
        assert_eq!(error.code, ErrorCode::Unsupported, "{error}");

        let all = [DimensionSelection::Ellipsis];
        let (result, _) =
            wait_for(&|options, done| opened.get_blocks(&all, options, done)).unwrap();
        assert!(*bytes_of(&result) == *array.elements);
        let block = [DimensionSelection::Index(1), DimensionSelection::Index(-1)];
        let (result, _) =
            wait_for(&|options, done| opened.get_blocks(&block, options, done)).unwrap();
        let unit = array.spec.shard_shape.as_ref().map_or([8, 16], |shard| [shard[0], shard[1]]);
        let rest = shape[1] - (shape[1].div_ceil(unit[1]) - 1) * unit[1];
        assert_eq!(result.regions[0].layout.shape, [unit[0], rest]);
        assert_eq!(engine.memory_usage().reserved, 0);
    }
    assert_eq!(engine.memory_usage().held, 0);
}

#[test]
fn texts_by_lists_are_right() {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/data");
    let engine = engine(2, AMPLE);
    let manifest = std::fs::read_to_string(data.join("manifest.json")).unwrap();
    let manifest: Vec<serde_json::Value> = serde_json::from_str(&manifest).unwrap();
    let mut random = Random(10);
    let mut seen = 0;
    for entry in manifest.iter().filter(|entry| entry["dtype"] == "string") {
        let path = data.join(entry["path"].as_str().unwrap());
        let array: Arc<Array> = open_at(&engine, path.to_str().unwrap()).unwrap();
        let expected = std::fs::read_to_string(data.join(entry["expected"].as_str().unwrap()));
        let all: Vec<String> = serde_json::from_str(&expected.unwrap()).unwrap();
        let shape = array.metadata().shape.clone();
        if all.is_empty() || shape.is_empty() {
            continue;
        }
        seen += 1;
        let (coordinates, numbers) = points(&mut random, &shape, 200);
        let (result, _) =
            wait_for(&|options, done| array.get_points(&coordinates, options, done)).unwrap();
        let ReadValues::Each(each) = &result.values else { panic!("no texts") };
        let wanted: Vec<String> =
            numbers.iter().map(|&number| all[number as usize].clone()).collect();
        assert_eq!(texts(&each[0]), wanted, "{}", array.name());
        let mask: Arc<BitMask> = Arc::new((0..all.len()).map(|at| at % 3 == 1).collect());
        let (result, _) = wait_for(&|options, done| array.get_mask(&mask, options, done)).unwrap();
        let ReadValues::Each(each) = &result.values else { panic!("no texts") };
        let wanted: Vec<String> = all.iter().skip(1).step_by(3).cloned().collect();
        assert_eq!(texts(&each[0]), wanted, "{}", array.name());
    }
    assert!(seen > 0);
    assert_eq!(engine.memory_usage().held, 0);
}

#[test]
fn lists_that_the_budget_cannot_hold_are_refused() {
    let engine = engine(1, 8 << 20);
    let array = WrittenArray::floats(&[50, 70], &[8, 16], 4);
    let store: Arc<MemoryStorage> = engine.memory_store("small");
    array.write(store.clone(), "");
    let opened = open_in(&engine, store, "");
    let list = Arc::new(vec![0; 1 << 20]);
    let coordinates = [PointCoordinates::Each(list.clone()), PointCoordinates::Same(1)];
    let error =
        wait_for(&|options, done| opened.get_points(&coordinates, options, done)).unwrap_err();
    assert_eq!(error.code, ErrorCode::Budget, "{error}");
    let selection = [DimensionSelection::Indices(list), DimensionSelection::Index(0)];
    let error = get_with(&opened, &[Some(&selection)], in_mode(IoMode::Auto)).unwrap_err();
    assert_eq!(error.code, ErrorCode::Budget, "{error}");
    assert_eq!(engine.memory_usage().held, 0);
}
