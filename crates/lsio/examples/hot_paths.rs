//! Runs one hot path several times, so that its instructions can be counted from outside:
//! `hot_paths NAME ROUNDS`; without arguments it prints the names. See `benches/instructions/run.mjs`.

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;

use lsio::{ChunkData, DataType, Engine, EngineConfig, Node, OpenOptions, RunOptions};
use lsio_array::{
    Answer, ChunkSource, Destination, DimensionPlacement, KnownReads, Location, ReadSpec, Region,
    StridedCopy, c_strides,
};
use lsio_codecs::{ChunkContext, CodecChain, codec_v3};
use lsio_io::plan::{Span, Wanted, merge};
use lsio_io::{Key, Memory, MemoryStorage, ReadLimits, Storage};
use lsio_zarr::{ArraySpec, ArrayWriter};
use serde_json::{Map, Value, json};

type Anything = Box<dyn Error>;
/// One round of a path.
type Round = Box<dyn FnMut() -> Result<(), Anything>>;
/// Prepares a path.
type Prepare = fn() -> Result<Round, Anything>;

const PATHS: [(&str, Prepare); 6] = [
    ("merge 10000 ranges", merge_ranges),
    ("copy a chunk of 1 MB", copy_chunk),
    ("decode 1 MiB of zstd", || decode(("zstd", &json!({"level": 3})))),
    ("decode 1 MiB of blosc-lz4", || {
        let shuffle = json!({"cname": "lz4", "clevel": 5, "shuffle": "shuffle", "typesize": 4});
        decode(("blosc", &shuffle))
    }),
    ("parse an index of 4096 chunks", parse_index),
    ("scan 10000 chunks of 4 KiB", scan_tiny_chunks),
];

fn main() -> Result<(), Anything> {
    let mut arguments = std::env::args().skip(1);
    let Some(name) = arguments.next() else {
        for (name, _) in PATHS {
            println!("{name}");
        }
        return Ok(());
    };
    let rounds: u64 = arguments.next().ok_or("how many rounds?")?.parse()?;
    let found = PATHS.iter().find(|(path, _)| *path == name);
    let (_, prepare) = found.ok_or_else(|| format!("there is no path '{name}'"))?;
    let mut round = prepare()?;
    for _ in 0..rounds {
        round()?;
    }
    Ok(())
}

/// Ranges of 3 KiB, one in each 4 KiB, in an order that visits every place once.
fn merge_ranges() -> Result<Round, Anything> {
    const RANGES: u64 = 10_000;
    let limits = ReadLimits { merge_gap: 4 << 10, max_merged: 4 << 20, max_request: 256 << 10 };
    let mut ranges = Vec::new();
    for tag in 0..RANGES {
        // 7919 is prime, so its multiples reach all numbers below RANGES.
        let span = Span::new((tag * 7919 % RANGES) << 12, 3 << 10).ok_or("no such range")?;
        ranges.push(Wanted { span, tag });
    }
    Ok(Box::new(move || {
        black_box(merge(ranges.clone(), &limits));
        Ok(())
    }))
}

/// A chunk of float32 into the middle of a result with longer rows.
fn copy_chunk() -> Result<Round, Anything> {
    let (chunk, result) = ([8, 180, 180], [8, 720, 1440]);
    let part = |(&len, target_start)| DimensionPlacement {
        source_start: 0,
        source_step: 1,
        target_start,
        len,
    };
    let dimensions = chunk.iter().zip([0, 180, 540]).map(part).collect();
    let strides = c_strides(&chunk).zip(c_strides(&result)).ok_or("no strides")?;
    let region = Region { output: 0, dimensions };
    let copy = StridedCopy::new(&region, &strides.0, &strides.1, 4).ok_or("no copy")?;
    let source = vec![1; copy.source_end()];
    let mut target = vec![0; copy.target_end()];
    Ok(Box::new(move || {
        let fits = copy.copy(black_box(&source), &mut target);
        fits.then_some(()).ok_or_else(|| "the copy does not fit".into())
    }))
}

/// A smooth field with noise, rounded to 1/64, through one codec.
fn decode((name, configuration): (&str, &Value)) -> Result<Round, Anything> {
    const COUNT: u32 = 256 << 10;
    let mut noise = 1u32;
    let value = |number: u32| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = (noise >> 8) as f32 / (1 << 24) as f32;
        ((280.0 + 20.0 * (number as f32 / 1000.0).sin() + grain) * 64.0).round() / 64.0
    };
    let elements: Vec<u8> = (0..COUNT).map(value).flat_map(f32::to_ne_bytes).collect();

    let context = ChunkContext { data_type: DataType::Float32, shape: vec![u64::from(COUNT)] };
    let codec = |name: &str, configuration: &Value| {
        codec_v3(name, configuration.as_object().unwrap_or(&Map::new()), &context)
    };
    let codecs = vec![codec("bytes", &json!({"endian": "little"}))?, codec(name, configuration)?];
    let chain = CodecChain::new(codecs, &context)?;
    let mut encoded = Vec::new();
    chain.encode(&elements, &mut encoded)?;
    let mut decoded = vec![0; elements.len()];
    Ok(Box::new(move || {
        chain.decode(black_box(&encoded), Destination::Fixed(&mut decoded), &mut [])?;
        Ok(())
    }))
}

/// Writes an array of bytes in shards, each chunk full of ones.
fn write_shards(
    store: Arc<MemoryStorage>,
    (chunk, in_shard, shards): (u64, u64, u64),
) -> Result<(), Anything> {
    let spec = ArraySpec {
        shape: vec![chunk * in_shard * shards],
        chunk_shape: vec![chunk],
        shard_shape: Some(vec![chunk * in_shard]),
        data_type: DataType::UInt8,
        codecs: vec![("bytes".to_owned(), json!({}))],
        fill_value: json!(0),
        dimension_names: None,
        attributes: Map::new(),
    };
    let writer = ArrayWriter::create(store, Key::root(), &spec)?;
    let elements = vec![1; chunk as usize];
    for shard in 0..shards {
        writer.write_shard(&[shard], &vec![Some(elements.as_slice()); in_shard as usize])?;
    }
    Ok(())
}

struct NothingKnown;

impl KnownReads for NothingKnown {
    fn get(&self, _spec: &ReadSpec) -> Option<Answer> {
        None
    }
}

/// The index of one shard, as the executor has it parsed.
fn parse_index() -> Result<Round, Anything> {
    let store = Arc::new(MemoryStorage::new());
    write_shards(store.clone(), (1, 4096, 1))?;
    let (store, memory) = (store as Arc<dyn Storage>, Memory::new(64 << 20));
    let lsio_zarr::Node::Array(array) = lsio_zarr::open(&store, &memory, &Key::root(), None)?
    else {
        return Err("a group".into());
    };
    let Location::After(spec) = array.locate(&[0], &NothingKnown)? else {
        return Err("chunks are found without an index".into());
    };
    let object = lsio_io::blocking::read_whole(store.as_ref(), &memory, &spec.key, 1 << 20)?;
    let (object, _) = object.ok_or("there is no shard")?;
    let object_len = object.len() as u64;
    let (offset, len) = spec.range.resolve(&spec.key, object_len)?;
    let index = object[offset as usize..(offset + len) as usize].to_vec();
    Ok(Box::new(move || {
        black_box(array.parse(&spec, Some(black_box(&index)), object_len)?);
        Ok(())
    }))
}

/// A fold over many tiny chunks in shards, through an engine with one worker.
fn scan_tiny_chunks() -> Result<Round, Anything> {
    const CHUNKS: u64 = 10_000;
    let config =
        EngineConfig { threads: Some(1), memory: Some(64 << 20), ..EngineConfig::default() };
    let engine = Engine::new(&config)?;
    write_shards(engine.memory_store("tiny"), (4096, 1000, CHUNKS / 1000))?;
    let Node::Array(array) = engine.open_blocking("memory://tiny", &OpenOptions::default())? else {
        return Err("a group".into());
    };
    let plan = Arc::new(array.touched_chunks(array.resolve(None)?, false)?);
    Ok(Box::new(move || {
        let first = |chunks: &[ChunkData]| Ok(u64::from(chunks[0].bytes()[0]));
        let (sources, options) = (vec![array.source().clone()], RunOptions::default());
        let merge = |a: u64, b: u64| a + b;
        let sum = engine.executor().fold_blocking(sources, plan.clone(), options, first, merge)?;
        match sum {
            Some(CHUNKS) => Ok(()),
            other => Err(format!("{other:?} chunks were seen").into()),
        }
    }))
}
