//! Decodes streams whose libraries take their input and output in pieces, into one slice.

use crate::CodecError;

/// A stream that is being decoded.
pub(crate) trait Stream {
    /// Goes on from `encoded` to `decoded`, as far as either lasts, and tells whether the stream has
    /// ended.
    fn step(&mut self, encoded: &[u8], decoded: &mut [u8]) -> Result<bool, CodecError>;

    /// Bytes consumed and bytes decoded so far.
    fn totals(&self) -> (u64, u64);
}

/// Decodes the stream at the start of `encoded`, which is all that there is, into the start of `decoded`.
/// Gives how many bytes of either it has.
pub(crate) fn decode_stream(
    codec: &'static str,
    stream: &mut impl Stream,
    encoded: &[u8],
    decoded: &mut [u8],
) -> Result<(usize, usize), CodecError> {
    let (mut consumed, mut written) = stream.totals();
    loop {
        // Libraries count no more than the slices have.
        let ended = stream.step(&encoded[consumed as usize..], &mut decoded[written as usize..])?;
        let before = (consumed, written);
        (consumed, written) = stream.totals();
        if ended {
            return Ok((consumed as usize, written as usize));
        }
        if before == (consumed, written) {
            break;
        }
    }
    if written < decoded.len() as u64 {
        return Err(truncated(codec, encoded));
    }
    // The slice is full. What remains decides: the end of the stream, more bytes, or nothing.
    loop {
        let ended = stream.step(&encoded[consumed as usize..], &mut [0])?;
        let before = consumed;
        let total;
        (consumed, total) = stream.totals();
        if total > written {
            let (limit, needed) = (decoded.len() as u64, total);
            return Err(CodecError::TooLarge { codec, needed, limit });
        }
        if ended {
            return Ok((consumed as usize, written as usize));
        }
        if before == consumed {
            return Err(truncated(codec, encoded));
        }
    }
}

/// The error for a stream whose end is missing.
pub(crate) fn truncated(codec: &'static str, encoded: &[u8]) -> CodecError {
    let actual = encoded.len() as u64;
    CodecError::Truncated { codec, expected: actual + 1, actual }
}
