//! `scale_offset`: `(x - offset) * scale`.

use crate::configuration::Members;
use crate::delta::no_value_of;
use crate::fixed_scale_offset::map;
use crate::json_number::number_from_json;
use crate::number::{Element, Number, with_element};
use crate::real_number::{OutOfRange, Real, RealType, Rounding};
use crate::{ArrayCodec, ChunkContext, CodecError};

/// `scale_offset`: `(x - offset) * scale`, in the arithmetic of the data type.
///
/// Decoding is `x / scale + offset`. Floats are rounded after each step, to infinity where they have one.
/// Integers must be divisible, and every result must be one of the data type; all else is an error.
///
/// - Specification: Zarr extensions, codec `scale_offset`.
/// - Names: v3 `scale_offset`: `{"offset"?, "scale"?}`, spelled as fill values of the data type.
///
/// ```
/// use lsio_array::DataType;
/// use lsio_codecs::{ChunkContext, Codec, codec_v3};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let context = ChunkContext { data_type: DataType::Int16, shape: vec![2] };
/// let configuration = serde_json::from_str(r#"{"offset": 1000, "scale": 2}"#)?;
/// let codec = codec_v3("scale_offset", &configuration, &context)?;
/// let Codec::ArrayToArray(codec) = codec else { return Err("it makes elements".into()) };
/// let mut decoded = [0; 4];
/// codec.decode(&[0i16, -6].map(i16::to_ne_bytes).concat(), &mut decoded)?;
/// assert_eq!(decoded, [1000i16, 997].map(i16::to_ne_bytes).concat()[..]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ScaleOffset {
    context: ChunkContext,
    numbers: RealType,
    offset: Option<Real>,
    scale: Option<Real>,
}

impl ScaleOffset {
    pub(crate) const NAME: &'static str = "scale_offset";

    /// From the configuration in metadata.
    pub(crate) fn from_members(
        mut members: Members<'_>,
        context: &ChunkContext,
    ) -> Result<Self, CodecError> {
        let numbers =
            RealType::of(&context.data_type).ok_or_else(|| members.no_numbers(context))?;
        let mut number = |name: &'static str| {
            let Some(value) = members.get(name) else { return Ok(None) };
            let element = number_from_json(&context.data_type, value);
            element.map(|element| Some(numbers.read(&element))).ok_or_else(|| {
                members.unexpected(name, value, &format!("a number of {}", context.data_type))
            })
        };
        let (offset, scale) = (number("offset")?, number("scale")?);
        members.finish()?;
        if scale.is_some_and(|scale| scale.is(Real::Integer(0)) || scale.is(Real::Float(0.0))) {
            return Err(CodecError::configuration(Self::NAME, "'scale' must not be 0"));
        }
        Ok(Self { context: context.clone(), numbers, offset, scale })
    }

    /// Applies `calculate` to each number.
    fn each(
        &self,
        from: &[u8],
        to: &mut [u8],
        calculate: impl Fn(Real) -> Option<Real>,
    ) -> Result<(), CodecError> {
        let size = self.numbers.size();
        for (from, to) in from.chunks_exact(size).zip(to.chunks_exact_mut(size)) {
            let result = calculate(self.numbers.read(from));
            let result = result.ok_or_else(|| no_value_of(Self::NAME, &self.context.data_type))?;
            self.numbers.write(result, to);
        }
        Ok(())
    }

    /// The result of one step as a number of the data type.
    fn fit(&self, result: Real) -> Option<Real> {
        let beyond = match &self.numbers {
            RealType::Float(format) if format.has_infinity() => OutOfRange::Clamp,
            _ => OutOfRange::Refuse,
        };
        self.numbers.fit(result, Rounding::NearestEven, beyond)
    }

    fn decode_number(&self, number: Real) -> Option<Real> {
        Some(match (number, self.offset, self.scale) {
            (Real::Integer(number), offset, scale) => {
                let quotient = match scale {
                    Some(Real::Integer(scale)) if number % scale != 0 => return None,
                    Some(Real::Integer(scale)) => number / scale,
                    _ => number,
                };
                let quotient = integer(self.fit(Real::Integer(quotient))?);
                self.fit(Real::Integer(quotient + offset.map_or(0, integer)))?
            }
            (Real::Float(number), offset, scale) => {
                let quotient = self.fit(Real::Float(number / scale.map_or(1.0, float)))?;
                self.fit(Real::Float(float(quotient) + offset.map_or(0.0, float)))?
            }
        })
    }

    fn encode_number(&self, number: Real) -> Option<Real> {
        Some(match (number, self.offset, self.scale) {
            (Real::Integer(number), offset, scale) => {
                let difference = self.fit(Real::Integer(number - offset.map_or(0, integer)))?;
                self.fit(Real::Integer(integer(difference) * scale.map_or(1, integer)))?
            }
            (Real::Float(number), offset, scale) => {
                let difference = self.fit(Real::Float(number - offset.map_or(0.0, float)))?;
                self.fit(Real::Float(float(difference) * scale.map_or(1.0, float)))?
            }
        })
    }

    /// The kind of floats, if hardware knows it.
    fn hardware_float(&self) -> Option<Number> {
        self.numbers.number().filter(|number| number.is_float())
    }
}

fn integer(number: Real) -> i128 {
    match number {
        Real::Integer(number) => number,
        Real::Float(number) => number as i128,
    }
}

fn float(number: Real) -> f64 {
    match number {
        Real::Integer(number) => number as f64,
        Real::Float(number) => number,
    }
}

impl ArrayCodec for ScaleOffset {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn encoded_context(&self, decoded: &ChunkContext) -> Result<ChunkContext, CodecError> {
        if decoded.data_type == self.context.data_type {
            return Ok(decoded.clone());
        }
        let (expected, found) = (&self.context.data_type, &decoded.data_type);
        let reason = format!("it is for elements of type {expected}, the chunk has {found}");
        Err(CodecError::configuration(Self::NAME, reason))
    }

    fn encoded_fill(&self, fill_value: &[u8]) -> Option<Vec<u8>> {
        let mut encoded = Vec::new();
        self.encode(fill_value, &mut encoded).ok().map(|()| encoded)
    }

    fn decodes_to_itself(&self) -> bool {
        self.offset.is_none() && self.scale.is_none()
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<(), CodecError> {
        let Some(number) = self.hardware_float() else {
            return self.each(encoded, decoded, |number| self.decode_number(number));
        };
        // A double has more than twice the digits of the others, so rounding its results again gives
        // what their own arithmetic does.
        let (scale, offset) = (self.scale.map_or(1.0, float), self.offset.map_or(0.0, float));
        with_element!(number, T => {
            map::<T>(encoded, number, decoded, |x| T::rounded(T::rounded(x / scale) + offset));
        });
        Ok(())
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        let start = encoded.len();
        encoded.resize(start + decoded.len(), 0);
        self.each(decoded, &mut encoded[start..], |number| self.encode_number(number))
    }
}
