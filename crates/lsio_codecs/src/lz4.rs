//! `lz4`: one LZ4 block behind its decoded length.

use crate::configuration::Members;
use crate::lz4_ffi::{MAX_DECODED_LEN, compress, decompress};
use crate::stream::truncated;
use crate::{BytesCodec, CodecError};

const NAME: &str = "lz4";

/// Bytes of the length.
const PREFIX: usize = 4;

/// Bytes of a distance in an LZ4 block.
const DISTANCE: usize = 2;

/// `lz4`: one LZ4 block behind its decoded length.
///
/// The decoded length as 32 bits, little-endian, then the block. It is not the LZ4 frame format.
///
/// - Specification: LZ4 block format; numcodecs `lz4`.
/// - Names: v2 and v3 `lz4`, v3 `numcodecs.lz4`: `{"acceleration"?}`, 1 where it is absent or below.
///
/// ```
/// use lsio_codecs::{BytesCodec, Lz4};
///
/// # fn main() -> Result<(), lsio_codecs::CodecError> {
/// let lz4 = Lz4::new(1);
/// let mut encoded = Vec::new();
/// lz4.encode(&[7; 1000], &mut encoded)?;
/// assert_eq!(encoded[..4], 1000_u32.to_le_bytes());
/// let mut decoded = [0; 1000];
/// lz4.decode_exact(&encoded, &mut decoded)?;
/// assert_eq!(decoded, [7; 1000]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lz4 {
    acceleration: i32,
}

impl Lz4 {
    /// Encodes with this acceleration, at least 1; larger is faster and compresses less.
    #[must_use]
    pub fn new(acceleration: i32) -> Self {
        Self { acceleration: acceleration.max(1) }
    }

    /// From the configuration in metadata.
    pub(crate) fn from_members(mut members: Members<'_>) -> Result<Self, CodecError> {
        let acceleration = members.integer("acceleration", i32::MIN.into()..=i32::MAX.into())?;
        members.finish()?;
        Ok(Self::new(acceleration.unwrap_or(1)))
    }
}

impl BytesCodec for Lz4 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encoded_bound(&self, decoded_len: u64) -> u64 {
        // LZ4_COMPRESSBOUND of lz4.h.
        decoded_len.saturating_add(decoded_len / 255).saturating_add(16 + PREFIX as u64)
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<usize, CodecError> {
        let (stated, block) =
            encoded.split_first_chunk::<PREFIX>().ok_or_else(|| truncated(NAME, encoded))?;
        let stated = u32::from_le_bytes(*stated) as usize;
        let (needed, limit) = (stated as u64, decoded.len() as u64);
        let decoded =
            decoded.get_mut(..stated).ok_or(CodecError::TooLarge { codec: NAME, needed, limit })?;
        match decompress(block, decoded) {
            Some(written) if written == stated => Ok(written),
            _ if is_cut_off(block, stated) => Err(truncated(NAME, encoded)),
            _ => Err(CodecError::corrupt(NAME, "it is not a valid block of the stated length")),
        }
    }

    fn stated_len(&self, encoded: &[u8]) -> Option<u64> {
        encoded.first_chunk::<PREFIX>().map(|stated| u32::from_le_bytes(*stated).into())
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        let (needed, limit) = (decoded.len() as u64, MAX_DECODED_LEN as u64);
        let too_large = CodecError::TooLarge { codec: NAME, needed, limit };
        if decoded.len() > MAX_DECODED_LEN {
            return Err(too_large);
        }
        encoded.extend_from_slice(&(decoded.len() as u32).to_le_bytes());
        let start = encoded.len();
        encoded.resize(start + self.encoded_bound(needed) as usize, 0);
        let length =
            compress(self.acceleration, decoded, &mut encoded[start..]).ok_or(too_large)?;
        encoded.truncate(start + length);
        Ok(())
    }
}

/// Whether the block ends before `decoded_len` bytes are decoded, by the lengths alone.
fn is_cut_off(mut block: &[u8], decoded_len: usize) -> bool {
    let mut produced = 0usize;
    loop {
        let Some((&token, rest)) = block.split_first() else { return produced < decoded_len };
        block = rest;
        let Some(literals) = length(token >> 4, &mut block) else { return true };
        if literals > block.len() {
            return true;
        }
        block = &block[literals..];
        produced = produced.saturating_add(literals);
        if block.is_empty() {
            return produced < decoded_len;
        }
        if block.len() < DISTANCE {
            return true;
        }
        block = &block[DISTANCE..];
        let Some(matched) = length(token & 15, &mut block) else { return true };
        // A match has at least 4 bytes.
        produced = produced.saturating_add(matched).saturating_add(4);
        if produced > decoded_len {
            return false;
        }
    }
}

/// A length that starts with these four bits of a token and goes on in `block`; `None` where it ends early.
fn length(bits: u8, block: &mut &[u8]) -> Option<usize> {
    let mut length = usize::from(bits);
    if bits == 15 {
        loop {
            let (&more, rest) = block.split_first()?;
            *block = rest;
            length = length.saturating_add(more.into());
            if more < 255 {
                break;
            }
        }
    }
    Some(length)
}
