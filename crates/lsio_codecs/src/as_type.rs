//! `astype`: elements as another data type.

use lsio_array::DataType;

use crate::configuration::Members;
use crate::delta::{encoded_context, no_value_of};
use crate::number::{Number, cast};
use crate::numcodecs_dtype::Dtype;
use crate::{ArrayCodec, ChunkContext, CodecError};

/// `astype`: elements as another data type.
///
/// Integers wrap, floats round to the nearest; a float that is no integer of the other data type after its
/// fraction was cut off is an error, where numpy gives what the machine happens to. Complex numbers lose their
/// imaginary part as real ones. Texts and bytes of a fixed length are cut to another length, or padded.
///
/// - Specification: numcodecs `astype`.
/// - Names: v2 and v3 `astype`, v3 `numcodecs.astype`: `{"encode_dtype", "decode_dtype"}`; the latter is the
///   data type of the chunk where it is absent.
///
/// ```
/// use lsio_array::DataType;
/// use lsio_codecs::{ChunkContext, Codec, codec_v3};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let context = ChunkContext { data_type: DataType::Int16, shape: vec![2] };
/// let configuration = serde_json::from_str(r#"{"encode_dtype": "|i1", "decode_dtype": "<i2"}"#)?;
/// let codec = codec_v3("numcodecs.astype", &configuration, &context)?;
/// let Codec::ArrayToArray(codec) = codec else { return Err("it makes elements".into()) };
/// let mut decoded = [0; 4];
/// codec.decode(&[1, 255], &mut decoded)?;
/// assert_eq!(decoded, [1i16, -1].map(i16::to_ne_bytes).concat()[..]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsType {
    decoded: DataType,
    encoded: DataType,
}

impl AsType {
    pub(crate) const NAME: &'static str = "astype";

    /// From the configuration in metadata.
    pub(crate) fn from_members(
        mut members: Members<'_>,
        context: &ChunkContext,
    ) -> Result<Self, CodecError> {
        let encoded = Dtype::element_from_members(&mut members, "encode_dtype")?
            .ok_or_else(|| CodecError::configuration(Self::NAME, "'encode_dtype' is missing"))?;
        let decoded = Dtype::element_from_members(&mut members, "decode_dtype")?;
        let decoded = decoded.unwrap_or_else(|| context.data_type.clone());
        let codec = Self { decoded, encoded };
        if !codec.are_convertible() {
            return Err(members.no_numbers(context));
        }
        members.finish()?;
        Ok(codec)
    }

    fn are_convertible(&self) -> bool {
        let are_numbers = [&self.decoded, &self.encoded].map(|of| Number::parts(of).is_some());
        are_numbers == [true; 2] || are_texts(&self.decoded, &self.encoded)
    }
}

/// Makes elements of one data type of those of another; tells whether each has a value there.
fn convert(from: &DataType, bytes: &[u8], to: &DataType, written: &mut [u8]) -> bool {
    let (from_size, to_size) = (from.size().unwrap_or(0), to.size().unwrap_or(0));
    let Some(((from, from_parts), (to, to_parts))) = Number::parts(from).zip(Number::parts(to))
    else {
        // Zeros stand behind texts and bytes.
        let least = from_size.min(to_size);
        let elements = bytes.chunks_exact(from_size.max(1));
        for (element, written) in elements.zip(written.chunks_exact_mut(to_size.max(1))) {
            written.fill(0);
            written[..least].copy_from_slice(&element[..least]);
        }
        return true;
    };
    if from_parts == to_parts {
        return cast(from, bytes, to, written);
    }
    let elements = bytes.chunks_exact(from_size).zip(written.chunks_exact_mut(to_size));
    elements.fold(true, |all, (element, written)| {
        written.fill(0);
        cast(from, &element[..from.size()], to, &mut written[..to.size()]) && all
    })
}

/// Whether both are texts of a fixed length, or bytes.
fn are_texts(one: &DataType, other: &DataType) -> bool {
    use DataType::{FixedLengthUtf32, NullTerminatedBytes};
    matches!(
        (one, other),
        (FixedLengthUtf32 { .. }, FixedLengthUtf32 { .. })
            | (NullTerminatedBytes { .. }, NullTerminatedBytes { .. })
    )
}

impl ArrayCodec for AsType {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn encoded_context(&self, decoded: &ChunkContext) -> Result<ChunkContext, CodecError> {
        encoded_context(Self::NAME, (&self.decoded, self.encoded.clone()), decoded)
    }

    fn encoded_fill(&self, fill_value: &[u8]) -> Option<Vec<u8>> {
        let mut element = Vec::new();
        self.encode(fill_value, &mut element).ok().map(|()| element)
    }

    fn decodes_to_itself(&self) -> bool {
        self.decoded == self.encoded
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<(), CodecError> {
        if convert(&self.encoded, encoded, &self.decoded, decoded) {
            Ok(())
        } else {
            Err(no_value_of(Self::NAME, &self.decoded))
        }
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        let size = |data_type: &DataType| data_type.size().unwrap_or(0);
        let start = encoded.len();
        let count = decoded.len() / size(&self.decoded).max(1);
        encoded.resize(start + count * size(&self.encoded), 0);
        if convert(&self.decoded, decoded, &self.encoded, &mut encoded[start..]) {
            Ok(())
        } else {
            Err(no_value_of(Self::NAME, &self.encoded))
        }
    }
}
