//! `msgpack2`, and `msgpack` of older numcodecs: all elements of a chunk in one `MessagePack` document.

use std::borrow::Cow;

use lsio_array::{DataType, VariableChunk};

use crate::configuration::Members;
use crate::document_form::DocumentForm;
use crate::object_text::ObjectText;
use crate::{ChunkContext, CodecError, VariableCodec};

/// Most levels of lists and maps in one value: those of [`crate::Json2`].
const MOST_LEVELS: usize = 128;

/// `msgpack2`, and `msgpack` of older numcodecs: all elements of a chunk in one `MessagePack` document.
///
/// A list: the elements in lists of lists, one level for each dimension, then the type string of `NumPy`, then
/// the shape, which `msgpack` does not have. Decoded elements are the same values as texts of JSON, with `NaN`,
/// `Infinity` and `-Infinity` as Python writes them. Values that JSON does not have are refused: bytes, extension
/// types, keys that are no text. Arrays of other data types than objects have their elements as values too, bytes
/// among them.
///
/// - Specification: numcodecs `msgpack2`, and `msgpack` of versions before 0.6 (`LegacyMsgPack` of 0.6);
///   `MessagePack`.
/// - Names: v2 `msgpack2` and `msgpack` (filters); v3 `numcodecs.msgpack2`. Of the configuration only `raw` counts
///   for decoding, which must be false, and `encoding` for `msgpack`: texts are UTF-8.
///
/// ```
/// use lsio_array::{DataType, Destination, VariableChunk};
/// use lsio_codecs::{ChunkContext, CodecChain, codec_v2};
///
/// # fn main() -> Result<(), lsio_codecs::CodecError> {
/// let context = ChunkContext { data_type: DataType::Json, shape: vec![2] };
/// let codec = codec_v2("msgpack2", &serde_json::Map::new(), &context)?;
/// let chain = CodecChain::new(vec![codec], &context)?;
/// let encoded = b"\x94\x81\xa1a\x91\x07\xc0\xa2|O\x91\x02";
/// let mut decoded = VariableChunk { offsets: vec![], bytes: vec![], limit: 200 };
/// chain.decode(encoded, Destination::Variable(&mut decoded), &mut [])?;
/// assert_eq!(decoded.offsets, [0, 9, 13]);
/// assert_eq!(decoded.bytes, br#"{"a":[7]}null"#);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Msgpack2 {
    form: DocumentForm,
    shape: Vec<u64>,
    /// Whether bytes are read, as texts of the characters U+0000 to U+00FF.
    has_bytes: bool,
}

impl Msgpack2 {
    /// Name of the codec.
    pub(crate) const NAME: &'static str = "msgpack2";

    /// Name of the codec whose documents have no shape.
    pub(crate) const NAME_WITHOUT_SHAPE: &'static str = "msgpack";

    /// Name of the codec with documents of this form.
    fn name_of(form: DocumentForm) -> &'static str {
        match form {
            DocumentForm::WithoutShape => Self::NAME_WITHOUT_SHAPE,
            DocumentForm::WithShape => Self::NAME,
        }
    }

    /// From the configuration in metadata.
    pub(crate) fn from_members(
        mut members: Members<'_>,
        form: DocumentForm,
        context: &ChunkContext,
    ) -> Result<Self, CodecError> {
        if form == DocumentForm::WithoutShape {
            members.utf8_encoding()?;
        } else if members.boolean("raw")? == Some(true) {
            let reason = "'raw' must be false: texts as bytes are not supported";
            return Err(CodecError::configuration(Self::NAME, reason));
        }
        Ok(Self { form, shape: context.shape.clone(), has_bytes: false })
    }

    /// The same, of a document whose values are bytes.
    pub(crate) fn with_bytes(self) -> Self {
        Self { has_bytes: true, ..self }
    }

    /// Calls `take` with the JSON text of each element of a document, in their order, until it answers with what
    /// is wrong. Lists, maps, and texts and bytes of more than `most_bytes` are refused before any memory is
    /// taken for them.
    pub(crate) fn for_each_value(
        &self,
        encoded: &[u8],
        most_bytes: usize,
        mut take: impl FnMut(&[u8]) -> Result<(), Cow<'static, str>>,
    ) -> Result<(), CodecError> {
        let document = Document { most_levels: 0, most_bytes, ..self.document(encoded) };
        let taken = self.take_document(document, |document| {
            document.objects.clear();
            document.move_value(0)?;
            take(document.objects.text())
        });
        taken.map(|_| ())
    }

    fn document<'a>(&self, rest: &'a [u8]) -> Document<'a> {
        Document {
            rest,
            objects: ObjectText::default(),
            has_bytes: self.has_bytes,
            most_levels: MOST_LEVELS,
            most_bytes: usize::MAX,
        }
    }

    /// Takes all of a document and gives what `take`, which takes the value of an element, left of its text.
    fn take_document<'a>(
        &self,
        mut document: Document<'a>,
        mut take: impl FnMut(&mut Document<'a>) -> Result<(), Cow<'static, str>>,
    ) -> Result<ObjectText, CodecError> {
        let len = document.rest.len();
        self.take_all(&mut document, &mut take).map_err(|reason| {
            let at = len - document.rest.len();
            CodecError::corrupt(Self::name_of(self.form), format!("before byte {at}: {reason}"))
        })?;
        Ok(document.objects)
    }

    fn take_all<'a>(
        &self,
        document: &mut Document<'a>,
        take: &mut impl FnMut(&mut Document<'a>) -> Result<(), Cow<'static, str>>,
    ) -> Result<(), Cow<'static, str>> {
        // NumPy makes no list of an array without dimensions, so that nobody writes one.
        let (&first, inner) = self.shape.split_first().ok_or("the chunk has no dimensions")?;
        let values_behind = match self.form {
            DocumentForm::WithoutShape => 1,
            DocumentForm::WithShape => 2,
        };
        document.expect_list(first.saturating_add(values_behind))?;
        document.take_elements(first, inner, take)?;
        document.take_text()?;
        if self.form == DocumentForm::WithShape {
            document.expect_list(self.shape.len() as u64)?;
            for &extent in &self.shape {
                if document.integer()? != i128::from(extent) {
                    return Err("its shape is not that of the chunk".into());
                }
            }
        }
        if document.rest.is_empty() { Ok(()) } else { Err("more follows the document".into()) }
    }
}

impl VariableCodec for Msgpack2 {
    fn name(&self) -> &'static str {
        Self::name_of(self.form)
    }

    fn is_for(&self, data_type: &DataType) -> bool {
        *data_type == DataType::Json
    }

    fn least_encoded_len(&self, element_count: u64) -> u64 {
        element_count
    }

    fn memory_per_byte(&self) -> u64 {
        // The byte and what it becomes: `false,` or `\u0000`.
        1 + 6
    }

    fn decode_in_place(
        &self,
        element_count: u64,
        chunk: &mut VariableChunk,
    ) -> Result<(), CodecError> {
        self.check_len(element_count, &chunk.bytes)?;
        let objects = self.take_document(self.document(&chunk.bytes), |document| {
            document.move_value(0)?;
            document.objects.end_element();
            Ok(())
        })?;
        objects.finish(chunk);
        Ok(())
    }
}

/// What is left of a document, and the elements found so far.
struct Document<'a> {
    rest: &'a [u8],
    objects: ObjectText,
    has_bytes: bool,
    /// Most levels of lists and maps in a value.
    most_levels: usize,
    /// Most bytes of a text or of bytes.
    most_bytes: usize,
}

impl<'a> Document<'a> {
    /// Takes the elements below one level of lists.
    fn take_elements(
        &mut self,
        extent: u64,
        inner: &[u64],
        take: &mut impl FnMut(&mut Self) -> Result<(), Cow<'static, str>>,
    ) -> Result<(), Cow<'static, str>> {
        for _ in 0..extent {
            if let Some((&next, inner)) = inner.split_first() {
                self.expect_list(next)?;
                self.take_elements(next, inner, take)?;
            } else {
                take(self)?;
            }
        }
        Ok(())
    }

    /// Takes the head of a list of so many values.
    fn expect_list(&mut self, values: u64) -> Result<(), &'static str> {
        let found = match self.byte()? {
            head @ 0x90..=0x9f => u64::from(head & 0x0f),
            0xdc => self.length::<2>()?,
            0xdd => self.length::<4>()?,
            _ => return Err("a list is missing"),
        };
        let as_expected = found == values;
        if as_expected { Ok(()) } else { Err("a list does not have as many values as the chunk") }
    }

    /// Takes an integer.
    fn integer(&mut self) -> Result<i128, &'static str> {
        let head = self.byte()?;
        self.integer_of(head)?.ok_or("an integer is missing")
    }

    /// The integer that starts with this byte; `None` if that starts something else.
    fn integer_of(&mut self, head: u8) -> Result<Option<i128>, &'static str> {
        Ok(Some(match head {
            0x00..=0x7f => head.into(),
            0xcc => self.byte()?.into(),
            0xcd => u16::from_be_bytes(self.take()?).into(),
            0xce => u32::from_be_bytes(self.take()?).into(),
            0xcf => u64::from_be_bytes(self.take()?).into(),
            0xd0 => i8::from_be_bytes(self.take()?).into(),
            0xd1 => i16::from_be_bytes(self.take()?).into(),
            0xd2 => i32::from_be_bytes(self.take()?).into(),
            0xd3 => i64::from_be_bytes(self.take()?).into(),
            0xe0..=0xff => i8::from_be_bytes([head]).into(),
            _ => return Ok(None),
        }))
    }

    /// Takes a text.
    fn take_text(&mut self) -> Result<&'a str, &'static str> {
        std::str::from_utf8(self.take_raw()?).map_err(|_| "a text is not UTF-8")
    }

    /// Takes the bytes of a text.
    fn take_raw(&mut self) -> Result<&'a [u8], &'static str> {
        let length = match self.byte()? {
            head @ 0xa0..=0xbf => u64::from(head & 0x1f),
            0xd9 => self.length::<1>()?,
            0xda => self.length::<2>()?,
            0xdb => self.length::<4>()?,
            _ => return Err("a text is missing"),
        };
        self.take_bytes(length)
    }

    /// Takes so many bytes of a text, or of bytes.
    fn take_bytes(&mut self, length: u64) -> Result<&'a [u8], &'static str> {
        let length = usize::try_from(length).ok().filter(|&length| length <= self.most_bytes);
        let length = length.ok_or("a text has more bytes than an element")?;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or("a text is cut")?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Takes a value and appends it to the element.
    fn move_value(&mut self, level: usize) -> Result<(), &'static str> {
        if level > self.most_levels {
            return Err("a value has too many levels");
        }
        let value = self.rest;
        let head = self.byte()?;
        if let Some(integer) = self.integer_of(head)? {
            self.objects.push(integer.to_string());
            return Ok(());
        }
        match head {
            0xc0 => self.objects.push("null"),
            0xc2 => self.objects.push("false"),
            0xc3 => self.objects.push("true"),
            0xca => {
                let number = f32::from_be_bytes(self.take()?);
                self.objects.push_float(number.into());
            }
            0xcb => {
                let number = f64::from_be_bytes(self.take()?);
                self.objects.push_float(number);
            }
            0xa0..=0xbf | 0xd9..=0xdb => {
                self.rest = value;
                // Without the type of bytes, which `MessagePack` got later, bytes are written as texts are.
                if self.has_bytes {
                    let bytes = self.take_raw()?;
                    self.push_bytes(bytes);
                } else {
                    let text = self.take_text()?;
                    self.objects.push_text(text);
                }
            }
            0x90..=0x9f => self.move_list(u64::from(head & 0x0f), level)?,
            0xdc => {
                let values = self.length::<2>()?;
                self.move_list(values, level)?;
            }
            0xdd => {
                let values = self.length::<4>()?;
                self.move_list(values, level)?;
            }
            0x80..=0x8f => self.move_map(u64::from(head & 0x0f), level)?,
            0xde => {
                let members = self.length::<2>()?;
                self.move_map(members, level)?;
            }
            0xdf => {
                let members = self.length::<4>()?;
                self.move_map(members, level)?;
            }
            0xc4..=0xc6 if self.has_bytes => self.move_bytes(head)?,
            0xc4..=0xc6 => return Err("bytes have no form in JSON"),
            _ => return Err("an extension type has no form in JSON"),
        }
        Ok(())
    }

    fn move_bytes(&mut self, head: u8) -> Result<(), &'static str> {
        let length = match head {
            0xc4 => self.length::<1>()?,
            0xc5 => self.length::<2>()?,
            _ => self.length::<4>()?,
        };
        let bytes = self.take_bytes(length)?;
        self.push_bytes(bytes);
        Ok(())
    }

    fn push_bytes(&mut self, bytes: &[u8]) {
        let text: String = bytes.iter().copied().map(char::from).collect();
        self.objects.push_text(&text);
    }

    fn move_list(&mut self, values: u64, level: usize) -> Result<(), &'static str> {
        self.objects.push("[");
        for index in 0..values {
            if index > 0 {
                self.objects.push(",");
            }
            self.move_value(level + 1)?;
        }
        self.objects.push("]");
        Ok(())
    }

    fn move_map(&mut self, members: u64, level: usize) -> Result<(), &'static str> {
        self.objects.push("{");
        for index in 0..members {
            if index > 0 {
                self.objects.push(",");
            }
            let name = self.take_text()?;
            self.objects.push_text(name);
            self.objects.push(":");
            self.move_value(level + 1)?;
        }
        self.objects.push("}");
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, &'static str> {
        self.take::<1>().map(|[byte]| byte)
    }

    /// A length of so many bytes.
    fn length<const N: usize>(&mut self) -> Result<u64, &'static str> {
        let bytes = self.take::<N>()?;
        Ok(bytes.iter().fold(0, |length, &byte| length << 8 | u64::from(byte)))
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or("it ends early")?;
        self.rest = rest;
        Ok(*bytes)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn decode(shape: &[u64], encoded: &[u8]) -> Result<Vec<String>, CodecError> {
        decode_form(DocumentForm::WithShape, shape, encoded)
    }

    fn decode_form(
        form: DocumentForm,
        shape: &[u64],
        encoded: &[u8],
    ) -> Result<Vec<String>, CodecError> {
        let codec = Msgpack2 { form, shape: shape.to_vec(), has_bytes: false };
        let mut chunk = VariableChunk { offsets: vec![], bytes: encoded.to_vec(), limit: 1000 };
        codec.decode_in_place(shape.iter().product(), &mut chunk)?;
        assert!(chunk.bytes.len() as u64 <= encoded.len() as u64 * (codec.memory_per_byte() - 1));
        let element = |ends: &[u64]| chunk.bytes[ends[0] as usize..ends[1] as usize].to_vec();
        let elements = chunk.offsets.windows(2).map(element);
        Ok(elements.map(|bytes| String::from_utf8(bytes).unwrap()).collect())
    }

    /// A document of one element.
    fn of(element: &[u8]) -> Vec<u8> {
        [&[0x93], element, b"\xa2|O\x91\x01"].concat()
    }

    #[test]
    fn values_become_texts_of_json() {
        for (element, text) in [
            (&b"\xc0"[..], "null"),
            (b"\xc2", "false"),
            (b"\x7f", "127"),
            (b"\xe0", "-32"),
            (b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615"),
            (b"\xd3\x80\0\0\0\0\0\0\0", "-9223372036854775808"),
            (b"\xca\x3f\x80\0\0", "1.0"),
            (b"\xcb\x7f\xf8\0\0\0\0\0\0", "NaN"),
            (b"\xcb\xff\xf0\0\0\0\0\0\0", "-Infinity"),
            (b"\xcb\x80\0\0\0\0\0\0\x01", "-5e-324"),
            (b"\xa5a\"\\\n\0", r#""a\"\\\u000a\u0000""#),
            (b"\xd9\x02\xc3\xa9", "\"\u{e9}\""),
            (b"\xdc\0\x02\x90\x80", "[[],{}]"),
            (b"\x82\xa1a\xc3\xa0\x91\xc0", r#"{"a":true,"":[null]}"#),
        ] {
            let encoded = of(element);
            assert_eq!(decode(&[1], &encoded).unwrap(), [text]);
            for end in 0..encoded.len() {
                assert!(decode(&[1], &encoded[..end]).is_err(), "{text} {end}");
            }
        }
    }

    #[test]
    fn elements_are_nested_by_the_dimensions_of_the_chunk() {
        let encoded = b"\x94\x92\x01\x91\x02\x92\x03\x04\xa2|O\x92\x02\x02";
        assert_eq!(decode(&[2, 2], encoded).unwrap(), ["1", "[2]", "3", "4"]);
        for shape in [&[4][..], &[2], &[2, 3], &[2, 2, 1], &[]] {
            assert!(decode(shape, encoded).is_err(), "{shape:?}");
        }
        assert!(decode(&[2, 2], &[&encoded[..], &[0]].concat()).is_err());
    }

    /// The documents are what `MsgPack().encode` of numcodecs 0.5.5 gives: its `msgpacks.py`, run with Python 3.11,
    /// `NumPy` 2 and msgpack 0.5.6.
    #[test]
    fn documents_of_older_numcodecs_have_no_shape() {
        let decode =
            |shape: &[u64], encoded| decode_form(DocumentForm::WithoutShape, shape, encoded);
        for (shape, encoded, elements) in [
            (&[2][..], &b"\x93\xa1a\xa2\xc3\xbc\xa2|O"[..], &["\"a\"", "\"\u{fc}\""][..]),
            (
                &[2, 2],
                b"\x93\x92\x01\x92\x02\x03\x92\x82\xa1b\x90\xa1a\xc0\xcb\x7f\xf8\0\0\0\0\0\0\xa2|O",
                &["1", "[2,3]", r#"{"b":[],"a":null}"#, "NaN"],
            ),
            (&[0], b"\x91\xa2|O", &[]),
        ] {
            assert_eq!(decode(shape, encoded).unwrap(), elements);
            for end in 0..encoded.len() {
                assert!(decode(shape, &encoded[..end]).is_err(), "{elements:?} {end}");
            }
        }
        for (shape, encoded) in [
            (&[2][..], &b"\x92\xa1a\xa2|O"[..]),
            (&[2], b"\x94\xa1a\xa1b\xa1c\xa2|O"),
            (&[2], b"\x93\xa1a\xa1b\x01"),
            (&[2], b"\x94\xa1a\xa1b\xa2|O\x91\x02"),
            (&[2, 1], b"\x93\xa1a\xa1b\xa2|O"),
        ] {
            let error = decode(shape, encoded).unwrap_err();
            assert!(matches!(error, CodecError::Corrupt { codec: "msgpack", .. }), "{error}");
        }
    }

    #[test]
    fn what_json_does_not_have_is_refused() {
        let deep = [0x91].repeat(1_000_000);
        for element in [
            &b"\xc4\x01a"[..],
            b"\xd4\0a",
            b"\xd6\xff\0\0\0\0",
            b"\xc1",
            b"\x81\x01\x01",
            b"\xa1\xff",
            b"\xdb\xff\xff\xff\xff",
            b"\xdd\xff\xff\xff\xff",
            b"\xdf\xff\xff\xff\xff",
            &deep,
        ] {
            assert!(decode(&[1], &of(element)).is_err(), "{:?}", &element[..2]);
        }
        assert!(decode(&[1 << 40], &of(b"\xc0")).is_err());
    }
}
