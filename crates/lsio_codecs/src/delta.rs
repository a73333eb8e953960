//! `delta`: differences between adjacent elements.

use lsio_array::DataType;

use crate::configuration::Members;
use crate::number::{Element, Number, cast, with_element};
use crate::numcodecs_dtype::Dtype;
use crate::{ArrayCodec, ChunkContext, CodecError};

/// `delta`: differences between adjacent elements.
///
/// The first element, then the difference of each element to the one before, in C order of what the codec
/// is given. Integers wrap; floats are added one after the other, in their own precision, and so are the two
/// parts of complex numbers.
///
/// - Specification: numcodecs `delta`.
/// - Names: v2 and v3 `delta`, v3 `numcodecs.delta`: `{"dtype", "astype"?}`, the data types before and after
///   encoding. `dtype` may be another of the same size than that of the chunk, whose bytes it then reads.
///
/// ```
/// use lsio_array::DataType;
/// use lsio_codecs::{ChunkContext, Codec, codec_v3};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let context = ChunkContext { data_type: DataType::Int16, shape: vec![3] };
/// let configuration = serde_json::from_str(r#"{"dtype": "<i2", "astype": "|i1"}"#)?;
/// let Codec::ArrayToArray(delta) = codec_v3("numcodecs.delta", &configuration, &context)? else {
///     return Err("delta makes elements of elements".into());
/// };
/// assert_eq!(delta.encoded_context(&context)?.data_type, DataType::Int8);
/// let mut decoded = [0; 6];
/// delta.decode(&[100, 2, 254], &mut decoded)?;
/// assert_eq!(decoded, [100i16, 102, 100].map(i16::to_ne_bytes).concat()[..]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delta {
    decoded: Number,
    encoded: Number,
    /// Numbers of an element: two of a complex one.
    parts: usize,
}

impl Delta {
    pub(crate) const NAME: &'static str = "delta";

    /// From the configuration in metadata.
    pub(crate) fn from_members(
        mut members: Members<'_>,
        context: &ChunkContext,
    ) -> Result<Self, CodecError> {
        let (decoded, parts) = decoded_parts(&mut members, context)?;
        let astype = Dtype::parts_from_members(&mut members, "astype")?;
        let (encoded, encoded_parts) =
            astype.map_or((decoded, parts), |(dtype, parts)| (dtype.number, parts));
        members.finish()?;
        if parts != encoded_parts {
            let reason = "differences of complex numbers are complex";
            return Err(CodecError::configuration(Self::NAME, reason));
        }
        if decoded == Number::Bool || encoded == Number::Bool {
            return Err(CodecError::configuration(Self::NAME, "bools have no differences"));
        }
        Ok(Self { decoded, encoded, parts })
    }
}

/// The member `dtype`; the data type of the chunk where it is absent.
pub(crate) fn decoded_number(
    members: &mut Members<'_>,
    context: &ChunkContext,
) -> Result<Number, CodecError> {
    if let Some(dtype) = Dtype::from_members(members, "dtype")? {
        return Ok(dtype.number);
    }
    Number::of(&context.data_type).ok_or_else(|| members.no_numbers(context))
}

/// As [`decoded_number`], and how many of them an element has: two where it is complex.
pub(crate) fn decoded_parts(
    members: &mut Members<'_>,
    context: &ChunkContext,
) -> Result<(Number, usize), CodecError> {
    if let Some((dtype, parts)) = Dtype::parts_from_members(members, "dtype")? {
        return Ok((dtype.number, parts));
    }
    Number::parts(&context.data_type).ok_or_else(|| members.no_numbers(context))
}

/// What a chunk is after encoding, by the data types of a codec that keeps the shape.
pub(crate) fn encoded_context(
    codec: &'static str,
    (decoded, encoded): (&DataType, DataType),
    context: &ChunkContext,
) -> Result<ChunkContext, CodecError> {
    let found = &context.data_type;
    if found.size() != decoded.size() {
        let reason = format!("it is for elements of type {decoded}, the chunk has {found}");
        return Err(CodecError::configuration(codec, reason));
    }
    Ok(ChunkContext { data_type: encoded, shape: context.shape.clone() })
}

/// An element of fill after encoding, where that is its number in the other data type: there writers agree.
pub(crate) fn encoded_fill(
    codec: &dyn ArrayCodec,
    (decoded, encoded): (Number, Number),
    fill_value: &[u8],
) -> Option<Vec<u8>> {
    let mut element = Vec::new();
    codec.encode(fill_value, &mut element).ok()?;
    let mut same = vec![0; element.len()];
    (cast(decoded, fill_value, encoded, &mut same) && same == element).then_some(element)
}

/// The error for an element that has no value of the other data type.
pub(crate) fn no_value(codec: &'static str, number: Number) -> CodecError {
    no_value_of(codec, &number.data_type())
}

/// [`no_value`], of any data type.
pub(crate) fn no_value_of(codec: &'static str, data_type: &DataType) -> CodecError {
    CodecError::corrupt(codec, format!("an element has no value of {data_type}"))
}

impl ArrayCodec for Delta {
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
        if !cast(self.encoded, encoded, self.decoded, decoded) {
            return Err(no_value(Self::NAME, self.decoded));
        }
        if self.parts == 1 {
            with_element!(self.decoded, T => sum::<T, 1>(decoded));
        } else {
            with_element!(self.decoded, T => sum::<T, 2>(decoded));
        }
        Ok(())
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        let mut differences = decoded.to_vec();
        if self.parts == 1 {
            with_element!(self.decoded, T => subtract::<T, 1>(decoded, &mut differences));
        } else {
            with_element!(self.decoded, T => subtract::<T, 2>(decoded, &mut differences));
        }
        let start = encoded.len();
        encoded.resize(start + decoded.len() / self.decoded.size() * self.encoded.size(), 0);
        if cast(self.decoded, &differences, self.encoded, &mut encoded[start..]) {
            Ok(())
        } else {
            Err(no_value(Self::NAME, self.encoded))
        }
    }
}

/// Makes of each element the sum of all up to it, of each of its parts.
fn sum<T: Element, const PARTS: usize>(elements: &mut [u8]) {
    let mut totals: [Option<T>; PARTS] = [None; PARTS];
    for (index, element) in elements.chunks_exact_mut(size_of::<T>()).enumerate() {
        let Some(difference) = T::read(element).next() else { return };
        let total = &mut totals[index % PARTS];
        let sum = total.map_or(difference, |total| total.plus(difference));
        T::write(std::iter::once(sum), element);
        *total = Some(sum);
    }
}

/// The first element, then the differences, of each of its parts.
fn subtract<T: Element, const PARTS: usize>(elements: &[u8], differences: &mut [u8]) {
    let mut before: [Option<T>; PARTS] = [None; PARTS];
    let numbers = T::read(elements).enumerate().map(|(index, number)| {
        let before = &mut before[index % PARTS];
        let difference = before.map_or(number, |before| number.minus(before));
        *before = Some(number);
        difference
    });
    T::write(numbers, differences);
}
