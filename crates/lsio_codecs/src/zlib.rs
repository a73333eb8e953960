//! `zlib`: one zlib stream.

use crate::configuration::Members;
use crate::libdeflate_ffi::{InflateError, Wrapper, inflate};
use crate::{BytesCodec, CodecError};
use crate::{deflate, gzip};

const NAME: &str = "zlib";

/// `zlib`: one zlib stream.
///
/// Its checksum is verified and nothing may follow it.
///
/// - Specification: RFC 1950; numcodecs `zlib`.
/// - Names: v3 `zlib` and `numcodecs.zlib`, v2 `zlib`: `{"level": 0..=9}`, in numcodecs -1 stands for
///   the default.
///
/// ```
/// use lsio_codecs::{BytesCodec, CodecError, Zlib};
///
/// # fn main() -> Result<(), CodecError> {
/// let zlib = Zlib::new(5);
/// let mut encoded = Vec::new();
/// zlib.encode(&[7; 100], &mut encoded)?;
/// let mut decoded = [0; 100];
/// zlib.decode_exact(&encoded, &mut decoded)?;
/// assert_eq!(decoded, [7; 100]);
/// let half = &encoded[..encoded.len() / 2];
/// assert!(matches!(zlib.decode_exact(half, &mut decoded), Err(CodecError::Truncated { .. })));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zlib {
    level: i32,
}

impl Zlib {
    /// Encodes at this level, brought into the range 0 (stored) to 9.
    #[must_use]
    pub fn new(level: i32) -> Self {
        Self { level: level.clamp(0, 9) }
    }

    /// From the configuration in metadata.
    pub(crate) fn from_members(mut members: Members<'_>) -> Result<Self, CodecError> {
        let level = gzip::level(&mut members)?;
        members.finish()?;
        Ok(Self { level })
    }
}

impl BytesCodec for Zlib {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encoded_bound(&self, decoded_len: u64) -> u64 {
        deflate::encoded_bound(decoded_len)
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<usize, CodecError> {
        let limit = decoded.len();
        match inflate(Wrapper::Zlib, encoded, decoded) {
            Ok(inflated) if inflated.encoded_len == encoded.len() => Ok(inflated.decoded_len),
            Ok(inflated) => {
                let rest = encoded.len() - inflated.encoded_len;
                Err(CodecError::corrupt(NAME, format!("{rest} bytes follow the stream")))
            }
            Err(InflateError::TooLarge) => {
                let limit = limit as u64;
                let needed = limit.saturating_add(1);
                Err(CodecError::TooLarge { codec: NAME, needed, limit })
            }
            Err(InflateError::Invalid) => {
                Err(deflate::invalid(Wrapper::Zlib, NAME, encoded, limit))
            }
        }
    }

    fn decode_exact(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<(), CodecError> {
        let expected = decoded.len();
        let result = self.decode(encoded, decoded);
        deflate::exactly(Wrapper::Zlib, NAME, encoded, expected, result)
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        deflate::deflate(Wrapper::Zlib, NAME, self.level, decoded, encoded)
    }
}
