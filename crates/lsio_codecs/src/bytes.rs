//! `bytes`: elements of fixed size, one after the other, in a stated byte order.

use lsio_array::{DataType, Endian, StructField};

use crate::configuration::Members;
#[cfg(target_arch = "x86_64")]
use crate::unsafe_swap_avx2;
use crate::{ChunkContext, CodecError};

/// `bytes`: elements of fixed size, one after the other, in a stated byte order.
///
/// - Specification: Zarr v3 codecs, "bytes codec", version 1.0.
/// - Names: v3 `bytes` (in drafts `endian`), configuration `{"endian": "little" | "big"}`, absent for
///   elements of one byte; v2: the first character of the data type, made with [`Bytes::new`]. Structs
///   without an `endian` are little-endian, as the extension `structured` says; fields that state an order
///   of their own (v2) have that.
///
/// ```
/// use lsio_array::{DataType, Destination};
/// use lsio_codecs::{Bytes, ChunkContext, Codec, CodecChain, Endian, Serializer};
///
/// # fn main() -> Result<(), lsio_codecs::CodecError> {
/// let context = ChunkContext { data_type: DataType::Int16, shape: vec![2] };
/// let bytes = Codec::ArrayToBytes(Serializer::Bytes(Bytes::new(Endian::Big)));
/// let chain = CodecChain::new(vec![bytes], &context)?;
/// let mut decoded = [0; 4];
/// chain.decode(&[0, 1, 255, 254], Destination::Fixed(&mut decoded), &mut [])?;
/// assert_eq!(decoded[..2], 1i16.to_ne_bytes());
/// assert_eq!(decoded[2..], (-2i16).to_ne_bytes());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes {
    endian: Endian,
}

impl Bytes {
    /// Name of the codec.
    pub(crate) const NAME: &'static str = "bytes";

    /// Elements in this byte order, which means nothing to elements of one byte.
    #[must_use]
    pub fn new(endian: Endian) -> Self {
        Self { endian }
    }

    /// From the configuration in Zarr v3 metadata.
    pub(crate) fn from_members(
        mut members: Members<'_>,
        context: &ChunkContext,
    ) -> Result<Self, CodecError> {
        let endian = match members.string("endian")? {
            Some("little") => Endian::Little,
            Some("big") => Endian::Big,
            Some(other) => {
                let reason = format!("'endian' must be \"little\" or \"big\", not \"{other}\"");
                return Err(CodecError::configuration(Self::NAME, reason));
            }
            None if context.data_type.endian_unit() == 1 => Endian::NATIVE,
            None if matches!(context.data_type, DataType::Struct(_)) => Endian::Little,
            None => {
                let reason = format!("'endian' is missing, {} needs it", context.data_type);
                return Err(CodecError::configuration(Self::NAME, reason));
            }
        };
        members.finish()?;
        Ok(Self { endian })
    }

    /// The stored byte order.
    #[must_use]
    pub fn endian(self) -> Endian {
        self.endian
    }

    /// Whether elements must be swapped between memory and store.
    pub(crate) fn swaps(self, data_type: &DataType) -> bool {
        match data_type {
            DataType::Struct(record) => {
                record.fields().any(|(_, field)| self.of(field).swaps(&field.data_type))
            }
            other => self.endian != Endian::NATIVE && other.endian_unit() > 1,
        }
    }

    /// The codec for a field of a record.
    fn of(self, field: &StructField) -> Self {
        Self::new(field.stored_order.unwrap_or(self.endian))
    }

    /// Makes elements in memory representation of the stored bytes that `elements` holds.
    ///
    /// # Errors
    /// [`CodecError::Corrupt`] for a bool that is none.
    pub fn decode_in_place(
        self,
        data_type: &DataType,
        elements: &mut [u8],
    ) -> Result<(), CodecError> {
        if let DataType::Struct(record) = data_type {
            if self.is_identity(data_type) {
                return Ok(());
            }
            for element in elements.chunks_exact_mut(record.size()) {
                for (bytes, field) in record.fields() {
                    self.of(field).decode_in_place(&field.data_type, &mut element[bytes])?;
                }
            }
            return Ok(());
        }
        if self.swaps(data_type) {
            swap_bytes(data_type.endian_unit(), elements);
        }
        if let Some((bits, signed)) = data_type.bits_below_a_byte() {
            extend_bits(bits, signed, elements);
        }
        if *data_type == DataType::Bool { Self::check_bools(elements) } else { Ok(()) }
    }

    /// Makes stored bytes of the elements in memory representation that `elements` holds.
    pub(crate) fn encode_in_place(self, data_type: &DataType, elements: &mut [u8]) {
        match data_type {
            DataType::Struct(record) => {
                for element in elements.chunks_exact_mut(record.size()) {
                    for (bytes, field) in record.fields() {
                        self.of(field).encode_in_place(&field.data_type, &mut element[bytes]);
                    }
                }
            }
            other if self.swaps(other) => swap_bytes(other.endian_unit(), elements),
            _ => {}
        }
    }

    /// Checks that elements are bools.
    pub(crate) fn check_bools(elements: &[u8]) -> Result<(), CodecError> {
        // An `or` of all bytes: one pass that the compiler can vectorize.
        if elements.iter().fold(0, |seen, &byte| seen | byte) > 1 {
            return Err(CodecError::corrupt(Self::NAME, "a bool is neither 0 nor 1"));
        }
        Ok(())
    }

    /// Whether stored elements are the elements in memory, byte by byte, whatever the bytes are.
    pub(crate) fn is_identity(self, data_type: &DataType) -> bool {
        if let DataType::Struct(record) = data_type {
            return record.fields().all(|(_, field)| self.of(field).is_identity(&field.data_type));
        }
        // Bytes of a bool are checked.
        !self.swaps(data_type)
            && *data_type != DataType::Bool
            && data_type.bits_below_a_byte().is_none()
    }
}

/// Makes the number in the lowest bits of each byte the number of the whole byte.
fn extend_bits(bits: u32, signed: bool, bytes: &mut [u8]) {
    let unused = 8 - bits;
    for byte in bytes {
        let top = *byte << unused;
        *byte = if signed { (top.cast_signed() >> unused).cast_unsigned() } else { top >> unused };
    }
}

/// Reverses the bytes of each group of `unit` bytes.
pub(crate) fn swap_bytes(unit: usize, bytes: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    if unsafe_swap_avx2::swap_bytes(unit, bytes) {
        return;
    }
    swap_each(unit, bytes);
}

/// As [`swap_bytes`], with the instructions that the caller is compiled for.
#[expect(clippy::inline_always, reason = "else it is compiled for the baseline CPU")]
#[inline(always)]
pub(crate) fn swap_each(unit: usize, bytes: &mut [u8]) {
    match unit {
        2 => {
            for group in bytes.as_chunks_mut::<2>().0 {
                group.reverse();
            }
        }
        4 => {
            for group in bytes.as_chunks_mut::<4>().0 {
                group.reverse();
            }
        }
        8 => {
            for group in bytes.as_chunks_mut::<8>().0 {
                group.reverse();
            }
        }
        _ => {}
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::configuration::Dialect;

    fn read(text: &str, data_type: DataType) -> Result<Bytes, CodecError> {
        let map = serde_json::from_str(text).unwrap();
        let context = ChunkContext { data_type, shape: vec![] };
        Bytes::from_members(Members::new(Bytes::NAME, Dialect::V3, &map), &context)
    }

    #[test]
    fn endian_is_needed_only_where_it_means_something() {
        assert_eq!(read(r#"{"endian":"big"}"#, DataType::Int16).unwrap().endian(), Endian::Big);
        assert!(read("{}", DataType::Int8).is_ok());
        assert!(read("{}", DataType::Bool).is_ok());
        let error = read("{}", DataType::Complex64).unwrap_err();
        assert!(error.to_string().contains("'endian' is missing"), "{error}");
        assert!(read(r#"{"endian":"middle"}"#, DataType::Int8).is_err());
        assert!(read(r#"{"endian":1}"#, DataType::Int8).is_err());
    }

    #[test]
    fn complex_numbers_are_swapped_per_part() {
        let mut bytes: Vec<u8> = (0..16).collect();
        swap_bytes(DataType::Complex64.endian_unit(), &mut bytes);
        assert_eq!(bytes, [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12]);
        swap_bytes(DataType::Complex128.endian_unit(), &mut bytes);
        assert_eq!(bytes[..8], [4, 5, 6, 7, 0, 1, 2, 3]);
    }

    #[test]
    fn swapping_reverses_each_group_at_every_length() {
        for unit in [2, 4, 8] {
            for count in 0..200 {
                let bytes: Vec<u8> = (0..unit * count).map(|i| (i % 251) as u8).collect();
                let expected: Vec<u8> = bytes
                    .chunks_exact(unit)
                    .flat_map(|group| group.iter().rev().copied())
                    .collect();
                for swap in [swap_bytes, swap_each] {
                    let mut swapped = bytes.clone();
                    swap(unit, &mut swapped);
                    assert_eq!(swapped, expected, "{unit} {count}");
                }
            }
        }
    }

    #[test]
    fn upper_bits_of_narrow_numbers_are_ignored() {
        let bytes = Bytes::new(Endian::Big);
        for (name, expected) in [
            ("int2", [0xff, 0xfe, 0x01, 0x00]),
            ("int4", [0xff, 0xfa, 0x05, 0xf8]),
            ("uint2", [0x03, 0x02, 0x01, 0x00]),
            ("uint4", [0x0f, 0x0a, 0x05, 0x08]),
            ("float6_e2m3fn", [0x3f, 0x1a, 0x25, 0x28]),
            ("complex_float4_e2m1fn", [0x0f, 0x0a, 0x05, 0x08]),
        ] {
            let data_type = DataType::from_name(name).unwrap();
            let mut elements = [0xff, 0x5a, 0xa5, 0x68];
            bytes.decode_in_place(&data_type, &mut elements).unwrap();
            assert_eq!(elements, expected, "{name}");
            assert!(!bytes.is_identity(&data_type));
        }
    }

    #[test]
    fn a_bool_beyond_one_is_refused() {
        let bytes = Bytes::new(Endian::Little);
        assert!(bytes.decode_in_place(&DataType::Bool, &mut [0, 1, 1]).is_ok());
        assert!(bytes.decode_in_place(&DataType::Bool, &mut [0, 2, 1]).is_err());
        assert!(bytes.decode_in_place(&DataType::UInt8, &mut [0, 2, 1]).is_ok());
    }
}
