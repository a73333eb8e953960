//! `shuffle`: the bytes of equal significance of all elements side by side.

use crate::configuration::{Dialect, Members};
use crate::unshuffle::{Planes, unshuffle_bytes};
use crate::{BytesCodec, ChunkContext, CodecError, Shuffle};

const NAME: &str = "shuffle";

/// Element size where numcodecs' configuration has none.
const DEFAULT_ELEMENT_SIZE: u64 = 4;

/// `shuffle`: the bytes of equal significance of all elements side by side.
///
/// It is a filter of its own; [`crate::Blosc`] has one inside. Bytes at the end that are less than an
/// element stay where they are, as in HDF5 (numcodecs refuses them).
///
/// - Specification: HDF5 file format, "Shuffle filter"; numcodecs `shuffle`.
/// - Names: v2 and v3 `shuffle`, v3 `numcodecs.shuffle`: `{"elementsize"?: 0..=4294967295}`. Where it is
///   absent it is 4 in v2, the size of the chunk's elements in v3; nothing is shuffled below 2.
///
/// ```
/// use lsio_codecs::{ByteShuffle, BytesCodec};
///
/// # fn main() -> Result<(), lsio_codecs::CodecError> {
/// let shuffle = ByteShuffle::new(2);
/// let mut encoded = Vec::new();
/// shuffle.encode(&[1, 2, 3, 4, 5, 6, 7], &mut encoded)?;
/// assert_eq!(encoded, [1, 3, 5, 2, 4, 6, 7]);
/// let mut decoded = [0; 7];
/// shuffle.decode_exact(&encoded, &mut decoded)?;
/// assert_eq!(decoded, [1, 2, 3, 4, 5, 6, 7]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteShuffle {
    element_size: usize,
}

impl ByteShuffle {
    /// For elements of this many bytes; nothing is shuffled below 2.
    #[must_use]
    pub fn new(element_size: usize) -> Self {
        Self { element_size: element_size.max(1) }
    }

    /// From the configuration in metadata.
    pub(crate) fn from_members(
        mut members: Members<'_>,
        context: &ChunkContext,
    ) -> Result<Self, CodecError> {
        let stated = members.integer::<u64>("elementsize", 0..=u32::MAX.into())?;
        let default = match context.data_type.size() {
            Some(size) if members.dialect() != Dialect::V2 => size as u64,
            _ => DEFAULT_ELEMENT_SIZE,
        };
        members.finish()?;
        Ok(Self::new(stated.unwrap_or(default) as usize))
    }
}

impl BytesCodec for ByteShuffle {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encoded_bound(&self, decoded_len: u64) -> u64 {
        decoded_len
    }

    fn has_known_len(&self) -> bool {
        true
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<usize, CodecError> {
        let (needed, limit) = (encoded.len() as u64, decoded.len() as u64);
        let decoded = decoded.get_mut(..encoded.len()).ok_or(CodecError::TooLarge {
            codec: NAME,
            needed,
            limit,
        })?;
        let whole = encoded.len() - encoded.len() % self.element_size;
        let (block, rest) = decoded.split_at_mut(whole);
        rest.copy_from_slice(&encoded[whole..]);
        if self.element_size == 1 {
            block.copy_from_slice(encoded);
        } else {
            let planes = Planes::joined(&encoded[..whole], whole / self.element_size);
            unshuffle_bytes(self.element_size, planes, block);
        }
        Ok(encoded.len())
    }

    fn stated_len(&self, encoded: &[u8]) -> Option<u64> {
        Some(encoded.len() as u64)
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        let start = encoded.len();
        encoded.resize(start + decoded.len(), 0);
        Shuffle::Byte.shuffle(self.element_size, decoded, &mut encoded[start..]);
        Ok(())
    }
}
