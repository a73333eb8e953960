//! Elements of one type as elements of another.

use half::f16;
use half::slice::HalfFloatSliceExt;

use crate::{DataType, SmallFloat, VariableChunk};

/// How elements of one type become elements of another.
///
/// - Numbers to `float32` or `float64`: the nearest value, of two the one whose last bit is 0; what is
///   larger than the largest is infinite. `NaN` keeps its sign.
/// - Times to `float64`: the number of steps as above, `NaN` where there is no time.
/// - Complex numbers to `complex64` or `complex128`: each part as above.
/// - Integers to integers that hold all of them.
/// - Text of fixed length to `string`.
///
/// ```
/// use lsio_array::{Conversion, DataType};
///
/// let widen = Conversion::new(&DataType::Int8, &DataType::Float32).ok_or("not possible")?;
/// let mut floats = [0; 8];
/// widen.convert(&[1, 254], &mut floats);
/// assert_eq!(floats[..4], 1f32.to_ne_bytes());
/// assert_eq!(floats[4..], (-2f32).to_ne_bytes());
/// assert!(Conversion::new(&DataType::Float32, &DataType::Int8).is_none());
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion {
    from: DataType,
    to: DataType,
}

/// A code point that Unicode does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("element {element} has a code point {code_point:#x}, which Unicode does not have")]
pub struct NoCodePoint {
    /// Number of the element in the chunk.
    pub element: usize,
    /// The code point.
    pub code_point: u32,
}

impl Conversion {
    /// `None` for a conversion that there is none of, the one to the same type included.
    #[must_use]
    pub fn new(from: &DataType, to: &DataType) -> Option<Self> {
        let possible = from != to
            && match (from, to) {
                (DataType::FixedLengthUtf32 { .. }, DataType::String)
                | (DataType::DateTime64(_) | DataType::TimeDelta64(_), DataType::Float64) => true,
                (from, DataType::Float32 | DataType::Float64) => from.is_number(),
                (from, DataType::Complex64 | DataType::Complex128) => from.part().is_some(),
                (from, to) => match (range(from), range(to)) {
                    (Some((least, most)), Some((low, high))) => {
                        to.bits_below_a_byte().is_none() && low <= least && most <= high
                    }
                    _ => false,
                },
            };
        possible.then(|| Self { from: from.clone(), to: to.clone() })
    }

    /// The type of the elements before.
    #[must_use]
    pub fn from(&self) -> &DataType {
        &self.from
    }

    /// The type of the elements after.
    #[must_use]
    pub fn to(&self) -> &DataType {
        &self.to
    }

    /// Converts elements of fixed size. Both slices have the same number of elements.
    pub fn convert(&self, source: &[u8], target: &mut [u8]) {
        let part = self.from.part();
        let from = part.as_ref().unwrap_or(&self.from);
        match &self.to {
            DataType::Float32 | DataType::Complex64 => to_float32(from, source, target),
            DataType::Float64 | DataType::Complex128 => to_float64(from, source, target),
            DataType::Int16 | DataType::UInt16 => to_integer::<2>(from, source, target),
            DataType::Int32 | DataType::UInt32 => to_integer::<4>(from, source, target),
            DataType::Int64 | DataType::UInt64 => to_integer::<8>(from, source, target),
            // Bool and narrow integers have the same byte; there is no other pair.
            _ => target.copy_from_slice(source),
        }
    }

    /// One element converted, of fixed size or not; `None` for text that is none.
    #[must_use]
    pub fn element(&self, element: &[u8]) -> Option<Vec<u8>> {
        let Some(size) = self.to.size() else {
            let mut text = VariableChunk { offsets: vec![], bytes: vec![], limit: u64::MAX };
            self.convert_text(element, &mut text).ok()?;
            return Some(text.bytes);
        };
        let mut converted = vec![0; size];
        self.convert(element, &mut converted);
        Some(converted)
    }

    /// Converts text of fixed length to text of any length. `Ok(Some(n))`: the chunk's limit is too
    /// small, `n` bytes are needed for offsets and text.
    ///
    /// # Errors
    /// [`NoCodePoint`] for the first element that is no text.
    pub fn convert_text(
        &self,
        source: &[u8],
        target: &mut VariableChunk,
    ) -> Result<Option<u64>, NoCodePoint> {
        let DataType::FixedLengthUtf32 { length } = self.from else { return Ok(None) };
        let elements = source.chunks_exact((4 * length).max(1));
        let count = elements.len() as u64;
        let mut needed = count.saturating_add(1).saturating_mul(8);
        for (element, units) in elements.clone().enumerate() {
            for code_point in code_points(units) {
                let character = char::from_u32(code_point);
                let character = character.ok_or(NoCodePoint { element, code_point })?;
                needed = needed.saturating_add(character.len_utf8() as u64);
            }
        }
        if needed > target.limit {
            return Ok(Some(needed));
        }
        target.offsets.clear();
        target.bytes.clear();
        target.offsets.reserve_exact(count as usize + 1);
        target.bytes.reserve_exact((needed - 8 * (count + 1)) as usize);
        target.offsets.push(0);
        for units in elements {
            for character in code_points(units).filter_map(char::from_u32) {
                target.bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            target.offsets.push(target.bytes.len() as u64);
        }
        Ok(None)
    }
}

/// The code points of an element, without the zeros at its end.
fn code_points(units: &[u8]) -> impl Iterator<Item = u32> {
    let units = units.as_chunks::<4>().0;
    let end = units.iter().rposition(|unit| *unit != [0; 4]).map_or(0, |last| last + 1);
    units[..end].iter().map(|unit| u32::from_ne_bytes(*unit))
}

/// The least and the largest value of an integer type.
fn range(data_type: &DataType) -> Option<(i128, i128)> {
    Some(match data_type {
        DataType::Bool => (0, 1),
        DataType::Int2 => (-2, 1),
        DataType::Int4 => (-8, 7),
        DataType::Int8 => (i8::MIN.into(), i8::MAX.into()),
        DataType::Int16 => (i16::MIN.into(), i16::MAX.into()),
        DataType::Int32 => (i32::MIN.into(), i32::MAX.into()),
        DataType::Int64 => (i64::MIN.into(), i64::MAX.into()),
        DataType::UInt2 => (0, 3),
        DataType::UInt4 => (0, 15),
        DataType::UInt8 => (0, u8::MAX.into()),
        DataType::UInt16 => (0, u16::MAX.into()),
        DataType::UInt32 => (0, u32::MAX.into()),
        DataType::UInt64 => (0, u64::MAX.into()),
        _ => return None,
    })
}

/// Applies `convert` to each element.
fn each<const S: usize, const T: usize>(
    source: &[u8],
    target: &mut [u8],
    convert: impl Fn([u8; S]) -> [u8; T],
) {
    for (from, to) in source.as_chunks::<S>().0.iter().zip(target.as_chunks_mut::<T>().0) {
        *to = convert(*from);
    }
}

macro_rules! to_float {
    ($name:ident, $float:ty, $half:expr) => {
        #[doc = concat!("Numbers of any type as `", stringify!($float), "`.")]
        fn $name(from: &DataType, source: &[u8], target: &mut [u8]) {
            macro_rules! rounded {
                ($number:ty) => {
                    each(source, target, |bytes| {
                        (<$number>::from_ne_bytes(bytes) as $float).to_ne_bytes()
                    })
                };
            }
            match from {
                DataType::Bool | DataType::UInt2 | DataType::UInt4 | DataType::UInt8 => {
                    rounded!(u8)
                }
                DataType::Int2 | DataType::Int4 | DataType::Int8 => rounded!(i8),
                DataType::Int16 => rounded!(i16),
                DataType::Int32 => rounded!(i32),
                DataType::Int64 => rounded!(i64),
                DataType::UInt16 => rounded!(u16),
                DataType::UInt32 => rounded!(u32),
                DataType::UInt64 => rounded!(u64),
                DataType::Float32 => rounded!(f32),
                DataType::Float64 => rounded!(f64),
                DataType::Float16 => $half(source, target),
                DataType::Small(SmallFloat::BFloat16) => each(source, target, |bytes| {
                    let bits = u16::from_ne_bytes(bytes);
                    (SmallFloat::BFloat16.to_f32(bits) as $float).to_ne_bytes()
                }),
                DataType::Small(float) => {
                    let values: [[u8; _]; 256] = std::array::from_fn(|bits| {
                        (float.to_f32(bits as u16) as $float).to_ne_bytes()
                    });
                    each(source, target, |[byte]| values[usize::from(byte)]);
                }
                DataType::DateTime64(_) | DataType::TimeDelta64(_) => {
                    each(source, target, |bytes| {
                        let steps = i64::from_ne_bytes(bytes);
                        let none = steps == i64::MIN;
                        (if none { <$float>::NAN } else { steps as $float }).to_ne_bytes()
                    });
                }
                _ => {}
            }
        }
    };
}

to_float!(to_float32, f32, halves_to_float32);
to_float!(to_float64, f64, |source, target| each(source, target, |bytes| {
    f16::from_ne_bytes(bytes).to_f64().to_ne_bytes()
}));

/// binary16 as binary32, by the instructions that the processor has for many at once.
fn halves_to_float32(source: &[u8], target: &mut [u8]) {
    // Blocks that fit the first-level cache.
    let mut from = [f16::ZERO; 1024];
    let mut into = [0f32; 1024];
    let blocks = source.chunks(2 * from.len()).zip(target.chunks_mut(4 * into.len()));
    for (halves, floats) in blocks {
        let count = halves.len() / 2;
        for (value, bytes) in from.iter_mut().zip(halves.as_chunks::<2>().0) {
            *value = f16::from_ne_bytes(*bytes);
        }
        from[..count].convert_to_f32_slice(&mut into[..count]);
        for (value, bytes) in into.iter().zip(floats.as_chunks_mut::<4>().0) {
            *bytes = value.to_ne_bytes();
        }
    }
}

/// Integers of any type as wider ones of `T` bytes.
fn to_integer<const T: usize>(from: &DataType, source: &[u8], target: &mut [u8]) {
    // The lowest bytes of a number that fits.
    let cut = |number: i128| -> [u8; T] {
        let bytes = number.to_le_bytes();
        let place = |at| if cfg!(target_endian = "big") { T - 1 - at } else { at };
        std::array::from_fn(|at| bytes[place(at)])
    };
    macro_rules! wider {
        ($number:ty) => {
            each(source, target, |bytes| cut(<$number>::from_ne_bytes(bytes).into()))
        };
    }
    match from {
        DataType::Int2 | DataType::Int4 | DataType::Int8 => wider!(i8),
        DataType::Int16 => wider!(i16),
        DataType::Int32 => wider!(i32),
        DataType::UInt16 => wider!(u16),
        DataType::UInt32 => wider!(u32),
        _ => wider!(u8),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::{TimeStep, TimeUnit};

    fn convert(from: &DataType, to: &DataType, source: &[u8]) -> Vec<u8> {
        let conversion = Conversion::new(from, to).unwrap();
        let count = source.len() / from.size().unwrap();
        let mut target = vec![0xee; count * to.size().unwrap()];
        conversion.convert(source, &mut target);
        target
    }

    fn bytes<const N: usize>(elements: &[[u8; N]]) -> Vec<u8> {
        elements.concat()
    }

    #[test]
    fn integers_of_64_bits_are_rounded_once_and_to_even() {
        let numbers: [i64; 4] = [(1 << 53) + 1, (1 << 53) + 3, i64::MIN, (1 << 24) + 1];
        let source = bytes(&numbers.map(i64::to_ne_bytes));
        let doubles = bytes(
            &[(1u64 << 53) as f64, 9_007_199_254_740_996.0, -(2f64.powi(63)), 16_777_217.0]
                .map(f64::to_ne_bytes),
        );
        assert_eq!(convert(&DataType::Int64, &DataType::Float64, &source), doubles);
        // By way of binary64 this one would become 2^25.
        let number = (1u64 << 25 | 1) << 29 | 1;
        let source = number.to_ne_bytes();
        let single = convert(&DataType::UInt64, &DataType::Float32, &source);
        assert_eq!(single, (number as f32).to_ne_bytes());
    }

    #[test]
    fn floats_are_rounded_and_keep_what_is_special() {
        let doubles = [0.1, -0.0, 1e300, f64::NEG_INFINITY, f64::NAN];
        let found =
            convert(&DataType::Float64, &DataType::Float32, &bytes(&doubles.map(f64::to_ne_bytes)));
        let expected = [0.1f32, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
        assert_eq!(found, bytes(&expected.map(f32::to_ne_bytes)));
        let halves: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_ne_bytes).collect();
        let found = convert(&DataType::Float16, &DataType::Float32, &halves);
        for (bits, found) in (0..=u16::MAX).zip(found.as_chunks::<4>().0) {
            let (found, expected) = (f32::from_ne_bytes(*found), f16::from_bits(bits).to_f32());
            assert!(found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan());
        }
    }

    #[test]
    fn small_and_complex_floats_go_by_their_parts() {
        let small = SmallFloat::Float8E4M3;
        let source: Vec<u8> = (0..=255).collect();
        let found = convert(&DataType::ComplexSmall(small), &DataType::Complex128, &source);
        for (bits, found) in source.iter().zip(found.as_chunks::<8>().0) {
            let expected = f64::from(small.to_f32(u16::from(*bits)));
            let found = f64::from_ne_bytes(*found);
            assert!(found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan());
        }
    }

    #[test]
    fn integers_go_where_all_of_them_fit() {
        let int4 = convert(&DataType::Int4, &DataType::Int16, &[0xf8, 7]);
        assert_eq!(int4, bytes(&[-8i16, 7].map(i16::to_ne_bytes)));
        assert_eq!(convert(&DataType::Bool, &DataType::UInt8, &[1, 0]), [1, 0]);
        assert_eq!(
            convert(&DataType::UInt32, &DataType::Int64, &[0xff; 4]),
            0xffff_ffffi64.to_ne_bytes()
        );
        for (from, to) in [
            (DataType::Int8, DataType::UInt64),
            (DataType::UInt8, DataType::Int8),
            (DataType::UInt64, DataType::Int64),
            (DataType::Int64, DataType::Int64),
            (DataType::UInt2, DataType::UInt4),
            (DataType::Float32, DataType::Int64),
            (DataType::Complex64, DataType::Float64),
            (DataType::RawBytes { length: 4 }, DataType::UInt32),
            (DataType::String, DataType::Float64),
        ] {
            assert_eq!(Conversion::new(&from, &to), None, "{from} {to}");
        }
    }

    #[test]
    fn no_time_is_nan() {
        let step = TimeStep::new(TimeUnit::Second, 1).unwrap();
        let source = bytes(&[i64::MIN, -5].map(i64::to_ne_bytes));
        let found = convert(&DataType::DateTime64(step), &DataType::Float64, &source);
        assert_eq!(found, bytes(&[f64::NAN, -5.0].map(f64::to_ne_bytes)));
    }

    #[test]
    fn text_keeps_inner_zeros_and_is_checked() {
        let text = Conversion::new(&DataType::FixedLengthUtf32 { length: 3 }, &DataType::String);
        let text = text.unwrap();
        let units = [0x1f30d, 0, 0x41, 0xe9, 0, 0, 0, 0, 0u32];
        let source = bytes(&units.map(u32::to_ne_bytes));
        let mut chunk = VariableChunk { offsets: vec![], bytes: vec![], limit: 39 };
        assert_eq!(text.convert_text(&source, &mut chunk), Ok(Some(40)));
        chunk.limit = 40;
        assert_eq!(text.convert_text(&source, &mut chunk), Ok(None));
        assert_eq!(chunk.offsets, [0, 6, 8, 8]);
        assert_eq!(chunk.bytes, "\u{1f30d}\0A\u{e9}".as_bytes());
        let surrogate = bytes(&[0x41, 0, 0, 0xd800, 0, 0u32].map(u32::to_ne_bytes));
        let error = NoCodePoint { element: 1, code_point: 0xd800 };
        assert_eq!(text.convert_text(&surrogate, &mut chunk), Err(error));
    }
}
