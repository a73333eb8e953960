//! Names of chunk objects.
//!
//! Specification: Zarr v3 core, "Chunk key encoding"; Zarr v2, "Chunks".

use std::fmt::Write as _;

use serde_json::Value;

use crate::error::{Refusal, excerpt};
use crate::extension::Extension;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChunkKeyEncoding {
    /// Of v3: `c/1/2`, or `c` for an array without dimensions.
    Default(Separator),
    /// Of v2: `1.2`, or `0` for an array without dimensions.
    V2(Separator),
}

impl ChunkKeyEncoding {
    /// Reads the member `chunk_key_encoding` of v3.
    pub(crate) fn from_v3(value: &Value) -> Result<Self, Refusal> {
        let Extension { name, configuration } = Extension::parse(value, "chunk_key_encoding")?;
        let separator = configuration
            .get("separator")
            .map(|separator| Separator::parse(separator, "chunk_key_encoding.separator"))
            .transpose()?;
        match name.as_str() {
            "default" => Ok(Self::Default(separator.unwrap_or(Separator::Slash))),
            "v2" => Ok(Self::V2(separator.unwrap_or(Separator::Dot))),
            _ => Err(Refusal::unsupported(format!("the chunk key encoding '{name}'"))),
        }
    }

    /// The name of a chunk below its array.
    #[must_use]
    pub fn encode(self, chunk: &[u64]) -> String {
        let (prefix, separator) = match self {
            Self::Default(separator) => ("c", separator),
            Self::V2(separator) => ("", separator),
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
    pub fn decode(self, key: &str, rank: usize) -> Option<Vec<u64>> {
        let (rest, separator) = match self {
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
    pub(crate) fn folder_depth(self, rank: usize) -> usize {
        match self {
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
    fn encodings_are_read_in_every_spelling() {
        for (value, expected) in [
            (json!("default"), ALL[0]),
            (json!({"name": "default"}), ALL[0]),
            (json!({"name": "default", "configuration": {"separator": "/"}}), ALL[0]),
            (json!({"name": "default", "configuration": {"separator": "."}}), ALL[1]),
            (json!({"name": "v2"}), ALL[2]),
            (json!({"name": "v2", "configuration": {"separator": "/"}}), ALL[3]),
        ] {
            assert_eq!(ChunkKeyEncoding::from_v3(&value).unwrap(), expected, "{value}");
        }
        let unknown = ChunkKeyEncoding::from_v3(&json!({"name": "fanout"})).unwrap_err();
        assert!(matches!(unknown, Refusal::Unsupported(what) if what.contains("fanout")));
        let separator = json!({"name": "v2", "configuration": {"separator": ".."}});
        assert!(matches!(ChunkKeyEncoding::from_v3(&separator), Err(Refusal::Invalid { .. })));
    }
}
