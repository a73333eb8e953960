//! `vlen-array`: lists of numbers, each behind its length in bytes.

use lsio_array::{DataType, VariableChunk};
use serde_json::Value;

use crate::configuration::Members;
use crate::number::{Element, Number, with_element};
use crate::numcodecs_dtype::Dtype;
use crate::object_text::ObjectText;
use crate::real_number::Real;
use crate::variable_codec::LengthPrefixed;
use crate::{CodecError, Endian, VariableCodec};

/// `vlen-array`: lists of numbers, each behind its length in bytes.
///
/// The framing is that of `vlen-bytes`; the bytes of an element are numbers of one data type. Decoded elements
/// are texts of JSON, lists with `NaN`, `Infinity` and `-Infinity` as Python writes them.
///
/// - Specification: numcodecs `vlen-array`.
/// - Names: v2 `vlen-array` (a filter), v3 `numcodecs.vlen-array`: `{"dtype"}`, a type of integers, floats or
///   bools.
///
/// ```
/// use lsio_array::{DataType, Destination, VariableChunk};
/// use lsio_codecs::{ChunkContext, CodecChain, codec_v2};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let context = ChunkContext { data_type: DataType::Json, shape: vec![2] };
/// let codec = codec_v2("vlen-array", &serde_json::from_str(r#"{"dtype": ">i2"}"#)?, &context)?;
/// let chain = CodecChain::new(vec![codec], &context)?;
/// let encoded = [2, 0, 0, 0, 4, 0, 0, 0, 0, 1, 0xff, 0xfe, 0, 0, 0, 0];
/// let mut decoded = VariableChunk { offsets: vec![], bytes: vec![], limit: 300 };
/// chain.decode(&encoded, Destination::Variable(&mut decoded), &mut [])?;
/// assert_eq!(decoded.offsets, [0, 6, 8]);
/// assert_eq!(decoded.bytes, b"[1,-2][]");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VlenArray {
    number: Number,
    endian: Endian,
}

impl VlenArray {
    /// Name of the codec.
    pub(crate) const NAME: &'static str = "vlen-array";

    const FRAMING: LengthPrefixed = LengthPrefixed { codec: Self::NAME };

    /// From the configuration in metadata.
    pub(crate) fn from_members(mut members: Members<'_>) -> Result<Self, CodecError> {
        let value = members.get("dtype").unwrap_or(&Value::Null);
        // Dates have no form in JSON.
        let is_time = value.as_str().is_some_and(|text| text.contains(['m', 'M']));
        let dtype = Dtype::from_members(&mut members, "dtype")?.filter(|_| !is_time);
        let expected = "a type of integers, floats or bools";
        let dtype = dtype.ok_or_else(|| members.unexpected("dtype", value, expected))?;
        members.finish()?;
        Ok(Self { number: dtype.number, endian: dtype.endian.unwrap_or(Endian::NATIVE) })
    }

    /// Appends the list of the numbers in `bytes`.
    fn push_list(self, bytes: &mut [u8], objects: &mut ObjectText) {
        let size = self.number.size();
        if self.endian != Endian::NATIVE {
            bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        }
        let mut separator = "[";
        with_element!(self.number, T => for number in T::read(bytes) {
            objects.push(separator);
            separator = ",";
            match number.widen().into() {
                Real::Float(number) => objects.push_float(number),
                Real::Integer(number) if self.number == Number::Bool => {
                    objects.push(if number == 0 { "false" } else { "true" });
                }
                Real::Integer(number) => objects.push(number.to_string()),
            }
        });
        objects.push(if separator == "[" { "[]" } else { "]" });
        objects.end_element();
    }
}

impl VariableCodec for VlenArray {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn is_for(&self, data_type: &DataType) -> bool {
        *data_type == DataType::Json
    }

    fn least_encoded_len(&self, element_count: u64) -> u64 {
        LengthPrefixed::least_encoded_len(element_count)
    }

    fn memory_per_byte(&self) -> u64 {
        // The byte and what it becomes: the least float of 16 bits has 22 characters, 24 with its sign and a comma.
        1 + 12
    }

    fn decode_in_place(
        &self,
        element_count: u64,
        chunk: &mut VariableChunk,
    ) -> Result<(), CodecError> {
        let size = self.number.size();
        Self::FRAMING.decode_in_place(element_count, chunk, |element| {
            let is_whole = element.len().is_multiple_of(size);
            if is_whole { Ok(()) } else { Err("no whole number of numbers") }
        })?;
        let mut objects = ObjectText::default();
        for ends in chunk.offsets.windows(2) {
            self.push_list(&mut chunk.bytes[ends[0] as usize..ends[1] as usize], &mut objects);
        }
        objects.finish(chunk);
        Ok(())
    }
}
