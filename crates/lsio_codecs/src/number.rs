//! The kinds of numbers that codecs calculate with, and how one kind is made of another.

use half::f16;
use lsio_array::DataType;

use crate::real_number::Real;

/// A kind of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    Bool,
    Int8,
    Int16,
    Int32,
    Int64,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Float16,
    Float32,
    Float64,
}

impl Number {
    /// The kind of the elements; `None` where they are not single numbers.
    pub(crate) fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Bool => Self::Bool,
            DataType::Int8 => Self::Int8,
            DataType::Int16 => Self::Int16,
            DataType::Int32 => Self::Int32,
            DataType::Int64 => Self::Int64,
            DataType::UInt8 => Self::UInt8,
            DataType::UInt16 => Self::UInt16,
            DataType::UInt32 => Self::UInt32,
            DataType::UInt64 => Self::UInt64,
            DataType::Float16 => Self::Float16,
            DataType::Float32 => Self::Float32,
            DataType::Float64 => Self::Float64,
            _ => return None,
        })
    }

    /// As [`Number::of`]; of dates and durations the kind that they are stored as.
    pub(crate) fn stored(data_type: &DataType) -> Option<Self> {
        match data_type {
            DataType::DateTime64(_) | DataType::TimeDelta64(_) => Some(Self::Int64),
            other => Self::of(other),
        }
    }

    /// The kind of the numbers of an element, and how many it has: two where it is a complex one.
    pub(crate) fn parts(data_type: &DataType) -> Option<(Self, usize)> {
        match data_type {
            DataType::Complex64 => Some((Self::Float32, 2)),
            DataType::Complex128 => Some((Self::Float64, 2)),
            other => Self::of(other).map(|number| (number, 1)),
        }
    }

    /// The data type of such elements.
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::Bool => DataType::Bool,
            Self::Int8 => DataType::Int8,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::UInt8 => DataType::UInt8,
            Self::UInt16 => DataType::UInt16,
            Self::UInt32 => DataType::UInt32,
            Self::UInt64 => DataType::UInt64,
            Self::Float16 => DataType::Float16,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
        }
    }

    /// The data type of elements of so many such numbers: two floats make a complex one.
    pub(crate) fn data_type_of(self, parts: usize) -> DataType {
        match (self, parts) {
            (Self::Float32, 2) => DataType::Complex64,
            (Self::Float64, 2) => DataType::Complex128,
            _ => self.data_type(),
        }
    }

    /// Bytes of one.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Bool | Self::Int8 | Self::UInt8 => 1,
            Self::Int16 | Self::UInt16 | Self::Float16 => 2,
            Self::Int32 | Self::UInt32 | Self::Float32 => 4,
            Self::Int64 | Self::UInt64 | Self::Float64 => 8,
        }
    }

    /// Whether there are negative integers.
    pub(crate) fn is_signed(self) -> bool {
        matches!(self, Self::Int8 | Self::Int16 | Self::Int32 | Self::Int64)
    }

    /// Whether it is a kind of integers.
    pub(crate) fn is_integer(self) -> bool {
        self != Self::Bool && !self.is_float()
    }

    /// Whether it is a floating-point kind.
    pub(crate) fn is_float(self) -> bool {
        matches!(self, Self::Float16 | Self::Float32 | Self::Float64)
    }
}

/// Evaluates the expression with `$element` as the [`Element`] of a [`Number`].
macro_rules! with_element {
    ($number:expr, $element:ident => $body:expr) => {
        match $number {
            $crate::number::Number::Bool => with_element!(@ $crate::number::Boolean, $element, $body),
            $crate::number::Number::Int8 => with_element!(@ i8, $element, $body),
            $crate::number::Number::Int16 => with_element!(@ i16, $element, $body),
            $crate::number::Number::Int32 => with_element!(@ i32, $element, $body),
            $crate::number::Number::Int64 => with_element!(@ i64, $element, $body),
            $crate::number::Number::UInt8 => with_element!(@ u8, $element, $body),
            $crate::number::Number::UInt16 => with_element!(@ u16, $element, $body),
            $crate::number::Number::UInt32 => with_element!(@ u32, $element, $body),
            $crate::number::Number::UInt64 => with_element!(@ u64, $element, $body),
            $crate::number::Number::Float16 => with_element!(@ half::f16, $element, $body),
            $crate::number::Number::Float32 => with_element!(@ f32, $element, $body),
            $crate::number::Number::Float64 => with_element!(@ f64, $element, $body),
        }
    };
    (@ $type:ty, $element:ident, $body:expr) => {{
        type $element = $type;
        $body
    }};
}
pub(crate) use with_element;

/// A truth value as one byte; any but 0 is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Boolean(u8);

/// A number in memory, in native byte order.
pub(crate) trait Element: Copy {
    /// What holds every value of it exactly.
    type Wide: Wide;

    /// The numbers that `bytes` holds.
    fn read(bytes: &[u8]) -> impl Iterator<Item = Self> + '_;

    /// Fills `bytes` with numbers.
    fn write(numbers: impl Iterator<Item = Self>, bytes: &mut [u8]);

    /// The value.
    fn widen(self) -> Self::Wide;

    /// The value as a double, rounded where it must be.
    fn to_float(self) -> f64;

    /// The nearest number, and whether it is the value: modulo two to the number of bits for integers.
    fn from_int(value: i128) -> Self;

    /// The number nearest to the value, for integers that towards zero; whether there is one.
    fn from_float(value: f64) -> (Self, bool);

    /// A result of arithmetic that this kind takes part in: rounded to it where it is a float; a double
    /// where it is not.
    fn rounded(result: f64) -> f64;

    /// The sum, which wraps for integers.
    fn plus(self, other: Self) -> Self;

    /// The difference, which wraps for integers.
    fn minus(self, other: Self) -> Self;
}

/// A value of which any kind of number can be made.
pub(crate) trait Wide: Copy + Into<Real> {
    /// [`Element::from_int`] or [`Element::from_float`].
    fn narrow<T: Element>(self) -> (T, bool);
}

impl Wide for i128 {
    fn narrow<T: Element>(self) -> (T, bool) {
        (T::from_int(self), true)
    }
}

impl Wide for f64 {
    fn narrow<T: Element>(self) -> (T, bool) {
        T::from_float(self)
    }
}

/// Makes numbers of kind `to` of those of kind `from`, as C does: integers wrap, floats round to the
/// nearest, and lose their fraction where integers are made of them. Tells whether every number had a
/// value of the other kind; NaN and numbers out of range have no integer.
pub(crate) fn cast(from: Number, encoded: &[u8], to: Number, decoded: &mut [u8]) -> bool {
    if from == to && from != Number::Bool {
        decoded.copy_from_slice(encoded);
        return true;
    }
    with_element!(from, From => with_element!(to, To => cast_each::<From, To>(encoded, decoded)))
}

fn cast_each<From: Element, To: Element>(encoded: &[u8], decoded: &mut [u8]) -> bool {
    let mut all = true;
    let numbers = From::read(encoded).map(|number| {
        let (number, exists) = number.widen().narrow::<To>();
        all &= exists;
        number
    });
    To::write(numbers, decoded);
    all
}

macro_rules! read_and_write {
    ($size:literal) => {
        fn read(bytes: &[u8]) -> impl Iterator<Item = Self> + '_ {
            bytes.as_chunks::<$size>().0.iter().map(|bytes| Self::from_ne_bytes(*bytes))
        }

        fn write(numbers: impl Iterator<Item = Self>, bytes: &mut [u8]) {
            for (bytes, number) in bytes.as_chunks_mut::<$size>().0.iter_mut().zip(numbers) {
                *bytes = number.to_ne_bytes();
            }
        }
    };
}

macro_rules! integer {
    ($($type:ty, $size:literal;)*) => {$(
        #[allow(clippy::cast_lossless, clippy::cast_sign_loss, reason = "the same for every type")]
        impl Element for $type {
            type Wide = i128;
            read_and_write!($size);

            fn widen(self) -> i128 {
                self as i128
            }

            fn to_float(self) -> f64 {
                self as f64
            }

            fn from_int(value: i128) -> Self {
                value as Self
            }

            fn from_float(value: f64) -> (Self, bool) {
                // Exact: one more than the greatest is a power of two.
                let above = (Self::MAX / 2 + 1) as f64 * 2.0;
                let whole = value.trunc();
                (value as Self, whole >= Self::MIN as f64 && whole < above)
            }

            fn rounded(result: f64) -> f64 {
                result
            }

            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            fn minus(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
        }
    )*};
}

integer! { i8, 1; i16, 2; i32, 4; i64, 8; u8, 1; u16, 2; u32, 4; u64, 8; }

macro_rules! float {
    ($($type:ty, $size:literal, $of_float:expr, $of_int:expr;)*) => {$(
        impl Element for $type {
            type Wide = f64;
            read_and_write!($size);

            fn widen(self) -> f64 {
                self.into()
            }

            fn to_float(self) -> f64 {
                self.into()
            }

            fn from_int(value: i128) -> Self {
                $of_int(value)
            }

            fn from_float(value: f64) -> (Self, bool) {
                ($of_float(value), true)
            }

            fn rounded(result: f64) -> f64 {
                $of_float(result).into()
            }

            fn plus(self, other: Self) -> Self {
                self + other
            }

            fn minus(self, other: Self) -> Self {
                self - other
            }
        }
    )*};
}

float! {
    f16, 2, f16::from_f64, |value: i128| f16::from_f64(value as f64);
    f32, 4, |value: f64| value as f32, |value: i128| value as f32;
    f64, 8, |value: f64| value, |value: i128| value as f64;
}

impl Element for Boolean {
    type Wide = i128;

    fn read(bytes: &[u8]) -> impl Iterator<Item = Self> + '_ {
        bytes.iter().map(|&byte| Self(byte))
    }

    fn write(numbers: impl Iterator<Item = Self>, bytes: &mut [u8]) {
        for (byte, number) in bytes.iter_mut().zip(numbers) {
            *byte = u8::from(number.0 != 0);
        }
    }

    fn widen(self) -> i128 {
        i128::from(self.0 != 0)
    }

    fn to_float(self) -> f64 {
        f64::from(u8::from(self.0 != 0))
    }

    fn from_int(value: i128) -> Self {
        Self(u8::from(value != 0))
    }

    fn from_float(value: f64) -> (Self, bool) {
        (Self(u8::from(value != 0.0)), true)
    }

    fn rounded(result: f64) -> f64 {
        result
    }

    fn plus(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn minus(self, other: Self) -> Self {
        Self(u8::from((self.0 != 0) != (other.0 != 0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_without_an_integer_are_told() {
        for (value, fits) in [
            (0.9, true),
            (-0.9, true),
            (255.9, true),
            (256.0, false),
            (-1.0, false),
            (f64::NAN, false),
            (f64::INFINITY, false),
        ] {
            assert_eq!(u8::from_float(value).1, fits, "{value}");
        }
        assert!(u64::from_float(18_446_744_073_709_549_568.0).1);
        assert!(!u64::from_float(18_446_744_073_709_551_616.0).1);
        assert!(i64::from_float(-9_223_372_036_854_775_808.0).1);
        assert!(!i64::from_float(9_223_372_036_854_775_808.0).1);
    }

    #[test]
    fn integers_wrap_and_floats_round() {
        let mut decoded = [0; 2];
        assert!(cast(Number::Int32, &300i32.to_ne_bytes(), Number::UInt8, &mut decoded[..1]));
        assert_eq!(decoded[0], 44);
        assert!(cast(Number::Float64, &2049.0f64.to_ne_bytes(), Number::Float16, &mut decoded));
        assert_eq!(f16::from_ne_bytes(decoded), f16::from_f32(2048.0));
        assert!(cast(Number::UInt8, &[7], Number::Bool, &mut decoded[..1]));
        assert_eq!(decoded[0], 1);
    }
}
