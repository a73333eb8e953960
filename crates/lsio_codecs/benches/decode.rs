//! Decoding of one chunk by each codec.
#![allow(clippy::unwrap_used, missing_docs, reason = "benchmarks")]

use std::fmt;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use lsio_array::{DataType, Destination, VariableChunk};
use lsio_codecs::{ChunkContext, CodecChain, codec_v3};
use serde_json::{Value, json};

/// Elements of a chunk: 1 MiB of float32.
const COUNT: u64 = 256 << 10;

/// Codecs as Zarr metadata names them.
struct Chain {
    title: &'static str,
    codecs: fn() -> Vec<(&'static str, Value)>,
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title)
    }
}

const LITTLE: fn() -> (&'static str, Value) = || ("bytes", json!({"endian": "little"}));

const CHAINS: [Chain; 9] = [
    Chain { title: "bytes", codecs: || vec![LITTLE()] },
    Chain { title: "bytes, big endian", codecs: || vec![("bytes", json!({"endian": "big"}))] },
    Chain { title: "zstd", codecs: || vec![LITTLE(), ("zstd", json!({"level": 3}))] },
    Chain { title: "gzip", codecs: || vec![LITTLE(), ("gzip", json!({"level": 5}))] },
    Chain { title: "zlib", codecs: || vec![LITTLE(), ("numcodecs.zlib", json!({"level": 5}))] },
    Chain { title: "crc32c", codecs: || vec![LITTLE(), ("crc32c", json!({}))] },
    Chain {
        title: "blosc, lz4, shuffle",
        codecs: || vec![LITTLE(), ("blosc", blosc("lz4", "shuffle"))],
    },
    Chain {
        title: "blosc, zstd, bitshuffle",
        codecs: || vec![LITTLE(), ("blosc", blosc("zstd", "bitshuffle"))],
    },
    Chain {
        title: "blosc, zlib, shuffle",
        codecs: || vec![LITTLE(), ("blosc", blosc("zlib", "shuffle"))],
    },
];

fn blosc(cname: &str, shuffle: &str) -> Value {
    json!({"cname": cname, "clevel": 5, "shuffle": shuffle, "typesize": 4, "blocksize": 0})
}

fn main() {
    divan::main();
}

fn chain_of(codecs: Vec<(&str, Value)>, context: &ChunkContext) -> CodecChain {
    let codec = |(name, configuration): (&str, Value)| {
        codec_v3(name, configuration.as_object().unwrap(), context).unwrap()
    };
    CodecChain::new(codecs.into_iter().map(codec).collect(), context).unwrap()
}

/// A smooth field with noise, rounded to 1/64.
fn elements() -> Vec<u8> {
    let mut noise = 1u32;
    let value = |number: u64| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = (noise >> 8) as f32 / (1 << 24) as f32;
        ((280.0 + 20.0 * (number as f32 / 1000.0).sin() + grain) * 64.0).round() / 64.0
    };
    (0..COUNT).map(value).flat_map(f32::to_ne_bytes).collect()
}

#[divan::bench(args = CHAINS)]
fn float32(bencher: Bencher, chain: &Chain) {
    let context = ChunkContext { data_type: DataType::Float32, shape: vec![COUNT] };
    let chain = chain_of((chain.codecs)(), &context);
    let mut encoded = Vec::new();
    chain.encode(&elements(), &mut encoded).unwrap();
    let mut decoded = vec![0; chain.decoded_len().unwrap() as usize];
    let mut scratch = vec![0; chain.scratch_len() as usize];
    bencher.counter(BytesCount::new(decoded.len())).bench_local(|| {
        chain.decode(black_box(&encoded), Destination::Fixed(&mut decoded), &mut scratch).unwrap()
    });
}

#[divan::bench]
fn vlen_utf8(bencher: Bencher) {
    let words: Vec<String> = (0..COUNT).map(|number| format!("station {number}")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let context = ChunkContext { data_type: DataType::String, shape: vec![COUNT] };
    let chain = chain_of(vec![("vlen-utf8", json!({})), ("zstd", json!({"level": 3}))], &context);
    let mut encoded = Vec::new();
    chain.encode_variable(&words, &mut encoded).unwrap();
    let bytes: usize = words.iter().map(|word| word.len()).sum();
    let empty = || VariableChunk { offsets: Vec::new(), bytes: Vec::new(), limit: 1 << 30 };
    bencher.counter(BytesCount::new(bytes)).with_inputs(empty).bench_local_refs(|chunk| {
        chain.decode(black_box(&encoded), Destination::Variable(chunk), &mut []).unwrap()
    });
}
