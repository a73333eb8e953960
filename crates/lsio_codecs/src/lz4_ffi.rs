//! The calls of liblz4 that decode and encode one block. `lz4_flex`, in safe Rust, took 5 times as long
//! to decode shuffled float32 values, whose matches are short and overlap what they write (0.79 against
//! 3.62 GB/s).

#![expect(unsafe_code, reason = "calls into liblz4")]

use lz4_sys::{LZ4_compress_fast, LZ4_decompress_safe};

/// Most bytes that one block can hold (`LZ4_MAX_INPUT_SIZE` of lz4.h).
pub(crate) const MAX_DECODED_LEN: usize = 0x7e00_0000;

/// Decodes `stream` into the start of `decoded` and returns how many bytes of it were written; `None` for
/// a stream that is not valid or too long.
pub(crate) fn decompress(stream: &[u8], decoded: &mut [u8]) -> Option<usize> {
    let (stream_len, decoded_len) = (stream.len().try_into().ok()?, decoded.len().try_into().ok()?);
    // SAFETY: reads at most `stream_len` bytes at the first pointer and writes at most `decoded_len` at the
    // second, whatever the stream holds; they are those of two slices that cannot overlap.
    let written = unsafe {
        LZ4_decompress_safe(
            stream.as_ptr().cast(),
            decoded.as_mut_ptr().cast(),
            stream_len,
            decoded_len,
        )
    };
    usize::try_from(written).ok()
}

/// Encodes `decoded` into the start of `encoded` and returns how many bytes of it were written; `None`
/// where it is too short, or `decoded` longer than [`MAX_DECODED_LEN`].
pub(crate) fn compress(acceleration: i32, decoded: &[u8], encoded: &mut [u8]) -> Option<usize> {
    let (decoded_len, encoded_len) =
        (decoded.len().try_into().ok()?, encoded.len().try_into().ok()?);
    // SAFETY: reads `decoded_len` bytes at the first pointer and writes at most `encoded_len` at the
    // second; they are those of two slices that cannot overlap.
    let written = unsafe {
        LZ4_compress_fast(
            decoded.as_ptr().cast(),
            encoded.as_mut_ptr().cast(),
            decoded_len,
            encoded_len,
            acceleration,
        )
    };
    // 0 stands for an error: even no bytes at all are encoded to one.
    usize::try_from(written).ok().filter(|&written| written > 0)
}
