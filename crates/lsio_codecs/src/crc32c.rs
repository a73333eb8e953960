//! `crc32c`: a checksum beside the bytes, verified at every decode.

use crate::configuration::{Dialect, Members};
use crate::{Checksum, ChecksumLocation, CodecError};

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
            Dialect::Numcodecs | Dialect::V2 => ChecksumLocation::from_members(&mut members)?,
        };
        members.finish()?;
        Ok(Self { location: location.unwrap_or(ChecksumLocation::End) })
    }
}

impl Checksum for Crc32c {
    const NAME: &'static str = "crc32c";

    fn location(&self) -> ChecksumLocation {
        self.location
    }

    fn checksum(&self, bytes: &[u8]) -> u32 {
        crc32c::crc32c(bytes)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::BytesCodec;

    fn read(dialect: Dialect, text: &str) -> Result<Crc32c, CodecError> {
        let map = serde_json::from_str(text).unwrap();
        Crc32c::from_members(Members::new(Crc32c::NAME, dialect, &map))
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
            assert_eq!(error, CodecError::Truncated { codec: "crc32c", expected: 4, actual: 3 });
        }
    }
}
