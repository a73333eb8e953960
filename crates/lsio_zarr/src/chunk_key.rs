//! Names of chunk objects.
//!
//! Specification: Zarr v3 core, "Chunk key encoding"; Zarr v2, "Chunks"; zarr-extensions, chunk key
//! encoding `suffix` 0.1 (a draft), and `zarrs.default_suffix` of zarrs, from which that comes.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::error::{Refusal, excerpt};
use crate::extension::Extension;
use crate::json;

/// What stands between the coordinates in a chunk key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// `.`
    Dot,
    /// `/`
    Slash,
}

impl Separator {
    /// As it is written.
    #[must_use]
    pub fn as_char(self) -> char {
        match self {
            Self::Dot => '.',
            Self::Slash => '/',
        }
    }

    /// Reads `"."` or `"/"`.
    pub(crate) fn parse(value: &Value, member: &str) -> Result<Self, Refusal> {
        match value.as_str() {
            Some(".") => Ok(Self::Dot),
            Some("/") => Ok(Self::Slash),
            _ => Err(Refusal::invalid(format!(
                "'{member}' must be \".\" or \"/\", found {}",
                excerpt(value)
            ))),
        }
    }
}

/// How the grid coordinates of a chunk (of a shard, where chunks are sharded) become its name below
/// the array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChunkKeyEncoding {
    /// Of v3: `c/1/2`, or `c` for an array without dimensions.
    Default(Separator),
    /// Of v2: `1.2`, or `0` for an array without dimensions.
    V2(Separator),
    /// Names of another encoding with a text behind each: `c/1/2.tiff`.
    Suffix {
        /// The other encoding.
        base: Box<ChunkKeyEncoding>,
        /// The text.
        suffix: Box<str>,
    },
}

impl ChunkKeyEncoding {
    /// Reads the member `chunk_key_encoding` of v3.
    pub(crate) fn from_v3(value: &Value) -> Result<Self, Refusal> {
        let Extension { name, configuration } = Extension::parse(value, "chunk_key_encoding")?;
        let separator = configuration
            .get("separator")
            .map(|separator| Separator::parse(separator, "chunk_key_encoding.separator"))
            .transpose()?;
        let default = Self::Default(separator.unwrap_or(Separator::Slash));
        match name.as_str() {
            "default" => Ok(default),
            "v2" => Ok(Self::V2(separator.unwrap_or(Separator::Dot))),
            "suffix" => {
                // Earlier drafts and what follows them have the hyphen.
                let base = configuration.get("base-encoding");
                let base =
                    base.map_or_else(|| json::required(&configuration, "base_encoding"), Ok)?;
                Self::from_v3(base)?.with_suffix(&configuration)
            }
            "zarrs.default_suffix" => default.with_suffix(&configuration),
            _ => Err(Refusal::unsupported(format!("the chunk key encoding '{name}'"))),
        }
    }

    fn with_suffix(self, configuration: &Map<String, Value>) -> Result<Self, Refusal> {
        let suffix = json::required(configuration, "suffix")?;
        let text = suffix.as_str().ok_or_else(|| {
            Refusal::invalid(format!("'suffix' must be a text, found {}", excerpt(suffix)))
        })?;
        Ok(Self::Suffix { base: Box::new(self), suffix: text.into() })
    }

    /// The name of a chunk below its array.
    #[must_use]
    pub fn encode(&self, chunk: &[u64]) -> String {
        let (prefix, separator) = match self {
            Self::Default(separator) => ("c", separator),
            Self::V2(separator) => ("", separator),
            Self::Suffix { base, suffix } => return base.encode(chunk) + suffix,
        };
        let mut key = String::with_capacity(prefix.len() + 8 * chunk.len() + 1);
        key.push_str(prefix);
        for coordinate in chunk {
            if !key.is_empty() {
                key.push(separator.as_char());
            }
            // Writing to a string cannot fail.
            let _ = write!(key, "{coordinate}");
        }
        if key.is_empty() {
            key.push('0');
        }
        key
    }

    /// The grid coordinates in the name of a chunk of an array with `rank` dimensions; `None` for
    /// anything that [`ChunkKeyEncoding::encode`] does not write.
    #[must_use]
    pub fn decode(&self, key: &str, rank: usize) -> Option<Vec<u64>> {
        let (rest, separator) = match self {
            Self::Suffix { base, suffix } => {
                return base.decode(key.strip_suffix(&**suffix)?, rank);
            }
            Self::Default(_) if rank == 0 => return (key == "c").then(Vec::new),
            Self::V2(_) if rank == 0 => return (key == "0").then(Vec::new),
            Self::Default(separator) => {
                (key.strip_prefix('c')?.strip_prefix(separator.as_char())?, separator)
            }
            Self::V2(separator) => (key, separator),
        };
        let chunk: Vec<u64> =
            rest.split(separator.as_char()).map(coordinate).collect::<Option<_>>()?;
        (chunk.len() == rank).then_some(chunk)
    }

    /// How many folders below the array chunk objects lie.
    pub(crate) fn folder_depth(&self, rank: usize) -> usize {
        match self {
            Self::Suffix { base, suffix } => {
                base.folder_depth(rank).saturating_add(suffix.matches('/').count())
            }
            Self::Default(Separator::Slash) => rank,
            Self::V2(Separator::Slash) => rank.saturating_sub(1),
            Self::Default(Separator::Dot) | Self::V2(Separator::Dot) => 0,
        }
    }
}

/// A coordinate as it is written: digits without leading zeros.
fn coordinate(text: &str) -> Option<u64> {
    let canonical = text == "0" || text.starts_with(|first: char| matches!(first, '1'..='9'));
    text.parse().ok().filter(|_| canonical)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    const ALL: [ChunkKeyEncoding; 4] = [
        ChunkKeyEncoding::Default(Separator::Slash),
        ChunkKeyEncoding::Default(Separator::Dot),
        ChunkKeyEncoding::V2(Separator::Dot),
        ChunkKeyEncoding::V2(Separator::Slash),
    ];

    #[test]
    fn keys_are_those_of_the_specification() {
        let cases: [(&[u64], [&str; 4]); 3] = [
            (&[], ["c", "c", "0", "0"]),
            (&[7], ["c/7", "c.7", "7", "7"]),
            (
                &[1, 23, u64::MAX],
                [
                    "c/1/23/18446744073709551615",
                    "c.1.23.18446744073709551615",
                    "1.23.18446744073709551615",
                    "1/23/18446744073709551615",
                ],
            ),
        ];
        for (chunk, keys) in cases {
            for (encoding, key) in ALL.into_iter().zip(keys) {
                assert_eq!(encoding.encode(chunk), key);
                assert_eq!(encoding.decode(key, chunk.len()).as_deref(), Some(chunk));
            }
        }
    }

    #[test]
    fn other_names_are_no_chunks() {
        for encoding in ALL {
            for key in ["", "c", "c/", "c/01/2", "c/1", "c/1/2/3", "1", "1.2.3", "+1.2", ".zarray"]
            {
                assert_eq!(encoding.decode(key, 2), None, "{encoding:?} {key}");
            }
        }
    }

    #[test]
    fn suffixes_come_behind_the_names_of_any_other_encoding() {
        let base = json!({"name": "v2", "configuration": {"separator": "/"}});
        let plain = json!({"suffix": ".tiff", "base_encoding": "default"});
        let inner =
            json!({"name": "suffix", "configuration": {"suffix": ".a", "base_encoding": base}});
        let cases = [
            (
                json!({"name": "suffix", "configuration": plain}),
                ["c.tiff", "c/7.tiff", "c/1/23.tiff"],
                2,
            ),
            (
                json!({"name": "suffix", "configuration": {"suffix": ".zip", "base-encoding": base}}),
                ["0.zip", "7.zip", "1/23.zip"],
                1,
            ),
            (
                json!({"name": "suffix", "configuration": {"suffix": "/b", "base_encoding": inner}}),
                ["0.a/b", "7.a/b", "1/23.a/b"],
                2,
            ),
            (
                json!({"name": "zarrs.default_suffix", "configuration": {"suffix": "1", "separator": "."}}),
                ["c1", "c.71", "c.1.231"],
                0,
            ),
        ];
        for (value, keys, depth) in cases {
            let encoding = ChunkKeyEncoding::from_v3(&value).unwrap();
            for (chunk, key) in [&[][..], &[7], &[1, 23]].into_iter().zip(keys) {
                assert_eq!(encoding.encode(chunk), key, "{value}");
                assert_eq!(encoding.decode(key, chunk.len()).as_deref(), Some(chunk), "{value}");
                assert_eq!(encoding.decode(&key[..key.len() - 1], chunk.len()), None, "{value}");
            }
            assert_eq!(encoding.folder_depth(2), depth, "{value}");
        }
    }

    #[test]
    fn suffixes_without_what_they_need_are_refused() {
        for configuration in [
            json!({"suffix": ".tiff"}),
            json!({"base_encoding": "default"}),
            json!({"base_encoding": "default", "suffix": 1}),
            json!({"base_encoding": 1, "suffix": ".tiff"}),
        ] {
            let value = json!({"name": "suffix", "configuration": configuration});
            let refusal = ChunkKeyEncoding::from_v3(&value).unwrap_err();
            assert!(matches!(refusal, Refusal::Invalid { .. }), "{value}: {refusal:?}");
        }
        let base = json!({"base_encoding": "mystery", "suffix": ""});
        let refusal = ChunkKeyEncoding::from_v3(&json!({"name": "suffix", "configuration": base}));
        assert!(matches!(refusal, Err(Refusal::Unsupported(what)) if what.contains("mystery")));
    }

    #[test]
    fn encodings_are_read_in_every_spelling() {
        for (value, expected) in [
            (json!("default"), &ALL[0]),
            (json!({"name": "default"}), &ALL[0]),
            (json!({"name": "default", "configuration": {"separator": "/"}}), &ALL[0]),
            (json!({"name": "default", "configuration": {"separator": "."}}), &ALL[1]),
            (json!({"name": "v2"}), &ALL[2]),
            (json!({"name": "v2", "configuration": {"separator": "/"}}), &ALL[3]),
        ] {
            assert_eq!(&ChunkKeyEncoding::from_v3(&value).unwrap(), expected, "{value}");
        }
        let unknown = ChunkKeyEncoding::from_v3(&json!({"name": "fanout"})).unwrap_err();
        assert!(matches!(unknown, Refusal::Unsupported(what) if what.contains("fanout")));
        let separator = json!({"name": "v2", "configuration": {"separator": ".."}});
        assert!(matches!(ChunkKeyEncoding::from_v3(&separator), Err(Refusal::Invalid { .. })));
    }
}
