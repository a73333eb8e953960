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

/// Undoes `codecs`, given in the order of encoding, into `decoded`. What is decoded on the way and the
/// result take at most `limit` bytes together.
///
/// # Errors
/// [`CodecError`] for bytes that are not what the codecs write.
pub fn decode_growing(
    codecs: &[Arc<dyn BytesCodec>],
    encoded: &[u8],
    limit: u64,
    decoded: &mut Vec<u8>,
) -> Result<Growth, CodecError> {
    let Some((codec, earlier)) = codecs.split_last() else {
        let length = encoded.len() as u64;
        if length > limit {
            return Ok(Growth::Needs(length));
        }
        decoded.clear();
        decoded.reserve_exact(encoded.len());
        decoded.extend_from_slice(encoded);
        return Ok(Growth::Complete);
    };
    if let Some(payload) = codec.payload(encoded)? {
        return decode_growing(earlier, payload, limit, decoded);
    }
    if earlier.is_empty() {
        return decode_one(codec.as_ref(), encoded, limit, decoded);
    }
    let mut intermediate = Vec::new();
    if let Growth::Needs(needed) = decode_one(codec.as_ref(), encoded, limit, &mut intermediate)? {
        return Ok(Growth::Needs(needed));
    }
    let taken = intermediate.len() as u64;
    match decode_growing(earlier, &intermediate, limit - taken, decoded)? {
        Growth::Complete => Ok(Growth::Complete),
        Growth::Needs(needed) => Ok(Growth::Needs(needed.saturating_add(taken))),
    }
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
