//! `adler32`: the checksum of zlib streams beside the bytes, verified at every decode.

use crate::configuration::Members;
use crate::{Checksum, ChecksumLocation, CodecError};

/// `adler32`: the checksum of zlib streams beside the bytes, verified at every decode.
///
/// The Adler-32 of the bytes as 4 bytes, little-endian, before them unless the
/// configuration says otherwise.
///
/// - Specification: RFC 1950, section 8; numcodecs `adler32`.
/// - Names: v2 and v3 `adler32`, v3 `numcodecs.adler32`: `{"location"?: "start" | "end"}`, `"start"` where it is
///   absent.
///
/// ```
/// use lsio_codecs::{BytesCodec, ChecksumLocation, CodecError, Adler32};
///
/// # fn main() -> Result<(), CodecError> {
/// let adler32 = Adler32::new(ChecksumLocation::Start);
/// let mut encoded = Vec::new();
/// adler32.encode(b"123456789", &mut encoded)?;
/// assert_eq!(encoded[..4], 0x091e_01de_u32.to_le_bytes());
/// assert_eq!(adler32.payload(&encoded)?, Some(b"123456789".as_slice()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adler32 {
    location: ChecksumLocation,
}

impl Adler32 {
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

impl Checksum for Adler32 {
    const NAME: &'static str = "adler32";

    fn location(&self) -> ChecksumLocation {
        self.location
    }

    fn checksum(&self, bytes: &[u8]) -> u32 {
        libdeflater::adler32(bytes)
    }
}
