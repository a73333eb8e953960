//! Every codec and many chains of them, for the suites that all must pass.

use std::sync::Arc;

use lsio_array::{DataType, VariableChunk};
use lsio_codecs::{
    Adler32, Base64, Blosc, BloscCompressor, ByteShuffle, Bytes, BytesCodec, Bz2, ChecksumLocation,
    ChunkContext, Codec, CodecChain, CodecError, Crc32, Crc32c, Endian, Fletcher32, Gzip,
    JenkinsLookup3, Lz4, Lzma, Serializer, Shuffle, Transpose, VlenUtf8, Zlib, Zstd, codec_v2,
    codec_v3,
};
use serde_json::{Map, Value};

/// One of each bytes-to-bytes codec and of each way that it can work, by a name for messages.
pub(crate) fn bytes_codecs() -> Vec<(String, Arc<dyn BytesCodec>)> {
    let mut codecs: Vec<(String, Arc<dyn BytesCodec>)> = vec![
        ("crc32c end".into(), Arc::new(Crc32c::new(ChecksumLocation::End))),
        ("crc32c start".into(), Arc::new(Crc32c::new(ChecksumLocation::Start))),
        ("crc32 start".into(), Arc::new(Crc32::new(ChecksumLocation::Start))),
        ("crc32 end".into(), Arc::new(Crc32::new(ChecksumLocation::End))),
        ("adler32 start".into(), Arc::new(Adler32::new(ChecksumLocation::Start))),
        ("adler32 end".into(), Arc::new(Adler32::new(ChecksumLocation::End))),
        ("fletcher32".into(), Arc::new(Fletcher32)),
        ("jenkins_lookup3".into(), Arc::new(JenkinsLookup3::new(7))),
        ("base64".into(), Arc::new(Base64)),
        ("lzma xz true".into(), Arc::new(Lzma::xz(1))),
        ("lzma alone".into(), Arc::new(Lzma::alone(0))),
        ("lzma raw".into(), numcodecs("lzma", r#"{"format":3,"filters":[{"id":33,"preset":0}]}"#)),
        (
            "lzma xz sha256 delta true".into(),
            numcodecs("lzma", r#"{"check":10,"filters":[{"id":3,"dist":4},{"id":33,"preset":0}]}"#),
        ),
        ("bz2 1".into(), Arc::new(Bz2::new(1))),
        ("lz4 1".into(), Arc::new(Lz4::new(1))),
        ("lz4 20".into(), Arc::new(Lz4::new(20))),
    ];
    for element_size in [1, 2, 3, 4, 8, 16, 1000] {
        let shuffle = Arc::new(ByteShuffle::new(element_size));
        codecs.push((format!("shuffle {element_size}"), shuffle));
    }
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

/// A bytes-to-bytes codec by its configuration.
pub(crate) fn numcodecs(id: &str, configuration: &str) -> Arc<dyn BytesCodec> {
    let context = ChunkContext { data_type: DataType::UInt8, shape: vec![1] };
    match codec_v2(id, &serde_json::from_str(configuration).unwrap(), &context).unwrap() {
        Codec::BytesToBytes(codec) => codec,
        other => panic!("{other:?}"),
    }
}

/// Whether the codec only adds a checksum to the bytes.
pub(crate) fn is_checksum(name: &str) -> bool {
    ["crc32", "adler32", "fletcher32", "jenkins"].iter().any(|start| name.starts_with(start))
}

/// Whether the codec carries a checksum of what it encodes.
pub(crate) fn has_checksum(name: &str) -> bool {
    is_checksum(name)
        || ["gzip", "zlib", "bz2"].iter().any(|start| name.starts_with(start))
        || name.ends_with("true")
}

/// Whether a part of its bytes may be the encoding of something shorter.
pub(crate) fn has_no_end(name: &str) -> bool {
    is_checksum(name) || name.starts_with("shuffle") || name.starts_with("base64")
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
    let serializer = Serializer::Variable(Arc::new(VlenUtf8));
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
        Codec::Transpose(Transpose::new(order.to_vec()).unwrap()),
        Codec::ArrayToBytes(serializer),
    ];
    codecs.extend(bytes_codecs.iter().cloned().map(Codec::BytesToBytes));
    CodecChain::new(codecs, &ChunkContext { data_type, shape: shape.to_vec() }).unwrap()
}

/// A chain of Zarr v3: each codec is a list of its name and, where it has one, its configuration.
pub(crate) fn chain_v3(
    data_type: DataType,
    shape: &[u64],
    codecs: &Value,
) -> Result<CodecChain, CodecError> {
    let first = ChunkContext { data_type, shape: shape.to_vec() };
    let mut context = first.clone();
    let mut made = Vec::new();
    let none = Map::new();
    for codec in codecs.as_array().unwrap() {
        let configuration = codec.get(1).and_then(Value::as_object).unwrap_or(&none);
        let codec = codec_v3(codec[0].as_str().unwrap(), configuration, &context)?;
        context = codec.encoded_context(&context)?;
        made.push(codec);
    }
    CodecChain::new(made, &first)
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
