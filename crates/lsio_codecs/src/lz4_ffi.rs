//! The call of liblz4 that decodes one block. `lz4_flex`, in safe Rust, took 5 times as long for shuffled
//! float32 values, whose matches are short and overlap what they write (0.79 against 3.62 GB/s).

#![expect(unsafe_code, reason = "calls into liblz4")]

use lz4_sys::LZ4_decompress_safe;

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
