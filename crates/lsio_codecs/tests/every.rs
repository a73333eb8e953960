//! Every codec and many chains of them, for the suites that all must pass.

use std::sync::Arc;

use lsio_array::{DataType, VariableChunk};
use lsio_codecs::{
    Blosc, BloscCompressor, Bytes, BytesCodec, ChecksumLocation, ChunkContext, Codec, CodecChain,
    Crc32c, Endian, Gzip, Serializer, Shuffle, Transpose, VlenUtf8, Zlib, Zstd,
};

/// One of each bytes-to-bytes codec and of each way that it can work, by a name for messages.
pub(crate) fn bytes_codecs() -> Vec<(String, Arc<dyn BytesCodec>)> {
    let mut codecs: Vec<(String, Arc<dyn BytesCodec>)> = vec![
        ("crc32c end".into(), Arc::new(Crc32c::new(ChecksumLocation::End))),
        ("crc32c start".into(), Arc::new(Crc32c::new(ChecksumLocation::Start))),
    ];
    for level in [0, 1, 6, 9] {
        codecs.push((format!("gzip {level}"), Arc::new(Gzip::new(level))));
        codecs.push((format!("zlib {level}"), Arc::new(Zlib::new(level))));
    }
    for (level, checksum) in [(-7, false), (0, true), (19, true)] {
        codecs.push((format!("zstd {level} {checksum}"), Arc::new(Zstd::new(level, checksum))));
    }
    for compressor in BloscCompressor::ALL {
        for shuffle in [Shuffle::None, Shuffle::Byte, Shuffle::Bit] {
            for (level, typesize, block_len) in [(5, 4, 0), (1, 2, 256), (9, 1, 0), (5, 3, 1000)] {
                let name =
                    format!("blosc {compressor:?} {level} {shuffle:?} {typesize} {block_len}");
                let blosc = Blosc::new(compressor, level, shuffle, typesize, block_len);
                codecs.push((name, Arc::new(blosc)));
            }
        }
        let stored = Blosc::new(compressor, 0, Shuffle::Byte, 4, 0);
        codecs.push((format!("blosc {compressor:?} stored"), Arc::new(stored)));
    }
    codecs
}

/// Whether the codec carries a checksum of what it encodes.
pub(crate) fn has_checksum(name: &str) -> bool {
    name.starts_with("crc32c")
        || name.starts_with("gzip")
        || name.starts_with("zlib")
        || name.ends_with("true")
}

/// A chain for elements of fixed size.
pub(crate) fn chain(
    data_type: DataType,
    shape: &[u64],
    order: &[usize],
    endian: Endian,
    bytes_codecs: &[Arc<dyn BytesCodec>],
) -> CodecChain {
    let serializer = Serializer::Bytes(Bytes::new(endian));
    chain_of(serializer, data_type, shape, order, bytes_codecs)
}

/// A chain for strings.
pub(crate) fn string_chain(
    shape: &[u64],
    order: &[usize],
    bytes_codecs: &[Arc<dyn BytesCodec>],
) -> CodecChain {
    let serializer = Serializer::VlenUtf8(VlenUtf8);
    chain_of(serializer, DataType::String, shape, order, bytes_codecs)
}

fn chain_of(
    serializer: Serializer,
    data_type: DataType,
    shape: &[u64],
    order: &[usize],
    bytes_codecs: &[Arc<dyn BytesCodec>],
) -> CodecChain {
    let mut codecs = vec![
        Codec::ArrayToArray(Transpose::new(order.to_vec()).unwrap()),
        Codec::ArrayToBytes(serializer),
    ];
    codecs.extend(bytes_codecs.iter().cloned().map(Codec::BytesToBytes));
    CodecChain::new(codecs, &ChunkContext { data_type, shape: shape.to_vec() }).unwrap()
}

/// An empty destination for strings.
pub(crate) fn variable(limit: u64) -> VariableChunk {
    VariableChunk { offsets: vec![], bytes: vec![], limit }
}

/// The strings of a decoded chunk.
pub(crate) fn strings(chunk: &VariableChunk) -> Vec<&str> {
    let text = |ends: &[u64]| {
        std::str::from_utf8(&chunk.bytes[ends[0] as usize..ends[1] as usize]).unwrap()
    };
    chunk.offsets.windows(2).map(text).collect()
}

/// Bytes that compress, but not to nothing: runs and steps that depend on `seed`.
pub(crate) fn compressible(len: usize, seed: u64) -> Vec<u8> {
    (0..len as u64).map(|i| (i / 7 * (seed % 13 + 1) % 31 + i % 4 * (seed % 3)) as u8).collect()
}
