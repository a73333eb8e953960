//! `lzma`: an xz stream, a `.lzma` file, or a stream without a header.

use liblzma::stream::{Action, CONCATENATED, Check, Error, Filters, LzmaOptions, Status};

use crate::configuration::Members;
use crate::lzma_filter::LzmaFilter;
use crate::stream::{Stream, decode_stream, truncated};
use crate::{BytesCodec, CodecError};

pub(crate) const NAME: &str = "lzma";

/// Preset of the library where the configuration has none.
const DEFAULT_PRESET: u32 = 6;

/// Presets with this bit are tried harder (`LZMA_PRESET_EXTREME`).
const EXTREME: u32 = 1 << 31;

/// Most bytes that an xz stream may ask for to be decoded. The highest preset takes 65 MiB, the largest
/// dictionary that the tool `xz` is commonly asked for 192 MiB.
const XZ_MEMORY_LIMIT: u64 = 256 << 20;

/// Bytes of the header of a `.lzma` file: properties, dictionary size, decoded length.
const ALONE_HEADER: usize = 13;

/// The least dictionary (`LZMA_DICT_SIZE_MIN`).
const LEAST_DICTIONARY: u32 = 4096;

/// What stands around the compressed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LzmaFormat {
    /// `.xz`: filters and a checksum stand in the stream.
    Xz,
    /// `.lzma`: a header, no checksum.
    Alone,
    /// Nothing: the filters are known beforehand.
    Raw,
}

/// `lzma`: an xz stream, a `.lzma` file, or a stream without a header.
///
/// Decoding takes any number of xz streams, verifies their checksums where they have them, and refuses
/// anything behind the end. The dictionary is taken no larger than the chunk, where the format leaves
/// that to the reader; an xz stream that asks for more than 256 MiB is refused.
///
/// - Specification: the .xz file format 1.2, the .lzma file format; numcodecs `lzma`, filters as in
///   Python's `lzma`.
/// - Names: v2 and v3 `lzma`, v3 `numcodecs.lzma`: `{"format"?: 1 (xz) | 2 (alone) | 3 (raw), "check"?: -1
///   | 0 | 1 | 4 | 10, "preset"?, "filters"?: [{"id", "dist"?, "dict_size"?, ..}]}`.
///
/// ```
/// use lsio_codecs::{BytesCodec, Lzma};
///
/// # fn main() -> Result<(), lsio_codecs::CodecError> {
/// let lzma = Lzma::xz(6);
/// let mut encoded = Vec::new();
/// lzma.encode(&[7; 1000], &mut encoded)?;
/// let mut decoded = [0; 1000];
/// lzma.decode_exact(&encoded, &mut decoded)?;
/// assert_eq!(decoded, [7; 1000]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lzma {
    format: LzmaFormat,
    /// As Python's `lzma` numbers it; below 0 for the format's own.
    check: i32,
    preset: u32,
    /// Empty where the preset decides.
    filters: Vec<LzmaFilter>,
}

impl Lzma {
    /// Encodes xz streams with the checksum CRC-64 at this preset, 0 to 9.
    #[must_use]
    pub fn xz(preset: u32) -> Self {
        Self { format: LzmaFormat::Xz, check: -1, preset: preset.min(9), filters: Vec::new() }
    }

    /// Encodes `.lzma` files at this preset, 0 to 9.
    #[must_use]
    pub fn alone(preset: u32) -> Self {
        Self { format: LzmaFormat::Alone, ..Self::xz(preset) }
    }

    /// From the configuration in metadata.
    pub(crate) fn from_members(mut members: Members<'_>) -> Result<Self, CodecError> {
        let format = match members.integer("format", 1..=3)? {
            None | Some(1) => LzmaFormat::Xz,
            Some(2) => LzmaFormat::Alone,
            Some(_) => LzmaFormat::Raw,
        };
        let check = members.integer("check", -1..=15)?.unwrap_or(-1);
        let presets = 0..=i64::from(u32::MAX);
        let preset = members.integer("preset", presets)?.unwrap_or(DEFAULT_PRESET);
        if preset & !EXTREME > 9 {
            let reason = format!("'preset' must be from 0 to 9, not {preset}");
            return Err(CodecError::configuration(NAME, reason));
        }
        let filters = LzmaFilter::all_from_members(&mut members)?;
        members.finish()?;
        if format == LzmaFormat::Raw && filters.is_empty() {
            let reason = "the raw format needs 'filters'";
            return Err(CodecError::configuration(NAME, reason));
        }
        let lzma = Self { format, check, preset, filters };
        if format == LzmaFormat::Raw {
            // What the library does not take is known now, not at the first chunk.
            lzma.filters(0)?;
        }
        Ok(lzma)
    }

    /// The filters as the library takes them; dictionaries of at most `decoded_len` bytes.
    fn filters(&self, decoded_len: usize) -> Result<Filters, CodecError> {
        let most = u32::try_from(decoded_len).unwrap_or(u32::MAX).max(LEAST_DICTIONARY);
        let mut filters = Filters::new();
        for filter in &self.filters {
            filter.push(&mut filters, self.preset, most)?;
        }
        Ok(filters)
    }

    fn decoder(&self, decoded_len: usize) -> Result<liblzma::stream::Stream, CodecError> {
        match self.format {
            LzmaFormat::Xz => {
                liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_LIMIT, CONCATENATED)
            }
            LzmaFormat::Alone => liblzma::stream::Stream::new_lzma_decoder(u64::MAX),
            LzmaFormat::Raw => {
                liblzma::stream::Stream::new_raw_decoder(&self.filters(decoded_len)?)
            }
        }
        .map_err(refused)
    }

    fn encoder(&self) -> Result<liblzma::stream::Stream, CodecError> {
        let check = match self.check {
            0 => Check::None,
            1 => Check::Crc32,
            10 => Check::Sha256,
            _ => Check::Crc64,
        };
        match self.format {
            LzmaFormat::Xz if self.filters.is_empty() => {
                liblzma::stream::Stream::new_easy_encoder(self.preset, check)
            }
            LzmaFormat::Xz => {
                liblzma::stream::Stream::new_stream_encoder(&self.filters(usize::MAX)?, check)
            }
            LzmaFormat::Raw => liblzma::stream::Stream::new_raw_encoder(&self.filters(usize::MAX)?),
            LzmaFormat::Alone => {
                let options = match self.filters.as_slice() {
                    [] => LzmaOptions::new_preset(self.preset).map_err(refused)?,
                    [filter] => filter.options(self.preset, u32::MAX)?,
                    _ => {
                        let reason = "the format 'alone' takes one filter";
                        return Err(CodecError::configuration(NAME, reason));
                    }
                };
                liblzma::stream::Stream::new_lzma_encoder(&options)
            }
        }
        .map_err(refused)
    }
}

impl Stream for liblzma::stream::Stream {
    fn step(&mut self, encoded: &[u8], decoded: &mut [u8]) -> Result<bool, CodecError> {
        match self.process(encoded, decoded, Action::Finish) {
            Ok(status) => Ok(status == Status::StreamEnd),
            Err(error) => Err(CodecError::corrupt(NAME, error.to_string())),
        }
    }

    fn totals(&self) -> (u64, u64) {
        (self.total_in(), self.total_out())
    }
}

impl BytesCodec for Lzma {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encoded_bound(&self, decoded_len: u64) -> u64 {
        // LZMA can grow by a third where nothing repeats (LzmaLib.h of the LZMA SDK); xz adds headers.
        decoded_len.saturating_add(decoded_len / 3).saturating_add(1024)
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<usize, CodecError> {
        let mut decoder = self.decoder(decoded.len())?;
        if self.format == LzmaFormat::Alone {
            take_header(&mut decoder, encoded, decoded.len())?;
        }
        let (consumed, written) = decode_stream(NAME, &mut decoder, encoded, decoded)?;
        if consumed < encoded.len() {
            let reason = format!("{} bytes follow the stream", encoded.len() - consumed);
            return Err(CodecError::corrupt(NAME, reason));
        }
        Ok(written)
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        let mut encoder = self.encoder()?;
        let most = self.encoded_bound(decoded.len() as u64) as usize;
        encoded.reserve(most);
        loop {
            let rest = &decoded[encoder.total_in() as usize..];
            match encoder.process_vec(rest, encoded, Action::Finish) {
                Ok(Status::StreamEnd) => return Ok(()),
                Ok(_) => encoded.reserve(most),
                Err(error) => return Err(refused(error)),
            }
        }
    }
}

/// Has the decoder take the header of a `.lzma` file, with a dictionary that is no larger than what it can be used
/// for.
fn take_header(
    decoder: &mut liblzma::stream::Stream,
    encoded: &[u8],
    decoded_len: usize,
) -> Result<(), CodecError> {
    let header = encoded.first_chunk().ok_or_else(|| truncated(NAME, encoded))?;
    let header = with_small_dictionary(header, decoded_len);
    // The library takes nothing while there is no room for what it decodes, which the header alone is not.
    let result = decoder.process(&header, &mut [0], Action::Run);
    result.map_err(|error| CodecError::corrupt(NAME, error.to_string()))?;
    if decoder.total_in() == ALONE_HEADER as u64 {
        Ok(())
    } else {
        Err(CodecError::corrupt(NAME, "its header is not valid"))
    }
}

/// The header of a `.lzma` file with a dictionary that is no larger than what it can be used for.
fn with_small_dictionary(header: &[u8; ALONE_HEADER], decoded_len: usize) -> [u8; ALONE_HEADER] {
    let mut header = *header;
    if let Some(size) = header[1..].first_chunk_mut::<4>() {
        let most = u32::try_from(decoded_len).unwrap_or(u32::MAX).max(LEAST_DICTIONARY);
        *size = u32::from_le_bytes(*size).min(most).to_le_bytes();
    }
    header
}

/// The error for settings that the library does not take.
pub(crate) fn refused(error: Error) -> CodecError {
    CodecError::configuration(NAME, format!("the library refuses it: {error}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::configuration::Dialect;

    fn read(text: &str) -> Result<Lzma, CodecError> {
        let map = serde_json::from_str(text).unwrap();
        Lzma::from_members(Members::new(NAME, Dialect::V2, &map))
    }

    #[test]
    fn settings_of_python_are_read() {
        assert_eq!(read(r#"{"format":1,"check":-1,"preset":null}"#).unwrap(), Lzma::xz(6));
        assert_eq!(read(r#"{"format":2,"preset":9}"#).unwrap(), Lzma::alone(9));
        assert!(read(r#"{"format":3,"filters":[{"id":3,"dist":4},{"id":33}]}"#).is_ok());
        for text in [
            r#"{"format":0}"#,
            r#"{"format":3}"#,
            r#"{"preset":10}"#,
            r#"{"filters":[{"id":1}]}"#,
            r#"{"filters":[{}]}"#,
            r#"{"filters":3}"#,
            r#"{"format":3,"filters":[{"id":3,"dist":257},{"id":33}]}"#,
            r#"{"format":3,"filters":[{"id":33,"lc":5}]}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_dictionary_beyond_memory_is_not_allocated() {
        let mut encoded = Vec::new();
        Lzma::alone(0).encode(&[7; 100], &mut encoded).unwrap();
        encoded[1..5].copy_from_slice(&u32::MAX.to_le_bytes());
        let mut decoded = [0; 100];
        Lzma::alone(0).decode_exact(&encoded, &mut decoded).unwrap();
        assert_eq!(decoded, [7; 100]);

        let mut decoder = Lzma::alone(0).decoder(100).unwrap();
        take_header(&mut decoder, &encoded, 100).unwrap();
        assert_eq!(decoder.total_in(), 13);

        let raw = read(r#"{"format":3,"filters":[{"id":33,"dict_size":4294967295}]}"#).unwrap();
        let small = read(r#"{"format":3,"filters":[{"id":33,"dict_size":4096}]}"#).unwrap();
        encoded.clear();
        small.encode(&[7; 100], &mut encoded).unwrap();
        raw.decode_exact(&encoded, &mut decoded).unwrap();
    }
}
