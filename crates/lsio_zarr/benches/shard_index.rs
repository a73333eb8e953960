//! The index of a shard: parsed once, then asked for each of its chunks.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "benchmarks")]

use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use lsio_array::{Answer, ChunkSource, DataType, KnownReads, Location, ReadSpec};
use lsio_io::blocking::read_whole;
use lsio_io::{ByteRange, Key, Memory, MemoryStorage, Storage};
use lsio_zarr::{ArraySpec, ArrayWriter, Node, ZarrArray, open};
use serde_json::{Map, json};

/// Chunks along each of three axes of the shard.
const ALONG: u64 = 16;
const CHUNKS: u64 = ALONG * ALONG * ALONG;

fn main() {
    divan::main();
}

/// An array of one shard, what must be read before its chunks can be found, and those bytes.
struct Shard {
    array: Arc<ZarrArray>,
    spec: ReadSpec,
    index: Vec<u8>,
    object_len: u64,
}

struct NothingKnown;

impl KnownReads for NothingKnown {
    fn get(&self, _spec: &ReadSpec) -> Option<Answer> {
        None
    }
}

struct Known(Answer);

impl KnownReads for Known {
    fn get(&self, _spec: &ReadSpec) -> Option<Answer> {
        Some(self.0.clone())
    }
}

impl Shard {
    fn new() -> Self {
        let store = Arc::new(MemoryStorage::new());
        let spec = ArraySpec {
            shape: vec![ALONG; 3],
            chunk_shape: vec![1; 3],
            shard_shape: Some(vec![ALONG; 3]),
            data_type: DataType::UInt8,
            codecs: vec![("bytes".to_owned(), json!({}))],
            fill_value: json!(0),
            dimension_names: None,
            attributes: Map::new(),
        };
        let writer = ArrayWriter::create(store.clone(), Key::root(), &spec).unwrap();
        writer.write_shard(&[0; 3], &vec![Some([7].as_slice()); CHUNKS as usize]).unwrap();

        let (store, memory) = (store as Arc<dyn Storage>, Memory::new(64 << 20));
        let Node::Array(array) = open(&store, &memory, &Key::root(), None).unwrap() else {
            panic!("a group");
        };
        let Location::After(spec) = array.locate(&[0; 3], &NothingKnown).unwrap() else {
            panic!("chunks are found without an index");
        };
        let (object, _) = read_whole(store.as_ref(), &memory, &spec.key, 1 << 20).unwrap().unwrap();
        let ByteRange::Suffix { len } = spec.range else { panic!("the index is not at the end") };
        let index = object[object.len() - len as usize..].to_vec();
        Self { array, spec, index, object_len: object.len() as u64 }
    }

    fn parse(&self) -> Answer {
        let parsed = self.array.parse(&self.spec, Some(&self.index), self.object_len).unwrap();
        Answer { value: parsed.value, identity: None, object_len: self.object_len }
    }
}

#[divan::bench]
fn parse_4096_entries(bencher: Bencher) {
    let shard = Shard::new();
    bencher.counter(ItemsCount::new(CHUNKS)).bench_local(|| black_box(&shard).parse());
}

#[divan::bench]
fn locate_4096_chunks(bencher: Bencher) {
    let shard = Shard::new();
    let known = Known(shard.parse());
    bencher.counter(ItemsCount::new(CHUNKS)).bench_local(|| {
        for number in 0..CHUNKS {
            let chunk = [number / ALONG / ALONG, number / ALONG % ALONG, number % ALONG];
            black_box(shard.array.locate(&chunk, &known).unwrap());
        }
    });
}
