//! `gzip`: one or more gzip members.

use crate::configuration::{Dialect, Members};
use crate::deflate;
use crate::libdeflate_ffi::{InflateError, Wrapper, inflate};
use crate::{BytesCodec, CodecError};

const NAME: &str = "gzip";

/// The first two bytes of every member.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Level of zlib where the configuration asks for the default.
pub(crate) const DEFAULT_LEVEL: i32 = 6;

/// `gzip`: one or more gzip members.
///
/// The members' contents follow one another; each member's checksum is verified and nothing else may
/// follow the last.
///
/// - Specification: RFC 1952; Zarr v3 codecs, "gzip codec", version 1.0.
/// - Names: v3 `gzip`, configuration `{"level": 0..=9}`; v2 and `numcodecs.gzip`: the same, -1 stands
///   for the default.
///
/// ```
/// use lsio_codecs::{BytesCodec, Gzip};
///
/// # fn main() -> Result<(), lsio_codecs::CodecError> {
/// let gzip = Gzip::new(5);
/// let mut encoded = Vec::new();
/// gzip.encode(b"one ", &mut encoded)?;
/// gzip.encode(b"two", &mut encoded)?;
/// let mut decoded = [0; 7];
/// gzip.decode_exact(&encoded, &mut decoded)?;
/// assert_eq!(&decoded, b"one two");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gzip {
    level: i32,
}

impl Gzip {
    /// Encodes at this level, brought into the range 0 (stored) to 9.
    #[must_use]
    pub fn new(level: i32) -> Self {
        Self { level: level.clamp(0, 9) }
    }

    /// From the configuration in metadata.
    pub(crate) fn from_members(mut members: Members<'_>) -> Result<Self, CodecError> {
        let level = level(&mut members)?;
        members.finish()?;
        Ok(Self { level })
    }
}

/// The member `level`, the same for gzip and zlib.
pub(crate) fn level(members: &mut Members<'_>) -> Result<i32, CodecError> {
    let least = if members.dialect() == Dialect::V3 { 0 } else { -1 };
    let level = members.integer::<i32>("level", least..=9)?.unwrap_or(-1);
    Ok(if level < 0 { DEFAULT_LEVEL } else { level })
}

impl BytesCodec for Gzip {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encoded_bound(&self, decoded_len: u64) -> u64 {
        deflate::encoded_bound(decoded_len)
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<usize, CodecError> {
        let limit = decoded.len();
        let mut consumed = 0;
        let mut written = 0;
        loop {
            let member = &encoded[consumed..];
            if consumed > 0 && !member.starts_with(&MAGIC) && !MAGIC.starts_with(member) {
                let reason = format!("{} bytes follow the last member", member.len());
                return Err(CodecError::corrupt(NAME, reason));
            }
            match inflate(Wrapper::Gzip, member, &mut decoded[written..]) {
                Ok(inflated) => {
                    consumed += inflated.encoded_len;
                    written += inflated.decoded_len;
                }
                Err(InflateError::TooLarge) => {
                    let limit = limit as u64;
                    let needed = limit.saturating_add(1);
                    return Err(CodecError::TooLarge { codec: NAME, needed, limit });
                }
                Err(InflateError::Invalid) => {
                    return Err(deflate::invalid(Wrapper::Gzip, NAME, member, limit));
                }
            }
            if consumed == encoded.len() {
                return Ok(written);
            }
        }
    }

    fn decode_exact(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<(), CodecError> {
        let expected = decoded.len();
        let result = self.decode(encoded, decoded);
        deflate::exactly(Wrapper::Gzip, NAME, encoded, expected, result)
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        deflate::deflate(Wrapper::Gzip, NAME, self.level, decoded, encoded)
    }
}
