//! `base64`: the bytes as text of 64 characters.

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeSliceError, Engine};

use crate::configuration::Members;
use crate::stream::truncated;
use crate::{BytesCodec, CodecError};

const NAME: &str = "base64";

/// `base64`: the bytes as text of 64 characters.
///
/// Text with padding, without line breaks; anything else is refused.
///
/// - Specification: RFC 4648, section 4; numcodecs `base64`.
/// - Names: v2 and v3 `base64`, v3 `numcodecs.base64`; no configuration.
///
/// ```
/// use lsio_codecs::{Base64, BytesCodec};
///
/// # fn main() -> Result<(), lsio_codecs::CodecError> {
/// let mut encoded = Vec::new();
/// Base64.encode(b"chunk", &mut encoded)?;
/// assert_eq!(encoded, b"Y2h1bms=");
/// let mut decoded = [0; 5];
/// Base64.decode_exact(&encoded, &mut decoded)?;
/// assert_eq!(&decoded, b"chunk");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Base64;

impl Base64 {
    /// From the configuration in metadata.
    pub(crate) fn from_members(members: Members<'_>) -> Result<Self, CodecError> {
        members.finish()?;
        Ok(Self)
    }
}

impl BytesCodec for Base64 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encoded_bound(&self, decoded_len: u64) -> u64 {
        decoded_len.div_ceil(3).saturating_mul(4)
    }

    fn has_known_len(&self) -> bool {
        true
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<usize, CodecError> {
        if !encoded.len().is_multiple_of(4) {
            return Err(truncated(NAME, encoded));
        }
        let padding = encoded.iter().rev().take(2).filter(|&&character| character == b'=').count();
        let length = encoded.len() / 4 * 3 - padding;
        let (needed, limit) = (length as u64, decoded.len() as u64);
        let decoded =
            decoded.get_mut(..length).ok_or(CodecError::TooLarge { codec: NAME, needed, limit })?;
        STANDARD.decode_slice(encoded, decoded).map_err(|error| match error {
            DecodeSliceError::DecodeError(error) => CodecError::corrupt(NAME, error.to_string()),
            DecodeSliceError::OutputSliceTooSmall => {
                CodecError::corrupt(NAME, "a padding sign does not stand at the end")
            }
        })
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        let start = encoded.len();
        let length = self.encoded_bound(decoded.len() as u64);
        encoded.resize(start + length as usize, 0);
        // Cannot fail: the length is that of the text.
        STANDARD
            .encode_slice(decoded, &mut encoded[start..])
            .map(drop)
            .map_err(|_| CodecError::TooLarge { codec: NAME, needed: length, limit: length })
    }
}
