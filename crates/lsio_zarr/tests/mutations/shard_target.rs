//! Shards as the executor reads them: the index first, then each chunk by its entry.

use std::sync::Arc;

use lsio_array::DataType;
use lsio_codecs::{BytesCodec, ChunkContext, CodecChain, Gzip, Zstd, codec_v3};
use lsio_io::{Memory, MemoryStorage, WriteStorage};
use lsio_mutation::{Outcome, Random, Target, alter, hostile_number};
use lsio_zarr::ZarrArray;
use serde_json::{Value, json};

use crate::driver::{Driver, indices, key, open_array, store};

/// Elements of a shard along each of two axes; a shard has 2 x 2 chunks, which may be shards.
const LEN: u64 = 8;

/// The codec of the chunks. An error of it shows that the index led to a chunk.
const CHUNK_CODEC: &str = "gzip";

/// Beside the input: buffers of the memory pool, and what inflates a chunk.
const WORKING_MEMORY: u64 = 1 << 20;

/// One way of storing shards.
#[derive(Debug, Clone, Copy)]
struct Layout {
    row: &'static str,
    index_is_first: bool,
    /// Levels of shards.
    levels: u32,
    /// Whether a shard is compressed as a whole.
    is_compressed: bool,
    /// Whether a codec on elements stands before it, so that it is decoded as a whole.
    is_whole: bool,
}

struct ShardTarget {
    layout: Layout,
    array: Arc<ZarrArray>,
    store: Arc<MemoryStorage>,
    memory: Arc<Memory>,
}

/// Every way of storing shards.
pub(crate) fn all() -> Vec<Box<dyn Target>> {
    let last = Layout {
        row: "shard, index at its end",
        index_is_first: false,
        levels: 1,
        is_compressed: false,
        is_whole: false,
    };
    let layouts = [
        last,
        Layout { row: "shard, index at its start", index_is_first: true, ..last },
        Layout { row: "shard in a shard", levels: 2, ..last },
        Layout { row: "shard behind zstd", is_compressed: true, ..last },
        Layout { row: "shard as a codec", is_whole: true, ..last },
        Layout { row: "shard as a codec", is_whole: true, levels: 2, index_is_first: true, ..last },
    ];
    layouts.map(|layout| Box::new(ShardTarget::new(layout)) as Box<dyn Target>).into()
}

fn index_codecs() -> Value {
    json!([{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}])
}

impl Layout {
    /// The codecs of a shard or, at level 0, of a chunk.
    fn codecs(self, level: u32) -> Value {
        if level == 0 {
            return json!([
                {"name": "bytes", "configuration": {"endian": "little"}},
                {"name": CHUNK_CODEC, "configuration": {"level": 1}},
            ]);
        }
        let len = LEN >> (self.levels - level + 1);
        json!([{"name": "sharding_indexed", "configuration": {
            "chunk_shape": [len, len],
            "codecs": self.codecs(level - 1),
            "index_codecs": index_codecs(),
            "index_location": if self.index_is_first { "start" } else { "end" },
        }}])
    }

    fn document(self) -> String {
        let mut codecs = self.codecs(self.levels);
        let list = codecs.as_array_mut().unwrap();
        if self.is_whole {
            list.insert(0, json!({"name": "numcodecs.delta", "configuration": {"dtype": "<u2"}}));
        }
        if self.is_compressed {
            list.push(json!({"name": "zstd", "configuration": {"level": 1, "checksum": false}}));
        }
        json!({
            "zarr_format": 3, "node_type": "array", "shape": [LEN, LEN], "data_type": "uint16",
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [LEN, LEN]}},
            "chunk_key_encoding": "default", "fill_value": 0, "codecs": codecs,
        })
        .to_string()
    }

    /// A shard or, at level 0, a chunk. Forged ones have entries that lead elsewhere, or chunks that are
    /// not what the codec writes, behind a checksum that fits.
    fn encoded(self, random: &mut Random, level: u32, is_forged: bool) -> Vec<u8> {
        if level == 0 {
            let elements = random.bytes(2 * ((LEN * LEN) >> (2 * self.levels)) as usize);
            let mut chunk = Vec::new();
            Gzip::new(1).encode(&elements, &mut chunk).unwrap();
            if is_forged && random.once_in(4) {
                alter(random, &mut chunk);
            }
            return chunk;
        }
        let index_len = if self.index_is_first { 4 * 16 + 4 } else { 0 };
        let (mut chunks, mut entries) = (Vec::new(), Vec::new());
        for _ in 0..4 {
            let chunk = self.encoded(random, level - 1, is_forged);
            let mut entry = [index_len + chunks.len() as u64, chunk.len() as u64];
            chunks.extend(chunk);
            for number in &mut entry {
                if is_forged && random.once_in(16) {
                    *number = hostile_number(random, *number);
                }
            }
            // No part of a shard stands for a chunk that is missing behind a codec on elements.
            if random.once_in(8) && (is_forged || !self.is_whole) {
                entry = [u64::MAX; 2];
            }
            entries.extend(entry.map(u64::to_ne_bytes).concat());
        }
        let mut index = Vec::new();
        index_chain().encode(&entries, &mut index).unwrap();
        if self.index_is_first { [index, chunks] } else { [chunks, index] }.concat()
    }

    fn object(self, random: &mut Random, is_forged: bool) -> Vec<u8> {
        let shard = self.encoded(random, self.levels, is_forged);
        if !self.is_compressed {
            return shard;
        }
        let mut compressed = Vec::new();
        Zstd::new(1, false).encode(&shard, &mut compressed).unwrap();
        compressed
    }
}

/// The codecs of an index of 2 x 2 chunks.
fn index_chain() -> CodecChain {
    let context = ChunkContext { data_type: DataType::UInt64, shape: vec![2, 2, 2] };
    let codec = |codec: &Value| {
        let none = serde_json::Map::new();
        let configuration = codec["configuration"].as_object().unwrap_or(&none);
        codec_v3(codec["name"].as_str().unwrap(), configuration, &context).unwrap()
    };
    let codecs = index_codecs().as_array().unwrap().iter().map(codec).collect();
    CodecChain::new(codecs, &context).unwrap()
}

impl ShardTarget {
    fn new(layout: Layout) -> Self {
        let store = store(&[("a/zarr.json", layout.document().as_bytes())]);
        let array = open_array(&store, "a").unwrap();
        Self { layout, array, store, memory: Memory::new(64 << 20) }
    }
}

impl Target for ShardTarget {
    fn row(&self) -> String {
        self.layout.row.to_owned()
    }

    fn sample(&self, random: &mut Random) -> Vec<u8> {
        self.layout.object(random, false)
    }

    fn forge(&self, random: &mut Random) -> Vec<u8> {
        self.layout.object(random, true)
    }

    fn decode(&self, input: &[u8]) -> Outcome {
        self.store.put(&key("a/c/0/0"), input).unwrap();
        let driver = Driver::with_memory(Arc::clone(&self.memory));
        let chunks = if self.layout.is_whole { 1 } else { 1 << self.layout.levels };
        let (mut is_decoded, mut is_in_body) = (true, false);
        for chunk in indices(&[chunks, chunks]) {
            let chunk: Vec<u64> = chunk.iter().map(|&at| at as u64).collect();
            match driver.chunk(&self.array, &chunk) {
                Ok(elements) => is_in_body |= elements.is_some(),
                Err(error) => {
                    is_decoded = false;
                    is_in_body |= error.codec == Some(CHUNK_CODEC);
                }
            }
        }
        match (is_decoded, is_in_body) {
            (true, _) => Outcome::Decoded,
            (false, true) => Outcome::InBody,
            (false, false) => Outcome::Refused,
        }
    }

    fn most_memory(&self, _: u64) -> u64 {
        WORKING_MEMORY
    }
}
