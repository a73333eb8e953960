//! `astype`: elements as another data type.

use crate::configuration::Members;
use crate::delta::{encoded_context, encoded_fill, no_value};
use crate::number::{Number, cast};
use crate::numcodecs_dtype::Dtype;
use crate::{ArrayCodec, ChunkContext, CodecError};

/// `astype`: elements as another data type.
///
/// Integers wrap, floats round to the nearest; a float that is no integer of the other data type after its
/// fraction was cut off is an error, where numpy gives what the machine happens to.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsType {
    decoded: Number,
    encoded: Number,
}

impl AsType {
    pub(crate) const NAME: &'static str = "astype";

    /// From the configuration in metadata.
    pub(crate) fn from_members(
        mut members: Members<'_>,
        context: &ChunkContext,
    ) -> Result<Self, CodecError> {
        let encoded = Dtype::from_members(&mut members, "encode_dtype")?
            .ok_or_else(|| CodecError::configuration(Self::NAME, "'encode_dtype' is missing"))?;
        let decoded = match Dtype::from_members(&mut members, "decode_dtype")? {
            Some(decoded) => decoded.number,
            None => Number::of(&context.data_type).ok_or_else(|| members.no_numbers(context))?,
        };
        members.finish()?;
        Ok(Self { decoded, encoded: encoded.number })
    }
}

impl ArrayCodec for AsType {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn encoded_context(&self, decoded: &ChunkContext) -> Result<ChunkContext, CodecError> {
        encoded_context(Self::NAME, (self.decoded, self.encoded), decoded)
    }

    fn encoded_fill(&self, fill_value: &[u8]) -> Option<Vec<u8>> {
        encoded_fill(self, (self.decoded, self.encoded), fill_value)
    }

    fn decodes_to_itself(&self) -> bool {
        self.decoded == self.encoded
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<(), CodecError> {
        if cast(self.encoded, encoded, self.decoded, decoded) {
            Ok(())
        } else {
            Err(no_value(Self::NAME, self.decoded))
        }
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        let start = encoded.len();
        encoded.resize(start + decoded.len() / self.decoded.size() * self.encoded.size(), 0);
        if cast(self.decoded, decoded, self.encoded, &mut encoded[start..]) {
            Ok(())
        } else {
            Err(no_value(Self::NAME, self.encoded))
        }
    }
}
