//! `crc32`: the checksum of zlib and gzip beside the bytes, verified at every decode.

use crate::configuration::Members;
use crate::{Checksum, ChecksumLocation, CodecError};

/// `crc32`: the checksum of zlib and gzip beside the bytes, verified at every decode.
///
/// The CRC-32 (IEEE 802.3) of the bytes as 4 bytes, little-endian, before them unless the
/// configuration says otherwise.
///
/// - Specification: RFC 1952, section 8; numcodecs `crc32`.
/// - Names: v2 and v3 `crc32`, v3 `numcodecs.crc32`: `{"location"?: "start" | "end"}`, `"start"` where it is
///   absent.
///
/// ```
/// use lsio_codecs::{BytesCodec, ChecksumLocation, CodecError, Crc32};
///
/// # fn main() -> Result<(), CodecError> {
/// let crc32 = Crc32::new(ChecksumLocation::Start);
/// let mut encoded = Vec::new();
/// crc32.encode(b"123456789", &mut encoded)?;
/// assert_eq!(encoded[..4], 0xcbf4_3926_u32.to_le_bytes());
/// assert_eq!(crc32.payload(&encoded)?, Some(b"123456789".as_slice()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crc32 {
    location: ChecksumLocation,
}

impl Crc32 {
    /// With the checksum at this place.
    #[must_use]
    pub fn new(location: ChecksumLocation) -> Self {
        Self { location }
    }

    /// From the configuration in metadata.
    pub(crate) fn from_members(mut members: Members<'_>) -> Result<Self, CodecError> {
        let location = ChecksumLocation::from_members(&mut members)?;
        members.finish()?;
        Ok(Self { location: location.unwrap_or(ChecksumLocation::Start) })
    }
}

impl Checksum for Crc32 {
    const NAME: &'static str = "crc32";

    fn location(&self) -> ChecksumLocation {
        self.location
    }

    fn checksum(&self, bytes: &[u8]) -> u32 {
        libdeflater::crc32(bytes)
    }
}
