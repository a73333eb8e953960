//! `packbits` of numcodecs: bools as bits.

use lsio_array::DataType;

use crate::configuration::Members;
use crate::{ArrayCodec, ChunkContext, CodecError};

/// `packbits` of numcodecs: bools as bits.
///
/// A byte that counts the bits that fill up the last byte, then eight bools a byte, the first as the most
/// significant bit. Integers of one byte are bools too: masks are stored so; of others than 0 and 1 only 1 comes
/// back.
///
/// - Specification: numcodecs `packbits`.
/// - Names: v2 `packbits`, v3 `numcodecs.packbits`; no configuration.
///
/// ```
/// use lsio_array::DataType;
/// use lsio_codecs::{ChunkContext, Codec, codec_v2};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let context = ChunkContext { data_type: DataType::Bool, shape: vec![4] };
/// let codec = codec_v2("packbits", &serde_json::Map::new(), &context)?;
/// let Codec::ArrayToArray(codec) = codec else { return Err("it makes elements".into()) };
/// let mut decoded = [0; 4];
/// codec.decode(&[4, 0b1001_0000], &mut decoded)?;
/// assert_eq!(decoded, [1, 0, 0, 1]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackBools;

impl PackBools {
    pub(crate) const NAME: &'static str = "packbits";

    /// From the configuration in metadata.
    pub(crate) fn from_members(members: Members<'_>) -> Result<Self, CodecError> {
        members.finish()?;
        Ok(Self)
    }
}

/// Bits that fill up the last byte.
fn padding(count: usize) -> usize {
    count.next_multiple_of(8) - count
}

impl ArrayCodec for PackBools {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn encoded_context(&self, decoded: &ChunkContext) -> Result<ChunkContext, CodecError> {
        if ![DataType::Bool, DataType::Int8, DataType::UInt8].contains(&decoded.data_type) {
            let found = &decoded.data_type;
            let reason = format!("it is for bools and bytes as such, the chunk has {found}");
            return Err(CodecError::configuration(Self::NAME, reason));
        }
        let bytes = decoded.element_count()?.div_ceil(8) + 1;
        Ok(ChunkContext { data_type: DataType::UInt8, shape: vec![bytes] })
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<(), CodecError> {
        let Some((&stated, bytes)) = encoded.split_first() else {
            return Err(CodecError::Truncated { codec: Self::NAME, expected: 1, actual: 0 });
        };
        if usize::from(stated) != padding(decoded.len()) {
            let reason = format!("it states {stated} bits that fill up the last byte");
            return Err(CodecError::corrupt(Self::NAME, reason));
        }
        for (bools, &byte) in decoded.chunks_mut(8).zip(bytes) {
            for (index, value) in bools.iter_mut().enumerate() {
                *value = byte >> (7 - index) & 1;
            }
        }
        Ok(())
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        encoded.push(padding(decoded.len()) as u8);
        encoded.extend(decoded.chunks(8).map(|bools| {
            let bit = |(index, &value): (usize, &u8)| u8::from(value != 0) << (7 - index);
            bools.iter().enumerate().map(bit).sum::<u8>()
        }));
        Ok(())
    }
}
