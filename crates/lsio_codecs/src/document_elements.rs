//! Elements of fixed size that `json2` and `msgpack2`, or `json` and `msgpack` of older numcodecs, hold as values
//! of their documents.

use std::borrow::Cow;

use lsio_array::DataType;
use serde_json::Value;

use crate::configuration::Members;
use crate::document_form::DocumentForm;
use crate::number::Number;
use crate::{
    ArrayBytesCodec, ChunkContext, CodecError, Json2, Msgpack2, VariableCodec, number_from_json,
};

/// Most bytes that a number and what stands around it take in a document that is indented: 24 of the number, a
/// comma, and the white space of a line for each level of lists.
const BYTES_OF_NUMBER: u64 = 64;

/// Most bytes of a character in a document: two escapes such as `\ud83c`.
const BYTES_OF_CHARACTER: u64 = 12;

/// Longest text of a number that is looked at: a binary64 has at most 1075 digits, nearly all behind
/// the point.
const LONGEST_NUMBER: usize = 2048;

/// Longest text beside those of elements: a type string of `NumPy`, at most `<m8[2147483647generic]`.
const LONGEST_TYPE: usize = 32;

/// `json2`, `json`, `msgpack2` or `msgpack` of elements that are not objects: numbers, bools, dates and durations as
/// their integers, texts of fixed length; bytes of fixed length in the last two only. They are only read.
///
/// - Specification: numcodecs `json2`, `json`, `msgpack2` and `msgpack`, which take arrays of any data type.
#[derive(Debug, Clone)]
pub(crate) struct DocumentElements {
    document: Document,
    data_type: DataType,
}

#[derive(Debug, Clone)]
enum Document {
    Json(Json2),
    Msgpack(Msgpack2),
}

impl DocumentElements {
    /// `json2` or `json` from the configuration in metadata.
    pub(crate) fn json(
        members: Members<'_>,
        form: DocumentForm,
        context: &ChunkContext,
    ) -> Result<Self, CodecError> {
        let is_bytes = bytes_of(&context.data_type).is_some();
        let refused = members.no_numbers(context);
        let document = Document::Json(Json2::from_members(members, form, context)?);
        Self::new(document, context).filter(|_| !is_bytes).ok_or(refused)
    }

    /// `msgpack2` or `msgpack` from the configuration in metadata.
    pub(crate) fn msgpack(
        members: Members<'_>,
        form: DocumentForm,
        context: &ChunkContext,
    ) -> Result<Self, CodecError> {
        let refused = members.no_numbers(context);
        let codec = Msgpack2::from_members(members, form, context)?;
        let codec = if bytes_of(&context.data_type).is_some() { codec.with_bytes() } else { codec };
        Self::new(Document::Msgpack(codec), context).ok_or(refused)
    }

    fn new(document: Document, context: &ChunkContext) -> Option<Self> {
        let data_type = context.data_type.clone();
        let is_text = matches!(data_type, DataType::FixedLengthUtf32 { .. });
        let is_known =
            is_text || bytes_of(&data_type).is_some() || Number::stored(&data_type).is_some();
        is_known.then_some(Self { document, data_type })
    }

    /// Writes the element that a value stands for; `None` where it stands for none.
    fn write(&self, value: &[u8], element: &mut [u8]) -> Option<()> {
        // What takes more memory than an element of any such type is not even parsed.
        let longest = element.len().saturating_mul(BYTES_OF_CHARACTER as usize).saturating_add(2);
        if value.len() > longest.max(LONGEST_NUMBER) {
            return None;
        }
        let value = match value {
            [b'[' | b'{', ..] => return None,
            // The words of Python's `json` module are no JSON.
            b"NaN" | b"Infinity" | b"-Infinity" => {
                Value::String(String::from_utf8_lossy(value).into_owned())
            }
            _ => serde_json::from_slice(value).ok()?,
        };
        element.fill(0);
        match (&self.data_type, &value) {
            (DataType::Bool, Value::Bool(is_true)) => element.copy_from_slice(&[(*is_true).into()]),
            (DataType::FixedLengthUtf32 { .. }, Value::String(text)) => {
                let mut places = element.chunks_exact_mut(4);
                for character in text.chars() {
                    places.next()?.copy_from_slice(&u32::from(character).to_ne_bytes());
                }
            }
            (data_type, Value::String(text)) if bytes_of(data_type).is_some() => {
                let mut places = element.iter_mut();
                for character in text.chars() {
                    *places.next()? = u8::try_from(character).ok()?;
                }
            }
            (data_type, value) => {
                let number = Number::stored(data_type).filter(|&number| number != Number::Bool)?;
                let is_hexadecimal = |text: &str| text.starts_with("0x");
                if value.as_str().is_some_and(is_hexadecimal) {
                    return None;
                }
                let found = number_from_json(&number.data_type(), value)?;
                element.split_at_mut_checked(found.len())?.0.copy_from_slice(&found);
            }
        }
        Some(())
    }
}

/// Bytes of an element that is a text of bytes.
fn bytes_of(data_type: &DataType) -> Option<usize> {
    match data_type {
        DataType::NullTerminatedBytes { length } | DataType::RawBytes { length } => Some(*length),
        _ => None,
    }
}

impl ArrayBytesCodec for DocumentElements {
    fn name(&self) -> &'static str {
        match &self.document {
            Document::Json(json) => json.name(),
            Document::Msgpack(msgpack) => msgpack.name(),
        }
    }

    fn encoded_bound(&self, chunk: &ChunkContext) -> Result<u64, CodecError> {
        let size = chunk.data_type.size().unwrap_or(0) as u64;
        let element = BYTES_OF_NUMBER.saturating_add(size.saturating_mul(BYTES_OF_CHARACTER / 4));
        // A list may begin with each element in each dimension.
        let values = chunk.element_count()?.saturating_mul(chunk.shape.len() as u64 + 1);
        Ok(values.saturating_mul(element).saturating_add(4096))
    }

    fn decode(
        &self,
        encoded: &[u8],
        decoded: &mut [u8],
        _scratch: &mut [u8],
    ) -> Result<(), CodecError> {
        let size = self.data_type.size().unwrap_or(0).max(1);
        let mut elements = decoded.chunks_exact_mut(size).enumerate();
        let take = |value: &[u8]| -> Result<(), Cow<'static, str>> {
            let (index, element) = elements.next().ok_or("it has too many elements")?;
            let wrong = || format!("element {index} is no {}", self.data_type);
            Ok(self.write(value, element).ok_or_else(wrong)?)
        };
        match &self.document {
            Document::Json(json) => json.for_each_value(encoded, take),
            Document::Msgpack(msgpack) => {
                msgpack.for_each_value(encoded, size.max(LONGEST_TYPE), take)
            }
        }
    }

    fn encode(&self, _decoded: &[u8], _encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        Err(CodecError::configuration(self.name(), "its elements are read, but not written"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use lsio_array::{DataType, Destination};

    use crate::{ChunkContext, CodecChain, CodecError, Configuration, codec_v2};

    fn chain(id: &str, name: &str, shape: &[u64]) -> Result<CodecChain, CodecError> {
        let data_type = match name {
            "<U2" => DataType::FixedLengthUtf32 { length: 2 },
            "|S2" => DataType::NullTerminatedBytes { length: 2 },
            "|V2" => DataType::RawBytes { length: 2 },
            name => DataType::from_name(name).unwrap(),
        };
        let context = ChunkContext { data_type, shape: shape.to_vec() };
        let codec = codec_v2(id, &Configuration::new(), &context)?;
        CodecChain::new(vec![codec], &context)
    }

    fn decode(id: &str, name: &str, shape: &[u64], encoded: &[u8]) -> Result<Vec<u8>, CodecError> {
        let chain = chain(id, name, shape)?;
        let mut decoded = vec![0xee; chain.decoded_len().unwrap() as usize];
        let mut scratch = vec![0; chain.scratch_len() as usize];
        chain.decode(encoded, Destination::Fixed(&mut decoded), &mut scratch)?;
        Ok(decoded)
    }

    #[test]
    fn values_of_a_json_document_are_elements() {
        let found = decode("json2", "int16", &[2, 1], b"[[-2],[300],\"<i2\",[2,1]]").unwrap();
        assert_eq!(found, [-2i16, 300].map(i16::to_ne_bytes).concat());
        let found = decode("json2", "uint64", &[1], b"[18446744073709551615,\"<u8\",[1]]");
        assert_eq!(found.unwrap(), [0xff; 8]);
        let found = decode("json2", "bool", &[2], b"[true, false, \"|b1\", [2]]");
        assert_eq!(found.unwrap(), [1, 0]);
        let text = b"[NaN,-Infinity,0.10000000149011612,\"<f4\",[3]]";
        let found = decode("json2", "float32", &[3], text).unwrap();
        let expected = [f32::NAN, f32::NEG_INFINITY, 0.1].map(f32::to_ne_bytes).concat();
        assert_eq!(found, expected);
        let found = decode("json2", "<U2", &[2], "[\"\\u00fcb\",\"\",\"<U2\",[2]]".as_bytes());
        assert_eq!(found.unwrap(), [0xfc_u32, 98, 0, 0].map(u32::to_ne_bytes).concat());
    }

    /// Documents by numcodecs 0.5.5, as in `json2.rs`.
    #[test]
    fn values_of_a_json_document_without_shape_are_elements() {
        let found = decode("json", "int16", &[2, 1], b"[[-2],[300],\"<i2\"]").unwrap();
        assert_eq!(found, [-2i16, 300].map(i16::to_ne_bytes).concat());
        let found = decode("json", "bool", &[2], b"[true,false,\"|b1\"]").unwrap();
        assert_eq!(found, [1, 0]);
        let found = decode("json", "float32", &[3], b"[1.5,NaN,-Infinity,\">f4\"]").unwrap();
        let expected = [1.5, f32::NAN, f32::NEG_INFINITY].map(f32::to_ne_bytes).concat();
        assert_eq!(found, expected);
        let found = decode("json", "<U2", &[2], b"[\"\\u00fcb\",\"\",\"<U2\"]").unwrap();
        assert_eq!(found, [0xfc_u32, 98, 0, 0].map(u32::to_ne_bytes).concat());
        let error = decode("json", "int16", &[1], b"[1,\"<i2\",[1]]").unwrap_err();
        assert_eq!(error.codec(), Some("json"));
    }

    #[test]
    fn values_of_a_messagepack_document_are_elements() {
        let found = decode("msgpack2", "int8", &[2], b"\x94\x07\xff\xa3|i1\x91\x02").unwrap();
        assert_eq!(found, [7, 0xff]);
        let document = b"\x94\xc4\x01a\xc4\x02\x00\xff\xa3|S2\x91\x02";
        for name in ["|S2", "|V2"] {
            assert_eq!(decode("msgpack2", name, &[2], document).unwrap(), [97, 0, 0, 0xff]);
        }
        // Without `use_bin_type`.
        let document = b"\x94\xa1a\xa2\xc3\xbc\xa3|S2\x91\x02";
        for name in ["|S2", "|V2"] {
            assert_eq!(decode("msgpack2", name, &[2], document).unwrap(), [97, 0, 0xc3, 0xbc]);
        }
        let document = b"\x93\xcb\x3f\xe0\0\0\0\0\0\0\xa3<f2\x91\x01";
        assert_eq!(decode("msgpack2", "float16", &[1], document).unwrap(), 0x3800u16.to_ne_bytes());
    }

    /// Documents by numcodecs 0.5.5, as in `msgpack2.rs`.
    #[test]
    fn values_of_a_messagepack_document_without_shape_are_elements() {
        let found = decode("msgpack", "int16", &[2, 1], b"\x93\x91\xfe\x91\xcd\x01\x2c\xa3<i2");
        assert_eq!(found.unwrap(), [-2i16, 300].map(i16::to_ne_bytes).concat());
        let found = decode("msgpack", "<U2", &[2], b"\x93\xa3\xc3\xbcb\xa0\xa3<U2").unwrap();
        assert_eq!(found, [0xfc_u32, 98, 0, 0].map(u32::to_ne_bytes).concat());
        let found = decode("msgpack", "|S2", &[2], b"\x93\xa1a\xa2\xc3\xbc\xa3|S2").unwrap();
        assert_eq!(found, [97, 0, 0xc3, 0xbc]);
        let found = decode("msgpack", "|V2", &[2], b"\x93\xa2\0\xff\xa2ab\xa3|V2").unwrap();
        assert_eq!(found, [0, 0xff, 97, 98]);
        let error = decode("msgpack", "int8", &[1], b"\x93\x07\xa3|i1\x91\x01").unwrap_err();
        assert_eq!(error.codec(), Some("msgpack"));
    }

    #[test]
    fn damaged_documents_end_in_an_error_or_in_elements() {
        let documents = [
            ("json2", "float32", &b"[[1.5,-2e3],[NaN,0.1],\"<f4\",[2,2]]"[..]),
            ("json", "float32", b"[[1.5,-2e3],[NaN,0.1],\"<f4\"]"),
            (
                "msgpack2",
                "|S2",
                b"\x94\x92\xc4\x01a\xc4\0\x92\xc4\x02ab\xc4\x01b\xa3|S2\x92\x02\x02",
            ),
        ];
        for (id, name, document) in documents {
            assert!(decode(id, name, &[2, 2], document).is_ok(), "{id}");
            for end in 0..document.len() {
                assert!(decode(id, name, &[2, 2], &document[..end]).is_err(), "{id} {end}");
            }
            for bit in 0..document.len() * 8 {
                let mut damaged = document.to_vec();
                damaged[bit / 8] ^= 1 << (bit % 8);
                // Other elements or an error: what is left is that it does not panic.
                let _ = decode(id, name, &[2, 2], &damaged);
            }
        }
    }

    #[test]
    fn values_of_another_kind_are_refused() {
        for (name, value) in [
            ("int8", "128"),
            ("int8", "0.5"),
            ("int8", "\"0\""),
            ("int8", "true"),
            ("int8", "null"),
            ("int8", "[1]"),
            ("bool", "1"),
            ("float32", "\"0x00000000\""),
            ("<U2", "\"abc\""),
            ("<U2", "1"),
            ("<U2", "\"\\ud83c\""),
        ] {
            let document = format!("[{value},\"?\",[1]]");
            let error = decode("json2", name, &[1], document.as_bytes()).unwrap_err();
            assert!(matches!(error, CodecError::Corrupt { .. }), "{name} {value}: {error}");
        }
        assert!(decode("msgpack2", "|S2", &[1], b"\x93\xc4\x03abc\xa3|S3\x91\x01").is_err());
        assert!(decode("msgpack2", "<U2", &[1], b"\x93\xc4\x01a\xa3<U1\x91\x01").is_err());
        for (id, name) in
            [("json2", "|S2"), ("json2", "complex64"), ("json", "|S2"), ("msgpack2", "complex64")]
        {
            assert!(
                matches!(chain(id, name, &[1]), Err(CodecError::Configuration { .. })),
                "{id} {name}"
            );
        }
    }
}
