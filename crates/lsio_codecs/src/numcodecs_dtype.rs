//! The data types that numcodecs' configurations name, as numpy spells them.

use lsio_array::DataType;
use serde_json::Value;

use crate::configuration::{Dialect, Members};
use crate::number::Number;
use crate::{CodecError, Endian};

/// A kind of numbers and the byte order that is stated for it, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dtype {
    pub(crate) number: Number,
    pub(crate) endian: Option<Endian>,
}

impl Dtype {
    /// Reads `<i4`, `|u1`, `f8`, `uint16` and the like, and tells how many numbers an element has: two for `<c8`,
    /// `complex128` and the like. Dates and durations are their integers.
    pub(crate) fn parse_parts(text: &str) -> Option<(Self, usize)> {
        if let Some((number, parts)) = DataType::from_name(text).as_ref().and_then(Number::parts) {
            return Some((Self { number, endian: None }, parts));
        }
        let (endian, kind) = match text.as_bytes().first()? {
            b'<' => (Some(Endian::Little), &text[1..]),
            b'>' => (Some(Endian::Big), &text[1..]),
            b'=' | b'|' => (None, &text[1..]),
            _ => (None, text),
        };
        let number = match kind {
            "b1" | "?" => Number::Bool,
            "i1" => Number::Int8,
            "i2" => Number::Int16,
            "i4" => Number::Int32,
            "i8" => Number::Int64,
            "u1" => Number::UInt8,
            "u2" => Number::UInt16,
            "u4" => Number::UInt32,
            "u8" => Number::UInt64,
            "f2" => Number::Float16,
            "f4" | "c8" => Number::Float32,
            "f8" | "c16" => Number::Float64,
            _ if kind.starts_with("M8") || kind.starts_with("m8") => Number::Int64,
            _ => return None,
        };
        let dtype = Self { number, endian: endian.filter(|_| number.size() > 1) };
        Some((dtype, if kind.starts_with('c') { 2 } else { 1 }))
    }

    /// The data type that a spelling stands for, texts and bytes of fixed length (`<U8`, `|S8`) too, and the byte
    /// order that is stated for it.
    pub(crate) fn parse_element(text: &str) -> Option<(DataType, Option<Endian>)> {
        if let Some((dtype, parts)) = Self::parse_parts(text) {
            return Some((dtype.number.data_type_of(parts), dtype.endian));
        }
        let endian = match text.as_bytes().first()? {
            b'<' => Some(Endian::Little),
            b'>' => Some(Endian::Big),
            _ => None,
        };
        let kind = text.trim_start_matches(['<', '>', '=', '|']);
        let length = |digits: &str| digits.parse::<u32>().ok().map(|length| length as usize);
        if let Some(length) = kind.strip_prefix('U').and_then(length) {
            return Some((DataType::FixedLengthUtf32 { length }, endian));
        }
        let length = kind.strip_prefix('S').and_then(length)?;
        Some((DataType::NullTerminatedBytes { length }, None))
    }

    /// The member `name`, if it is there. In Zarr v3 the codec `bytes` says the byte order, so that none
    /// but the little-endian one may stand here.
    pub(crate) fn from_members(
        members: &mut Members<'_>,
        name: &'static str,
    ) -> Result<Option<Self>, CodecError> {
        match Self::parts_from_members(members, name)? {
            Some((_, 2..)) => Err(Self::refused(members, name)),
            dtype => Ok(dtype.map(|(dtype, _)| dtype)),
        }
    }

    /// As [`Dtype::from_members`], and how many numbers an element has.
    pub(crate) fn parts_from_members(
        members: &mut Members<'_>,
        name: &'static str,
    ) -> Result<Option<(Self, usize)>, CodecError> {
        Self::spelled(members, name, |text| {
            Self::parse_parts(text).map(|(dtype, parts)| ((dtype, parts), dtype.endian))
        })
    }

    /// As [`Dtype::from_members`], of texts and bytes of fixed length too.
    pub(crate) fn element_from_members(
        members: &mut Members<'_>,
        name: &'static str,
    ) -> Result<Option<DataType>, CodecError> {
        Self::spelled(members, name, Self::parse_element)
    }

    fn spelled<T>(
        members: &mut Members<'_>,
        name: &'static str,
        parse: impl Fn(&str) -> Option<(T, Option<Endian>)>,
    ) -> Result<Option<T>, CodecError> {
        let Some(value) = members.get(name) else { return Ok(None) };
        let is_v2 = members.dialect() == Dialect::V2;
        match value.as_str().and_then(parse) {
            Some((found, endian)) if is_v2 || endian != Some(Endian::Big) => Ok(Some(found)),
            _ => Err(Self::refused(members, name)),
        }
    }

    fn refused(members: &mut Members<'_>, name: &'static str) -> CodecError {
        let value = members.get(name).unwrap_or(&Value::Null);
        members.unexpected(name, value, "a numeric data type such as \"<i4\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_numpy_are_read() {
        let one = |text| Dtype::parse_parts(text).filter(|(_, parts)| *parts == 1);
        let read = |text| one(text).map(|(dtype, _)| (dtype.number, dtype.endian));
        assert_eq!(read("<i4"), Some((Number::Int32, Some(Endian::Little))));
        assert_eq!(read(">f8"), Some((Number::Float64, Some(Endian::Big))));
        assert_eq!(read("|u1"), Some((Number::UInt8, None)));
        assert_eq!(read(">u1"), Some((Number::UInt8, None)));
        assert_eq!(read("uint16"), Some((Number::UInt16, None)));
        assert_eq!(read("<M8[ns]"), Some((Number::Int64, Some(Endian::Little))));
        for text in ["", "<", "<i3", "|O", "<U4", "complex64", "é"] {
            assert_eq!(read(text), None, "{text}");
        }
        for (text, found) in [
            ("<U4", Some((DataType::FixedLengthUtf32 { length: 4 }, Some(Endian::Little)))),
            (">U0", Some((DataType::FixedLengthUtf32 { length: 0 }, Some(Endian::Big)))),
            ("|S8", Some((DataType::NullTerminatedBytes { length: 8 }, None))),
            ("<c16", Some((DataType::Complex128, Some(Endian::Little)))),
            ("<U4294967296", None),
            ("<U-1", None),
            ("|V4", None),
            ("", None),
        ] {
            assert_eq!(Dtype::parse_element(text), found, "{text}");
        }
        let parts = |text| Dtype::parse_parts(text).map(|(dtype, parts)| (dtype.number, parts));
        assert_eq!(parts("complex64"), Some((Number::Float32, 2)));
        assert_eq!(parts(">c16"), Some((Number::Float64, 2)));
        assert_eq!(parts("<f8"), Some((Number::Float64, 1)));
    }
}
