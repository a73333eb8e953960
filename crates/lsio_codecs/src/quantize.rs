//! `quantize`: floats with fewer digits.

use crate::configuration::Members;
use crate::delta::{decoded_number, encoded_context, encoded_fill};
use crate::fixed_scale_offset::map;
use crate::number::{Element, Number, cast, with_element};
use crate::numcodecs_dtype::Dtype;
use crate::{ArrayCodec, ChunkContext, CodecError};

/// `quantize`: floats with fewer digits.
///
/// Encoding rounds to multiples of a power of two that keeps `digits` decimal digits; decoding only
/// makes the decoded data type of the encoded one.
///
/// - Specification: numcodecs `quantize`.
/// - Names: v2 and v3 `quantize`, v3 `numcodecs.quantize`: `{"digits", "dtype", "astype"?}`, floating-point
///   data types before and after encoding.
///
/// ```
/// use lsio_array::DataType;
/// use lsio_codecs::{ChunkContext, Codec, codec_v3};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let context = ChunkContext { data_type: DataType::Float64, shape: vec![1] };
/// let configuration = serde_json::from_str(r#"{"digits": 1, "dtype": "<f8"}"#)?;
/// let codec = codec_v3("numcodecs.quantize", &configuration, &context)?;
/// let Codec::ArrayToArray(codec) = codec else { return Err("it makes elements".into()) };
/// let mut encoded = Vec::new();
/// codec.encode(&0.1111f64.to_ne_bytes(), &mut encoded)?;
/// assert_eq!(encoded, 0.125f64.to_ne_bytes());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantize {
    digits: i32,
    decoded: Number,
    encoded: Number,
}

impl Quantize {
    pub(crate) const NAME: &'static str = "quantize";

    /// From the configuration in metadata.
    pub(crate) fn from_members(
        mut members: Members<'_>,
        context: &ChunkContext,
    ) -> Result<Self, CodecError> {
        // A double has no more decimal places, before the point or after.
        let digits = members.integer("digits", -308..=308)?;
        let digits =
            digits.ok_or_else(|| CodecError::configuration(Self::NAME, "'digits' is missing"))?;
        let decoded = decoded_number(&mut members, context)?;
        let encoded = Dtype::from_members(&mut members, "astype")?.map_or(decoded, |d| d.number);
        members.finish()?;
        if !decoded.is_float() || !encoded.is_float() {
            return Err(CodecError::configuration(Self::NAME, "it is for floats only"));
        }
        Ok(Self { digits, decoded, encoded })
    }

    /// The number whose inverse values are rounded to multiples of.
    fn scale(self) -> f64 {
        let places = 10f64.powi(-self.digits).log10();
        let places = if places < 0.0 { places.floor() } else { places.ceil() };
        10f64.powf(-places).log2().ceil().exp2()
    }
}

impl ArrayCodec for Quantize {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn encoded_context(&self, decoded: &ChunkContext) -> Result<ChunkContext, CodecError> {
        let (from, to) = (self.decoded.data_type(), self.encoded.data_type());
        encoded_context(Self::NAME, (&from, to), decoded)
    }

    fn encoded_fill(&self, fill_value: &[u8]) -> Option<Vec<u8>> {
        encoded_fill(self, (self.decoded, self.encoded), fill_value)
    }

    fn decodes_to_itself(&self) -> bool {
        self.decoded == self.encoded
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<(), CodecError> {
        // Every float is one of the other kind, an infinity perhaps.
        cast(self.encoded, encoded, self.decoded, decoded);
        Ok(())
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        let start = encoded.len();
        encoded.resize(start + decoded.len() / self.decoded.size() * self.encoded.size(), 0);
        with_element!(self.decoded, From => {
            let scale = From::rounded(self.scale());
            map::<From>(decoded, self.encoded, &mut encoded[start..], |x| {
                From::rounded(From::rounded(scale * x).round_ties_even() / scale)
            })
        });
        Ok(())
    }
}
