//! `bitround`: numbers with fewer significant bits.

use lsio_array::DataType;

use crate::configuration::{Dialect, Members};
use crate::{ArrayCodec, ChunkContext, CodecError, Endian};

/// `bitround`: numbers with fewer significant bits.
///
/// Encoding rounds the mantissa of floats to the nearest of `keepbits` bits, ties to even; of integers the
/// bits from the highest that is set. There is nothing to undo.
///
/// - Specification: Zarr v3 extension "bitround codec"; numcodecs `bitround`, floats only.
/// - Names: v2 and v3 `bitround`, v3 `numcodecs.bitround`: `{"keepbits"}`.
///
/// ```
/// use lsio_array::DataType;
/// use lsio_codecs::{ChunkContext, Codec, codec_v3};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let context = ChunkContext { data_type: DataType::Float32, shape: vec![1] };
/// let configuration = serde_json::from_str(r#"{"keepbits": 3}"#)?;
/// let codec = codec_v3("bitround", &configuration, &context)?;
/// let Codec::ArrayToArray(codec) = codec else { return Err("it makes elements".into()) };
/// let mut encoded = Vec::new();
/// codec.encode(&1.234_567_9f32.to_ne_bytes(), &mut encoded)?;
/// assert_eq!(encoded, 1.25f32.to_ne_bytes());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BitRound {
    keep: u32,
    kind: Kind,
}

/// How the numbers of a data type are made of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    /// Bytes of one number.
    size: usize,
    /// Bits of the mantissa; `None` for integers.
    mantissa: Option<u32>,
}

impl BitRound {
    pub(crate) const NAME: &'static str = "bitround";

    /// From the configuration in metadata.
    pub(crate) fn from_members(
        mut members: Members<'_>,
        context: &ChunkContext,
    ) -> Result<Self, CodecError> {
        let keep = members.integer("keepbits", 0..=64)?;
        let keep =
            keep.ok_or_else(|| CodecError::configuration(Self::NAME, "'keepbits' is missing"))?;
        let kind = Kind::of(&context.data_type).ok_or_else(|| members.no_numbers(context))?;
        if members.dialect() != Dialect::V3 && kind.mantissa.is_none_or(|bits| keep > bits) {
            let reason = format!("{} has no {keep} bits of a mantissa", context.data_type);
            return Err(CodecError::configuration(Self::NAME, reason));
        }
        members.finish()?;
        Ok(Self { keep, kind })
    }

    /// Rounds one number, given as its bits.
    fn round(self, bits: u64) -> u64 {
        let width = self.kind.size as u32 * 8;
        let of_number = self.kind.mantissa.unwrap_or(u64::BITS - bits.leading_zeros());
        let Some(drop) = of_number.checked_sub(self.keep).filter(|&drop| drop > 0) else {
            return bits;
        };
        let most = u64::MAX >> (u64::BITS - width);
        // Ties go to the neighbour whose last bit is 0.
        let last = bits.checked_shr(drop).unwrap_or(0) & 1;
        let nearest = (1u64 << (drop - 1)) - 1 + last;
        let sum = match self.kind.mantissa {
            Some(_) => bits.wrapping_add(nearest),
            None => bits.saturating_add(nearest).min(most),
        };
        sum & most & u64::MAX.checked_shl(drop).unwrap_or(0)
    }
}

impl Kind {
    fn of(data_type: &DataType) -> Option<Self> {
        let (size, mantissa) = match data_type {
            DataType::Int8 | DataType::UInt8 => (1, None),
            DataType::Int16 | DataType::UInt16 => (2, None),
            DataType::Int32 | DataType::UInt32 => (4, None),
            DataType::Int64 | DataType::UInt64 => (8, None),
            DataType::Float16 => (2, Some(10)),
            DataType::Float32 | DataType::Complex64 => (4, Some(23)),
            DataType::Float64 | DataType::Complex128 => (8, Some(52)),
            _ => return None,
        };
        Some(Self { size, mantissa })
    }
}

impl ArrayCodec for BitRound {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn encoded_context(&self, decoded: &ChunkContext) -> Result<ChunkContext, CodecError> {
        Ok(decoded.clone())
    }

    fn decodes_to_itself(&self) -> bool {
        true
    }

    fn encoded_fill(&self, fill_value: &[u8]) -> Option<Vec<u8>> {
        let mut encoded = Vec::new();
        self.encode(fill_value, &mut encoded).ok()?;
        (encoded == fill_value).then_some(encoded)
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<(), CodecError> {
        decoded.copy_from_slice(encoded);
        Ok(())
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        encoded.reserve(decoded.len());
        for number in decoded.chunks_exact(self.kind.size) {
            let mut bits = [0; 8];
            let little = Endian::NATIVE == Endian::Little;
            for (index, &byte) in number.iter().enumerate() {
                bits[if little { index } else { self.kind.size - 1 - index }] = byte;
            }
            let mut bits = self.round(u64::from_le_bytes(bits)).to_le_bytes();
            let rounded = &mut bits[..self.kind.size];
            if !little {
                rounded.reverse();
            }
            encoded.extend_from_slice(rounded);
        }
        Ok(())
    }
}
