//! Floats of 16 bits and fewer that hardware does not know: one row for each.

/// A float of 4 to 16 bits. In memory an element has 1 byte, or 2 where it has 16 bits; unused upper
/// bits are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SmallFloat {
    /// binary32 without its lower half.
    BFloat16,
    /// IEEE-like, 3 exponent bits, 4 mantissa bits.
    Float8E3M4,
    /// IEEE-like, 4 exponent bits, 3 mantissa bits.
    Float8E4M3,
    /// No infinities, bias 11, one NaN.
    Float8E4M3B11Fnuz,
    /// No infinities, NaN where all bits but the sign are set.
    Float8E4M3Fn,
    /// No infinities, bias 8, one NaN.
    Float8E4M3Fnuz,
    /// IEEE-like, 5 exponent bits, 2 mantissa bits.
    Float8E5M2,
    /// No infinities, bias 16, one NaN.
    Float8E5M2Fnuz,
    /// Powers of two without sign and zero, one NaN.
    Float8E8M0Fnu,
    /// 6 bits, finite only.
    Float6E2M3Fn,
    /// 6 bits, finite only.
    Float6E3M2Fn,
    /// 4 bits, finite only.
    Float4E2M1Fn,
}

/// Which bits are no finite number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Special {
    /// The largest exponent: infinity without mantissa bits, else NaN.
    Ieee,
    /// NaN where exponent and mantissa are all ones.
    AllOnes,
    /// NaN in place of -0.
    NegativeZero,
    /// None.
    Finite,
}

struct Row {
    float: SmallFloat,
    name: &'static str,
    complex_name: &'static str,
    signed: bool,
    exponent_bits: u32,
    mantissa_bits: u32,
    bias: i32,
    special: Special,
    /// What `"NaN"` stands for.
    nan: Option<u16>,
}

macro_rules! row {
    ($float:ident, $name:literal, $signed:literal, $exponent:literal, $mantissa:literal, $bias:literal, $special:ident, $nan:expr) => {
        Row {
            float: SmallFloat::$float,
            name: $name,
            complex_name: concat!("complex_", $name),
            signed: $signed,
            exponent_bits: $exponent,
            mantissa_bits: $mantissa,
            bias: $bias,
            special: Special::$special,
            nan: $nan,
        }
    };
}

// Specification: the Zarr extensions of these names. `float8_e4m3fn` is not among them; TensorStore
// writes it, and ml_dtypes says what it is.
const ROWS: [Row; 12] = [
    row!(BFloat16, "bfloat16", true, 8, 7, 127, Ieee, Some(0x7fc0)),
    row!(Float8E3M4, "float8_e3m4", true, 3, 4, 3, Ieee, Some(0x78)),
    row!(Float8E4M3, "float8_e4m3", true, 4, 3, 7, Ieee, Some(0x7c)),
    row!(Float8E4M3B11Fnuz, "float8_e4m3b11fnuz", true, 4, 3, 11, NegativeZero, Some(0x80)),
    row!(Float8E4M3Fn, "float8_e4m3fn", true, 4, 3, 7, AllOnes, Some(0x7f)),
    row!(Float8E4M3Fnuz, "float8_e4m3fnuz", true, 4, 3, 8, NegativeZero, Some(0x80)),
    row!(Float8E5M2, "float8_e5m2", true, 5, 2, 15, Ieee, Some(0x7e)),
    row!(Float8E5M2Fnuz, "float8_e5m2fnuz", true, 5, 2, 16, NegativeZero, Some(0x80)),
    row!(Float8E8M0Fnu, "float8_e8m0fnu", false, 8, 0, 127, AllOnes, Some(0xff)),
    row!(Float6E2M3Fn, "float6_e2m3fn", true, 2, 3, 1, Finite, None),
    row!(Float6E3M2Fn, "float6_e3m2fn", true, 3, 2, 3, Finite, None),
    row!(Float4E2M1Fn, "float4_e2m1fn", true, 2, 1, 1, Finite, None),
];

impl SmallFloat {
    /// All of them.
    pub const ALL: [Self; 12] = {
        let mut all = [Self::BFloat16; 12];
        let mut at = 0;
        while at < all.len() {
            all[at] = ROWS[at].float;
            at += 1;
        }
        all
    };

    fn row(self) -> &'static Row {
        // The rows are in the order of the variants: a test asserts it.
        &ROWS[self as usize]
    }

    /// The Zarr v3 name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The Zarr v3 name of complex numbers of two of these.
    #[must_use]
    pub fn complex_name(self) -> &'static str {
        self.row().complex_name
    }

    /// Bytes of one element in memory and in the store.
    #[must_use]
    pub fn size(self) -> usize {
        if self.bits() > 8 { 2 } else { 1 }
    }

    /// Bits that count.
    #[must_use]
    pub fn bits(self) -> u32 {
        let row = self.row();
        u32::from(row.signed) + row.exponent_bits + row.mantissa_bits
    }

    /// Bits behind the leading one.
    #[must_use]
    pub fn mantissa_bits(self) -> u32 {
        self.row().mantissa_bits
    }

    /// The exponent of the smallest number that has all of them.
    #[must_use]
    pub fn least_exponent(self) -> i32 {
        // Without a mantissa there are no subnormal numbers, whose exponent is set apart.
        i32::from(self.row().mantissa_bits > 0) - self.row().bias
    }

    /// What `"NaN"` stands for, where there is a NaN.
    #[must_use]
    pub fn nan(self) -> Option<u16> {
        self.row().nan
    }

    /// The bits of an infinity, where there are infinities.
    #[must_use]
    pub fn infinity(self, negative: bool) -> Option<u16> {
        let row = self.row();
        let exponent = ((1 << row.exponent_bits) - 1) << row.mantissa_bits;
        let sign = u16::from(negative) << (row.exponent_bits + row.mantissa_bits);
        (row.special == Special::Ieee).then_some(exponent | sign)
    }

    /// The value, exactly. Upper bits that the type does not have are ignored; NaN keeps its sign and,
    /// for `bfloat16`, its payload.
    #[must_use]
    pub fn to_f32(self, bits: u16) -> f32 {
        if self == Self::BFloat16 {
            return f32::from_bits(u32::from(bits) << 16);
        }
        let Row { signed, exponent_bits, mantissa_bits, bias, special, .. } = *self.row();
        let bits = u32::from(bits) & ((1 << self.bits()) - 1);
        let negative = signed && bits >> (exponent_bits + mantissa_bits) == 1;
        let exponent = bits >> mantissa_bits & ((1 << exponent_bits) - 1);
        let mantissa = bits & ((1 << mantissa_bits) - 1);
        let last = exponent == (1 << exponent_bits) - 1;
        let magnitude = match special {
            Special::Ieee if last && mantissa == 0 => f32::INFINITY,
            Special::Ieee if last => f32::NAN,
            Special::AllOnes if last && mantissa == (1 << mantissa_bits) - 1 => f32::NAN,
            Special::NegativeZero if negative && exponent == 0 && mantissa == 0 => return f32::NAN,
            // Without a mantissa there are no subnormal numbers.
            _ if exponent == 0 && mantissa_bits > 0 => {
                scaled(mantissa, 1 - bias - mantissa_bits.cast_signed())
            }
            _ => scaled(
                1 << mantissa_bits | mantissa,
                exponent.cast_signed() - bias - mantissa_bits.cast_signed(),
            ),
        };
        if negative { -magnitude } else { magnitude }
    }

    /// The bits of the nearest value, of two the one whose last bit is 0; `None` for what is too large,
    /// not finite, or has a sign that the type does not have.
    #[must_use]
    pub fn from_f64(self, value: f64) -> Option<u16> {
        if !value.is_finite() {
            return None;
        }
        if self == Self::BFloat16 {
            let rounded = half::bf16::from_f64(value);
            return rounded.is_finite().then(|| rounded.to_bits());
        }
        let negative = value.is_sign_negative();
        let has_sign = |bits: u16| self.to_f32(bits).is_sign_negative() == negative;
        let finite = |bits: &u16| self.to_f32(*bits).is_finite();
        let of_sign = |bits: &u16| has_sign(*bits) || self.to_f32(*bits) == 0.0;
        let candidates = || (0..1u16 << self.bits()).filter(finite).filter(of_sign);
        let distance = |bits: &u16| (f64::from(self.to_f32(*bits)) - value).abs();
        let nearest = candidates().min_by(|a, b| {
            let order = distance(a).total_cmp(&distance(b));
            // Zeros first by their sign, ties by the last bit.
            order.then((!has_sign(*a)).cmp(&!has_sign(*b))).then((a & 1).cmp(&(b & 1)))
        })?;
        let largest =
            candidates().map(|bits| f64::from(self.to_f32(bits)).abs()).fold(0.0, f64::max);
        let above = candidates()
            .map(|bits| f64::from(self.to_f32(bits)).abs())
            .filter(|magnitude| *magnitude < largest)
            .fold(0.0, f64::max);
        // Half a step beyond the largest value rounds away from it.
        (value.abs() < largest + (largest - above) / 2.0).then_some(nearest)
    }
}

/// `number * 2^exponent`, which binary32 holds exactly for all that is asked here.
fn scaled(number: u32, exponent: i32) -> f32 {
    (f64::from(number) * f64::from(exponent).exp2()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_the_order_of_the_variants() {
        for (at, float) in SmallFloat::ALL.into_iter().enumerate() {
            assert_eq!(float as usize, at);
            assert_eq!(float.row().float, float);
        }
    }

    #[test]
    fn values_of_the_specifications() {
        use SmallFloat::{Float4E2M1Fn, Float6E2M3Fn, Float8E4M3, Float8E5M2, Float8E8M0Fnu};
        for (float, bits, value) in [
            (SmallFloat::BFloat16, 0x3f80, 1.0),
            (Float8E4M3, 0x38, 1.0),
            (Float8E4M3, 0x01, 2f32.powi(-9)),
            (Float8E4M3, 0xf7, -240.0),
            (Float8E5M2, 0x7b, 57344.0),
            (Float8E8M0Fnu, 0x00, 2f32.powi(-127)),
            (Float8E8M0Fnu, 0x7f, 1.0),
            (Float6E2M3Fn, 0x1f, 7.5),
            (Float4E2M1Fn, 0x0f, -6.0),
        ] {
            assert_eq!(float.to_f32(bits).to_bits(), f32::to_bits(value), "{float:?} {bits:#x}");
        }
    }

    #[test]
    fn every_finite_value_is_found_again() {
        for float in SmallFloat::ALL {
            for bits in 0..1u32 << float.bits() {
                let bits = bits as u16;
                let value = float.to_f32(bits);
                if value.is_finite() {
                    assert_eq!(float.from_f64(value.into()), Some(bits), "{float:?} {bits:#x}");
                }
            }
            assert!(float.nan().is_none_or(|bits| float.to_f32(bits).is_nan()), "{float:?}");
            for negative in [false, true] {
                let infinity = float.infinity(negative).map(|bits| float.to_f32(bits));
                let expected = if negative { f32::NEG_INFINITY } else { f32::INFINITY };
                assert!(
                    infinity.is_none_or(|found| found.to_bits() == expected.to_bits()),
                    "{float:?}"
                );
            }
        }
    }

    #[test]
    fn what_lies_between_is_rounded_to_even_and_what_is_too_large_refused() {
        let float = SmallFloat::Float8E4M3;
        assert_eq!(float.from_f64(1.0625), Some(0x38));
        assert_eq!(float.from_f64(1.1875), Some(0x3a));
        assert_eq!(float.from_f64(247.9), Some(0x77));
        assert_eq!(float.from_f64(248.0), None);
        assert_eq!(float.from_f64(-0.0), Some(0x80));
        assert_eq!(SmallFloat::Float8E4M3Fnuz.from_f64(-0.0), Some(0));
        // Without a zero, the smallest value is the nearest to it.
        assert_eq!(SmallFloat::Float8E8M0Fnu.from_f64(0.0), Some(0));
        for value in [-1.0, -0.0] {
            assert_eq!(SmallFloat::Float8E8M0Fnu.from_f64(value), None);
        }
    }
}
