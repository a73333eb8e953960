//! The data types that chunks are decoded to.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::{SmallFloat, StructType, TimeStep};

/// Type of one element, by its Zarr v3 name. Elements in memory are in native byte order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DataType {
    /// One byte, 0 or 1.
    Bool,
    /// Signed, 2 bits; one byte in memory.
    Int2,
    /// Signed, 4 bits; one byte in memory.
    Int4,
    /// Signed, 8 bits.
    Int8,
    /// Signed, 16 bits.
    Int16,
    /// Signed, 32 bits.
    Int32,
    /// Signed, 64 bits.
    Int64,
    /// Unsigned, 2 bits; one byte in memory.
    UInt2,
    /// Unsigned, 4 bits; one byte in memory.
    UInt4,
    /// Unsigned, 8 bits.
    UInt8,
    /// Unsigned, 16 bits.
    UInt16,
    /// Unsigned, 32 bits.
    UInt32,
    /// Unsigned, 64 bits.
    UInt64,
    /// IEEE 754 binary16.
    Float16,
    /// IEEE 754 binary32.
    Float32,
    /// IEEE 754 binary64.
    Float64,
    /// A float of at most 16 bits that hardware does not know.
    Small(SmallFloat),
    /// Two binary16: real, imaginary.
    ComplexFloat16,
    /// Two binary32: real, imaginary.
    Complex64,
    /// Two binary64: real, imaginary.
    Complex128,
    /// Two small floats: real, imaginary.
    ComplexSmall(SmallFloat),
    /// Steps since 1970-01-01 as 64 bits, signed; the smallest number is no time.
    DateTime64(TimeStep),
    /// Steps as 64 bits, signed; the smallest number is no duration.
    TimeDelta64(TimeStep),
    /// Code points of 32 bits each, padded with zeros at the end.
    FixedLengthUtf32 {
        /// Most code points.
        length: usize,
    },
    /// Bytes, padded with zeros at the end.
    NullTerminatedBytes {
        /// Most bytes.
        length: usize,
    },
    /// Bytes without a meaning.
    RawBytes {
        /// Their number.
        length: usize,
    },
    /// Records of named fields.
    Struct(Arc<StructType>),
    /// UTF-8 text of any length.
    String,
    /// Bytes of any number.
    VariableLengthBytes,
    /// Values as JSON texts, in which numbers may be the words `NaN`, `Infinity` and `-Infinity`. Zarr v3 has no
    /// such type; in v2 it is what some filters make of objects.
    Json,
}

/// Data types that have neither parameters nor a table of their own.
const PLAIN: [(DataType, &str); 21] = [
    (DataType::Bool, "bool"),
    (DataType::Int2, "int2"),
    (DataType::Int4, "int4"),
    (DataType::Int8, "int8"),
    (DataType::Int16, "int16"),
    (DataType::Int32, "int32"),
    (DataType::Int64, "int64"),
    (DataType::UInt2, "uint2"),
    (DataType::UInt4, "uint4"),
    (DataType::UInt8, "uint8"),
    (DataType::UInt16, "uint16"),
    (DataType::UInt32, "uint32"),
    (DataType::UInt64, "uint64"),
    (DataType::Float16, "float16"),
    (DataType::Float32, "float32"),
    (DataType::Float64, "float64"),
    (DataType::ComplexFloat16, "complex_float16"),
    (DataType::Complex64, "complex64"),
    (DataType::Complex128, "complex128"),
    (DataType::String, "string"),
    (DataType::VariableLengthBytes, "variable_length_bytes"),
];

impl DataType {
    /// Most bytes of one element: 16 MiB, which leaves room for a record with a field that is an image. A fill
    /// value of that size is made when an array is opened, whatever its metadata weighs, so it is far below the
    /// 2 GiB that `NumPy` takes.
    pub const MAX_SIZE: usize = 16 << 20;

    /// Every data type that its name alone describes.
    pub fn without_parameters() -> impl Iterator<Item = Self> {
        let small = SmallFloat::ALL.into_iter();
        let small = small.flat_map(|float| [Self::Small(float), Self::ComplexSmall(float)]);
        PLAIN.into_iter().map(|(data_type, _)| data_type).chain(small)
    }

    /// Bytes of one element; `None` where elements vary in length.
    #[must_use]
    pub fn size(&self) -> Option<usize> {
        Some(match self {
            Self::Bool
            | Self::Int2
            | Self::Int4
            | Self::Int8
            | Self::UInt2
            | Self::UInt4
            | Self::UInt8 => 1,
            Self::Int16 | Self::UInt16 | Self::Float16 => 2,
            Self::Int32 | Self::UInt32 | Self::Float32 | Self::ComplexFloat16 => 4,
            Self::Int64
            | Self::UInt64
            | Self::Float64
            | Self::Complex64
            | Self::DateTime64(_)
            | Self::TimeDelta64(_) => 8,
            Self::Complex128 => 16,
            Self::Small(float) => float.size(),
            Self::ComplexSmall(float) => 2 * float.size(),
            Self::FixedLengthUtf32 { length } => length.saturating_mul(4),
            Self::NullTerminatedBytes { length } | Self::RawBytes { length } => *length,
            Self::Struct(record) => record.size(),
            Self::String | Self::VariableLengthBytes | Self::Json => return None,
        })
    }

    /// The type of the two parts of a complex number.
    #[must_use]
    pub fn part(&self) -> Option<Self> {
        match self {
            Self::ComplexFloat16 => Some(Self::Float16),
            Self::Complex64 => Some(Self::Float32),
            Self::Complex128 => Some(Self::Float64),
            Self::ComplexSmall(float) => Some(Self::Small(*float)),
            _ => None,
        }
    }

    /// Bytes of the part of an element that has a byte order: the element itself, one of the two
    /// parts of a complex number, or one code point. 1 where order means nothing. Of a struct, the largest
    /// one of its fields.
    #[must_use]
    pub fn endian_unit(&self) -> usize {
        match self {
            Self::FixedLengthUtf32 { .. } => 4,
            Self::NullTerminatedBytes { .. } | Self::RawBytes { .. } => 1,
            Self::Struct(record) => {
                record.fields().map(|(_, field)| field.data_type.endian_unit()).max().unwrap_or(1)
            }
            other => match other.part() {
                Some(part) => part.size(),
                None => other.size(),
            }
            .unwrap_or(1),
        }
    }

    /// Where fewer than 8 bits of a stored byte count: how many, and whether the topmost of them is a
    /// sign. The byte in memory is the same number, sign-extended.
    #[must_use]
    pub fn bits_below_a_byte(&self) -> Option<(u32, bool)> {
        match self {
            Self::Int2 => Some((2, true)),
            Self::Int4 => Some((4, true)),
            Self::UInt2 => Some((2, false)),
            Self::UInt4 => Some((4, false)),
            Self::Small(float) | Self::ComplexSmall(float) => {
                Some((float.bits(), false)).filter(|(bits, _)| *bits < 8)
            }
            _ => None,
        }
    }

    /// Whether elements are real numbers.
    #[must_use]
    pub fn is_number(&self) -> bool {
        self.is_float()
            || matches!(
                self,
                Self::Bool
                    | Self::Int2
                    | Self::Int4
                    | Self::Int8
                    | Self::Int16
                    | Self::Int32
                    | Self::Int64
                    | Self::UInt2
                    | Self::UInt4
                    | Self::UInt8
                    | Self::UInt16
                    | Self::UInt32
                    | Self::UInt64
            )
    }

    /// Whether elements are floating-point numbers.
    #[must_use]
    pub fn is_float(&self) -> bool {
        matches!(self, Self::Float16 | Self::Float32 | Self::Float64 | Self::Small(_))
    }

    /// The Zarr v3 name, without parameters that are in its configuration.
    #[must_use]
    pub fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Small(float) => float.name(),
            Self::ComplexSmall(float) => float.complex_name(),
            Self::DateTime64(_) => "numpy.datetime64",
            Self::TimeDelta64(_) => "numpy.timedelta64",
            Self::FixedLengthUtf32 { .. } => "fixed_length_utf32",
            Self::NullTerminatedBytes { .. } => "null_terminated_bytes",
            Self::Struct(_) => "struct",
            Self::Json => "json",
            Self::RawBytes { length } => return format!("r{}", *length as u64 * 8).into(),
            plain => PLAIN.iter().find(|(known, _)| known == plain).map_or("", |(_, name)| name),
        })
    }

    /// The data type that this Zarr v3 name alone describes.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            // The registry has these names for what the core specification names otherwise.
            "complex_float32" => return Some(Self::Complex64),
            "complex_float64" => return Some(Self::Complex128),
            "bytes" => return Some(Self::VariableLengthBytes),
            _ => {}
        }
        if let Some(bits) = name.strip_prefix('r')
            && bits.starts_with(|digit: char| digit.is_ascii_digit() && digit != '0')
        {
            let bits = bits.parse::<u64>().ok().filter(|bits| bits % 8 == 0)?;
            let length = usize::try_from(bits / 8).ok()?;
            return (length <= Self::MAX_SIZE).then_some(Self::RawBytes { length });
        }
        Self::without_parameters().find(|data_type| data_type.name() == name)
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())?;
        match self {
            Self::DateTime64(step) | Self::TimeDelta64(step) => write!(f, "[{step}]"),
            Self::FixedLengthUtf32 { length } | Self::NullTerminatedBytes { length } => {
                write!(f, "[{length}]")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_again() {
        for data_type in DataType::without_parameters() {
            assert!(!data_type.name().is_empty(), "{data_type:?}");
            assert_eq!(DataType::from_name(&data_type.name()), Some(data_type));
        }
        assert_eq!(DataType::from_name("r24"), Some(DataType::RawBytes { length: 3 }));
        assert_eq!(DataType::RawBytes { length: 3 }.name(), "r24");
        let longest = DataType::RawBytes { length: DataType::MAX_SIZE };
        assert_eq!(DataType::from_name("r134217728"), Some(longest));
        assert_eq!(DataType::from_name("complex_float32"), Some(DataType::Complex64));
        assert_eq!(DataType::from_name("bytes"), Some(DataType::VariableLengthBytes));
        for name in ["float8", "r", "r0", "r7", "r08", "r-8", "r134217736", "r1e3", ""] {
            assert_eq!(DataType::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn parts_of_elements_have_a_byte_order() {
        for (data_type, size, unit) in [
            (DataType::Complex128, 16, 8),
            (DataType::ComplexFloat16, 4, 2),
            (DataType::Small(SmallFloat::BFloat16), 2, 2),
            (DataType::ComplexSmall(SmallFloat::Float8E5M2), 2, 1),
            (DataType::FixedLengthUtf32 { length: 3 }, 12, 4),
            (DataType::NullTerminatedBytes { length: 8 }, 8, 1),
            (DataType::RawBytes { length: 4 }, 4, 1),
            (DataType::Int4, 1, 1),
        ] {
            assert_eq!((data_type.size(), data_type.endian_unit()), (Some(size), unit));
        }
        assert_eq!((DataType::String.size(), DataType::String.endian_unit()), (None, 1));
    }
}
