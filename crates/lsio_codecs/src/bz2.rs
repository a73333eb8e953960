//! `bz2`: one or more bzip2 streams.

use bzip2::Compression;
use bzip2::{Action, Compress, Decompress, Status};

use crate::configuration::Members;
use crate::stream::{Stream, decode_stream, truncated};
use crate::{BytesCodec, CodecError};

const NAME: &str = "bz2";

/// Level of numcodecs where the configuration has none.
const DEFAULT_LEVEL: u32 = 1;

/// `bz2`: one or more bzip2 streams.
///
/// The streams' contents follow one another; every checksum is verified and nothing else may follow the
/// last.
///
/// - Specification: the bzip2 format, as the library of Julian Seward writes it; numcodecs `bz2`.
/// - Names: v2 and v3 `bz2`, v3 `numcodecs.bz2`: `{"level"?: 1..=9}`, 1 where it is absent.
///
/// ```
/// use lsio_codecs::{BytesCodec, Bz2};
///
/// # fn main() -> Result<(), lsio_codecs::CodecError> {
/// let bz2 = Bz2::new(9);
/// let mut encoded = Vec::new();
/// bz2.encode(&[7; 1000], &mut encoded)?;
/// let mut decoded = [0; 1000];
/// bz2.decode_exact(&encoded, &mut decoded)?;
/// assert_eq!(decoded, [7; 1000]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bz2 {
    level: u32,
}

impl Bz2 {
    /// Encodes at this level, brought into the range 1 to 9.
    #[must_use]
    pub fn new(level: u32) -> Self {
        Self { level: level.clamp(1, 9) }
    }

    /// From the configuration in metadata.
    pub(crate) fn from_members(mut members: Members<'_>) -> Result<Self, CodecError> {
        let level = members.integer("level", 1..=9)?.unwrap_or(DEFAULT_LEVEL);
        members.finish()?;
        Ok(Self::new(level))
    }
}

impl Stream for Decompress {
    fn step(&mut self, encoded: &[u8], decoded: &mut [u8]) -> Result<bool, CodecError> {
        match self.decompress(encoded, decoded) {
            Ok(Status::StreamEnd) => Ok(true),
            Ok(Status::MemNeeded) => Err(CodecError::corrupt(NAME, "no memory for its blocks")),
            Ok(_) => Ok(false),
            Err(error) => Err(CodecError::corrupt(NAME, error.to_string())),
        }
    }

    fn totals(&self) -> (u64, u64) {
        (self.total_in(), self.total_out())
    }
}

impl BytesCodec for Bz2 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encoded_bound(&self, decoded_len: u64) -> u64 {
        // The library's manual: 1 % and 600 bytes more, whatever the contents.
        decoded_len.saturating_add(decoded_len / 100).saturating_add(600)
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<usize, CodecError> {
        let limit = decoded.len() as u64;
        let (mut rest, mut written) = (encoded, 0);
        if encoded.is_empty() {
            return Err(truncated(NAME, encoded));
        }
        while !rest.is_empty() {
            let stream = &mut Decompress::new(false);
            let result = decode_stream(NAME, stream, rest, &mut decoded[written..]);
            let (consumed, length) = result.map_err(|error| match error {
                CodecError::TooLarge { codec, needed, .. } => {
                    let needed = needed.saturating_add(written as u64);
                    CodecError::TooLarge { codec, needed, limit }
                }
                other => other,
            })?;
            rest = &rest[consumed..];
            written += length;
        }
        Ok(written)
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        let mut stream = Compress::new(Compression::new(self.level), 0);
        let most = self.encoded_bound(decoded.len() as u64) as usize;
        encoded.reserve(most);
        loop {
            let rest = &decoded[stream.total_in() as usize..];
            match stream.compress_vec(rest, encoded, Action::Finish) {
                Ok(Status::StreamEnd) => return Ok(()),
                Ok(_) => encoded.reserve(most),
                Err(error) => return Err(CodecError::corrupt(NAME, error.to_string())),
            }
        }
    }
}
