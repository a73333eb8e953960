//! `json2`, and `json` of older numcodecs: all elements of a chunk in one JSON document.

use std::borrow::Cow;

use lsio_array::{DataType, VariableChunk};

use crate::configuration::Members;
use crate::document_form::DocumentForm;
use crate::json_text::JsonText;
use crate::{ChunkContext, CodecError, VariableCodec};

/// `json2`, and `json` of older numcodecs: all elements of a chunk in one JSON document.
///
/// A list: the elements in lists of lists, one level for each dimension, then the type string of `NumPy`, then
/// the shape, which `json` does not have. Decoded elements are the texts of their values as they are in the
/// document; `NaN`, `Infinity` and `-Infinity` may be among them, as Python writes them. Numbers, bools and texts of
/// fixed length are elements too, where the array has such a data type.
///
/// - Specification: numcodecs `json2`, and `json` of versions before 0.6 (`LegacyJSON` of 0.6).
/// - Names: v2 `json2` and `json` (filters); v3 `numcodecs.json2`. Of the configuration only `encoding` counts for
///   decoding, which must be UTF-8.
///
/// ```
/// use lsio_array::{DataType, Destination, VariableChunk};
/// use lsio_codecs::{ChunkContext, CodecChain, codec_v2};
///
/// # fn main() -> Result<(), lsio_codecs::CodecError> {
/// let context = ChunkContext { data_type: DataType::Json, shape: vec![2, 1] };
/// let json = codec_v2("json2", &serde_json::Map::new(), &context)?;
/// let chain = CodecChain::new(vec![json], &context)?;
/// let encoded = br#"[[{"a": [1]}],[NaN],"|O",[2,1]]"#;
/// let mut decoded = VariableChunk { offsets: vec![], bytes: vec![], limit: 100 };
/// chain.decode(encoded, Destination::Variable(&mut decoded), &mut [])?;
/// assert_eq!(decoded.offsets, [0, 10, 13]);
/// assert_eq!(decoded.bytes, br#"{"a": [1]}NaN"#);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json2 {
    form: DocumentForm,
    shape: Vec<u64>,
}

impl Json2 {
    /// Name of the codec.
    pub(crate) const NAME: &'static str = "json2";

    /// Name of the codec whose documents have no shape.
    pub(crate) const NAME_WITHOUT_SHAPE: &'static str = "json";

    /// Name of the codec with documents of this form.
    pub(crate) fn name_of(form: DocumentForm) -> &'static str {
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
        members.utf8_encoding()?;
        Ok(Self { form, shape: context.shape.clone() })
    }

    fn corrupt(&self, reason: impl Into<Cow<'static, str>>) -> CodecError {
        CodecError::corrupt(Self::name_of(self.form), reason)
    }

    /// Calls `take` with the value of each element of a document, in their order, until it answers with what is
    /// wrong.
    pub(crate) fn for_each_value(
        &self,
        document: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<(), Cow<'static, str>>,
    ) -> Result<(), CodecError> {
        self.take_document(document, |text| take(&document[text.take_value()?]))
    }

    /// Takes the elements below `dimensions`, each with the comma behind it: the last element of a list has
    /// none, unless `is_open`.
    fn take_elements<B: AsRef<[u8]>>(
        dimensions: &[u64],
        is_open: bool,
        text: &mut JsonText<B>,
        take: &mut impl FnMut(&mut JsonText<B>) -> Result<(), Cow<'static, str>>,
    ) -> Result<(), Cow<'static, str>> {
        let Some((&extent, inner)) = dimensions.split_first() else { return Ok(()) };
        for index in 0..extent {
            if inner.is_empty() {
                take(text)?;
            } else {
                text.expect(b'[')?;
                Self::take_elements(inner, false, text, take)?;
                text.expect(b']')?;
            }
            if is_open || index + 1 < extent {
                text.expect(b',')?;
            }
        }
        Ok(())
    }

    /// Takes all of a document; `take` takes the value of an element.
    fn take_document<B: AsRef<[u8]>>(
        &self,
        document: B,
        mut take: impl FnMut(&mut JsonText<B>) -> Result<(), Cow<'static, str>>,
    ) -> Result<(), CodecError> {
        if std::str::from_utf8(document.as_ref()).is_err() {
            return Err(self.corrupt("it is not UTF-8"));
        }
        let mut text = JsonText::new(document);
        self.take_all(&mut text, &mut take)
            .map_err(|reason| self.corrupt(format!("at byte {}: {reason}", text.position())))
    }

    fn take_all<B: AsRef<[u8]>>(
        &self,
        text: &mut JsonText<B>,
        take: &mut impl FnMut(&mut JsonText<B>) -> Result<(), Cow<'static, str>>,
    ) -> Result<(), Cow<'static, str>> {
        // NumPy makes a list of one element of an array without dimensions.
        let dimensions: &[u64] = if self.shape.is_empty() { &[1] } else { self.shape.as_slice() };
        text.expect(b'[')?;
        Self::take_elements(dimensions, true, text, take)?;
        text.expect_text()?;
        if self.form == DocumentForm::WithShape {
            self.take_shape(text)?;
        }
        text.expect(b']')?;
        text.expect_end()?;
        Ok(())
    }

    /// Takes the shape, the comma before it included.
    fn take_shape<B: AsRef<[u8]>>(&self, text: &mut JsonText<B>) -> Result<(), Cow<'static, str>> {
        text.expect(b',')?;
        text.expect(b'[')?;
        for (axis, &extent) in self.shape.iter().enumerate() {
            if axis > 0 {
                text.expect(b',')?;
            }
            if text.number()? != extent {
                return Err("its shape is not that of the chunk".into());
            }
        }
        text.expect(b']')?;
        Ok(())
    }
}

impl VariableCodec for Json2 {
    fn name(&self) -> &'static str {
        Self::name_of(self.form)
    }

    fn is_for(&self, data_type: &DataType) -> bool {
        *data_type == DataType::Json
    }

    fn least_encoded_len(&self, element_count: u64) -> u64 {
        // An element and the comma behind it.
        element_count.saturating_mul(2)
    }

    fn decode_in_place(
        &self,
        element_count: u64,
        chunk: &mut VariableChunk,
    ) -> Result<(), CodecError> {
        chunk.offsets.clear();
        self.check_len(element_count, &chunk.bytes)?;
        // The element count is now known to be below the length of the bytes that are at hand.
        chunk.offsets.reserve_exact(element_count as usize + 1);
        chunk.offsets.push(0);
        let mut to = 0;
        self.take_document(&mut chunk.bytes, |text| {
            to = text.move_value(to)?;
            chunk.offsets.push(to as u64);
            Ok(())
        })?;
        chunk.bytes.truncate(to);
        Ok(())
    }

    fn encode(&self, elements: &[&[u8]], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        // Elements in a row begin or end as many lists as dimensions come full circle.
        let inner = self.shape.get(1..).unwrap_or_default();
        let rows: Vec<usize> =
            (0..inner.len()).map(|axis| inner[axis..].iter().product::<u64>() as usize).collect();
        encoded.push(b'[');
        for (index, element) in elements.iter().enumerate() {
            encoded.extend(rows.iter().filter(|&&row| index.is_multiple_of(row)).map(|_| b'['));
            encoded.extend_from_slice(element);
            encoded
                .extend(rows.iter().filter(|&&row| (index + 1).is_multiple_of(row)).map(|_| b']'));
            encoded.push(b',');
        }
        let end = match self.form {
            DocumentForm::WithoutShape => "\"|O\"]".to_owned(),
            DocumentForm::WithShape => format!("\"|O\",{:?}]", self.shape),
        };
        encoded.extend_from_slice(end.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn decode(shape: &[u64], text: &str) -> Result<Vec<String>, CodecError> {
        decode_form(DocumentForm::WithShape, shape, text)
    }

    fn decode_form(
        form: DocumentForm,
        shape: &[u64],
        text: &str,
    ) -> Result<Vec<String>, CodecError> {
        let json = Json2 { form, shape: shape.to_vec() };
        let (offsets, bytes) = (vec![], text.as_bytes().to_vec());
        let mut chunk = VariableChunk { offsets, bytes, limit: 1000 };
        json.decode_in_place(shape.iter().product(), &mut chunk)?;
        let element = |ends: &[u64]| chunk.bytes[ends[0] as usize..ends[1] as usize].to_vec();
        let elements = chunk.offsets.windows(2).map(element);
        Ok(elements.map(|bytes| String::from_utf8(bytes).unwrap()).collect())
    }

    #[test]
    fn elements_are_nested_by_the_dimensions_of_the_chunk() {
        let elements = ["1", "[2, 3]", "null", "{\"a\":[]}", "\"]\"", "-0", "NaN", "[[]]"];
        for form in [DocumentForm::WithoutShape, DocumentForm::WithShape] {
            for shape in [&[8][..], &[2, 4], &[2, 2, 2], &[1, 8, 1], &[8, 1, 1]] {
                let json = Json2 { form, shape: shape.to_vec() };
                let mut encoded = Vec::new();
                json.encode(&elements.map(str::as_bytes), &mut encoded).unwrap();
                let text = String::from_utf8(encoded).unwrap();
                assert_eq!(decode_form(form, shape, &text).unwrap(), elements, "{text}");
                for end in 0..text.len() {
                    assert!(decode_form(form, shape, &text[..end]).is_err(), "{text} {end}");
                }
            }
        }
        let text = "[[[1,[2, 3]],[null,4]],\"|O\",[1,2,2]]";
        assert_eq!(decode(&[1, 2, 2], text).unwrap(), ["1", "[2, 3]", "null", "4"]);
        assert_eq!(decode(&[], " [ {} , \"|O\", [ ] ] ").unwrap(), ["{}"]);
    }

    /// The texts are what `JSON().encode` of numcodecs 0.5.5 gives, with `indent=1` in the second: its `json.py`,
    /// run with Python 3.11 and `NumPy` 2.
    #[test]
    fn documents_of_older_numcodecs_have_no_shape() {
        let decode = |shape: &[u64], text| decode_form(DocumentForm::WithoutShape, shape, text);
        for (shape, text, elements) in [
            (&[2][..], r#"["a","\u00fc","|O"]"#, &[r#""a""#, r#""\u00fc""#][..]),
            (&[2], "[\n \"a\", \n \"\\u00fc\", \n \"|O\"\n]", &[r#""a""#, r#""\u00fc""#]),
            (
                &[2, 2],
                r#"[[1,[2,3]],[{"a":null,"b":[]},NaN],"|O"]"#,
                &["1", "[2,3]", r#"{"a":null,"b":[]}"#, "NaN"],
            ),
            (&[0], r#"["|O"]"#, &[]),
        ] {
            assert_eq!(decode(shape, text).unwrap(), elements, "{text}");
        }
        for (shape, text) in [
            (&[2][..], r#"["a","|O"]"#),
            (&[2], r#"["a","b","c","|O"]"#),
            (&[2], r#"["a","b"]"#),
            (&[2], r#"["a","b",1]"#),
            (&[2], r#"["a","b","|O",[2]]"#),
            (&[2], r#"["a","b","|O"],"#),
            (&[2, 1], r#"["a","b","|O"]"#),
        ] {
            let error = decode(shape, text).unwrap_err();
            assert!(matches!(error, CodecError::Corrupt { codec: "json", .. }), "{text}: {error}");
        }
        // Lists that are elements are no level of the chunk.
        assert_eq!(decode(&[2], r#"[[1,2],[3,4],"|O"]"#).unwrap(), ["[1,2]", "[3,4]"]);
    }

    #[test]
    fn documents_of_other_chunks_are_refused() {
        for text in [
            "",
            "null",
            "[]",
            "[1,2]",
            "[1,2,\"|O\"]",
            "[1,\"|O\",[1]]",
            "[1,2,3,\"|O\",[3]]",
            "[1,2,\"|O\",[3]]",
            "[1,2,\"|O\",[1,2]]",
            "[1,2,\"|O\",[2],0]",
            "[1,2,\"|O\",[2]]]",
            "[1,2,null,[2]]",
            "[1,2,\"|O\",[2.0]]",
            "[1,2,\"|O\",[99999999999999999999]]",
            "[[1],[2],\"|O\",[2]",
        ] {
            assert!(decode(&[2], text).is_err(), "{text}");
        }
        assert!(decode(&[2, 1], "[1,2,\"|O\",[2,1]]").is_err());
        assert!(decode(&[1 << 40], "[1,\"|O\",[1099511627776]]").is_err());
        let bytes = b"[\"\xff\",\"|O\",[1]]".to_vec();
        let mut chunk = VariableChunk { offsets: vec![], bytes, limit: 100 };
        let json = Json2 { form: DocumentForm::WithShape, shape: vec![1] };
        assert!(json.decode_in_place(1, &mut chunk).is_err());
    }
}
