//! Nested, transposed and compressed shards against a naive model that encodes whole arrays.

use std::sync::Arc;

use lsio_array::{ChunkErrorKind, ChunkSource};
use lsio_codecs::{BytesCodec, ChunkContext, Codec, codec_v3};
use lsio_io::{Fault, FaultStorage, Identity, Key, Reads, Storage, StorageError, WriteStorage};
use lsio_zarr::{ChunkKeyEncoding, Node, Separator};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::driver::{Driver, Elements, indices, key, memory, open_array, store};

const FILL: u16 = 9999;

#[derive(Debug, Clone, Copy, PartialEq)]
enum IndexLocation {
    Start,
    End,
}

/// One level of the model: what stands in the codec list of the chunks of the level above.
#[derive(Debug, Clone)]
struct Level {
    /// Order of the axes before the sharding codec.
    order: Vec<usize>,
    /// Chunks per shard along each axis, before this order.
    ratio: Vec<usize>,
    index_location: IndexLocation,
    index_checksum: bool,
    big_endian_index: bool,
    compressed: bool,
}

/// A dense array of the model: its shape and its elements in C order.
#[derive(Debug, Clone)]
struct Dense {
    shape: Vec<usize>,
    elements: Vec<u16>,
}

impl Dense {
    fn at(&self, position: &[usize]) -> u16 {
        let place = position.iter().zip(&self.shape).fold(0, |to, (at, length)| to * length + at);
        self.elements[place]
    }

    fn from_fn(shape: Vec<usize>, element: impl Fn(&[usize]) -> u16) -> Self {
        let elements = indices(&shape).iter().map(|position| element(position)).collect();
        Self { shape, elements }
    }

    fn transposed(&self, order: &[usize]) -> Self {
        let shape = order.iter().map(|&axis| self.shape[axis]).collect();
        Self::from_fn(shape, |position| {
            let mut original = vec![0; order.len()];
            for (&axis, &at) in order.iter().zip(position) {
                original[axis] = at;
            }
            self.at(&original)
        })
    }

    fn part(&self, chunk: &[usize], shape: &[usize]) -> Self {
        Self::from_fn(shape.to_vec(), |inside| {
            let position: Vec<usize> =
                chunk.iter().zip(shape).zip(inside).map(|((c, n), at)| c * n + at).collect();
            self.at(&position)
        })
    }
}

fn bytes_codec(name: &str) -> Arc<dyn BytesCodec> {
    let context = ChunkContext { data_type: lsio_array::DataType::UInt8, shape: vec![1] };
    let configuration = json!({"level": 1, "checksum": false});
    let configuration = match name {
        "zstd" => configuration.as_object().unwrap().clone(),
        _ => serde_json::Map::new(),
    };
    match codec_v3(name, &configuration, &context).unwrap() {
        Codec::BytesToBytes(codec) => codec,
        other => panic!("{other:?}"),
    }
}

/// The codec list of the metadata for these levels, and of chunks of `shape` (by the axes at hand).
fn codecs(levels: &[Level], shape: &[usize], last_order: &[usize]) -> Vec<Value> {
    let transpose =
        |order: &[usize]| json!({"name": "transpose", "configuration": {"order": order}});
    let endian = |big| json!({"name": "bytes", "configuration": {"endian": if big { "big" } else { "little" }}});
    let Some((level, below)) = levels.split_first() else {
        return vec![transpose(last_order), endian(true)];
    };
    let chunk: Vec<usize> = shape.iter().zip(&level.ratio).map(|(n, ratio)| n / ratio).collect();
    let chunk: Vec<usize> = level.order.iter().map(|&axis| chunk[axis]).collect();
    let mut index_codecs = vec![endian(level.big_endian_index)];
    if level.index_checksum {
        index_codecs.push(json!("crc32c"));
    }
    let mut list = vec![
        transpose(&level.order),
        json!({"name": "sharding_indexed", "configuration": {
            "chunk_shape": chunk,
            "codecs": codecs(below, &chunk, last_order),
            "index_codecs": index_codecs,
            "index_location": match level.index_location {
                IndexLocation::Start => "start",
                IndexLocation::End => "end",
            },
        }}),
    ];
    if level.compressed {
        list.push(json!({"name": "zstd", "configuration": {"level": 1, "checksum": false}}));
    }
    list
}

/// The bytes of a chunk of the model; `None` if all of it is fill.
fn encode(levels: &[Level], dense: &Dense, last_order: &[usize]) -> Option<Vec<u8>> {
    if dense.elements.iter().all(|&element| element == FILL) {
        return None;
    }
    let Some((level, below)) = levels.split_first() else {
        let stored = dense.transposed(last_order);
        return Some(stored.elements.iter().flat_map(|element| element.to_be_bytes()).collect());
    };
    let shard = dense.transposed(&level.order);
    let ratio: Vec<usize> = level.order.iter().map(|&axis| level.ratio[axis]).collect();
    let along: Vec<usize> = shard.shape.iter().zip(&ratio).map(|(n, ratio)| n / ratio).collect();
    let grid = indices(&ratio);
    let index_len = 16 * grid.len() + if level.index_checksum { 4 } else { 0 };
    let is_at_start = level.index_location == IndexLocation::Start;
    let mut offset = if is_at_start { index_len } else { 0 };
    let (mut body, mut index) = (Vec::new(), Vec::new());
    for chunk in &grid {
        let entry = match encode(below, &shard.part(chunk, &along), last_order) {
            None => [u64::MAX; 2],
            Some(bytes) => {
                let entry = [offset as u64, bytes.len() as u64];
                offset += bytes.len();
                body.extend(bytes);
                entry
            }
        };
        for word in entry {
            let bytes =
                if level.big_endian_index { word.to_be_bytes() } else { word.to_le_bytes() };
            index.extend(bytes);
        }
    }
    if level.index_checksum {
        let mut summed = Vec::new();
        bytes_codec("crc32c").encode(&index, &mut summed).unwrap();
        index = summed;
    }
    let shard = if is_at_start { [index, body] } else { [body, index] }.concat();
    if !level.compressed {
        return Some(shard);
    }
    let mut compressed = Vec::new();
    bytes_codec("zstd").encode(&shard, &mut compressed).unwrap();
    Some(compressed)
}

fn order(rank: usize) -> impl Strategy<Value = Vec<usize>> {
    Just((0..rank).collect::<Vec<_>>()).prop_shuffle()
}

fn level(rank: usize) -> impl Strategy<Value = Level> {
    (order(rank), prop::collection::vec(1..4usize, rank), any::<[bool; 3]>()).prop_map(
        |(order, ratio, [at_start, index_checksum, big_endian_index])| Level {
            order,
            ratio,
            index_location: if at_start { IndexLocation::Start } else { IndexLocation::End },
            index_checksum,
            big_endian_index,
            compressed: false,
        },
    )
}

#[derive(Debug, Clone)]
struct Case {
    levels: Vec<Level>,
    shape: Vec<usize>,
    shard_shape: Vec<usize>,
    last_order: Vec<usize>,
    holes: Vec<bool>,
}

fn case() -> impl Strategy<Value = Case> {
    (0..4usize).prop_flat_map(|rank| {
        (
            prop::collection::vec(level(rank), 1..4),
            prop::collection::vec(1..3usize, rank),
            prop::collection::vec(1..8usize, rank),
            order(rank),
            prop::collection::vec(any::<bool>(), 7),
            prop::option::of(0..3usize),
        )
            .prop_map(|(mut levels, inner, shape, last_order, holes, compressed)| {
                if let Some(level) = compressed.and_then(|number| levels.get_mut(number)) {
                    level.compressed = true;
                }
                // The ratios are by the axes before each level's order: undo the orders on the way out.
                let mut shard_shape = inner;
                for level in levels.iter().rev() {
                    let mut before = vec![0; shard_shape.len()];
                    for (&axis, length) in level.order.iter().zip(&shard_shape) {
                        before[axis] = length * level.ratio[axis];
                    }
                    shard_shape = before;
                }
                Case { levels, shape, shard_shape, last_order, holes }
            })
    })
}

fn document(case: &Case) -> String {
    json!({
        "zarr_format": 3, "node_type": "array", "shape": case.shape, "data_type": "uint16",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": case.shard_shape}},
        "chunk_key_encoding": "default", "fill_value": FILL,
        "codecs": codecs(&case.levels, &case.shard_shape, &case.last_order),
    })
    .to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_nesting_of_shards_reads_as_the_model_wrote_it(case in case()) {
        let store = store(&[("a/zarr.json", document(&case).as_bytes())]);
        let whole = Dense::from_fn(case.shape.clone(), |position| {
            let number =
                position.iter().zip(&case.shape).fold(0, |to, (at, length)| to * length + at);
            if case.holes[number / 5 % case.holes.len()] { FILL } else { number as u16 }
        });
        let grid: Vec<usize> =
            case.shape.iter().zip(&case.shard_shape).map(|(n, s)| n.div_ceil(*s)).collect();
        let padded: Vec<usize> = grid.iter().zip(&case.shard_shape).map(|(g, s)| g * s).collect();
        let padded = Dense::from_fn(padded, |position| {
            let inside = position.iter().zip(&case.shape).all(|(at, length)| at < length);
            if inside { whole.at(position) } else { FILL }
        });
        for shard in indices(&grid) {
            let dense = padded.part(&shard, &case.shard_shape);
            if let Some(bytes) = encode(&case.levels, &dense, &case.last_order) {
                let coordinates: Vec<u64> = shard.iter().map(|&c| c as u64).collect();
                let name = ChunkKeyEncoding::Default(Separator::Slash).encode(&coordinates);
                store.put(&key("a").join(&name).unwrap(), &bytes).unwrap();
            }
        }
        let array = open_array(&store, "a").unwrap();
        let expected = whole.elements.iter().flat_map(|element| element.to_ne_bytes()).collect();
        prop_assert_eq!(Driver::new().whole(&array).unwrap(), Elements::Fixed(expected));
    }

    #[test]
    fn chunk_keys_name_their_chunk_and_no_other(
        chunk in prop::collection::vec(any::<u64>(), 0..5),
        is_slash in any::<bool>(),
        is_v2 in any::<bool>(),
    ) {
        let separator = if is_slash { Separator::Slash } else { Separator::Dot };
        let encoding = if is_v2 {
            ChunkKeyEncoding::V2(separator)
        } else {
            ChunkKeyEncoding::Default(separator)
        };
        let name = encoding.encode(&chunk);
        prop_assert!(Key::new(&name).is_ok());
        // The naive model of the specification.
        let joined = chunk.iter().map(u64::to_string).collect::<Vec<_>>();
        let joined = joined.join(&separator.as_char().to_string());
        let model = match (is_v2, chunk.is_empty()) {
            (true, true) => "0".to_owned(),
            (true, false) => joined,
            (false, true) => "c".to_owned(),
            (false, false) => format!("c{}{joined}", separator.as_char()),
        };
        prop_assert_eq!(&name, &model);
        prop_assert_eq!(encoding.decode(&name, chunk.len()), Some(chunk));
    }

    #[test]
    fn no_name_is_a_panic(name in "[c./0-9é]{0,12}", rank in 0..4usize) {
        for separator in [Separator::Dot, Separator::Slash] {
            for encoding in [ChunkKeyEncoding::V2(separator), ChunkKeyEncoding::Default(separator)] {
                if let Some(chunk) = encoding.decode(&name, rank) {
                    prop_assert_eq!(encoding.encode(&chunk), name.clone());
                }
            }
        }
    }
}

/// Two levels of shards of 4 and 2 chunks; the index of the inner one is at its start.
fn nested() -> Case {
    let level = Level {
        order: vec![0],
        ratio: vec![2],
        index_location: IndexLocation::End,
        index_checksum: true,
        big_endian_index: false,
        compressed: false,
    };
    let inner = Level { index_location: IndexLocation::Start, ..level.clone() };
    Case {
        levels: vec![level, inner],
        shape: vec![4],
        shard_shape: vec![4],
        last_order: vec![0],
        holes: vec![],
    }
}

#[test]
fn a_shard_that_is_replaced_between_its_indexes_is_a_conflict() {
    let case = nested();
    let dense = Dense { shape: vec![4], elements: vec![1, 2, 3, 4] };
    let shard = encode(&case.levels, &dense, &case.last_order).unwrap();
    let store = store(&[("a/zarr.json", document(&case).as_bytes()), ("a/c/0", &shard)]);
    let faulty = Arc::new(FaultStorage::new(store as _, 0));
    let storage: Arc<dyn Storage> = Arc::clone(&faulty) as _;
    let Node::Array(array) = lsio_zarr::open(&storage, &memory(), &key("a"), None).unwrap() else {
        panic!("a is an array")
    };
    assert_eq!(array.info().chunk_shape, [1]);
    // The first read, of the outer index, sees another version than the second, of the inner one.
    let driver = Driver::new();
    let other = Fault::Identity(Identity::Version(77));
    faulty.inject(Reads::Of(key("a/c/0")), 1, other);
    let error = driver.chunk(&array, &[3]).unwrap_err();
    let ChunkErrorKind::Storage(StorageError::Conflict { key }) = &error.kind else {
        panic!("{error}")
    };
    assert_eq!(key.as_str(), "a/c/0");
    assert_eq!(error.codec, Some("sharding_indexed"));

    faulty.clear();
    let whole = Elements::Fixed([1u16, 2, 3, 4].into_iter().flat_map(u16::to_ne_bytes).collect());
    assert_eq!(Driver::new().whole(&array).unwrap(), whole);
}

#[test]
fn an_index_that_points_outside_of_its_inner_shard_is_an_error() {
    let case = nested();
    let dense = Dense { shape: vec![4], elements: vec![1, 2, 3, 4] };
    let shard = encode(&case.levels, &dense, &case.last_order).unwrap();
    // The object goes on after the inner shard, so only the inner shard's own length shows the fault.
    let mut case = case;
    case.levels[1].index_checksum = false;
    let mut forged = encode(&case.levels, &dense, &case.last_order).unwrap();
    assert!(forged.len() < shard.len());
    forged[8..16].copy_from_slice(&64u64.to_le_bytes());
    let store = store(&[("a/zarr.json", document(&case).as_bytes()), ("a/c/0", &forged)]);
    let array = open_array(&store, "a").unwrap();
    let error = Driver::new().chunk(&array, &[0]).unwrap_err();
    assert!(matches!(error.kind, ChunkErrorKind::Truncated { .. }), "{error}");
    assert_eq!(error.chunk, [0]);
    assert!(Driver::new().chunk(&array, &[1]).is_ok());
}

#[test]
fn a_bad_index_names_the_first_chunk_of_its_shard() {
    let mut case = nested();
    case.shape = vec![12];
    let store = store(&[("a/zarr.json", document(&case).as_bytes()), ("a/c/2", &[7; 100])]);
    let array = open_array(&store, "a").unwrap();
    let error = Driver::new().chunk(&array, &[11]).unwrap_err();
    assert!(matches!(error.kind, ChunkErrorKind::Checksum { .. }), "{error}");
    assert_eq!(error.chunk, [8]);
    assert_eq!(error.codec, Some("crc32c"));
    assert!(error.to_string().contains("memory://a"), "{error}");
}

/// The codecs on elements before a shard of 12 elements, its array's shape and fill value, and elements that
/// leave the first of its three chunks full of `FILL` behind these codecs.
fn behind_codecs() -> Vec<(Value, Vec<u64>, u16, Vec<u16>)> {
    let steps = |i: u16| if i < 4 { FILL } else { i };
    let sums = (0..12).scan(0u16, |sum, i| {
        *sum = sum.wrapping_add(steps(i));
        Some(*sum)
    });
    vec![
        (json!([["numcodecs.delta", {"dtype": "<u2"}]]), vec![12], FILL, sums.collect()),
        (json!([["reshape", {"shape": [-1]}]]), vec![2, 6], FILL, (0..12).map(steps).collect()),
        (
            json!([["scale_offset", {"offset": 100}], ["reshape", {"shape": [12]}]]),
            vec![3, 4],
            FILL + 100,
            (0..12).map(|i| steps(i) + 100).collect(),
        ),
        // Nothing is to be undone here: chunks are read one by one.
        (json!([["bitround", {"keepbits": 16}]]), vec![12], FILL, (0..12).map(steps).collect()),
        // Here writers do not agree on the fill value.
        (
            json!([["numcodecs.fixedscaleoffset", {"offset": 1, "scale": 1, "dtype": "<u2"}]]),
            vec![12],
            FILL,
            (0..12).map(|i| i + 1).collect(),
        ),
    ]
}

#[test]
fn shards_behind_codecs_on_elements_are_decoded_as_a_whole() {
    for (before, shape, fill, elements) in behind_codecs() {
        for index_location in [IndexLocation::Start, IndexLocation::End] {
            let level = Level { ratio: vec![3], index_location, ..nested().levels[0].clone() };
            let sharding = &codecs(std::slice::from_ref(&level), &[12], &[0])[1..];
            let mut context =
                ChunkContext { data_type: lsio_array::DataType::UInt16, shape: shape.clone() };
            let mut encoded: Vec<u8> = elements.iter().flat_map(|e| e.to_ne_bytes()).collect();
            let mut list = Vec::new();
            for codec in before.as_array().unwrap() {
                let name = codec[0].as_str().unwrap();
                let made = codec_v3(name, codec[1].as_object().unwrap(), &context).unwrap();
                context = made.encoded_context(&context).unwrap();
                let Codec::ArrayToArray(made) = made else { panic!("{name}") };
                let mut next = Vec::new();
                made.encode(&encoded, &mut next).unwrap();
                encoded = next;
                list.push(json!({"name": name, "configuration": codec[1]}));
            }
            list.extend_from_slice(sharding);
            let words = encoded.as_chunks().0.iter().map(|bytes| u16::from_ne_bytes(*bytes));
            let dense = Dense { shape: vec![12], elements: words.collect() };
            let shard = encode(&[level], &dense, &[0]).unwrap();
            let document = json!({
                "zarr_format": 3, "node_type": "array", "shape": shape, "data_type": "uint16",
                "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": shape}},
                "chunk_key_encoding": "default", "fill_value": fill, "codecs": list,
            })
            .to_string();
            let name = format!("a/c{}", "/0".repeat(shape.len()));
            let objects = [("a/zarr.json", document.as_bytes()), (name.as_str(), &shard[..])];
            let array = open_array(&store(&objects), "a").unwrap();
            let is_whole = list[0]["name"] != "bitround";
            assert_eq!(array.info().chunk_shape == shape, is_whole, "{before}");
            let expected = elements.iter().flat_map(|element| element.to_ne_bytes()).collect();
            assert_eq!(Driver::new().whole(&array).unwrap(), Elements::Fixed(expected), "{before}");

            for cut in [1, shard.len() / 2, shard.len()] {
                let objects = [objects[0], (name.as_str(), &shard[..shard.len() - cut])];
                let array = open_array(&store(&objects), "a").unwrap();
                assert!(Driver::new().whole(&array).is_err(), "{before} {cut}");
            }
        }
    }
}

#[test]
fn a_missing_chunk_whose_elements_nobody_can_tell_is_an_error() {
    let (before, _, fill, _) = behind_codecs().pop().unwrap();
    let level = nested().levels[0].clone();
    let mut list = codecs(std::slice::from_ref(&level), &[2], &[0]);
    list[0] = json!({"name": before[0][0], "configuration": before[0][1]});
    let dense = Dense { shape: vec![2], elements: vec![FILL, 5] };
    let shard = encode(&[level], &dense, &[0]).unwrap();
    let document = json!({
        "zarr_format": 3, "node_type": "array", "shape": [4], "data_type": "uint16",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2]}},
        "chunk_key_encoding": "default", "fill_value": fill, "codecs": list,
    })
    .to_string();
    let store = store(&[("a/zarr.json", document.as_bytes()), ("a/c/0", &shard)]);
    let array = open_array(&store, "a").unwrap();
    let error = Driver::new().chunk(&array, &[0]).unwrap_err();
    assert_eq!(error.codec, Some("sharding_indexed"));
    assert!(format!("{:?}", error.kind).contains("a chunk is missing"), "{error:?}");
    // A shard that is missing is full of the fill value, whatever the codecs.
    assert!(Driver::new().chunk(&array, &[1]).is_ok());
}
