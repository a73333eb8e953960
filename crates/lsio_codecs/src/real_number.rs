//! The data types of real numbers: which numbers each of them has, and which of them stands for one that it
//! does not have.

use half::{bf16, f16};
use lsio_array::{DataType, SmallFloat};

use crate::number::{Element, Number, with_element};

/// How a number is rounded that the data type does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// To the nearest, of two to the one whose last digit is even.
    NearestEven,
    /// To the nearest, of two to the one farther from zero.
    NearestAway,
    TowardsZero,
    TowardsPositive,
    TowardsNegative,
}

/// What becomes of a number beyond the range of the data type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutOfRange {
    /// Nothing: it is an error.
    Refuse,
    /// An infinity if there are infinities, else the last number of the range.
    Clamp,
    /// For integers: the number that is the same modulo two to the number of bits.
    Wrap,
}

/// A number of some data type.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Real {
    Integer(i128),
    Float(f64),
}

impl From<i128> for Real {
    fn from(number: i128) -> Self {
        Self::Integer(number)
    }
}

impl From<f64> for Real {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl Real {
    /// Whether both are the same number, or neither is one.
    #[expect(clippy::float_cmp, reason = "the very number")]
    pub(crate) fn is(self, other: Self) -> bool {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b || a.is_nan() && b.is_nan(),
            _ => false,
        }
    }
}

/// A data type of integers or floats.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RealType {
    /// What an element is in memory, and how many bits of it count.
    Integer {
        number: Number,
        bits: u32,
    },
    Float(FloatFormat),
}

/// The numbers that a floating-point data type has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FloatFormat {
    kind: FloatKind,
    /// Bits behind the leading one.
    mantissa_bits: u32,
    /// The exponent of the smallest number that has all of them.
    least_exponent: i32,
    least: f64,
    most: f64,
    has_infinity: bool,
    has_nan: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum FloatKind {
    Hardware(Number),
    BFloat16,
    /// The finite numbers in their order, each with its bits, and the bits of NaN.
    Table(SmallFloat, Vec<(f64, u8)>, Option<u8>),
}

impl RealType {
    /// `None` where elements are not integers or floats.
    pub(crate) fn of(data_type: &DataType) -> Option<Self> {
        if let DataType::Small(small) = data_type {
            return Some(Self::Float(FloatFormat::small(*small)));
        }
        if let (Some((bits, signed)), None) = (data_type.bits_below_a_byte(), data_type.part()) {
            let number = if signed { Number::Int8 } else { Number::UInt8 };
            return Some(Self::Integer { number, bits });
        }
        match Number::of(data_type)? {
            Number::Bool => None,
            number if number.is_float() => Some(Self::Float(FloatFormat::hardware(number))),
            number => Some(Self::Integer { number, bits: number.size() as u32 * 8 }),
        }
    }

    /// Bytes of an element.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Integer { number, .. } => number.size(),
            Self::Float(FloatFormat { kind, .. }) => match kind {
                FloatKind::Hardware(number) => number.size(),
                FloatKind::BFloat16 => 2,
                FloatKind::Table(..) => 1,
            },
        }
    }

    /// The kind of numbers, if all of an element's bits count and hardware knows them.
    pub(crate) fn number(&self) -> Option<Number> {
        match self {
            Self::Integer { number, bits } => {
                Some(*number).filter(|n| n.size() * 8 == *bits as usize)
            }
            Self::Float(FloatFormat { kind: FloatKind::Hardware(number), .. }) => Some(*number),
            Self::Float(_) => None,
        }
    }

    /// Whether every number of `other` is one of these too; `false` also where only subnormal numbers tell.
    pub(crate) fn has_all_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Integer { .. }, Self::Integer { .. }) => {
                let ((least, most), (low, high)) = (other.integers(), self.integers());
                low <= least && most <= high
            }
            (Self::Float(format), Self::Integer { .. }) => {
                let (least, most) = other.integers();
                let greatest = least.unsigned_abs().max(most.unsigned_abs()) as f64;
                least.unsigned_abs().max(most.unsigned_abs()) >> (format.mantissa_bits + 1) == 0
                    && format.least <= least as f64
                    && greatest <= format.most
            }
            (Self::Float(format), Self::Float(other)) => {
                other.mantissa_bits <= format.mantissa_bits
                    && format.least <= other.least
                    && other.most <= format.most
                    && format.least_exponent <= other.least_exponent
                    && format.has_infinity >= other.has_infinity
                    && format.has_nan >= other.has_nan
            }
            (Self::Integer { .. }, Self::Float(_)) => false,
        }
    }

    /// The least and the greatest integer.
    fn integers(&self) -> (i128, i128) {
        match self {
            Self::Integer { number, bits } if number.is_signed() => {
                (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
            }
            Self::Integer { bits, .. } => (0, (1 << bits) - 1),
            Self::Float(format) => (format.least as i128, format.most as i128),
        }
    }

    /// The number that an element is.
    pub(crate) fn read(&self, element: &[u8]) -> Real {
        match self {
            Self::Integer { number, .. } => first(*number, element),
            Self::Float(FloatFormat { kind, .. }) => match kind {
                FloatKind::Hardware(number) => first(*number, element),
                FloatKind::BFloat16 => {
                    let bits = element.first_chunk().copied().map_or(0, u16::from_ne_bytes);
                    Real::Float(bf16::from_bits(bits).to_f64())
                }
                FloatKind::Table(small, ..) => {
                    let bits = element.first().copied().map_or(0, u16::from);
                    Real::Float(small.to_f32(bits).into())
                }
            },
        }
    }

    /// Makes an element of a number that [`RealType::fit`] gave.
    pub(crate) fn write(&self, value: Real, element: &mut [u8]) {
        match (self, value) {
            (Self::Integer { number, .. }, Real::Integer(value)) => {
                with_element!(*number, T => T::write(std::iter::once(T::from_int(value)), element));
            }
            (Self::Float(FloatFormat { kind, .. }), Real::Float(value)) => match kind {
                FloatKind::Hardware(number) => {
                    with_element!(*number, T => T::write(std::iter::once(T::from_float(value).0), element));
                }
                FloatKind::BFloat16 => {
                    element.copy_from_slice(&bf16::from_f64(value).to_bits().to_ne_bytes());
                }
                FloatKind::Table(small, numbers, nan) => {
                    element[0] = table_bits(*small, numbers, *nan, value);
                }
            },
            // Other pairs are none that `fit` gives.
            _ => {}
        }
    }

    /// The number of this data type that stands for `value`; `None` where none does.
    pub(crate) fn fit(&self, value: Real, rounding: Rounding, beyond: OutOfRange) -> Option<Real> {
        match (self, value) {
            (Self::Integer { .. }, Real::Integer(value)) => self.fit_integer(value, beyond),
            (Self::Integer { .. }, Real::Float(value)) => {
                let whole = Some(value).filter(|value| value.is_finite())?;
                let whole = round(whole, rounding);
                // The remainder is exact; other numbers saturate beyond all ranges.
                let modulus = 2f64.powi(64);
                let wraps = beyond == OutOfRange::Wrap;
                self.fit_integer(if wraps { whole % modulus } else { whole } as i128, beyond)
            }
            (Self::Float(format), Real::Integer(value)) => {
                let rounded = round_integer(value, format.mantissa_bits + 1, rounding);
                format.fit(rounded as f64, rounding, beyond)
            }
            (Self::Float(format), Real::Float(value)) => format.fit(value, rounding, beyond),
        }
    }

    fn fit_integer(&self, value: i128, beyond: OutOfRange) -> Option<Real> {
        let (least, most) = self.integers();
        let Self::Integer { number, bits } = self else { return None };
        Some(Real::Integer(match beyond {
            _ if (least..=most).contains(&value) => value,
            OutOfRange::Refuse => return None,
            OutOfRange::Clamp => value.clamp(least, most),
            OutOfRange::Wrap if number.is_signed() => value << (128 - bits) >> (128 - bits),
            OutOfRange::Wrap => value & most,
        }))
    }
}

impl FloatFormat {
    fn hardware(number: Number) -> Self {
        let (mantissa_bits, least_exponent, most) = match number {
            Number::Float16 => (10, -14, f16::MAX.to_f64()),
            Number::Float32 => (23, f32::MIN_EXP - 1, f64::from(f32::MAX)),
            _ => (52, f64::MIN_EXP - 1, f64::MAX),
        };
        Self {
            kind: FloatKind::Hardware(number),
            mantissa_bits,
            least_exponent,
            least: -most,
            most,
            has_infinity: true,
            has_nan: true,
        }
    }

    fn small(small: SmallFloat) -> Self {
        let (kind, least, most) = if small == SmallFloat::BFloat16 {
            (FloatKind::BFloat16, bf16::MIN.to_f64(), bf16::MAX.to_f64())
        } else {
            let bits = 0..=u8::MAX >> (8 - small.bits());
            let mut numbers: Vec<(f64, u8)> = bits
                .map(|bits| (f64::from(small.to_f32(bits.into())), bits))
                .filter(|(number, _)| number.is_finite())
                .collect();
            numbers.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            let end = |at: Option<&(f64, u8)>| at.map_or(0.0, |(number, _)| *number);
            let (least, most) = (end(numbers.first()), end(numbers.last()));
            let nan = small.nan().and_then(|bits| u8::try_from(bits).ok());
            (FloatKind::Table(small, numbers, nan), least, most)
        };
        Self {
            kind,
            mantissa_bits: small.mantissa_bits(),
            least_exponent: small.least_exponent(),
            least,
            most,
            has_infinity: small.infinity(false).is_some(),
            has_nan: small.nan().is_some(),
        }
    }

    /// Whether there are infinities.
    pub(crate) fn has_infinity(&self) -> bool {
        self.has_infinity
    }

    fn fit(&self, value: f64, rounding: Rounding, beyond: OutOfRange) -> Option<Real> {
        let exists = if value.is_nan() { self.has_nan } else { self.has_infinity };
        let rounded = match value {
            _ if !value.is_finite() => return exists.then_some(Real::Float(value)),
            _ if self.mantissa_bits == 52 => value,
            _ => self.round(value, rounding),
        };
        let number = if (self.least..=self.most).contains(&rounded) {
            rounded
        } else if beyond != OutOfRange::Clamp {
            return None;
        } else if self.has_infinity {
            f64::INFINITY.copysign(rounded)
        } else {
            rounded.clamp(self.least, self.most)
        };
        Some(Real::Float(number))
    }

    /// Rounds to the numbers of this format as if there were no greatest one.
    fn round(&self, value: f64, rounding: Rounding) -> f64 {
        let exponent = (value.to_bits() >> 52 & 0x7ff) as i32 - 1023;
        let step = exponent.max(self.least_exponent) - self.mantissa_bits.cast_signed();
        // Exact, both ways: the power of two is neither too small nor too large.
        let step = f64::from(step).exp2();
        round(value / step, rounding) * step
    }
}

/// The first number of an element.
fn first(number: Number, element: &[u8]) -> Real {
    with_element!(number, N => {
        N::read(element).next().map_or(Real::Integer(0), |number| number.widen().into())
    })
}

/// The bits of a number that the table has.
fn table_bits(small: SmallFloat, numbers: &[(f64, u8)], nan: Option<u8>, value: f64) -> u8 {
    if value.is_nan() {
        return nan.unwrap_or(0);
    }
    if value.is_infinite() {
        return small.infinity(value < 0.0).map_or(0, |bits| bits as u8);
    }
    let found = numbers.binary_search_by(|(number, _)| number.total_cmp(&value));
    // Without a negative zero, that is where it would stand.
    let at = found.unwrap_or_else(|next| next.min(numbers.len().saturating_sub(1)));
    numbers.get(at).map_or(0, |(_, bits)| *bits)
}

fn round(value: f64, rounding: Rounding) -> f64 {
    match rounding {
        Rounding::NearestEven => value.round_ties_even(),
        Rounding::NearestAway => value.round(),
        Rounding::TowardsZero => value.trunc(),
        Rounding::TowardsPositive => value.ceil(),
        Rounding::TowardsNegative => value.floor(),
    }
}

/// Rounds to a number whose digits from the first to the last 1 are at most `digits` bits.
fn round_integer(value: i128, digits: u32, rounding: Rounding) -> i128 {
    let magnitude = value.unsigned_abs();
    let surplus = (u128::BITS - magnitude.leading_zeros()).saturating_sub(digits);
    if surplus == 0 {
        return value;
    }
    let (whole, rest) = (magnitude >> surplus, magnitude & ((1 << surplus) - 1));
    let half = 1 << (surplus - 1);
    let up = match rounding {
        Rounding::NearestEven => rest > half || rest == half && whole & 1 == 1,
        Rounding::NearestAway => rest >= half,
        Rounding::TowardsZero => false,
        Rounding::TowardsPositive => rest > 0 && value > 0,
        Rounding::TowardsNegative => rest > 0 && value < 0,
    };
    // An integer of 64 bits: there is room for one more.
    let rounded = ((whole + u128::from(up)) << surplus).cast_signed();
    if value < 0 { -rounded } else { rounded }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn fit(name: &str, value: f64, rounding: Rounding, beyond: OutOfRange) -> Option<f64> {
        let real_type = RealType::of(&DataType::from_name(name).unwrap()).unwrap();
        let fitted = real_type.fit(Real::Float(value), rounding, beyond)?;
        let mut element = vec![0xee; real_type.size()];
        real_type.write(fitted, &mut element);
        Some(match real_type.read(&element) {
            Real::Integer(value) => value as f64,
            Real::Float(value) => value,
        })
    }

    #[test]
    fn every_small_float_is_what_it_was() {
        for small in SmallFloat::ALL {
            let data_type = DataType::Small(small);
            let real_type = RealType::of(&data_type).unwrap();
            for bits in 0..1u32 << small.bits() {
                let element = &bits.to_le_bytes()[..small.size()];
                let value = real_type.read(element);
                let fitted = real_type.fit(value, Rounding::TowardsZero, OutOfRange::Refuse);
                let mut written = vec![0xee; small.size()];
                real_type.write(fitted.unwrap(), &mut written);
                let nan = matches!(value, Real::Float(value) if value.is_nan());
                assert!(nan || written == element, "{data_type} {bits:#x}");
            }
        }
    }

    #[test]
    fn numbers_are_rounded_to_the_nearest_as_small_floats_are() {
        for small in SmallFloat::ALL {
            // Its name for rounding to even by the last bit makes no sense without a mantissa.
            if small == SmallFloat::Float8E8M0Fnu {
                continue;
            }
            for i in -4000..4000 {
                let value = f64::from(i) / 61.0;
                let expected = small.from_f64(value).map(|bits| f64::from(small.to_f32(bits)));
                let found = fit(small.name(), value, Rounding::NearestEven, OutOfRange::Refuse);
                assert_eq!(found, expected, "{} {value}", small.name());
            }
        }
    }

    #[test]
    fn numbers_are_rounded_once() {
        // By way of binary32 it would be halfway between two numbers of binary16, and fall.
        let value = 1.0 + 2f64.powi(-11) + 2f64.powi(-40);
        let nearest = Some(1.0 + 2f64.powi(-10));
        for rounding in [Rounding::NearestEven, Rounding::NearestAway] {
            assert_eq!(fit("float16", value, rounding, OutOfRange::Refuse), nearest);
        }
    }

    #[test]
    fn one_digit_is_rounded_away_from_zero_where_two_are_as_near() {
        let name = "float8_e8m0fnu";
        for (value, expected) in [(1.5, 2.0), (3.0, 4.0), (1.4, 1.0)] {
            assert_eq!(fit(name, value, Rounding::NearestEven, OutOfRange::Refuse), Some(expected));
        }
        let least = 2f64.powi(-127);
        for value in [0.0, -0.0, -5.0] {
            assert_eq!(fit(name, value, Rounding::NearestEven, OutOfRange::Refuse), None);
            assert_eq!(fit(name, value, Rounding::NearestEven, OutOfRange::Clamp), Some(least));
        }
    }

    #[test]
    fn what_has_all_numbers_of_another_is_known() {
        let has = |to: &str, from: &str| {
            let of = |name| RealType::of(&DataType::from_name(name).unwrap()).unwrap();
            of(to).has_all_of(&of(from))
        };
        for (to, from) in [
            ("int16", "uint8"),
            ("int4", "uint2"),
            ("float32", "int16"),
            ("float64", "uint32"),
            ("float64", "float32"),
            ("float32", "bfloat16"),
            ("float16", "float8_e5m2"),
            ("float8_e4m3", "int4"),
        ] {
            assert!(has(to, from), "{to} {from}");
        }
        for (to, from) in [
            ("uint16", "int8"),
            ("int8", "uint8"),
            ("float32", "int32"),
            ("float64", "int64"),
            ("float32", "float64"),
            ("float16", "bfloat16"),
            ("float8_e4m3fn", "float8_e5m2"),
            ("int32", "float16"),
            ("float4_e2m1fn", "int4"),
            ("float8_e8m0fnu", "uint2"),
        ] {
            assert!(!has(to, from), "{to} {from}");
        }
    }
}
