//! The codecs of an array of Zarr v2: what `order`, the byte order of `dtype`, the filters and the
//! compressor are in terms of a chain.

use crate::numcodecs_dtype::Dtype;
use crate::{
    Bytes, ChunkContext, Codec, CodecError, Configuration, Endian, Json2, Msgpack2, Serializer,
    Transpose, codec_v2,
};

/// The codecs of a chunk, in the order of encoding. `codecs` are the filters, then the compressor, by id
/// and configuration.
///
/// Filters that work on elements (`delta` and others) stand before the codec `bytes`, which none of them
/// is; it has the byte order of the last filter's elements.
///
/// # Errors
/// As [`codec_v2`]; [`CodecError::Configuration`] for a filter whose elements have another byte order than
/// those it is given.
pub fn codecs_v2(
    context: &ChunkContext,
    endian: Endian,
    is_f_order: bool,
    codecs: &[(&str, &Configuration)],
) -> Result<Vec<Codec>, CodecError> {
    let (mut context, mut endian) = (context.clone(), endian);
    let mut chain = Vec::new();
    // Lists of lists are nested in the order of the dimensions, whatever the order of memory.
    let nested =
        [Json2::NAME, Json2::NAME_WITHOUT_SHAPE, Msgpack2::NAME, Msgpack2::NAME_WITHOUT_SHAPE];
    let is_nested = codecs.iter().any(|(id, _)| nested.contains(id));
    if is_f_order && !is_nested {
        let transpose = Codec::Transpose(Transpose::new((0..context.shape.len()).rev().collect())?);
        context = transpose.encoded_context(&context)?;
        chain.push(transpose);
    }
    // Bytes of elements that vary in length are made by a filter.
    let mut are_bytes = context.data_type.size().is_none();
    for &(id, configuration) in codecs {
        let codec = codec_v2(id, configuration, &context)?;
        match &codec {
            Codec::ArrayToBytes(_) => are_bytes = true,
            Codec::BytesToBytes(_) | Codec::Suspending(_) if !are_bytes => {
                chain.push(bytes(endian));
                are_bytes = true;
            }
            Codec::BytesToBytes(_) | Codec::Suspending(_) => {}
            Codec::Transpose(_) | Codec::ArrayToArray(_) => {
                let (decoded, encoded) = byte_orders(configuration);
                if context.data_type.endian_unit() > 1 && decoded.is_some_and(|at| at != endian) {
                    let reason = "its elements have another byte order than those it is given";
                    return Err(CodecError::configuration(codec.name(), reason));
                }
                context = codec.encoded_context(&context)?;
                endian = encoded.unwrap_or(endian);
            }
        }
        chain.push(codec);
    }
    if !are_bytes {
        chain.push(bytes(endian));
    }
    Ok(chain)
}

fn bytes(endian: Endian) -> Codec {
    Codec::ArrayToBytes(Serializer::Bytes(Bytes::new(endian)))
}

/// The byte orders of a filter's elements before and after encoding, where it states them.
fn byte_orders(configuration: &Configuration) -> (Option<Endian>, Option<Endian>) {
    let order = |name: &str| Dtype::parse_element(configuration.get(name)?.as_str()?)?.1;
    let decoded = order("dtype").or_else(|| order("decode_dtype"));
    (decoded, order("astype").or_else(|| order("encode_dtype")).or(decoded))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::CodecChain;
    use lsio_array::{DataType, Destination};

    fn chain(endian: Endian, filters: &[(&str, &str)]) -> Result<CodecChain, CodecError> {
        let context = ChunkContext { data_type: DataType::Int16, shape: vec![2] };
        let filters: Vec<(&str, Configuration)> =
            filters.iter().map(|(id, text)| (*id, serde_json::from_str(text).unwrap())).collect();
        let codecs: Vec<_> = filters.iter().map(|(id, map)| (*id, map)).collect();
        CodecChain::new(codecs_v2(&context, endian, true, &codecs)?, &context)
    }

    #[test]
    fn the_last_filter_says_the_byte_order_of_what_is_stored() {
        for (astype, encoded) in
            [(">i4", [0, 0, 1, 0, 0, 0, 0, 1]), ("<i4", [0, 1, 0, 0, 1, 0, 0, 0])]
        {
            let delta = format!(r#"{{"dtype":">i2","astype":"{astype}"}}"#);
            let chain = chain(Endian::Big, &[("delta", &delta)]).unwrap();
            assert_eq!(chain.names(), ["transpose", "delta", "bytes"]);
            let mut decoded = [0; 4];
            let mut scratch = vec![0; chain.scratch_len() as usize];
            chain.decode(&encoded, Destination::Fixed(&mut decoded), &mut scratch).unwrap();
            assert_eq!(decoded, [256i16, 257].map(i16::to_ne_bytes).concat()[..]);
        }
    }

    #[test]
    fn a_filter_of_another_byte_order_is_refused() {
        let delta = ("delta", r#"{"dtype":"<i2"}"#);
        assert!(chain(Endian::Big, &[delta]).is_err());
        assert!(chain(Endian::Little, &[delta]).is_ok());
        assert!(chain(Endian::Little, &[("zlib", "{}"), delta]).is_err());
    }
}
