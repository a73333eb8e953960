//! Makes codecs of the names and configurations that metadata carries.

use std::sync::Arc;

use lsio_array::DataType;

use crate::configuration::{Dialect, Members};
use crate::document_elements::DocumentElements;
use crate::document_form::DocumentForm;
use crate::own_codecs::own_codec;
use crate::{
    Adler32, ArrayBytesCodec, ArrayCodec, AsType, Base64, BitRound, Blosc, ByteShuffle, Bytes,
    BytesCodec, Bz2, CastValue, Categorize, ChunkContext, Codec, CodecError, Configuration, Crc32,
    Crc32c, Delta, FixedScaleOffset, Fletcher32, Gzip, JenkinsLookup3, Json2, Lz4, Lzma, Msgpack2,
    PackBits, PackBools, Pcodec, Quantize, Reshape, ScaleOffset, Serializer, Transpose,
    VariableCodec, VlenArray, VlenBytes, VlenUtf8, Zfp, Zlib, Zstd,
};

/// The codec that Zarr v3 metadata calls `name`: one that is built in, else that of the user
/// ([`register_codec`](crate::register_codec)). Names `numcodecs.<id>` take the configuration of
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
    or_own(name, configuration, context, built_in_v3(name, configuration, context))
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
    or_own(id, configuration, context, shared(id, Dialect::V2, configuration, context))
}

/// The codec that is built in, else that of the user with this name.
fn or_own(
    name: &str,
    configuration: &Configuration,
    context: &ChunkContext,
    built_in: Result<Codec, CodecError>,
) -> Result<Codec, CodecError> {
    match built_in {
        Err(CodecError::Unsupported { .. }) => own_codec(name, configuration, context),
        known => known,
    }
}

/// Whether a codec of this name is built in, in either format.
pub(crate) fn is_built_in(name: &str) -> bool {
    let context = ChunkContext { data_type: DataType::UInt8, shape: vec![1] };
    let none = Configuration::new();
    [built_in_v3(name, &none, &context), shared(name, Dialect::V2, &none, &context)]
        .iter()
        .any(|codec| !matches!(codec, Err(CodecError::Unsupported { .. })))
}

fn built_in_v3(
    name: &str,
    configuration: &Configuration,
    context: &ChunkContext,
) -> Result<Codec, CodecError> {
    if let Some(id) = name.strip_prefix("numcodecs.") {
        return shared(id, Dialect::Numcodecs, configuration, context);
    }
    let members = |codec| Members::new(codec, Dialect::V3, configuration);
    match name {
        "bytes" | "endian" => Bytes::from_members(members(Bytes::NAME), context)
            .map(|bytes| Codec::ArrayToBytes(Serializer::Bytes(bytes))),
        "cast_value" => {
            CastValue::from_members(members(CastValue::NAME), context).map(array_to_array)
        }
        "reshape" => Reshape::from_members(members(Reshape::NAME), context).map(array_to_array),
        "scale_offset" => {
            ScaleOffset::from_members(members(ScaleOffset::NAME), context).map(array_to_array)
        }
        "transpose" => {
            Transpose::from_members(members(Transpose::NAME), context).map(Codec::Transpose)
        }
        "zfp" | "zarrs.zfp" => Zfp::from_members(members(Zfp::NAME), context).map(array_to_bytes),
        // Another codec than that of numcodecs.
        "packbits" => PackBits::from_members(members(PackBits::NAME), context).map(array_to_bytes),
        _ => shared(name, Dialect::V3, configuration, context),
    }
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
        "adler32" => Adler32::from_members(members("adler32")).map(bytes_to_bytes),
        "astype" => AsType::from_members(members(AsType::NAME), context).map(array_to_array),
        "base64" => Base64::from_members(members("base64")).map(bytes_to_bytes),
        "bitround" => BitRound::from_members(members(BitRound::NAME), context).map(array_to_array),
        "blosc" => Blosc::from_members(members("blosc"), context).map(bytes_to_bytes),
        "bz2" => Bz2::from_members(members("bz2")).map(bytes_to_bytes),
        "categorize" => {
            let codec = Categorize::from_members(members(Categorize::NAME), context)?;
            let is_fixed = context.data_type.size().is_some();
            Ok(if is_fixed { array_to_array(codec) } else { variable(codec) })
        }
        "crc32" => Crc32::from_members(members("crc32")).map(bytes_to_bytes),
        "crc32c" => Crc32c::from_members(members("crc32c")).map(bytes_to_bytes),
        "delta" => Delta::from_members(members(Delta::NAME), context).map(array_to_array),
        "fixedscaleoffset" => {
            let members = members(FixedScaleOffset::NAME);
            FixedScaleOffset::from_members(members, context).map(array_to_array)
        }
        "fletcher32" => Fletcher32::from_members(members("fletcher32")).map(bytes_to_bytes),
        "gzip" => Gzip::from_members(members("gzip")).map(bytes_to_bytes),
        "jenkins_lookup3" => {
            JenkinsLookup3::from_members(members("jenkins_lookup3")).map(bytes_to_bytes)
        }
        // numcodecs gave this name and `msgpack` up before there was a v3.
        "json" if dialect != Dialect::V3 => {
            json(members(Json2::NAME_WITHOUT_SHAPE), DocumentForm::WithoutShape, context)
        }
        "json2" => json(members(Json2::NAME), DocumentForm::WithShape, context),
        "lz4" => Lz4::from_members(members("lz4")).map(bytes_to_bytes),
        "lzma" => Lzma::from_members(members("lzma")).map(bytes_to_bytes),
        "msgpack" if dialect != Dialect::V3 => {
            msgpack(members(Msgpack2::NAME_WITHOUT_SHAPE), DocumentForm::WithoutShape, context)
        }
        "msgpack2" => msgpack(members(Msgpack2::NAME), DocumentForm::WithShape, context),
        "pcodec" => Pcodec::from_members(members(Pcodec::NAME), context).map(array_to_bytes),
        "packbits" => PackBools::from_members(members(PackBools::NAME)).map(array_to_array),
        "quantize" => Quantize::from_members(members(Quantize::NAME), context).map(array_to_array),
        "shuffle" => ByteShuffle::from_members(members("shuffle"), context).map(bytes_to_bytes),
        "zfpy" => {
            let members = members(Zfp::NAME_WITH_HEADER);
            Zfp::with_header_from_members(members, context).map(array_to_bytes)
        }
        "zlib" => Zlib::from_members(members("zlib")).map(bytes_to_bytes),
        "zstd" => Zstd::from_members(members("zstd")).map(bytes_to_bytes),
        "vlen-array" => VlenArray::from_members(members(VlenArray::NAME)).map(variable),
        "vlen-bytes" => {
            members(VlenBytes::NAME).finish()?;
            Ok(variable(VlenBytes))
        }
        "vlen-utf8" => {
            members(VlenUtf8::NAME).finish()?;
            Ok(variable(VlenUtf8))
        }
        _ => Err(CodecError::Unsupported { name: name.to_owned() }),
    }
}

fn json(
    members: Members<'_>,
    form: DocumentForm,
    context: &ChunkContext,
) -> Result<Codec, CodecError> {
    if context.data_type.size().is_some() {
        DocumentElements::json(members, form, context).map(array_to_bytes)
    } else {
        Json2::from_members(members, form, context).map(variable)
    }
}

fn msgpack(
    members: Members<'_>,
    form: DocumentForm,
    context: &ChunkContext,
) -> Result<Codec, CodecError> {
    if context.data_type.size().is_some() {
        DocumentElements::msgpack(members, form, context).map(array_to_bytes)
    } else {
        Msgpack2::from_members(members, form, context).map(variable)
    }
}

fn array_to_array(codec: impl ArrayCodec + 'static) -> Codec {
    Codec::ArrayToArray(Arc::new(codec))
}

fn array_to_bytes(codec: impl ArrayBytesCodec + 'static) -> Codec {
    Codec::ArrayToBytes(Serializer::Coded(Arc::new(codec)))
}

fn variable(codec: impl VariableCodec + 'static) -> Codec {
    Codec::ArrayToBytes(Serializer::Variable(Arc::new(codec)))
}

fn bytes_to_bytes(codec: impl BytesCodec + 'static) -> Codec {
    Codec::BytesToBytes(Arc::new(codec))
}
