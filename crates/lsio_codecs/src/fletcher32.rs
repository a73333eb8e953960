//! `fletcher32`: the checksum of HDF5 behind the bytes, verified at every decode.

use crate::configuration::Members;
use crate::{Checksum, ChecksumLocation, CodecError};

/// Words after which the sums are folded: with the most that a fold leaves in them (65,896 and 131,070)
/// `n * (n + 1) / 2 * 65535` more still fit into 32 bits.
const WORDS_BEFORE_FOLD: usize = 360;

/// `fletcher32`: the checksum of HDF5 behind the bytes, verified at every decode.
///
/// Two sums modulo 65535 over words of 16 bits, big-endian; a last single byte is the upper half of a
/// word. The second sum, then the first, make 32 bits, which stand behind the bytes, little-endian. It is
/// not the checksum that is elsewhere called Fletcher-32, which takes little-endian words.
///
/// - Specification: HDF5 file format, "Fletcher32 filter"; numcodecs `fletcher32`.
/// - Names: v2 and v3 `fletcher32`, v3 `numcodecs.fletcher32`; no configuration.
///
/// ```
/// use lsio_codecs::{BytesCodec, CodecError, Fletcher32};
///
/// # fn main() -> Result<(), CodecError> {
/// let mut encoded = Vec::new();
/// Fletcher32.encode(&[0, 1, 0, 2], &mut encoded)?;
/// assert_eq!(encoded, [0, 1, 0, 2, 3, 0, 4, 0]);
/// assert_eq!(Fletcher32.payload(&encoded)?, Some([0, 1, 0, 2].as_slice()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fletcher32;

impl Fletcher32 {
    /// From the configuration in metadata.
    pub(crate) fn from_members(members: Members<'_>) -> Result<Self, CodecError> {
        members.finish()?;
        Ok(Self)
    }
}

impl Checksum for Fletcher32 {
    const NAME: &'static str = "fletcher32";

    fn location(&self) -> ChecksumLocation {
        ChecksumLocation::End
    }

    fn checksum(&self, bytes: &[u8]) -> u32 {
        let (mut first, mut second) = (0u32, 0u32);
        let (words, last) = bytes.as_chunks::<2>();
        for words in words.chunks(WORDS_BEFORE_FOLD) {
            for &word in words {
                first += u32::from(u16::from_be_bytes(word));
                second += first;
            }
            (first, second) = (fold(first), fold(second));
        }
        if let [last] = *last {
            first += u32::from(u16::from_be_bytes([last, 0]));
            second += first;
            (first, second) = (fold(first), fold(second));
        }
        fold(second) << 16 | fold(first)
    }
}

/// A number that is equal modulo 65535, of 17 bits; of 16 if it had no more than 17 before.
fn fold(sum: u32) -> u32 {
    (sum & 0xffff) + (sum >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_definition() {
        for len in [0usize, 1, 2, 3, 719, 720, 721, 722, 5000, 200_001] {
            let bytes: Vec<u8> = (0..len).map(|i| (255 - i * 7 % 64) as u8).collect();
            let (mut first, mut second) = (0u64, 0u64);
            for word in bytes.chunks(2) {
                first += u64::from(word[0]) << 8 | word.get(1).map_or(0, |&low| u64::from(low));
                second += first;
            }
            let sum = Fletcher32.checksum(&bytes);
            assert_eq!(u64::from(sum & 0xffff) % 65535, first % 65535, "{len}");
            assert_eq!(u64::from(sum >> 16) % 65535, second % 65535, "{len}");
        }
    }
}
