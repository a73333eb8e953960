//! Reads the members of a codec's configuration strictly: a wrong type or a number out of range is an
//! error that names codec and member.

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::{ChunkContext, CodecError};

/// The members of a codec's configuration, as in the metadata.
pub type Configuration = serde_json::Map<String, Value>;

/// Where a configuration comes from, which decides what is done with members that nobody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Zarr v3: unknown members are refused unless they say `"must_understand": false`.
    V3,
    /// A codec of numcodecs in Zarr v3: unknown members are ignored, `null` counts as absent.
    Numcodecs,
    /// Zarr v2: as [`Dialect::Numcodecs`].
    V2,
}

/// The configuration of one codec while it is being read.
pub(crate) struct Members<'a> {
    codec: &'static str,
    dialect: Dialect,
    configuration: &'a Configuration,
    known: Vec<&'static str>,
}

impl<'a> Members<'a> {
    /// Starts to read the configuration of `codec`.
    pub(crate) fn new(
        codec: &'static str,
        dialect: Dialect,
        configuration: &'a Configuration,
    ) -> Self {
        Self { codec, dialect, configuration, known: Vec::new() }
    }

    /// Rules of the format that the configuration comes from.
    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The member `name`, if it is there.
    pub(crate) fn get(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        match self.configuration.get(name) {
            Some(Value::Null) if self.dialect != Dialect::V3 => None,
            other => other,
        }
    }

    /// An integer within `range`.
    pub(crate) fn integer<T: TryFrom<i64>>(
        &mut self,
        name: &'static str,
        range: RangeInclusive<i64>,
    ) -> Result<Option<T>, CodecError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.as_i64().filter(|number| range.contains(number));
        let number = number.and_then(|number| T::try_from(number).ok());
        number.map(Some).ok_or_else(|| {
            let expected = format!("an integer from {} to {}", range.start(), range.end());
            self.unexpected(name, value, &expected)
        })
    }

    /// An integer within `range`; `null` is as good as absent.
    pub(crate) fn nullable_integer<T: TryFrom<i64>>(
        &mut self,
        name: &'static str,
        range: RangeInclusive<i64>,
    ) -> Result<Option<T>, CodecError> {
        match self.configuration.get(name) {
            Some(Value::Null) => {
                self.known.push(name);
                Ok(None)
            }
            _ => self.integer(name, range),
        }
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self, name: &'static str) -> Result<Option<bool>, CodecError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| self.unexpected(name, value, "true or false"))
    }

    /// A string.
    pub(crate) fn string(&mut self, name: &'static str) -> Result<Option<&'a str>, CodecError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| self.unexpected(name, value, "a string"))
    }

    /// Checks the member `encoding`: texts must be UTF-8, or a part of it.
    pub(crate) fn utf8_encoding(&mut self) -> Result<(), CodecError> {
        match self.string("encoding")? {
            None | Some("utf-8" | "utf8" | "ascii") => Ok(()),
            Some(other) => {
                let reason = format!("'encoding' must be \"utf-8\", not \"{other}\"");
                Err(CodecError::configuration(self.codec, reason))
            }
        }
    }

    /// The error for a member that is not what it must be.
    pub(crate) fn unexpected(&self, name: &str, value: &Value, expected: &str) -> CodecError {
        CodecError::configuration(self.codec, format!("'{name}' must be {expected}, not {value}"))
    }

    /// The error for a chunk whose elements are not numbers that the codec is for.
    pub(crate) fn no_numbers(&self, context: &ChunkContext) -> CodecError {
        let reason = format!("it is for numbers, the chunk has {}", context.data_type);
        CodecError::configuration(self.codec, reason)
    }

    /// Ends the reading: in Zarr v3 every member must have been asked for.
    pub(crate) fn finish(self) -> Result<(), CodecError> {
        if self.dialect != Dialect::V3 {
            return Ok(());
        }
        let unknown = self.configuration.iter().find(|(name, value)| {
            let optional = value.get("must_understand").and_then(Value::as_bool) == Some(false);
            !optional && !self.known.contains(&name.as_str())
        });
        match unknown {
            None => Ok(()),
            Some((name, _)) => Err(CodecError::configuration(
                self.codec,
                format!("the member '{name}' is not known"),
            )),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn configuration(text: &str) -> Configuration {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn integers_out_of_range_or_of_another_type_are_refused() {
        for text in [r#"{"level":10}"#, r#"{"level":-1}"#, r#"{"level":"1"}"#, r#"{"level":1.0}"#] {
            let map = configuration(text);
            let error =
                Members::new("gzip", Dialect::V3, &map).integer::<u8>("level", 0..=9).unwrap_err();
            assert_eq!(error.codec(), Some("gzip"));
            assert!(
                error.to_string().contains("'level' must be an integer from 0 to 9"),
                "{error}"
            );
        }
    }

    #[test]
    fn null_is_absent_only_in_numcodecs() {
        let map = configuration(r#"{"level":null}"#);
        assert_eq!(
            Members::new("x", Dialect::Numcodecs, &map).integer::<u8>("level", 0..=9),
            Ok(None)
        );
        assert!(Members::new("x", Dialect::V3, &map).integer::<u8>("level", 0..=9).is_err());
    }

    #[test]
    fn unknown_members_are_refused_in_v3_unless_they_may_be_ignored() {
        let map = configuration(r#"{"a":1}"#);
        assert!(Members::new("x", Dialect::V3, &map).finish().is_err());
        assert!(Members::new("x", Dialect::Numcodecs, &map).finish().is_ok());
        let map = configuration(r#"{"a":{"must_understand":false}}"#);
        assert!(Members::new("x", Dialect::V3, &map).finish().is_ok());
    }
}
