//! Numbers in metadata: JSON to the exact bytes of one element in memory.
//!
//! Specification: Zarr v3 core, "Fill value list". Integers go from their decimal text to their type without
//! passing through a float; floats are rounded once, from their text to their own type (binary16 and smaller
//! by way of binary64); a hexadecimal string gives the bits of a float, NaN payload included.

use half::f16;
use lsio_array::{DataType, SmallFloat};
use serde_json::{Number, Value};

/// The element of this type that a value in metadata stands for, in native byte order. `None` where it is no
/// such number, or where elements are no real numbers; for bools too, which are not spelled as numbers.
///
/// ```
/// use lsio_array::DataType;
/// use lsio_codecs::number_from_json;
///
/// let value = serde_json::from_str("-12.0")?;
/// assert_eq!(number_from_json(&DataType::Int8, &value), Some(vec![244]));
/// assert_eq!(number_from_json(&DataType::UInt8, &value), None);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[must_use]
pub fn number_from_json(data_type: &DataType, value: &Value) -> Option<Vec<u8>> {
    let number = || value.as_number().and_then(integer_from_json);
    Some(match data_type {
        DataType::Int2 => within(number()?, -2, 1)?,
        DataType::Int4 => within(number()?, -8, 7)?,
        DataType::UInt2 => within(number()?, 0, 3)?,
        DataType::UInt4 => within(number()?, 0, 15)?,
        DataType::Int8 => i8::try_from(number()?).ok()?.to_ne_bytes().to_vec(),
        DataType::Int16 => i16::try_from(number()?).ok()?.to_ne_bytes().to_vec(),
        DataType::Int32 => i32::try_from(number()?).ok()?.to_ne_bytes().to_vec(),
        DataType::Int64 => i64::try_from(number()?).ok()?.to_ne_bytes().to_vec(),
        DataType::UInt8 => u8::try_from(number()?).ok()?.to_ne_bytes().to_vec(),
        DataType::UInt16 => u16::try_from(number()?).ok()?.to_ne_bytes().to_vec(),
        DataType::UInt32 => u32::try_from(number()?).ok()?.to_ne_bytes().to_vec(),
        DataType::UInt64 => u64::try_from(number()?).ok()?.to_ne_bytes().to_vec(),
        DataType::Float16 => match float(value, 4)? {
            Float::Bits(bits) => u16::try_from(bits).ok()?.to_ne_bytes().to_vec(),
            Float::Special(special) => f16::from_f64(special).to_ne_bytes().to_vec(),
            // Rounded to binary64 first, which changes nothing for text that was printed from a
            // binary16 value: that is exact in binary64.
            Float::Decimal(text) => {
                let half = f16::from_f64(text.parse().ok()?);
                half.is_finite().then(|| half.to_ne_bytes().to_vec())?
            }
        },
        DataType::Float32 => match float(value, 8)? {
            Float::Bits(bits) => u32::try_from(bits).ok()?.to_ne_bytes().to_vec(),
            Float::Special(special) => (special as f32).to_ne_bytes().to_vec(),
            Float::Decimal(text) => {
                text.parse().ok().filter(|f: &f32| f.is_finite())?.to_ne_bytes().to_vec()
            }
        },
        DataType::Float64 => match float(value, 16)? {
            Float::Bits(bits) => bits.to_ne_bytes().to_vec(),
            Float::Special(special) => special.to_ne_bytes().to_vec(),
            Float::Decimal(text) => {
                text.parse().ok().filter(|f: &f64| f.is_finite())?.to_ne_bytes().to_vec()
            }
        },
        DataType::Small(small) => small_float(*small, value)?,
        _ => return None,
    })
}

/// An integer of fewer than 8 bits, as the byte that it is in memory.
fn within(number: i128, least: i8, most: i8) -> Option<Vec<u8>> {
    let number = i8::try_from(number).ok().filter(|number| (least..=most).contains(number))?;
    Some(number.to_ne_bytes().to_vec())
}

fn small_float(small: SmallFloat, value: &Value) -> Option<Vec<u8>> {
    let bits = match float(value, 2 * small.size())? {
        Float::Bits(bits) => {
            u16::try_from(bits).ok().filter(|bits| bits >> (small.bits() - 1) < 2)?
        }
        Float::Special(special) if special.is_nan() => small.nan()?,
        Float::Special(special) => small.infinity(special < 0.0)?,
        Float::Decimal(text) => small.from_f64(text.parse().ok()?)?,
    };
    Some(match small.size() {
        1 => vec![u8::try_from(bits).ok()?],
        _ => bits.to_ne_bytes().to_vec(),
    })
}

/// The integer that a JSON number is, exactly; also of `1.0` and `1e3`, which some writers use.
#[must_use]
pub fn integer_from_json(number: &Number) -> Option<i128> {
    // Longer ones cannot be integers of 64 bits unless they are padded with zeros.
    const MOST_DIGITS: usize = 38;
    let text = number.as_str();
    if let Ok(integer) = text.parse() {
        return Some(integer);
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    if digits == 0 {
        return Some(0);
    }
    let zeros = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let zeros = u32::try_from(zeros).ok().filter(|zeros| *zeros as usize <= MOST_DIGITS)?;
    digits.checked_mul(10i128.checked_pow(zeros)?)
}

/// A JSON float in one of its three forms.
enum Float<'a> {
    /// Decimal text, still to be rounded to its type.
    Decimal(&'a str),
    /// `NaN` or an infinity.
    Special(f64),
    /// Given as hexadecimal bits.
    Bits(u64),
}

/// Reads a float whose bits have `digits` hexadecimal digits.
fn float(value: &Value, digits: usize) -> Option<Float<'_>> {
    match value {
        Value::Number(number) => {
            Some(special(number.as_str()).unwrap_or(Float::Decimal(number.as_str())))
        }
        Value::String(text) => special(text).or_else(|| {
            let bits = text.strip_prefix("0x")?;
            let is_hex = bits.len() == digits && bits.bytes().all(|b| b.is_ascii_hexdigit());
            u64::from_str_radix(is_hex.then_some(bits)?, 16).ok().map(Float::Bits)
        }),
        _ => None,
    }
}

/// The words that stand for floats without digits.
fn special(text: &str) -> Option<Float<'_>> {
    match text {
        "NaN" => Some(Float::Special(f64::NAN)),
        // The first is what the specification of `cast_value` writes.
        "+Infinity" | "Infinity" => Some(Float::Special(f64::INFINITY)),
        "-Infinity" => Some(Float::Special(f64::NEG_INFINITY)),
        _ => None,
    }
}
