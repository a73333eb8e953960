//! Decoding a chunk to scratch memory, for sources that make other elements of those of another source.

use std::sync::Arc;

use crate::{
    ChunkError, ChunkErrorKind, ChunkSource, Decoded, Destination, Encoded, Params, Resume,
};

/// Decodes a chunk of `inner` to the front of `scratch`, whose rest `inner` has for itself, and lets `take`
/// make of its elements what is wanted. What `take` fails with gets the names of array and chunk.
pub(crate) fn decode_to_scratch(
    inner: &dyn ChunkSource,
    chunk: &[u64],
    params: &Params,
    encoded: Encoded<'_>,
    scratch: &mut [u8],
    resume: &Arc<dyn Resume>,
    take: impl FnOnce(&[u8]) -> Result<Decoded, ChunkErrorKind>,
) -> Result<Decoded, ChunkError> {
    let error = |kind| {
        let (array, chunk) = (Arc::clone(&inner.info().name), chunk.to_vec());
        ChunkError { array, chunk, codec: None, kind }
    };
    let needed = inner.info().decoded_len;
    let limit = scratch.len() as u64;
    let (elements, rest) = usize::try_from(needed)
        .ok()
        .and_then(|len| scratch.split_at_mut_checked(len))
        .ok_or_else(|| error(ChunkErrorKind::TooLarge { needed, limit }))?;
    let fixed = Destination::Fixed(&mut *elements);
    match inner.decode(chunk, params, encoded, fixed, rest, resume)? {
        Decoded::Complete => take(elements).map_err(error),
        other => Ok(other),
    }
}
