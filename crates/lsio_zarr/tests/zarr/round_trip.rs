//! Arrays that the writer wrote, read back.

use std::sync::Arc;

use lsio_array::{ChunkSource, DataType};
use lsio_io::{ByteRange, MemoryStorage};
use lsio_zarr::{ArraySpec, ArrayWriter, ZarrError};
use serde_json::{Map, Value, json};

use crate::driver::{Driver, Elements, indices, key, memory, open_array, store};

fn spec(data_type: DataType, shape: &[u64], chunk_shape: &[u64]) -> ArraySpec {
    ArraySpec {
        shape: shape.to_vec(),
        chunk_shape: chunk_shape.to_vec(),
        shard_shape: None,
        data_type,
        codecs: vec![
            ("bytes".to_owned(), json!({"endian": "little"})),
            ("zstd".to_owned(), json!({"level": 1, "checksum": true})),
        ],
        fill_value: json!(0),
        dimension_names: None,
        attributes: Map::new(),
    }
}

fn create(store: &Arc<MemoryStorage>, spec: &ArraySpec) -> ArrayWriter {
    ArrayWriter::create(Arc::clone(store) as _, key("a"), spec).unwrap()
}

/// The elements 0, 1, 2, ... of an array in C order.
fn counting(count: usize) -> Vec<u8> {
    (0..count as u32).flat_map(u32::to_ne_bytes).collect()
}

/// The full chunk at `chunk` of an array of `shape` that counts.
fn counting_chunk(shape: &[usize], along: &[usize], chunk: &[usize]) -> Vec<u8> {
    let element = |inside: Vec<usize>| {
        let position = chunk.iter().zip(along).zip(inside).map(|((c, along), at)| c * along + at);
        position
            .zip(shape)
            .try_fold(0, |to, (at, &length)| (at < length).then_some(to * length + at))
    };
    let elements = indices(along).into_iter().map(element);
    elements.flat_map(|element| (element.unwrap_or(0) as u32).to_ne_bytes()).collect()
}

#[test]
fn whole_chunks_come_back_as_they_were_written() {
    for (shape, along) in [
        (vec![], vec![]),
        (vec![7], vec![3]),
        (vec![4, 6], vec![2, 3]),
        (vec![5, 1, 4], vec![2, 1, 3]),
        (vec![0, 3], vec![2, 2]),
    ] {
        let store = store(&[]);
        let lengths = |shape: &[usize]| shape.iter().map(|&n| n as u64).collect::<Vec<_>>();
        let writer = create(&store, &spec(DataType::UInt32, &lengths(&shape), &lengths(&along)));
        let grid: Vec<usize> = shape.iter().zip(&along).map(|(n, c)| n.div_ceil(*c)).collect();
        for chunk in indices(&grid) {
            let elements = counting_chunk(&shape, &along, &chunk);
            writer.write_chunk(&lengths(&chunk), &elements).unwrap();
        }
        let array = open_array(&store, "a").unwrap();
        assert_eq!(array.metadata(), writer.metadata());
        let expected = Elements::Fixed(counting(shape.iter().product()));
        assert_eq!(Driver::new().whole(&array).unwrap(), expected, "{shape:?}");
    }
}

#[test]
fn strings_come_back() {
    let store = store(&[]);
    let mut spec = spec(DataType::String, &[3], &[2]);
    spec.codecs[0] = ("vlen-utf8".to_owned(), Value::Null);
    spec.fill_value = json!("füll");
    let writer = create(&store, &spec);
    writer.write_strings(&[0], &["größe", ""]).unwrap();
    let array = open_array(&store, "a").unwrap();
    let expected = ["größe", "", "füll"].map(str::to_owned).to_vec();
    assert_eq!(Driver::new().whole(&array).unwrap(), Elements::Strings(expected));
    assert!(matches!(writer.write_strings(&[1], &["one"]), Err(ZarrError::Write { .. })));
    assert!(matches!(writer.write_chunk(&[1], b"12"), Err(ZarrError::Write { .. })));
}

#[test]
fn metadata_survives_the_way_through_json() {
    let store = store(&[]);
    let mut spec = spec(DataType::Float64, &[4, 4], &[2, 2]);
    spec.fill_value = json!("0x7ff80000deadbeef");
    spec.dimension_names = Some(vec![Some("time".to_owned()), None]);
    spec.attributes =
        json!({"big": u64::MAX, "nested": {"a": [1, 2.5, null]}}).as_object().unwrap().clone();
    create(&store, &spec);
    let array = open_array(&store, "a").unwrap();
    let metadata = array.metadata();
    assert_eq!(*metadata.fill_value, 0x7ff8_0000_dead_beef_u64.to_ne_bytes());
    assert_eq!(metadata.stored_fill_value, spec.fill_value);
    assert_eq!(metadata.dimension_names, spec.dimension_names);
    assert_eq!(metadata.attributes, spec.attributes);
    assert_eq!(array.decoded_bytes(), 128);
}

#[test]
fn one_index_read_serves_all_chunks_of_a_shard() {
    let store = store(&[]);
    let mut spec = spec(DataType::UInt32, &[8, 8], &[2, 2]);
    spec.shard_shape = Some(vec![8, 8]);
    let writer = create(&store, &spec);
    let chunks: Vec<Option<Vec<u8>>> = indices(&[4, 4])
        .iter()
        .enumerate()
        .map(|(number, chunk)| (number != 5).then(|| counting_chunk(&[8, 8], &[2, 2], chunk)))
        .collect();
    let chunks: Vec<Option<&[u8]>> = chunks.iter().map(Option::as_deref).collect();
    writer.write_shard(&[0, 0], &chunks).unwrap();

    let array = open_array(&store, "a").unwrap();
    assert_eq!(array.metadata().shard_shape, Some(vec![8, 8]));
    let driver = Driver::new();
    let Elements::Fixed(whole) = driver.whole(&array).unwrap() else { panic!("no strings") };
    let mut expected = counting(64);
    for (row, column) in [(2, 2), (2, 3), (3, 2), (3, 3)] {
        let at = (row * 8 + column) * 4;
        expected[at..at + 4].fill(0);
    }
    assert_eq!(whole, expected);
    let log = driver.log.borrow();
    let indexes = log.iter().filter(|(_, range)| matches!(range, ByteRange::Suffix { .. })).count();
    assert_eq!(indexes, 1);
    assert_eq!(log.len(), 1 + 15);
}

#[test]
fn a_missing_shard_is_missing_chunks_after_one_read() {
    let store = store(&[]);
    let mut spec = spec(DataType::UInt32, &[8], &[2]);
    spec.shard_shape = Some(vec![4]);
    spec.fill_value = json!(7);
    create(&store, &spec);
    let array = open_array(&store, "a").unwrap();
    let driver = Driver::new();
    let expected = Elements::Fixed(7u32.to_ne_bytes().repeat(8));
    assert_eq!(driver.whole(&array).unwrap(), expected);
    assert_eq!(driver.log.borrow().len(), 2);
}

#[test]
fn stored_bytes_are_those_of_chunks_alone() {
    let store = store(&[
        ("a/c/9", b"outside of the grid"),
        ("a/c/0/0", b"no chunk"),
        ("a/notes", b"no chunk"),
        ("b/c/0", b"another array"),
    ]);
    let writer = create(&store, &spec(DataType::UInt32, &[4], &[2]));
    let array = open_array(&store, "a").unwrap();
    assert_eq!(array.stored_bytes(&memory()).unwrap(), 0);
    writer.write_chunk(&[0], &counting(2)).unwrap();
    let one = array.stored_bytes(&memory()).unwrap();
    writer.write_chunk(&[1], &counting(2)).unwrap();
    assert!(one > 8 && array.stored_bytes(&memory()).unwrap() == 2 * one);
}

#[test]
fn what_does_not_fit_the_array_is_not_written() {
    let store = store(&[]);
    let mut spec = spec(DataType::UInt32, &[4, 4], &[2, 2]);
    let writer = create(&store, &spec);
    let elements = counting(4);
    for chunk in [vec![2, 0], vec![0], vec![0, 0, 0]] {
        assert!(matches!(writer.write_chunk(&chunk, &elements), Err(ZarrError::Write { .. })));
    }
    for elements in [counting(3), counting(5)] {
        assert!(matches!(writer.write_chunk(&[0, 0], &elements), Err(ZarrError::Write { .. })));
    }
    assert!(matches!(writer.write_shard(&[0, 0], &[]), Err(ZarrError::Write { .. })));
    spec.shard_shape = Some(vec![4, 4]);
    let writer = create(&store, &spec);
    assert!(matches!(writer.write_chunk(&[0, 0], &elements), Err(ZarrError::Write { .. })));
    assert!(matches!(writer.write_shard(&[0, 0], &[None; 3]), Err(ZarrError::Write { .. })));
    spec.shard_shape = Some(vec![3, 4]);
    let refused = ArrayWriter::create(Arc::clone(&store) as _, key("b"), &spec);
    assert!(matches!(refused, Err(ZarrError::Metadata { .. })));
    assert!(open_array(&store, "b").is_err());
}

#[test]
fn the_info_says_what_the_executor_must_reserve() {
    let store = store(&[]);
    create(&store, &spec(DataType::Float64, &[100, 100], &[10, 10]));
    let array = open_array(&store, "a").unwrap();
    let info = array.info();
    assert_eq!(info.decoded_len, 800);
    assert_eq!(info.decoded_limit, 800);
    assert!(info.encoded_estimate >= 800 && info.encoded_estimate < 2000);
    assert_eq!(info.encoded_limit, 64 << 20);
    assert_eq!(info.axis_order, [0, 1]);
}
