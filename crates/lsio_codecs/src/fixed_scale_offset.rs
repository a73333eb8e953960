//! `fixedscaleoffset`: `(x - offset) * scale`, rounded.

use serde_json::Value;

use crate::configuration::Members;
use crate::delta::{decoded_parts, encoded_context, encoded_fill, no_value};
use crate::number::{Element, Number, with_element};
use crate::numcodecs_dtype::Dtype;
use crate::real_number::Real;
use crate::{ArrayCodec, ChunkContext, CodecError};

/// Elements that are calculated at once; as doubles they stay in the first-level cache.
const BLOCK: usize = 512;

/// `fixedscaleoffset`: `(x - offset) * scale`, rounded.
///
/// Decoding is `x / scale + offset`: in the precision of the encoded data type where it is a float, else in
/// double precision, then made the decoded data type, towards zero where that is an integer. A value that
/// it cannot hold is an error, unless integers were only shifted by an integer: that wraps, and so does the way
/// back. Of complex numbers both parts are scaled and rounded, and the real ones have the offset.
///
/// - Specification: numcodecs `fixedscaleoffset`, with the arithmetic of numpy 2.
/// - Names: v2 and v3 `fixedscaleoffset`, v3 `numcodecs.fixedscaleoffset`: `{"offset", "scale", "dtype",
///   "astype"?}`, the data types before and after encoding.
///
/// ```
/// use lsio_array::DataType;
/// use lsio_codecs::{ChunkContext, Codec, codec_v3};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let context = ChunkContext { data_type: DataType::Float64, shape: vec![2] };
/// let configuration =
///     serde_json::from_str(r#"{"offset": 1000, "scale": 10, "dtype": "<f8", "astype": "|u1"}"#)?;
/// let codec = codec_v3("numcodecs.fixedscaleoffset", &configuration, &context)?;
/// let Codec::ArrayToArray(codec) = codec else { return Err("it makes elements".into()) };
/// let mut decoded = [0; 16];
/// codec.decode(&[0, 11], &mut decoded)?;
/// assert_eq!(decoded, [1000.0f64, 1001.1].map(f64::to_ne_bytes).concat()[..]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedScaleOffset {
    offset: f64,
    scale: f64,
    decoded: Number,
    encoded: Number,
    /// Numbers of an element: two of a complex one.
    parts: usize,
}

impl FixedScaleOffset {
    pub(crate) const NAME: &'static str = "fixedscaleoffset";

    /// From the configuration in metadata.
    pub(crate) fn from_members(
        mut members: Members<'_>,
        context: &ChunkContext,
    ) -> Result<Self, CodecError> {
        let (offset, scale) = (float(&mut members, "offset")?, float(&mut members, "scale")?);
        let (decoded, parts) = decoded_parts(&mut members, context)?;
        let astype = Dtype::parts_from_members(&mut members, "astype")?;
        let (encoded, encoded_parts) =
            astype.map_or((decoded, parts), |(dtype, parts)| (dtype.number, parts));
        members.finish()?;
        if parts != encoded_parts {
            let reason = "complex numbers stay complex";
            return Err(CodecError::configuration(Self::NAME, reason));
        }
        Ok(Self { offset, scale, decoded, encoded, parts })
    }

    /// As [`ArrayCodec::decode`] of integers that were shifted by an integer, in arithmetic that wraps where that
    /// of doubles has no value of the data type: then the element wrapped as it was encoded, as those beyond the
    /// edge of the array do where fill is less than the offset.
    fn decode_wrapped(&self, encoded: &[u8], decoded: &mut [u8]) {
        let offset = self.offset as i128;
        let mut block = [0; BLOCK];
        let blocks = decoded.chunks_mut(BLOCK * self.decoded.size());
        for (from, written) in encoded.chunks(BLOCK * self.encoded.size()).zip(blocks) {
            let block = &mut block[..from.len() / self.encoded.size()];
            with_element!(self.encoded, From => {
                for (integer, number) in block.iter_mut().zip(From::read(from)) {
                    if let Real::Integer(value) = number.widen().into() {
                        *integer = value;
                    }
                }
            });
            with_element!(self.decoded, To => {
                let numbers = block.iter().map(|&integer| {
                    let (number, exists) = To::from_float(integer as f64 + self.offset);
                    if exists { number } else { To::from_int(integer + offset) }
                });
                To::write(numbers, written);
            });
        }
    }

    /// Whether integers are shifted by an integer, one that a double holds exactly.
    fn is_shift(&self) -> bool {
        let are_integers = self.decoded.is_integer() && self.encoded.is_integer();
        let is_whole = self.offset.fract() == 0.0 && self.offset.abs() < 2f64.powi(53);
        #[expect(clippy::float_cmp, reason = "exactly 1")]
        let is_unscaled = self.scale == 1.0;
        are_integers && is_whole && is_unscaled
    }
}

/// A number that must be there.
fn float(members: &mut Members<'_>, name: &'static str) -> Result<f64, CodecError> {
    let value = members.get(name).unwrap_or(&Value::Null);
    value
        .as_f64()
        .filter(|number| number.is_finite())
        .ok_or_else(|| members.unexpected(name, value, "a number"))
}

impl ArrayCodec for FixedScaleOffset {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn encoded_context(&self, decoded: &ChunkContext) -> Result<ChunkContext, CodecError> {
        let of_parts = |number: Number| number.data_type_of(self.parts);
        encoded_context(Self::NAME, (&of_parts(self.decoded), of_parts(self.encoded)), decoded)
    }

    fn encoded_fill(&self, fill_value: &[u8]) -> Option<Vec<u8>> {
        encoded_fill(self, (self.decoded, self.encoded), fill_value)
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<(), CodecError> {
        let all = with_element!(self.encoded, From => {
            let (scale, offset) = (From::rounded(self.scale), From::rounded(self.offset));
            let result = |x: f64, offset| From::rounded(From::rounded(x / scale) + offset);
            if self.parts == 1 {
                map::<From>(encoded, self.decoded, decoded, |x| result(x, offset))
            } else {
                map::<From>(encoded, self.decoded, decoded, of_real(offset, result))
            }
        });
        if all {
            Ok(())
        } else if self.is_shift() {
            self.decode_wrapped(encoded, decoded);
            Ok(())
        } else {
            Err(no_value(Self::NAME, self.decoded))
        }
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        let start = encoded.len();
        encoded.resize(start + decoded.len() / self.decoded.size() * self.encoded.size(), 0);
        let all = with_element!(self.decoded, From => {
            let (scale, offset) = (From::rounded(self.scale), From::rounded(self.offset));
            let result = |x: f64, offset: f64| {
                From::rounded(From::rounded(x - offset) * scale).round_ties_even()
            };
            let encoded = &mut encoded[start..];
            if self.parts == 1 {
                map::<From>(decoded, self.encoded, encoded, |x| result(x, offset))
            } else {
                map::<From>(decoded, self.encoded, encoded, of_real(offset, result))
            }
        });
        if all { Ok(()) } else { Err(no_value(Self::NAME, self.encoded)) }
    }
}

/// Makes a calculation with an offset one that adds it to every second number only: the real ones, which are first.
fn of_real(offset: f64, result: impl Fn(f64, f64) -> f64) -> impl FnMut(f64) -> f64 {
    let mut offsets = [offset, 0.0];
    move |x| {
        let [offset, _] = offsets;
        offsets.swap(0, 1);
        result(x, offset)
    }
}

/// Writes the results for each element as numbers of kind `to`; tells whether all of them are such numbers.
pub(crate) fn map<From: Element>(
    from: &[u8],
    to: Number,
    written: &mut [u8],
    mut result: impl FnMut(f64) -> f64,
) -> bool {
    // By way of a block of doubles, since code for each pair of kinds would be 144 times as much.
    let mut block = [0.0; BLOCK];
    let mut all = true;
    let blocks = written.chunks_mut(BLOCK * to.size());
    for (from, written) in from.chunks(BLOCK * size_of::<From>()).zip(blocks) {
        let block = &mut block[..from.len() / size_of::<From>()];
        for (result_of, number) in block.iter_mut().zip(From::read(from)) {
            *result_of = result(number.to_float());
        }
        all &= write(block, to, written);
    }
    all
}

fn write(results: &[f64], to: Number, written: &mut [u8]) -> bool {
    let mut all = true;
    with_element!(to, To => {
        let numbers = results.iter().map(|&result| {
            let (number, exists) = To::from_float(result);
            all &= exists;
            number
        });
        To::write(numbers, written);
    });
    all
}
