//! `zstd`: Zstandard frames.

use std::cell::RefCell;

use zstd_safe::zstd_sys::ZSTD_ErrorCode;
use zstd_safe::{CCtx, CParameter, DCtx};

use crate::configuration::{Dialect, Members};
use crate::{BytesCodec, CodecError};

const NAME: &str = "zstd";

thread_local! {
    // Creating a context fails only where memory is exhausted, as any other allocation would.
    static DECODER: RefCell<DCtx<'static>> = RefCell::new(DCtx::create());
    static ENCODER: RefCell<CCtx<'static>> = RefCell::new(CCtx::create());
}

/// `zstd`: Zstandard frames.
///
/// Decoding takes any number of frames, with or without a stated content size, and fails where their
/// contents differ from the expected length or where anything else follows. The checksum of a frame is
/// verified where it has one.
///
/// - Specification: RFC 8878; Zarr v3 extension "zstd codec".
/// - Names: v3 `zstd`, configuration `{"level": -131072..=22, "checksum": bool}`; v2 and
///   `numcodecs.zstd`: `{"level", "checksum"?}`.
///
/// ```
/// use lsio_codecs::{BytesCodec, Zstd};
///
/// # fn main() -> Result<(), lsio_codecs::CodecError> {
/// let zstd = Zstd::new(3, true);
/// let mut encoded = Vec::new();
/// zstd.encode(&[7; 1000], &mut encoded)?;
/// let mut decoded = [0; 1000];
/// zstd.decode_exact(&encoded, &mut decoded)?;
/// assert_eq!(decoded, [7; 1000]);
/// assert!(zstd.decode_exact(&encoded, &mut [0; 999]).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zstd {
    level: i32,
    checksum: bool,
}

impl Zstd {
    /// Encodes at this level, brought into the range that Zstandard has; 0 is its default.
    #[must_use]
    pub fn new(level: i32, checksum: bool) -> Self {
        let level = level.clamp(zstd_safe::min_c_level(), zstd_safe::max_c_level());
        Self { level, checksum }
    }

    /// From the configuration in metadata.
    pub(crate) fn from_members(mut members: Members<'_>) -> Result<Self, CodecError> {
        let levels = match members.dialect() {
            Dialect::V3 => zstd_safe::min_c_level().into()..=zstd_safe::max_c_level().into(),
            // numcodecs stores what it was given and brings it into the range when it encodes.
            Dialect::Numcodecs | Dialect::V2 => i32::MIN.into()..=i32::MAX.into(),
        };
        let level = members.integer("level", levels)?.unwrap_or(0);
        let checksum = members.boolean("checksum")?.unwrap_or(false);
        members.finish()?;
        Ok(Self::new(level, checksum))
    }
}

impl BytesCodec for Zstd {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encoded_bound(&self, decoded_len: u64) -> u64 {
        // ZSTD_compressBound adds 1/256 and up to 64 bytes; 3 bytes head each block of at most
        // 128 KiB, and frames of a stream may be many: 1/64 leaves room for frames of 1 KiB.
        decoded_len.saturating_add(decoded_len / 64).saturating_add(1024)
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<usize, CodecError> {
        let limit = decoded.len() as u64;
        decompress(encoded, decoded).map_err(|code| decode_error(code, encoded, limit)).and_then(
            |length| {
                // No frame at all decodes to nothing without an error.
                if encoded.is_empty() { Err(truncated(0)) } else { Ok(length) }
            },
        )
    }

    fn stated_len(&self, encoded: &[u8]) -> Option<u64> {
        zstd_safe::find_decompressed_size(encoded).ok().flatten()
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        let start = encoded.len();
        encoded.resize(start + zstd_safe::compress_bound(decoded.len()), 0);
        let length = ENCODER
            .with_borrow_mut(|context| {
                context.set_parameter(CParameter::CompressionLevel(self.level))?;
                context.set_parameter(CParameter::ChecksumFlag(self.checksum))?;
                context.compress2(&mut encoded[start..], decoded)
            })
            .map_err(|code| CodecError::corrupt(NAME, zstd_safe::get_error_name(code)))?;
        encoded.truncate(start + length);
        Ok(())
    }
}

/// Decodes all frames of `encoded` into the start of `decoded`, by the context of this thread, and returns
/// how many bytes of it were written, or an error's code.
pub(crate) fn decompress(encoded: &[u8], decoded: &mut [u8]) -> Result<usize, usize> {
    DECODER.with_borrow_mut(|context| context.decompress(decoded, encoded))
}

/// Tells apart why decoding failed.
fn decode_error(code: usize, encoded: &[u8], limit: u64) -> CodecError {
    if zstd_safe::is_error_kind(code, ZSTD_ErrorCode::ZSTD_error_dstSize_tooSmall) {
        let stated = zstd_safe::find_decompressed_size(encoded).ok().flatten();
        let needed = stated.filter(|&stated| stated > limit).unwrap_or(limit.saturating_add(1));
        return CodecError::TooLarge { codec: NAME, needed, limit };
    }
    if ends_inside_a_frame(encoded) {
        return truncated(encoded.len());
    }
    CodecError::corrupt(NAME, zstd_safe::get_error_name(code))
}

/// Whether the last frame of otherwise whole frames is cut off.
fn ends_inside_a_frame(mut encoded: &[u8]) -> bool {
    loop {
        match zstd_safe::find_frame_compressed_size(encoded) {
            Ok(length) if length > 0 && length < encoded.len() => encoded = &encoded[length..],
            Ok(_) => return false,
            Err(code) => {
                return zstd_safe::is_error_kind(code, ZSTD_ErrorCode::ZSTD_error_srcSize_wrong);
            }
        }
    }
}

fn truncated(actual: usize) -> CodecError {
    CodecError::Truncated { codec: NAME, expected: actual as u64 + 1, actual: actual as u64 }
}
