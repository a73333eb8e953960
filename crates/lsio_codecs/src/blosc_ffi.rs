//! The calls of c-blosc that need no global state: compress with a context of its own on the calling
//! thread, and decode one stream of its own format. Tests compare with its decoder of whole containers.

#![expect(unsafe_code, reason = "calls into c-blosc")]

use std::ffi::{CStr, c_int, c_void};

use blosc_src::blosc_compress_ctx;
#[cfg(test)]
use blosc_src::{blosc_cbuffer_validate, blosc_decompress_ctx};

/// Bytes that c-blosc may add to what it cannot compress.
pub(crate) const MAX_OVERHEAD: usize = blosc_src::BLOSC_MAX_OVERHEAD as usize;

/// How c-blosc is to compress. Each number fits a C `int`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// 0 (stored) to 9.
    pub(crate) level: u8,
    /// 0 none, 1 bytes, 2 bits.
    pub(crate) shuffle: u8,
    /// Bytes of an element.
    pub(crate) typesize: u32,
    /// Name of the compressor inside.
    pub(crate) compressor: &'static CStr,
    /// Bytes of a block, 0 lets c-blosc choose.
    pub(crate) blocksize: u32,
}

// SAFETY: as in `blosclz.h` of c-blosc 1.21; the function is in the library that `blosc_src` links, which
// does not bind it.
unsafe extern "C" {
    fn blosclz_decompress(
        input: *const c_void,
        length: c_int,
        output: *mut c_void,
        maxout: c_int,
    ) -> c_int;
}

/// Decodes a stream of `blosclz` into the start of `decoded` and returns how many bytes of it were
/// written; `None` for a stream that is not valid or too long.
pub(crate) fn decompress_blosclz(stream: &[u8], decoded: &mut [u8]) -> Option<usize> {
    let (stream_len, decoded_len) = (stream.len().try_into().ok()?, decoded.len().try_into().ok()?);
    // SAFETY: reads at most `stream_len` bytes at the first pointer and writes at most `decoded_len` at the
    // second, whatever the stream holds; they are those of two slices that cannot overlap.
    let written = unsafe {
        blosclz_decompress(
            stream.as_ptr().cast(),
            stream_len,
            decoded.as_mut_ptr().cast(),
            decoded_len,
        )
    };
    usize::try_from(written).ok()
}

/// Decodes the container `encoded` into `decoded` and returns the bytes written; `None` where c-blosc
/// finds fault with it.
#[cfg(test)]
pub(crate) fn decompress(encoded: &[u8], decoded: &mut [u8]) -> Option<usize> {
    let mut stated = 0;
    // SAFETY: reads at most `encoded.len()` bytes of the slice and writes one integer.
    let refused =
        unsafe { blosc_cbuffer_validate(encoded.as_ptr().cast(), encoded.len(), &raw mut stated) };
    if refused != 0 || stated > decoded.len() {
        return None;
    }
    // SAFETY: the container was validated: its header states exactly `encoded.len()` bytes, beyond
    // which c-blosc does not read. It writes at most `decoded.len()` bytes, and the two slices cannot
    // overlap. One internal thread means that it starts none.
    let written = unsafe {
        blosc_decompress_ctx(encoded.as_ptr().cast(), decoded.as_mut_ptr().cast(), decoded.len(), 1)
    };
    usize::try_from(written).ok()
}

/// Encodes `decoded` into `encoded`, which must have [`MAX_OVERHEAD`] bytes more, and returns the bytes
/// written; `None` where c-blosc cannot.
pub(crate) fn compress(settings: Settings, decoded: &[u8], encoded: &mut [u8]) -> Option<usize> {
    // SAFETY: reads at most `decoded.len()` bytes of one slice and writes at most `encoded.len()` of
    // the other; they cannot overlap. The name ends with a zero byte. One internal thread means that
    // it starts none.
    let written = unsafe {
        blosc_compress_ctx(
            settings.level.into(),
            settings.shuffle.into(),
            settings.typesize as usize,
            decoded.len(),
            decoded.as_ptr().cast(),
            encoded.as_mut_ptr().cast(),
            encoded.len(),
            settings.compressor.as_ptr(),
            settings.blocksize as usize,
            1,
        )
    };
    usize::try_from(written).ok().filter(|&written| written > 0)
}
