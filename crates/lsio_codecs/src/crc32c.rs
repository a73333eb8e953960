//! `crc32c`: a checksum beside the bytes, verified at every decode.

use serde_json::Value;

use crate::configuration::{Dialect, Members};
use crate::{BytesCodec, CodecError};

const NAME: &str = "crc32c";

/// Bytes of the checksum.
const CHECKSUM_LEN: usize = 4;

/// Where the checksum stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChecksumLocation {
    /// Before the bytes.
    Start,
    /// Behind the bytes.
    End,
}

/// `crc32c`: a checksum beside the bytes, verified at every decode.
///
/// The CRC-32C (Castagnoli) of the bytes as 4 bytes, little-endian, behind them. numcodecs can also
/// place it before them.
///
/// - Specification: Zarr v3 codecs, "crc32c codec", version 1.0; numcodecs `crc32c`.
/// - Names: v3 `crc32c`, no configuration; v2 and `numcodecs.crc32c`:
///   `{"location"?: "start" | "end"}`, `"end"` where it is absent.
///
/// ```
/// use lsio_codecs::{BytesCodec, ChecksumLocation, CodecError, Crc32c};
///
/// # fn main() -> Result<(), CodecError> {
/// let crc32c = Crc32c::new(ChecksumLocation::End);
/// let mut encoded = Vec::new();
/// crc32c.encode(b"123456789", &mut encoded)?;
/// assert_eq!(encoded[9..], 0xe306_9283_u32.to_le_bytes());
/// assert_eq!(crc32c.payload(&encoded)?, Some(b"123456789".as_slice()));
/// encoded[0] ^= 1;
/// assert!(matches!(crc32c.payload(&encoded), Err(CodecError::Checksum { .. })));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crc32c {
    location: ChecksumLocation,
}

impl Crc32c {
    /// With the checksum at this place.
    #[must_use]
    pub fn new(location: ChecksumLocation) -> Self {
        Self { location }
    }

    /// From the configuration in metadata.
    pub(crate) fn from_members(mut members: Members<'_>) -> Result<Self, CodecError> {
        let location = match members.dialect() {
            Dialect::V3 => None,
            Dialect::Numcodecs => members.get("location"),
        };
        let location = match location.map(|value| (value, value.as_str())) {
            None | Some((_, Some("end"))) => ChecksumLocation::End,
            Some((_, Some("start"))) => ChecksumLocation::Start,
            Some((value, _)) => return Err(unexpected_location(&members, value)),
        };
        members.finish()?;
        Ok(Self { location })
    }

    /// The bytes, after their checksum was verified.
    fn verify(self, encoded: &[u8]) -> Result<&[u8], CodecError> {
        let parts = match self.location {
            ChecksumLocation::Start => {
                encoded.split_first_chunk::<CHECKSUM_LEN>().map(|(sum, bytes)| (bytes, sum))
            }
            ChecksumLocation::End => encoded.split_last_chunk::<CHECKSUM_LEN>(),
        };
        let (bytes, sum) = parts.ok_or(CodecError::Truncated {
            codec: NAME,
            expected: CHECKSUM_LEN as u64,
            actual: encoded.len() as u64,
        })?;
        let stored = u32::from_le_bytes(*sum);
        let computed = crc32c::crc32c(bytes);
        if stored == computed {
            Ok(bytes)
        } else {
            Err(CodecError::Checksum { codec: NAME, stored, computed })
        }
    }
}

fn unexpected_location(members: &Members<'_>, value: &Value) -> CodecError {
    members.unexpected("location", value, "\"start\" or \"end\"")
}

impl BytesCodec for Crc32c {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encoded_bound(&self, decoded_len: u64) -> u64 {
        decoded_len.saturating_add(CHECKSUM_LEN as u64)
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<usize, CodecError> {
        let bytes = self.verify(encoded)?;
        let (needed, limit) = (bytes.len() as u64, decoded.len() as u64);
        decoded
            .get_mut(..bytes.len())
            .ok_or(CodecError::TooLarge { codec: NAME, needed, limit })?
            .copy_from_slice(bytes);
        Ok(bytes.len())
    }

    fn stated_len(&self, encoded: &[u8]) -> Option<u64> {
        encoded.len().checked_sub(CHECKSUM_LEN).map(|length| length as u64)
    }

    fn payload<'a>(&self, encoded: &'a [u8]) -> Result<Option<&'a [u8]>, CodecError> {
        self.verify(encoded).map(Some)
    }

    fn is_payload(&self) -> bool {
        true
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        let sum = crc32c::crc32c(decoded).to_le_bytes();
        encoded.reserve(decoded.len() + CHECKSUM_LEN);
        match self.location {
            ChecksumLocation::Start => {
                encoded.extend_from_slice(&sum);
                encoded.extend_from_slice(decoded);
            }
            ChecksumLocation::End => {
                encoded.extend_from_slice(decoded);
                encoded.extend_from_slice(&sum);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(dialect: Dialect, text: &str) -> Result<Crc32c, CodecError> {
        let map = serde_json::from_str(text).unwrap();
        Crc32c::from_members(Members::new(NAME, dialect, &map))
    }

    #[test]
    fn only_numcodecs_places_the_checksum() {
        let end = Crc32c::new(ChecksumLocation::End);
        let start = Crc32c::new(ChecksumLocation::Start);
        assert_eq!(read(Dialect::V3, "{}").unwrap(), end);
        assert!(read(Dialect::V3, r#"{"location":"start"}"#).is_err());
        assert_eq!(read(Dialect::Numcodecs, "{}").unwrap(), end);
        assert_eq!(read(Dialect::Numcodecs, r#"{"location":"start"}"#).unwrap(), start);
        assert!(read(Dialect::Numcodecs, r#"{"location":"middle"}"#).is_err());
        assert!(read(Dialect::Numcodecs, r#"{"location":1}"#).is_err());
    }

    #[test]
    fn less_than_a_checksum_is_truncated() {
        for location in [ChecksumLocation::Start, ChecksumLocation::End] {
            let error = Crc32c::new(location).payload(&[1, 2, 3]).unwrap_err();
            assert_eq!(error, CodecError::Truncated { codec: NAME, expected: 4, actual: 3 });
        }
    }
}
