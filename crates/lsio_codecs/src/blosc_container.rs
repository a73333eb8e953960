//! The container of c-blosc 1: its header and the blocks behind it.
//!
//! 16 bytes of header: version of the container (2), version of the compressor's format, flags, size
//! of an element, then as little-endian 32-bit numbers the decoded length, the block size and the
//! length of the container. Unless the container is stored, the offset of each block follows, then the
//! blocks. A block has one stream, or one per byte of an element; before each stream stands its length,
//! and one as long as what it decodes to is stored. (c-blosc 1.21, `README_HEADER.rst`.)

use crate::CodecError;
use crate::shuffle::Shuffle;

/// Name of the codec.
pub(crate) const NAME: &str = "blosc";

/// Bytes of the header.
pub(crate) const HEADER_LEN: usize = 16;

/// The one version of the container.
pub(crate) const VERSION: u8 = 2;

/// Flag: the bytes of elements are shuffled.
pub(crate) const BYTE_SHUFFLED: u8 = 0x01;

/// Flag: the container is the bytes as they are behind a header.
pub(crate) const STORED: u8 = 0x02;

/// Flag: the bits of elements are shuffled.
pub(crate) const BIT_SHUFFLED: u8 = 0x04;

/// Flag that no version has given a meaning.
const RESERVED: u8 = 0x08;

/// Flag: each block has one stream.
pub(crate) const ONE_STREAM: u8 = 0x10;

/// Place of the compressor's number in the flags.
pub(crate) const COMPRESSOR_SHIFT: u32 = 5;

/// Largest element whose bytes are compressed in streams of their own.
pub(crate) const MOST_STREAMS: u32 = 16;

/// Fewest elements of a block whose bytes are compressed in streams of their own.
const LEAST_STREAM_LEN: u32 = 128;

/// Longest container, and most bytes of its contents behind a header: `BLOSC_MAX_BUFFERSIZE`.
const MAX_LEN: u32 = i32::MAX as u32;

/// The header, found to be consistent with itself and with the length of the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) format_version: u8,
    pub(crate) flags: u8,
    pub(crate) typesize: u32,
    pub(crate) decoded_len: u32,
    pub(crate) block_len: u32,
}

impl Header {
    /// Reads the header of a container that takes all of `encoded`.
    pub(crate) fn parse(encoded: &[u8]) -> Result<Self, CodecError> {
        let actual = encoded.len() as u64;
        let Some(header) = encoded.first_chunk::<HEADER_LEN>() else {
            let expected = HEADER_LEN as u64;
            return Err(CodecError::Truncated { codec: NAME, expected, actual });
        };
        let [version, format_version, flags, typesize, lengths @ ..] = *header;
        let number = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| lengths[at + byte]));
        let (decoded_len, block_len, encoded_len) = (number(0), number(4), number(8));
        if version != VERSION || flags & RESERVED != 0 {
            return Err(CodecError::corrupt(NAME, "its header is of an unknown version"));
        }
        if u64::from(encoded_len) > actual {
            let expected = u64::from(encoded_len);
            return Err(CodecError::Truncated { codec: NAME, expected, actual });
        }
        if u64::from(encoded_len) < actual {
            let rest = actual - u64::from(encoded_len);
            return Err(CodecError::corrupt(NAME, format!("{rest} bytes follow the container")));
        }
        let header =
            Self { format_version, flags, typesize: typesize.into(), decoded_len, block_len };
        header.check(encoded_len)?;
        Ok(header)
    }

    fn check(self, encoded_len: u32) -> Result<(), CodecError> {
        let header_len = HEADER_LEN as u32;
        let invalid = |reason: &'static str| Err(CodecError::corrupt(NAME, reason));
        if self.decoded_len == 0 {
            // What follows means nothing without a block.
            return if encoded_len == header_len {
                Ok(())
            } else {
                invalid("it states no decoded bytes, but has encoded ones")
            };
        }
        if encoded_len > MAX_LEN || self.decoded_len > MAX_LEN - header_len {
            return invalid("it is longer than a container may be");
        }
        if self.typesize == 0 || self.block_len == 0 || self.block_len > self.decoded_len {
            return invalid("the sizes in its header contradict each other");
        }
        if self.is_stored() {
            let stored_len = self.decoded_len.checked_add(header_len);
            return if stored_len == Some(encoded_len) {
                Ok(())
            } else {
                invalid("it is stored, but not as long as what it decodes to")
            };
        }
        // Streams of equal length only cover a block that has whole elements.
        if self.streams(self.block_len) > 1 && !self.block_len.is_multiple_of(self.typesize) {
            return invalid("its blocks do not hold whole elements");
        }
        if u64::from(self.block_count()) * 4 > u64::from(encoded_len - header_len) {
            return invalid("it ends inside the offsets of its blocks");
        }
        Ok(())
    }

    /// Whether the bytes stand behind the header as they are.
    pub(crate) fn is_stored(self) -> bool {
        self.flags & STORED != 0
    }

    /// The filter before the compressor.
    pub(crate) fn shuffle(self) -> Shuffle {
        if self.flags & BYTE_SHUFFLED != 0 && self.typesize > 1 {
            Shuffle::Byte
        } else if self.flags & BIT_SHUFFLED != 0 {
            Shuffle::Bit
        } else {
            Shuffle::None
        }
    }

    /// Number of the compressor's format.
    pub(crate) fn compressor(self) -> u8 {
        self.flags >> COMPRESSOR_SHIFT
    }

    /// Number of blocks.
    pub(crate) fn block_count(self) -> u32 {
        self.decoded_len.div_ceil(self.block_len)
    }

    /// Number of streams in a block of this decoded length; the last block of a container may be
    /// shorter than the others and then has one.
    pub(crate) fn streams(self, block_len: u32) -> u32 {
        let split = self.flags & ONE_STREAM == 0
            && self.typesize <= MOST_STREAMS
            && block_len == self.block_len
            && self.block_len / self.typesize >= LEAST_STREAM_LEN;
        if split { self.typesize } else { 1 }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn container(
        flags: u8,
        typesize: u8,
        decoded_len: u32,
        block_len: u32,
        body: usize,
    ) -> Vec<u8> {
        let mut bytes = vec![VERSION, 1, flags, typesize];
        for number in [decoded_len, block_len, (HEADER_LEN + body) as u32] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.resize(HEADER_LEN + body, 0);
        bytes
    }

    #[test]
    fn a_stored_container_is_as_long_as_its_contents() {
        assert!(Header::parse(&container(STORED, 4, 100, 100, 100)).is_ok());
        assert!(Header::parse(&container(STORED, 4, 100, 100, 99)).is_err());
        assert!(Header::parse(&container(STORED, 4, u32::MAX, 100, 100)).is_err());
    }

    #[test]
    fn sizes_that_contradict_each_other_are_refused() {
        assert!(Header::parse(&container(0, 4, 1000, 500, 50)).is_ok());
        assert!(Header::parse(&container(0, 0, 1000, 500, 50)).is_err());
        assert!(Header::parse(&container(0, 4, 1000, 0, 50)).is_err());
        assert!(Header::parse(&container(0, 4, 1000, 1001, 50)).is_err());
        assert!(Header::parse(&container(0, 4, 1000, 10, 50)).is_err());
        assert!(Header::parse(&container(0, 3, 2000, 1000, 50)).is_err());
        assert!(Header::parse(&container(ONE_STREAM, 3, 2000, 1000, 50)).is_ok());
    }

    #[test]
    fn the_container_takes_exactly_the_bytes_at_hand() {
        let mut bytes = container(STORED, 1, 10, 10, 10);
        assert!(matches!(
            Header::parse(&bytes[..25]),
            Err(CodecError::Truncated { expected: 26, .. })
        ));
        assert!(matches!(
            Header::parse(&bytes[..9]),
            Err(CodecError::Truncated { expected: 16, .. })
        ));
        bytes.push(0);
        assert!(matches!(Header::parse(&bytes), Err(CodecError::Corrupt { .. })));
    }

    #[test]
    fn only_whole_blocks_of_enough_small_elements_are_split() {
        let header = Header::parse(&container(0, 4, 2000, 800, 50)).unwrap();
        assert_eq!((header.streams(800), header.streams(400), header.block_count()), (4, 1, 3));
        let header = Header::parse(&container(ONE_STREAM, 4, 2000, 800, 50)).unwrap();
        assert_eq!(header.streams(800), 1);
    }
}
