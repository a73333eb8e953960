//! The calls of libdeflate that tell how much of their input they used, one context per thread.
//!
//! The safe wrapper of libdeflate has no such call, and without it neither a second gzip member nor
//! bytes behind the stream can be seen.

#![expect(unsafe_code, reason = "calls into libdeflate")]

use std::ptr::NonNull;

use libdeflate_sys::{
    libdeflate_alloc_decompressor, libdeflate_decompressor, libdeflate_free_decompressor,
    libdeflate_gzip_decompress_ex, libdeflate_result_LIBDEFLATE_INSUFFICIENT_SPACE,
    libdeflate_result_LIBDEFLATE_SUCCESS, libdeflate_zlib_decompress_ex,
};

/// What stands around a DEFLATE stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrapper {
    /// RFC 1952, one member.
    Gzip,
    /// RFC 1950.
    Zlib,
}

/// One stream that was decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Inflated {
    /// Bytes of the input that the stream has.
    pub(crate) encoded_len: usize,
    /// Bytes of the output that were written.
    pub(crate) decoded_len: usize,
}

/// Why a stream was not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InflateError {
    /// The output is too short.
    TooLarge,
    /// The bytes are not a stream, or not a whole one, or the checksum differs.
    Invalid,
}

/// A context of libdeflate.
struct Decompressor(NonNull<libdeflate_decompressor>);

impl Drop for Decompressor {
    fn drop(&mut self) {
        // SAFETY: the pointer came from libdeflate_alloc_decompressor, is freed only here, and nobody
        // can use it any more.
        unsafe { libdeflate_free_decompressor(self.0.as_ptr()) }
    }
}

thread_local! {
    static DECOMPRESSOR: Option<Decompressor> = {
        // SAFETY: takes nothing; a null result means that memory is exhausted.
        NonNull::new(unsafe { libdeflate_alloc_decompressor() }).map(Decompressor)
    };
}

/// Decodes the stream at the start of `encoded` into the start of `decoded`. Its checksum is verified.
pub(crate) fn inflate(
    wrapper: Wrapper,
    encoded: &[u8],
    decoded: &mut [u8],
) -> Result<Inflated, InflateError> {
    let call = match wrapper {
        Wrapper::Gzip => libdeflate_gzip_decompress_ex,
        Wrapper::Zlib => libdeflate_zlib_decompress_ex,
    };
    DECOMPRESSOR.with(|context| {
        // Without memory for a context nothing larger would be decoded either.
        let context = context.as_ref().ok_or(InflateError::TooLarge)?;
        let mut encoded_len = 0;
        let mut decoded_len = 0;
        // SAFETY: the context is alive and used by this thread only. libdeflate reads at most
        // `encoded.len()` bytes at the first pointer and writes at most `decoded.len()` at the second,
        // which are those of two slices that cannot overlap; the last two point to live integers.
        let result = unsafe {
            call(
                context.0.as_ptr(),
                encoded.as_ptr().cast(),
                encoded.len(),
                decoded.as_mut_ptr().cast(),
                decoded.len(),
                &raw mut encoded_len,
                &raw mut decoded_len,
            )
        };
        #[expect(non_upper_case_globals, reason = "constants of the binding")]
        match result {
            libdeflate_result_LIBDEFLATE_SUCCESS => Ok(Inflated { encoded_len, decoded_len }),
            libdeflate_result_LIBDEFLATE_INSUFFICIENT_SPACE => Err(InflateError::TooLarge),
            _ => Err(InflateError::Invalid),
        }
    })
}
