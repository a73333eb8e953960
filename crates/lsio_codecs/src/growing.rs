//! Decodes bytes whose decoded length is not known beforehand, under a limit.

use std::sync::Arc;

use crate::{BytesCodec, CodecError};

/// Bytes first tried for a codec that does not state its decoded length: this many times the encoded
/// length, which covers most text.
const FIRST_TRY_RATIO: u64 = 4;

/// Fewest bytes first tried.
const FIRST_TRY_LEAST: u64 = 4096;

/// How decoding under a limit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    /// All is decoded.
    Complete,
    /// A limit of this many bytes is needed, or is worth a try where the codec does not tell. Always
    /// above the limit that was given.
    Needs(u64),
}

/// Undoes `codecs`, given in the order of encoding, into `decoded`. What one codec has decoded and what the
/// next one makes of it take at most `limit` bytes together, however many codecs there are.
///
/// # Errors
/// [`CodecError`] for bytes that are not what the codecs write.
pub fn decode_growing(
    codecs: &[Arc<dyn BytesCodec>],
    encoded: &[u8],
    limit: u64,
    decoded: &mut Vec<u8>,
) -> Result<Growth, CodecError> {
    let mut codecs = codecs;
    // What the last codec that was undone has left.
    let mut current: Option<Vec<u8>> = None;
    loop {
        let taken = current.as_ref().map_or(0, |current| current.len() as u64);
        let mut bytes = current.as_deref().unwrap_or(encoded);
        let (codec, earlier) = loop {
            let Some((codec, earlier)) = codecs.split_last() else {
                return Ok(copy(bytes, limit - taken, decoded).beside(taken));
            };
            let Some(payload) = codec.payload(bytes)? else { break (codec, earlier) };
            (bytes, codecs) = (payload, earlier);
        };
        if earlier.is_empty() {
            let end = decode_one(codec.as_ref(), bytes, limit - taken, decoded)?;
            return Ok(end.beside(taken));
        }
        let mut next = Vec::new();
        let end = decode_one(codec.as_ref(), bytes, limit - taken, &mut next)?;
        if matches!(end, Growth::Needs(_)) {
            return Ok(end.beside(taken));
        }
        // Frees what was there before.
        current = Some(next);
        codecs = earlier;
    }
}

impl Growth {
    /// What is needed with this many bytes beside.
    fn beside(self, taken: u64) -> Self {
        match self {
            Self::Complete => Self::Complete,
            Self::Needs(needed) => Self::Needs(needed.saturating_add(taken)),
        }
    }
}

/// Copies what no codec is left to undo for.
fn copy(bytes: &[u8], limit: u64, decoded: &mut Vec<u8>) -> Growth {
    let length = bytes.len() as u64;
    if length > limit {
        return Growth::Needs(length);
    }
    decoded.clear();
    decoded.reserve_exact(bytes.len());
    decoded.extend_from_slice(bytes);
    Growth::Complete
}

/// Undoes one codec, trying larger and larger buffers up to `limit`.
fn decode_one(
    codec: &dyn BytesCodec,
    encoded: &[u8],
    limit: u64,
    decoded: &mut Vec<u8>,
) -> Result<Growth, CodecError> {
    let stated = codec.stated_len(encoded);
    if let Some(stated) = stated.filter(|&stated| stated > limit) {
        return Ok(Growth::Needs(stated));
    }
    let guess = (encoded.len() as u64).saturating_mul(FIRST_TRY_RATIO).max(FIRST_TRY_LEAST);
    let mut size = stated.unwrap_or(guess.max(decoded.capacity() as u64)).min(limit);
    loop {
        // Exactly: a vector that grows by itself may take twice as much as the limit allows.
        decoded.clear();
        decoded.reserve_exact(size as usize);
        decoded.resize(size as usize, 0);
        match codec.decode(encoded, decoded) {
            Ok(length) => {
                decoded.truncate(length);
                return Ok(Growth::Complete);
            }
            Err(CodecError::TooLarge { needed, .. }) if size < limit => {
                size = needed.max(size.saturating_mul(2)).min(limit);
            }
            Err(CodecError::TooLarge { .. }) => {
                return Ok(Growth::Needs(limit.saturating_mul(2).max(FIRST_TRY_LEAST)));
            }
            Err(error) => return Err(error),
        }
    }
}
