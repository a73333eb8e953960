//! `categorize`: texts of a list, stored as their numbers in it.

use lsio_array::{DataType, VariableChunk};
use serde_json::Value;

use crate::configuration::Members;
use crate::number::{Element, Number, with_element};
use crate::numcodecs_dtype::Dtype;
use crate::real_number::Real;
use crate::{ArrayCodec, ChunkContext, CodecError, Endian, VariableCodec};

/// `categorize`: texts of a list, stored as their numbers in it.
///
/// The first text of the list is 1; 0 and numbers beyond the list are the empty text.
///
/// - Specification: numcodecs `categorize`.
/// - Names: v2 `categorize` (a filter), v3 `numcodecs.categorize`: `{"labels", "dtype": "|O" | "<U10",
///   "astype"?}`. With texts of fixed length it makes numbers of elements, with those of any length bytes.
///
/// ```
/// use lsio_array::{DataType, Destination, VariableChunk};
/// use lsio_codecs::{ChunkContext, CodecChain, codec_v2};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let context = ChunkContext { data_type: DataType::String, shape: vec![3] };
/// let configuration = serde_json::from_str(r#"{"labels": ["sun", "é"], "dtype": "|O"}"#)?;
/// let chain = CodecChain::new(vec![codec_v2("categorize", &configuration, &context)?], &context)?;
/// let mut decoded = VariableChunk { offsets: vec![], bytes: vec![], limit: 100 };
/// chain.decode(&[2, 0, 1], Destination::Variable(&mut decoded), &mut [])?;
/// assert_eq!(decoded.offsets, [0, 2, 2, 5]);
/// assert_eq!(decoded.bytes, "ésun".as_bytes());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Categorize {
    labels: Vec<String>,
    number: Number,
    endian: Endian,
    /// Bytes of a text of fixed length.
    element_len: usize,
}

impl Categorize {
    /// Name of the codec.
    pub(crate) const NAME: &'static str = "categorize";

    /// From the configuration in metadata.
    pub(crate) fn from_members(
        mut members: Members<'_>,
        context: &ChunkContext,
    ) -> Result<Self, CodecError> {
        let value = members.get("labels").unwrap_or(&Value::Null);
        let label = |label: &Value| label.as_str().map(str::to_owned);
        let labels = value.as_array().and_then(|labels| labels.iter().map(label).collect());
        let labels =
            labels.ok_or_else(|| members.unexpected("labels", value, "a list of texts"))?;
        let dtype = members.string("dtype")?;
        let is_dtype = match (dtype, &context.data_type) {
            (Some("|O" | "O" | "object"), DataType::String) => true,
            (Some(dtype), DataType::FixedLengthUtf32 { length }) => {
                let kind = dtype.strip_prefix(['<', '>', '=']).unwrap_or(dtype);
                kind.strip_prefix('U').and_then(|digits| digits.parse().ok()) == Some(*length)
            }
            _ => false,
        };
        if !is_dtype {
            let value = dtype.map_or(Value::Null, Value::from);
            let expected = format!("for texts as the chunk has, {}", context.data_type);
            return Err(members.unexpected("dtype", &value, &expected));
        }
        let byte = Dtype { number: Number::UInt8, endian: None };
        let astype = Dtype::from_members(&mut members, "astype")?.unwrap_or(byte);
        if astype.number.is_float() || astype.number == Number::Bool {
            let value = members.get("astype").unwrap_or(&Value::Null);
            return Err(members.unexpected("astype", value, "a type of integers"));
        }
        members.finish()?;
        let endian = astype.endian.unwrap_or(Endian::NATIVE);
        let element_len = context.data_type.size().unwrap_or(0);
        Ok(Self { labels, number: astype.number, endian, element_len })
    }

    /// The number of a text: as numcodecs has it, of several that are the same the last.
    fn number_of(&self, text: &[u8]) -> i128 {
        let index = self.labels.iter().rposition(|label| label.as_bytes() == text);
        index.map_or(0, |index| index as i128 + 1)
    }

    /// The text of a number.
    fn label(&self, number: Real) -> &str {
        let Real::Integer(number) = number else { return "" };
        let index = usize::try_from(number - 1).ok();
        index.and_then(|index| self.labels.get(index)).map_or("", String::as_str)
    }
}

impl ArrayCodec for Categorize {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn encoded_context(&self, decoded: &ChunkContext) -> Result<ChunkContext, CodecError> {
        Ok(ChunkContext { data_type: self.number.data_type(), shape: decoded.shape.clone() })
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<(), CodecError> {
        let mut elements = decoded.chunks_exact_mut(self.element_len.max(1));
        with_element!(self.number, T => for (number, element) in T::read(encoded).zip(&mut elements) {
            element.fill(0);
            // As NumPy does, what does not fit is left out.
            let characters = self.label(number.widen().into()).chars();
            for (character, code) in characters.zip(element.chunks_exact_mut(4)) {
                code.copy_from_slice(&u32::from(character).to_ne_bytes());
            }
        });
        Ok(())
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        let count = decoded.len() / self.element_len.max(1);
        let start = encoded.len();
        encoded.resize(start + count * self.number.size(), 0);
        let texts = decoded.chunks_exact(self.element_len.max(1)).map(|element| {
            let codes = element.as_chunks().0.iter().map(|code| u32::from_ne_bytes(*code));
            codes.map(|code| char::from_u32(code).unwrap_or_default()).collect::<String>()
        });
        with_element!(self.number, T => T::write(
            texts.map(|text| T::from_int(self.number_of(text.trim_end_matches('\0').as_bytes()))),
            &mut encoded[start..],
        ));
        Ok(())
    }
}

impl VariableCodec for Categorize {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn is_for(&self, data_type: &DataType) -> bool {
        *data_type == DataType::String
    }

    fn least_encoded_len(&self, element_count: u64) -> u64 {
        element_count.saturating_mul(self.number.size() as u64)
    }

    fn memory_per_byte(&self) -> u64 {
        let longest = self.labels.iter().map(String::len).max().unwrap_or(0);
        1 + longest.div_ceil(self.number.size()) as u64
    }

    fn decode_in_place(
        &self,
        element_count: u64,
        chunk: &mut VariableChunk,
    ) -> Result<(), CodecError> {
        chunk.offsets.clear();
        self.check_len(element_count, &chunk.bytes)?;
        let (expected, actual) = (self.least_encoded_len(element_count), chunk.bytes.len() as u64);
        if actual != expected {
            return Err(CodecError::Length { codec: Self::NAME, expected, actual });
        }
        if self.endian != Endian::NATIVE {
            chunk.bytes.chunks_exact_mut(self.number.size()).for_each(<[u8]>::reverse);
        }
        let mut texts = Vec::new();
        chunk.offsets.push(0);
        with_element!(self.number, T => for number in T::read(&chunk.bytes) {
            texts.extend_from_slice(self.label(number.widen().into()).as_bytes());
            chunk.offsets.push(texts.len() as u64);
        });
        chunk.bytes = texts;
        Ok(())
    }

    fn encode(&self, elements: &[&[u8]], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        for element in elements {
            let number = self.number_of(element);
            let start = encoded.len();
            encoded.resize(start + self.number.size(), 0);
            let bytes = &mut encoded[start..];
            with_element!(self.number, T => T::write(std::iter::once(T::from_int(number)), bytes));
            if self.endian != Endian::NATIVE {
                bytes.reverse();
            }
        }
        Ok(())
    }
}
