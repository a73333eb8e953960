//! Checksums of 32 bits beside the bytes: what all of them have in common.

use std::fmt;

use crate::configuration::Members;
use crate::{BytesCodec, CodecError};

/// Bytes of a checksum.
const CHECKSUM_LEN: usize = 4;

/// Where a checksum stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChecksumLocation {
    /// Before the bytes.
    Start,
    /// Behind the bytes.
    End,
}

impl ChecksumLocation {
    /// The member `location`, if it is there.
    pub(crate) fn from_members(members: &mut Members<'_>) -> Result<Option<Self>, CodecError> {
        let Some(value) = members.get("location") else { return Ok(None) };
        match value.as_str() {
            Some("start") => Ok(Some(Self::Start)),
            Some("end") => Ok(Some(Self::End)),
            _ => Err(members.unexpected("location", value, "\"start\" or \"end\"")),
        }
    }
}

/// A codec that adds a checksum of 32 bits to the bytes, little-endian, and verifies it at every decode.
pub trait Checksum: Send + Sync + fmt::Debug {
    /// Name of the codec in Zarr v3.
    const NAME: &'static str;

    /// Where the checksum stands.
    fn location(&self) -> ChecksumLocation;

    /// The checksum of the bytes without it.
    fn checksum(&self, bytes: &[u8]) -> u32;
}

/// The bytes, after their checksum was verified.
fn verify<'a, C: Checksum>(codec: &C, encoded: &'a [u8]) -> Result<&'a [u8], CodecError> {
    let parts = match codec.location() {
        ChecksumLocation::Start => {
            encoded.split_first_chunk::<CHECKSUM_LEN>().map(|(sum, bytes)| (bytes, sum))
        }
        ChecksumLocation::End => encoded.split_last_chunk::<CHECKSUM_LEN>(),
    };
    let (bytes, sum) = parts.ok_or(CodecError::Truncated {
        codec: C::NAME,
        expected: CHECKSUM_LEN as u64,
        actual: encoded.len() as u64,
    })?;
    let stored = u32::from_le_bytes(*sum);
    let computed = codec.checksum(bytes);
    if stored == computed {
        Ok(bytes)
    } else {
        Err(CodecError::Checksum { codec: C::NAME, stored, computed })
    }
}

impl<C: Checksum> BytesCodec for C {
    fn name(&self) -> &'static str {
        C::NAME
    }

    fn encoded_bound(&self, decoded_len: u64) -> u64 {
        decoded_len.saturating_add(CHECKSUM_LEN as u64)
    }

    fn has_known_len(&self) -> bool {
        true
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<usize, CodecError> {
        let bytes = verify(self, encoded)?;
        let (needed, limit) = (bytes.len() as u64, decoded.len() as u64);
        decoded
            .get_mut(..bytes.len())
            .ok_or(CodecError::TooLarge { codec: C::NAME, needed, limit })?
            .copy_from_slice(bytes);
        Ok(bytes.len())
    }

    fn stated_len(&self, encoded: &[u8]) -> Option<u64> {
        encoded.len().checked_sub(CHECKSUM_LEN).map(|length| length as u64)
    }

    fn payload<'a>(&self, encoded: &'a [u8]) -> Result<Option<&'a [u8]>, CodecError> {
        verify(self, encoded).map(Some)
    }

    fn is_payload(&self) -> bool {
        true
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        let sum = self.checksum(decoded).to_le_bytes();
        encoded.reserve(decoded.len() + CHECKSUM_LEN);
        match self.location() {
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
