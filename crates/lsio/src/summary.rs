//! Statistics of a whole array, computed where its chunks are decoded.

use std::sync::Arc;

use half::f16;
use lsio_array::{DataType, ResolvedSelection, SmallFloat};
use lsio_compute::{ChunkData, RunHandle, RunOptions};

use crate::missing_values::MissingValues;
use crate::{Array, ErrorCode, LsioError};

/// Independent sums that a kernel keeps. A fixed number, whatever the processor's registers hold, so
/// that every machine adds in the same order, and large enough that additions do not wait for each other.
const LANES: usize = 16;
/// Integers of at most 32 bits that are added in 64 bits before they go to 128: 2^31 cannot overflow.
const INTEGER_BLOCK: usize = 1 << 12;

/// Minimum, maximum and mean of the elements that are not missing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Summary {
    /// Smallest value; NaN if there is none. Zero is 0.0, also where the array has -0.0.
    pub min: f64,
    /// Largest value; NaN if there is none. Zero is 0.0, also where the array has -0.0.
    pub max: f64,
    /// Mean, accumulated in float64 or, for integers, exactly; NaN if there is no value.
    pub mean: f64,
    /// Elements that are NaN or equal to a value that marks missing data.
    pub missing: u64,
    /// All elements, missing ones included.
    pub count: u64,
}

/// What is known of some elements.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Partial {
    count: u64,
    missing: u64,
    sum: Sum,
    min: f64,
    max: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Sum {
    /// Of floats, in float64.
    Float(f64),
    /// Of integers: exact for 2^63 elements of 64 bits.
    Integer(i128),
}

impl Array {
    /// Mean of all elements, as NumPy's `mean` with float64 accumulation: NaN if any element is NaN or
    /// there is none. `done` is called once, on a thread of the engine or on the one that cancels.
    ///
    /// # Errors
    /// [`ErrorCode::Unsupported`] for anything but real numbers.
    pub fn mean(
        &self,
        options: RunOptions,
        done: impl FnOnce(Result<f64, LsioError>) + Send + 'static,
    ) -> Result<RunHandle, LsioError> {
        let data_type = self.metadata().data_type.clone();
        let finish = |all: Result<Summary, LsioError>| done(all.map(|all| all.mean));
        self.fold_elements(move |bytes| total(&data_type, bytes), options, finish)
    }

    /// Minimum, maximum, mean and number of missing elements. Missing are NaN and what the attribute
    /// `_FillValue` (in Zarr v2 also the fill value) says. `done` as for [`mean`](Self::mean).
    ///
    /// # Errors
    /// [`ErrorCode::Unsupported`] for anything but real numbers.
    pub fn summary(
        &self,
        options: RunOptions,
        done: impl FnOnce(Result<Summary, LsioError>) + Send + 'static,
    ) -> Result<RunHandle, LsioError> {
        let data_type = self.metadata().data_type.clone();
        let missing = MissingValues::of(self.metadata());
        self.fold_elements(move |bytes| scan(&data_type, bytes, &missing), options, done)
    }

    fn fold_elements(
        &self,
        partial_of: impl Fn(&[u8]) -> Partial + Send + Sync + 'static,
        options: RunOptions,
        done: impl FnOnce(Result<Summary, LsioError>) + Send + 'static,
    ) -> Result<RunHandle, LsioError> {
        let data_type = self.metadata().data_type.clone();
        if !data_type.is_number() {
            let message = format!("statistics of {data_type} elements are not supported");
            return Err(LsioError::new(ErrorCode::Unsupported, message).at(self.name()));
        }
        let all = ResolvedSelection::all(self.grid().shape());
        let plan = Arc::new(self.touched_chunks(all, false)?);
        let empty = Partial::empty(&data_type);
        let map = move |chunks: &[ChunkData]| {
            Ok(chunks.iter().map(|chunk| partial_of(chunk.bytes())).fold(empty, Partial::merge))
        };
        let finish = move |result: Result<Option<Partial>, _>| {
            let result = result.map_err(LsioError::from);
            done(result.map(|all| all.unwrap_or(empty).summary()));
        };
        let sources = vec![self.handle.clone()];
        let executor = &self.engine.executor;
        Ok(executor.fold(sources, plan, options, map, Partial::merge, finish))
    }
}

impl Partial {
    fn empty(data_type: &DataType) -> Self {
        let sum = if data_type.is_float() { Sum::Float(0.0) } else { Sum::Integer(0) };
        Self { count: 0, missing: 0, sum, min: f64::NAN, max: f64::NAN }
    }

    fn merge(self, other: Self) -> Self {
        let sum = match (self.sum, other.sum) {
            (Sum::Float(a), Sum::Float(b)) => Sum::Float(a + b),
            (Sum::Integer(a), Sum::Integer(b)) => Sum::Integer(a + b),
            (Sum::Float(a), Sum::Integer(b)) | (Sum::Integer(b), Sum::Float(a)) => {
                Sum::Float(a + b as f64)
            }
        };
        Self {
            count: self.count + other.count,
            missing: self.missing + other.missing,
            sum,
            // NaN stands for "no value yet": min and max ignore it.
            min: smaller(self.min, other.min),
            max: larger(self.max, other.max),
        }
    }

    fn summary(self) -> Summary {
        let valid = self.count - self.missing;
        let mean = match self.sum {
            _ if valid == 0 => f64::NAN,
            Sum::Float(sum) => sum / valid as f64,
            Sum::Integer(sum) => sum as f64 / valid as f64,
        };
        let Self { min, max, missing, count, .. } = self;
        Summary { min, max, mean, missing, count }
    }
}

/// The smaller of two values, of which NaN is none. The zero is 0.0: which of 0.0 and -0.0 [`f64::min`] takes
/// may differ from machine to machine.
fn smaller(a: f64, b: f64) -> f64 {
    unsigned_zero(if b.is_nan() || a < b { a } else { b })
}

/// The larger of two values, as [`smaller`].
fn larger(a: f64, b: f64) -> f64 {
    unsigned_zero(if b.is_nan() || a > b { a } else { b })
}

fn unsigned_zero(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value }
}

/// Number and sum of all elements, without their extremes: what a mean needs.
fn total(data_type: &DataType, bytes: &[u8]) -> Partial {
    let (count, sum) = match data_type {
        DataType::Bool | DataType::UInt2 | DataType::UInt4 | DataType::UInt8 => {
            integer_sum(bytes, |b| u8::from_ne_bytes(b).into())
        }
        DataType::Int2 | DataType::Int4 | DataType::Int8 => {
            integer_sum(bytes, |b| i8::from_ne_bytes(b).into())
        }
        DataType::Int16 => integer_sum(bytes, |b| i16::from_ne_bytes(b).into()),
        DataType::UInt16 => integer_sum(bytes, |b| u16::from_ne_bytes(b).into()),
        DataType::Int32 => integer_sum(bytes, |b| i32::from_ne_bytes(b).into()),
        DataType::UInt32 => integer_sum(bytes, |b| u32::from_ne_bytes(b).into()),
        DataType::Int64 => long_sum(bytes, |b| i64::from_ne_bytes(b).into()),
        DataType::UInt64 => long_sum(bytes, |b| u64::from_ne_bytes(b).into()),
        DataType::Float16 => float_sum(bytes, |b| f16::from_ne_bytes(b).into()),
        DataType::Float32 => float_sum(bytes, |b| f32::from_ne_bytes(b).into()),
        DataType::Float64 => float_sum(bytes, f64::from_ne_bytes),
        DataType::Small(float) if float.size() == 2 => {
            float_sum(bytes, |b| float.to_f32(u16::from_ne_bytes(b)).into())
        }
        DataType::Small(float) => {
            let values = values_of(*float);
            float_sum(bytes, |[byte]| values[usize::from(byte)])
        }
        _ => return Partial::empty(data_type),
    };
    Partial { count, sum, ..Partial::empty(data_type) }
}

fn float_sum<const SIZE: usize>(bytes: &[u8], value: impl Fn([u8; SIZE]) -> f64) -> (u64, Sum) {
    let (elements, _) = bytes.as_chunks::<SIZE>();
    let (blocks, rest) = elements.as_chunks::<LANES>();
    let mut sums = [0f64; LANES];
    for block in blocks {
        for (sum, element) in sums.iter_mut().zip(block) {
            *sum += value(*element);
        }
    }
    for (sum, element) in sums.iter_mut().zip(rest) {
        *sum += value(*element);
    }
    (elements.len() as u64, Sum::Float(sums.iter().sum()))
}

/// Of integers of at most 32 bits.
fn integer_sum<const SIZE: usize>(bytes: &[u8], value: impl Fn([u8; SIZE]) -> i64) -> (u64, Sum) {
    let (elements, _) = bytes.as_chunks::<SIZE>();
    let of_block = |block: &[[u8; SIZE]]| block.iter().map(|&element| value(element)).sum::<i64>();
    let sum = elements.chunks(INTEGER_BLOCK).map(|block| i128::from(of_block(block))).sum();
    (elements.len() as u64, Sum::Integer(sum))
}

/// Of integers of 64 bits.
fn long_sum(bytes: &[u8], value: impl Fn([u8; 8]) -> i128) -> (u64, Sum) {
    let (elements, _) = bytes.as_chunks::<8>();
    let sum = elements.iter().map(|&element| value(element)).sum();
    (elements.len() as u64, Sum::Integer(sum))
}

/// The values of a float of one byte.
fn values_of(float: SmallFloat) -> [f64; 256] {
    std::array::from_fn(|bits| float.to_f32(bits as u16).into())
}

fn scan(data_type: &DataType, bytes: &[u8], missing: &MissingValues) -> Partial {
    match data_type {
        DataType::Bool | DataType::UInt2 | DataType::UInt4 | DataType::UInt8 => {
            integers(bytes, missing, u8::from_ne_bytes)
        }
        DataType::Int2 | DataType::Int4 | DataType::Int8 => {
            integers(bytes, missing, i8::from_ne_bytes)
        }
        DataType::Int16 => integers(bytes, missing, i16::from_ne_bytes),
        DataType::UInt16 => integers(bytes, missing, u16::from_ne_bytes),
        DataType::Int32 => integers(bytes, missing, i32::from_ne_bytes),
        DataType::UInt32 => integers(bytes, missing, u32::from_ne_bytes),
        DataType::Int64 => integers(bytes, missing, i64::from_ne_bytes),
        DataType::UInt64 => integers(bytes, missing, u64::from_ne_bytes),
        DataType::Float16 => floats(bytes, missing, |bytes| f64::from(f16::from_ne_bytes(bytes))),
        DataType::Float32 => floats(bytes, missing, |bytes| f64::from(f32::from_ne_bytes(bytes))),
        DataType::Float64 => floats(bytes, missing, f64::from_ne_bytes),
        DataType::Small(float) if float.size() == 2 => {
            floats(bytes, missing, |bytes| float.to_f32(u16::from_ne_bytes(bytes)).into())
        }
        DataType::Small(float) => {
            let values = values_of(*float);
            floats(bytes, missing, |[byte]| values[usize::from(byte)])
        }
        _ => Partial::empty(data_type),
    }
}

fn floats<const SIZE: usize>(
    bytes: &[u8],
    missing: &MissingValues,
    value: impl Fn([u8; SIZE]) -> f64,
) -> Partial {
    let (elements, _) = bytes.as_chunks::<SIZE>();
    let mut sums = [0f64; LANES];
    let mut mins = [f64::INFINITY; LANES];
    let mut maxs = [f64::NEG_INFINITY; LANES];
    let mut skipped = 0u64;
    let mut any_nan = false;
    let (blocks, rest) = elements.as_chunks::<LANES>();
    let mut add = |lane: usize, element: [u8; SIZE]| {
        let number = value(element);
        if missing.has(number, &element) {
            skipped += 1;
            return;
        }
        any_nan |= number.is_nan();
        sums[lane] += number;
        mins[lane] = if number < mins[lane] { number } else { mins[lane] };
        maxs[lane] = if number > maxs[lane] { number } else { maxs[lane] };
    };
    for block in blocks {
        for (lane, element) in block.iter().enumerate() {
            add(lane, *element);
        }
    }
    for (lane, element) in rest.iter().enumerate() {
        add(lane, *element);
    }
    let count = elements.len() as u64;
    let none = skipped == count || any_nan;
    Partial {
        count,
        missing: skipped,
        sum: Sum::Float(sums.iter().sum()),
        min: if none { f64::NAN } else { mins.into_iter().fold(f64::INFINITY, smaller) },
        max: if none { f64::NAN } else { maxs.into_iter().fold(f64::NEG_INFINITY, larger) },
    }
}

fn integers<const SIZE: usize, T>(
    bytes: &[u8],
    missing: &MissingValues,
    value: impl Fn([u8; SIZE]) -> T,
) -> Partial
where
    T: Into<i128> + Copy,
{
    let (elements, _) = bytes.as_chunks::<SIZE>();
    let (mut sum, mut min, mut max) = (0i128, i128::MAX, i128::MIN);
    let mut skipped = 0u64;
    for element in elements {
        if missing.has_bytes(element) {
            skipped += 1;
            continue;
        }
        let number: i128 = value(*element).into();
        sum += number;
        min = min.min(number);
        max = max.max(number);
    }
    let count = elements.len() as u64;
    let none = skipped == count;
    Partial {
        count,
        missing: skipped,
        sum: Sum::Integer(sum),
        min: if none { f64::NAN } else { min as f64 },
        max: if none { f64::NAN } else { max as f64 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_ne_bytes()).collect()
    }

    #[test]
    fn many_floats_near_each_other_keep_their_mean() {
        let values = vec![280.5f32; 1 << 20];
        let partial = scan(&DataType::Float32, &bytes_of(&values), &MissingValues::none());
        assert_eq!(partial.summary().mean.to_bits(), 280.5f64.to_bits());
        assert_eq!(
            (partial.min.to_bits(), partial.max.to_bits()),
            (280.5f64.to_bits(), 280.5f64.to_bits())
        );
    }

    #[test]
    fn a_total_is_what_a_scan_adds_up() {
        use DataType::{Bool, Float16, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64};
        let bytes: Vec<u8> =
            (0..40_000u32).flat_map(|i| (i.wrapping_mul(2_654_435_761)).to_ne_bytes()).collect();
        for data_type in [Bool, Int8, UInt8, Int16, UInt16, Int32, UInt32, Int64, UInt64] {
            let scanned = scan(&data_type, &bytes, &MissingValues::none());
            let total = total(&data_type, &bytes);
            assert_eq!((total.count, total.sum), (scanned.count, scanned.sum), "{data_type}");
        }
        let thirds: Vec<u8> = (0..1001).flat_map(|i| (f64::from(i) / 3.0).to_ne_bytes()).collect();
        let scanned = scan(&DataType::Float64, &thirds, &MissingValues::none());
        assert_eq!(total(&DataType::Float64, &thirds).sum, scanned.sum);
        let halves: Vec<u8> =
            (0..999).flat_map(|i| f16::from_f64(f64::from(i)).to_ne_bytes()).collect();
        assert_eq!(total(&Float16, &halves).sum, Sum::Float(998.0 * 999.0 / 2.0));
    }

    #[test]
    fn nan_spoils_a_mean_but_not_a_summary() {
        let bytes = bytes_of(&[1.0, f32::NAN, 5.0]);
        let plain = scan(&DataType::Float32, &bytes, &MissingValues::none()).summary();
        assert!(plain.mean.is_nan() && plain.min.is_nan());
        assert!(total(&DataType::Float32, &bytes).summary().mean.is_nan());
        let skipping = scan(&DataType::Float32, &bytes, &MissingValues::nan()).summary();
        assert_eq!(skipping, Summary { min: 1.0, max: 5.0, mean: 3.0, missing: 1, count: 3 });
    }

    #[test]
    fn small_numbers_have_statistics() {
        let float = DataType::from_name("float8_e4m3").unwrap_or(DataType::Bool);
        // 1, 1.5, -2.
        let bytes = [0x38, 0x3c, 0xc0];
        let scanned = scan(&float, &bytes, &MissingValues::none()).summary();
        let expected = Summary { min: -2.0, max: 1.5, mean: 0.5 / 3.0, missing: 0, count: 3 };
        assert_eq!(scanned, expected);
        assert_eq!(total(&float, &bytes).summary().mean.to_bits(), expected.mean.to_bits());
        let scanned = scan(&DataType::Int4, &[0xf8, 7], &MissingValues::none()).summary();
        assert_eq!((scanned.min, scanned.max, scanned.mean), (-8.0, 7.0, -0.5));
        let bfloat = DataType::from_name("bfloat16").unwrap_or(DataType::Bool);
        assert_eq!(
            total(&bfloat, &0x3f80u16.to_ne_bytes()).summary().mean.to_bits(),
            1f64.to_bits()
        );
    }

    #[test]
    fn integers_beyond_53_bits_are_summed_exactly() {
        let bytes: Vec<u8> =
            [i64::MAX, i64::MAX, i64::MIN, i64::MIN].iter().flat_map(|v| v.to_ne_bytes()).collect();
        let partial = scan(&DataType::Int64, &bytes, &MissingValues::none());
        assert_eq!(partial.sum, Sum::Integer(-2));
    }

    #[test]
    fn nothing_has_no_mean() {
        let empty = Partial::empty(&DataType::Int8).summary();
        assert!(empty.mean.is_nan() && empty.count == 0);
    }

    #[test]
    fn zeros_and_nan_have_one_answer_in_any_order() {
        let bits = |values: [f64; 2]| values.map(f64::to_bits);
        for (a, b, least, most) in [
            (0.0, -0.0, 0.0, 0.0),
            (-0.0, -0.0, 0.0, 0.0),
            (-1.0, -0.0, -1.0, 0.0),
            (1.0, -0.0, 0.0, 1.0),
            (f64::NAN, -0.0, 0.0, 0.0),
            (f64::NAN, 2.0, 2.0, 2.0),
            (f64::NEG_INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY),
        ] {
            for (a, b) in [(a, b), (b, a)] {
                let found = [smaller(a, b), larger(a, b)];
                assert_eq!(bits(found), bits([least, most]), "{a} {b}");
                let bytes: Vec<u8> = [a, b].iter().flat_map(|value| value.to_ne_bytes()).collect();
                let scanned = scan(&DataType::Float64, &bytes, &MissingValues::nan());
                assert_eq!(bits([scanned.min, scanned.max]), bits([least, most]), "{a} {b}");
            }
        }
        assert!(smaller(f64::NAN, f64::NAN).is_nan() && larger(f64::NAN, f64::NAN).is_nan());
    }
}
