//! What the codecs around DEFLATE share: the compressor of each thread and telling a stream that was
//! cut off from one that is damaged.

use std::cell::RefCell;

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::{CompressionLvl, Compressor};

use crate::CodecError;
use crate::codec;
use crate::libdeflate_ffi::Wrapper;

/// Bytes decoded at once while looking for the end of a stream.
const STEP: usize = 16 * 1024;

thread_local! {
    /// The compressor that this thread used last, and its level.
    static COMPRESSOR: RefCell<Option<(i32, Compressor)>> = const { RefCell::new(None) };
}

/// Most bytes that `decoded_len` bytes are encoded to. Stored blocks of zlib have at most 64 KiB and 5
/// bytes before each; 1/64 leaves room for writers that flush every few hundred bytes.
pub(crate) fn encoded_bound(decoded_len: u64) -> u64 {
    decoded_len.saturating_add(decoded_len / 64).saturating_add(1024)
}

/// Appends the encoded form of `decoded` to `encoded`. `level` is 0 to 9.
pub(crate) fn deflate(
    wrapper: Wrapper,
    codec: &'static str,
    level: i32,
    decoded: &[u8],
    encoded: &mut Vec<u8>,
) -> Result<(), CodecError> {
    let level_of_library = CompressionLvl::new(level).unwrap_or_default();
    let start = encoded.len();
    let result = COMPRESSOR.with_borrow_mut(|last| {
        let (_, compressor) = match last.take() {
            Some((used, compressor)) if used == level => last.insert((level, compressor)),
            _ => last.insert((level, Compressor::new(level_of_library))),
        };
        match wrapper {
            Wrapper::Gzip => {
                let bound = compressor.gzip_compress_bound(decoded.len());
                encoded.resize(start + bound, 0);
                compressor.gzip_compress(decoded, &mut encoded[start..])
            }
            Wrapper::Zlib => {
                let bound = compressor.zlib_compress_bound(decoded.len());
                encoded.resize(start + bound, 0);
                compressor.zlib_compress(decoded, &mut encoded[start..])
            }
        }
    });
    let length = result.map_err(|error| CodecError::corrupt(codec, error.to_string()))?;
    encoded.truncate(start + length);
    Ok(())
}

/// The error for a stream that could not be decoded: whether it was cut off, or else damaged. Looks at
/// no more than `limit` decoded bytes.
pub(crate) fn invalid(
    wrapper: Wrapper,
    codec: &'static str,
    stream: &[u8],
    limit: usize,
) -> CodecError {
    if is_cut_off(wrapper, stream, limit) {
        return truncated(codec, stream);
    }
    CodecError::corrupt(codec, "it is not a valid stream, or its checksum differs")
}

/// What decoding `stream` to exactly `expected` bytes answered. libdeflate reads zeros behind the end
/// of its input, so that a stream that was cut off may seem too long.
pub(crate) fn exactly(
    wrapper: Wrapper,
    codec: &'static str,
    stream: &[u8],
    expected: usize,
    decoded: Result<usize, CodecError>,
) -> Result<(), CodecError> {
    match codec::exactly(codec, expected as u64, decoded) {
        Err(CodecError::Length { actual, .. })
            if actual > expected as u64 && is_cut_off(wrapper, stream, expected) =>
        {
            Err(truncated(codec, stream))
        }
        other => other,
    }
}

fn truncated(codec: &'static str, stream: &[u8]) -> CodecError {
    let actual = stream.len() as u64;
    CodecError::Truncated { codec, expected: actual + 1, actual }
}

/// Whether all of `stream` is a valid beginning, but its end is missing.
fn is_cut_off(wrapper: Wrapper, stream: &[u8], limit: usize) -> bool {
    let mut decompressor = match wrapper {
        Wrapper::Gzip => Decompress::new_gzip(15),
        Wrapper::Zlib => Decompress::new(true),
    };
    let mut step = vec![0; STEP];
    loop {
        let (consumed, produced) = (decompressor.total_in(), decompressor.total_out());
        let rest = &stream[consumed as usize..];
        match decompressor.decompress(rest, &mut step, FlushDecompress::None) {
            Err(_) | Ok(Status::StreamEnd) => return false,
            Ok(Status::Ok | Status::BufError) => {}
        }
        if decompressor.total_out() > limit as u64 {
            return false;
        }
        if (consumed, produced) == (decompressor.total_in(), decompressor.total_out()) {
            return rest.is_empty();
        }
    }
}
