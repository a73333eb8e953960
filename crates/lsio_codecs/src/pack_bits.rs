//! `packbits`: elements that are not whole bytes, one behind the other.

use lsio_array::DataType;

use crate::bytes::swap_bytes;
use crate::configuration::Members;
use crate::{ArrayBytesCodec, ChunkContext, CodecError, Endian};

/// `packbits`: elements that are not whole bytes, one behind the other.
///
/// Of each number the bits from `first_bit` to `last_bit`, the least significant first, without gaps; the
/// last byte is filled up with zeros. The `packbits` of numcodecs is another codec ([`crate::PackBools`]),
/// with the most significant bit first.
///
/// - Specification: Zarr v3 extension "packbits codec".
/// - Names: v3 `packbits`, configuration `{"padding_encoding"?: "none" | "first_byte" | "last_byte",
///   "first_bit"?, "last_bit"?}`.
///
/// ```
/// use lsio_array::{DataType, Destination};
/// use lsio_codecs::{ChunkContext, CodecChain, codec_v3};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let context = ChunkContext { data_type: DataType::Bool, shape: vec![9] };
/// let codec = codec_v3("packbits", &serde_json::Map::new(), &context)?;
/// let chain = CodecChain::new(vec![codec], &context)?;
/// let mut decoded = [0; 9];
/// let mut scratch = vec![0; chain.scratch_len() as usize];
/// chain.decode(&[0b0000_0101, 1], Destination::Fixed(&mut decoded), &mut scratch)?;
/// assert_eq!(decoded, [1, 0, 1, 0, 0, 0, 0, 0, 1]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackBits {
    numbers: Numbers,
    first_bit: u32,
    /// Bits that are kept of each number.
    bits: u32,
    padding: Padding,
}

/// How the numbers of a data type lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Numbers {
    size: usize,
    bits: u32,
    is_signed: bool,
}

/// Where the number of bits that fill up the last byte is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Padding {
    None,
    FirstByte,
    LastByte,
}

impl PackBits {
    pub(crate) const NAME: &'static str = "packbits";

    /// From the configuration in metadata.
    pub(crate) fn from_members(
        mut members: Members<'_>,
        context: &ChunkContext,
    ) -> Result<Self, CodecError> {
        let padding = match members.string("padding_encoding")? {
            None | Some("none") => Padding::None,
            Some("first_byte") => Padding::FirstByte,
            Some("last_byte") => Padding::LastByte,
            Some(other) => {
                let reason = format!("'padding_encoding' is not known: \"{other}\"");
                return Err(CodecError::configuration(Self::NAME, reason));
            }
        };
        let numbers = Numbers::of(&context.data_type).ok_or_else(|| members.no_numbers(context))?;
        let last = numbers.bits - 1;
        let first_bit = members.nullable_integer("first_bit", 0..=last.into())?.unwrap_or(0);
        let last_bit =
            members.nullable_integer("last_bit", first_bit.into()..=last.into())?.unwrap_or(last);
        members.finish()?;
        Ok(Self { numbers, first_bit, bits: last_bit - first_bit + 1, padding })
    }

    /// Whole bytes of this many numbers, and the bits that fill up the last one.
    fn packed_len(&self, numbers: u64) -> (u64, u8) {
        let bits = u128::from(numbers) * u128::from(self.bits);
        (bits.div_ceil(8) as u64, (bits.next_multiple_of(8) - bits) as u8)
    }

    /// Bytes of the padding count.
    fn extra(&self) -> usize {
        usize::from(self.padding != Padding::None)
    }
}

impl Numbers {
    fn of(data_type: &DataType) -> Option<Self> {
        if let Some(part) = data_type.part() {
            return Self::of(&part);
        }
        let size = data_type.size()?;
        if let Some((bits, is_signed)) = data_type.bits_below_a_byte() {
            return Some(Self { size: 1, bits, is_signed });
        }
        let (size, bits, is_signed) = match data_type {
            DataType::Bool => (1, 1, false),
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::DateTime64(_)
            | DataType::TimeDelta64(_) => (size, 8 * size as u32, true),
            DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32
            | DataType::UInt64
            | DataType::Float16
            | DataType::Float32
            | DataType::Float64
            | DataType::Small(_) => (size, 8 * size as u32, false),
            _ => return None,
        };
        Some(Self { size, bits, is_signed })
    }
}

impl ArrayBytesCodec for PackBits {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn encoded_bound(&self, chunk: &ChunkContext) -> Result<u64, CodecError> {
        let size = chunk.data_type.size().unwrap_or(0) as u64;
        let numbers = chunk.element_count()? * size / self.numbers.size as u64;
        Ok(self.packed_len(numbers).0 + self.extra() as u64)
    }

    fn decode(
        &self,
        encoded: &[u8],
        decoded: &mut [u8],
        _scratch: &mut [u8],
    ) -> Result<(), CodecError> {
        let count = decoded.len() / self.numbers.size;
        let (packed_len, padding) = self.packed_len(count as u64);
        let (expected, actual) = (packed_len + self.extra() as u64, encoded.len() as u64);
        if actual < expected {
            return Err(CodecError::Truncated { codec: Self::NAME, expected, actual });
        } else if actual > expected {
            return Err(CodecError::Length { codec: Self::NAME, expected, actual });
        }
        let (stated, packed) = match self.padding {
            Padding::None => (None, encoded),
            Padding::FirstByte => (encoded.first(), &encoded[1..]),
            Padding::LastByte => (encoded.last(), &encoded[..encoded.len() - 1]),
        };
        if stated.is_some_and(|&stated| stated != padding) {
            return Err(CodecError::corrupt(Self::NAME, "the bits that fill up are miscounted"));
        }
        let mut packed = packed.iter();
        // Bits that were taken from `packed`, but not yet for a number: fewer than 8 between numbers.
        let (mut taken, mut available) = (0u128, 0);
        let unused = 64 - self.bits;
        for number in decoded.chunks_exact_mut(self.numbers.size) {
            while available < self.bits {
                taken |= u128::from(packed.next().copied().unwrap_or(0)) << available;
                available += 8;
            }
            let top = (taken as u64) << unused;
            let value = if self.numbers.is_signed {
                (top.cast_signed() >> unused).cast_unsigned()
            } else {
                top >> unused
            };
            number.copy_from_slice(&(value << self.first_bit).to_le_bytes()[..self.numbers.size]);
            taken >>= self.bits;
            available -= self.bits;
        }
        if Endian::NATIVE == Endian::Big {
            swap_bytes(self.numbers.size, decoded);
        }
        Ok(())
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        let (packed_len, padding) = self.packed_len((decoded.len() / self.numbers.size) as u64);
        encoded.reserve(packed_len as usize + self.extra());
        if self.padding == Padding::FirstByte {
            encoded.push(padding);
        }
        let (mut taken, mut available) = (0u128, 0);
        let mask = u64::MAX >> (64 - self.bits);
        for number in decoded.chunks_exact(self.numbers.size) {
            let mut value = [0; 8];
            value[..number.len()].copy_from_slice(number);
            if Endian::NATIVE == Endian::Big {
                value[..number.len()].reverse();
            }
            let value = u64::from_le_bytes(value) >> self.first_bit & mask;
            taken |= u128::from(value) << available;
            available += self.bits;
            while available >= 8 {
                encoded.push(taken as u8);
                taken >>= 8;
                available -= 8;
            }
        }
        if available > 0 {
            encoded.push(taken as u8);
        }
        if self.padding == Padding::LastByte {
            encoded.push(padding);
        }
        Ok(())
    }
}
