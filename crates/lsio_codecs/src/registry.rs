//! Makes codecs of the names and configurations that metadata carries.

use std::sync::Arc;

use crate::configuration::{Dialect, Members};
use crate::{
    Blosc, Bytes, BytesCodec, ChunkContext, Codec, CodecError, Configuration, Crc32c, Gzip,
    Serializer, Transpose, VlenUtf8, Zlib, Zstd,
};

/// The codec that Zarr v3 metadata calls `name`. Names `numcodecs.<id>` take the configuration of
/// [`codec_v2`].
///
/// # Errors
/// [`CodecError::Unsupported`] for a name that is not known, [`CodecError::Configuration`] for a
/// configuration that the codec does not allow.
pub fn codec_v3(
    name: &str,
    configuration: &Configuration,
    context: &ChunkContext,
) -> Result<Codec, CodecError> {
    if let Some(id) = name.strip_prefix("numcodecs.") {
        return codec_v2(id, configuration, context).map_err(|error| match error {
            CodecError::Unsupported { .. } => CodecError::Unsupported { name: name.to_owned() },
            other => other,
        });
    }
    let members = |codec| Members::new(codec, Dialect::V3, configuration);
    match name {
        "bytes" | "endian" => Bytes::from_members(members(Bytes::NAME), context)
            .map(|bytes| Codec::ArrayToBytes(Serializer::Bytes(bytes))),
        "transpose" => {
            Transpose::from_members(members(Transpose::NAME), context).map(Codec::ArrayToArray)
        }
        _ => shared(name, Dialect::V3, configuration, context),
    }
}

/// The codec that Zarr v2 metadata and numcodecs call `id`; `configuration` holds the other members.
///
/// # Errors
/// As [`codec_v3`].
pub fn codec_v2(
    id: &str,
    configuration: &Configuration,
    context: &ChunkContext,
) -> Result<Codec, CodecError> {
    shared(id, Dialect::Numcodecs, configuration, context)
}

/// Codecs that both formats have under the same name.
fn shared(
    name: &str,
    dialect: Dialect,
    configuration: &Configuration,
    context: &ChunkContext,
) -> Result<Codec, CodecError> {
    let members = |codec| Members::new(codec, dialect, configuration);
    match name {
        "blosc" => Blosc::from_members(members("blosc"), context).map(bytes_to_bytes),
        "crc32c" => Crc32c::from_members(members("crc32c")).map(bytes_to_bytes),
        "gzip" => Gzip::from_members(members("gzip")).map(bytes_to_bytes),
        "zlib" => Zlib::from_members(members("zlib")).map(bytes_to_bytes),
        "zstd" => Zstd::from_members(members("zstd")).map(bytes_to_bytes),
        "vlen-utf8" => {
            members(VlenUtf8::NAME).finish()?;
            Ok(Codec::ArrayToBytes(Serializer::VlenUtf8(VlenUtf8)))
        }
        _ => Err(CodecError::Unsupported { name: name.to_owned() }),
    }
}

fn bytes_to_bytes(codec: impl BytesCodec + 'static) -> Codec {
    Codec::BytesToBytes(Arc::new(codec))
}
