//! Codecs of array chunks: one codec, one file, decoded into the caller's slice.
//!
//! A chunk's codecs form a [`CodecChain`]: any number of array-to-array codecs ([`Transpose`] and each
//! [`ArrayCodec`]), one that makes bytes of elements ([`Bytes`], an [`ArrayBytesCodec`] or a [`VariableCodec`]), then
//! any number of bytes-to-bytes codecs ([`BytesCodec`], and [`SuspendingCodec`] for those that answer later).
//! [`codec_v3`] and [`codecs_v2`] make them from the names and configurations that Zarr metadata carries;
//! [`register_codec`] adds codecs of users.
//!
//! Decoding writes straight into the destination whenever one codec is left to run, allocates nothing
//! on a length that came from the data before it is checked, and uses one context per thread and
//! algorithm. Bytes that are not exactly what the codecs would have written for this chunk are an
//! error. This crate knows neither arrays on disk nor threads nor shards: a shard index is a chain over
//! `uint64` like any other.
//!
//! ```
//! use lsio_array::{DataType, Decoded, Destination};
//! use lsio_codecs::{ChunkContext, CodecChain, codec_v3};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let context = ChunkContext { data_type: DataType::UInt16, shape: vec![2, 3] };
//! let codecs = vec![
//!     codec_v3("bytes", &serde_json::from_str(r#"{"endian":"big"}"#)?, &context)?,
//!     codec_v3("zstd", &serde_json::from_str(r#"{"level":3,"checksum":true}"#)?, &context)?,
//! ];
//! let chain = CodecChain::new(codecs, &context)?;
//!
//! let elements: Vec<u8> = (0..6u16).flat_map(u16::to_ne_bytes).collect();
//! let mut encoded = Vec::new();
//! chain.encode(&elements, &mut encoded)?;
//!
//! let mut decoded = [0; 12];
//! assert_eq!(chain.scratch_len(), 0);
//! let end = chain.decode(&encoded, Destination::Fixed(&mut decoded), &mut [])?;
//! assert_eq!(end, Decoded::Complete);
//! assert_eq!(decoded[..], elements[..]);
//! # Ok(())
//! # }
//! ```

mod adler32;
mod array_bytes_codec;
mod array_codec;
mod as_type;
mod base64;
mod bit_round;
mod blosc;
mod blosc_blocks;
mod blosc_container;
mod blosc_ffi;
mod blosc_snappy;
mod byte_shuffle;
mod bytes;
mod bz2;
mod cast_value;
mod categorize;
mod chain;
mod checksum;
mod codec;
mod configuration;
mod crc32;
mod crc32c;
mod deflate;
mod delta;
mod document_elements;
mod document_form;
mod error;
mod fixed_scale_offset;
mod fletcher32;
mod growing;
mod gzip;
#[cfg(target_arch = "x86_64")]
mod interleave;
mod jenkins_lookup3;
mod json2;
mod json_number;
mod json_text;
mod libdeflate_ffi;
mod lz4;
mod lz4_ffi;
mod lzma;
mod lzma_filter;
mod msgpack2;
mod number;
mod numcodecs_dtype;
mod object_text;
mod own_codecs;
mod pack_bits;
mod pack_bools;
mod pcodec;
mod pcodec_memory;
mod quantize;
mod real_number;
mod registry;
mod reshape;
mod scale_offset;
mod shuffle;
mod stream;
mod suspending;
mod transpose;
#[cfg(target_arch = "x86_64")]
mod unsafe_interleave_x86;
#[cfg(target_arch = "x86_64")]
mod unsafe_swap_avx2;
mod unshuffle;
mod v2_codecs;
mod variable_codec;
mod vlen_array;
mod vlen_bytes;
mod vlen_utf8;
mod zfp;
mod zfp_mode;
mod zlib;
mod zstd;

pub use adler32::Adler32;
pub use array_bytes_codec::ArrayBytesCodec;
pub use array_codec::ArrayCodec;
pub use as_type::AsType;
pub use base64::Base64;
pub use bit_round::BitRound;
pub use blosc::{Blosc, BloscCompressor};
pub use byte_shuffle::ByteShuffle;
pub use bytes::Bytes;
pub use bz2::Bz2;
pub use cast_value::CastValue;
pub use categorize::Categorize;
pub use chain::CodecChain;
pub use checksum::{Checksum, ChecksumLocation};
pub use codec::{BytesCodec, ChunkContext, Codec, PieceCodec, Serializer};
pub use configuration::Configuration;
pub use crc32::Crc32;
pub use crc32c::Crc32c;
pub use delta::Delta;
pub use error::CodecError;
pub use fixed_scale_offset::FixedScaleOffset;
pub use fletcher32::Fletcher32;
pub use growing::{Growth, decode_growing};
pub use gzip::Gzip;
pub use jenkins_lookup3::JenkinsLookup3;
pub use json_number::{integer_from_json, number_from_json};
pub use json2::Json2;
pub use lsio_array::Endian;
pub use lz4::Lz4;
pub use lzma::Lzma;
pub use msgpack2::Msgpack2;
pub use own_codecs::{MakeCodec, codec_registrations, register_codec};
pub use pack_bits::PackBits;
pub use pack_bools::PackBools;
pub use pcodec::Pcodec;
pub use quantize::Quantize;
pub use registry::{codec_v2, codec_v3};
pub use reshape::Reshape;
pub use scale_offset::ScaleOffset;
pub use shuffle::Shuffle;
pub use suspending::{DecodeAnswer, SuspendingCodec};
pub use transpose::Transpose;
pub use v2_codecs::codecs_v2;
pub use variable_codec::VariableCodec;
pub use vlen_array::VlenArray;
pub use vlen_bytes::VlenBytes;
pub use vlen_utf8::VlenUtf8;
pub use zfp::Zfp;
pub use zlib::Zlib;
pub use zstd::Zstd;
