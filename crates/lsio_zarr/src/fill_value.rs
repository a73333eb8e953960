//! Fill values: JSON to the exact bytes of one element in memory.
//!
//! Specification: Zarr v3 core, "Fill value list"; Zarr v2, "Fill value encoding". Bytes are base64 or lists of
//! numbers.

use lsio_array::DataType;
use lsio_codecs::{Bytes, Endian, integer_from_json, number_from_json};
use serde_json::Value;

use crate::base64::decode_base64;
use crate::error::{Refusal, excerpt};
use crate::struct_metadata;

/// The element that a v3 `fill_value` stands for, in native byte order; UTF-8 text for strings. `bytes` is
/// how elements are stored, for records that are given as they are stored.
pub(crate) fn from_v3(
    data_type: &DataType,
    value: &Value,
    bytes: Bytes,
) -> Result<Vec<u8>, Refusal> {
    element(data_type, value, bytes).ok_or_else(|| refused(data_type, value))
}

/// The element that a v3 `fill_value` stands for, where that is known before the codecs are: the bytes of records
/// have the order of the innermost chunks.
pub(crate) fn before_codecs(data_type: &DataType, value: &Value) -> Option<Vec<u8>> {
    let is_record = matches!(data_type, DataType::Struct(_));
    let element = from_v3(data_type, value, Bytes::new(Endian::Little)).ok();
    element.filter(|_| !is_record)
}

/// The element that a v2 `fill_value` stands for, as [`from_v3`].
///
/// `null` says that the content of missing chunks is undefined: zeros or empty strings here. Beyond
/// what v3 has, zarr-python wrote 0 and 1 for booleans, numbers for text and bytes, text that is not base64
/// for bytes, and the real part alone for complex numbers.
pub(crate) fn from_v2(
    data_type: &DataType,
    value: &Value,
    bytes: Bytes,
) -> Result<Vec<u8>, Refusal> {
    let zero = || vec![0; data_type.size().unwrap_or(0)];
    let lenient = match (data_type, value) {
        (DataType::Json, value) => Some(value.to_string().into_bytes()),
        (_, Value::Null) => Some(zero()),
        (DataType::Bool, Value::Number(number)) => integer_from_json(number)
            .filter(|bit| (0..=1).contains(bit))
            .map(|bit| vec![u8::from(bit == 1)]),
        (DataType::String, Value::Number(number)) => Some(number.to_string().into_bytes()),
        (DataType::FixedLengthUtf32 { length }, Value::Number(number)) => {
            utf32(&number.to_string(), *length)
        }
        (DataType::NullTerminatedBytes { length }, Value::Number(number)) => {
            padded(number.to_string().into_bytes(), *length)
        }
        (DataType::NullTerminatedBytes { length }, Value::String(text)) => {
            padded(decode_base64(text).unwrap_or_else(|| text.clone().into_bytes()), *length)
        }
        (
            DataType::RawBytes { .. } | DataType::Struct(_) | DataType::VariableLengthBytes,
            Value::Number(number),
        ) if integer_from_json(number) == Some(0) => Some(zero()),
        (DataType::VariableLengthBytes, Value::String(text)) => {
            Some(decode_base64(text).unwrap_or_else(|| text.clone().into_bytes()))
        }
        (DataType::Complex64 | DataType::Complex128, Value::Number(_)) => {
            let part = data_type.part().and_then(|part| element(&part, value, bytes));
            part.map(|real| [real.clone(), vec![0; real.len()]].concat())
        }
        _ => element(data_type, value, bytes),
    };
    lenient.ok_or_else(|| refused(data_type, value))
}

fn refused(data_type: &DataType, value: &Value) -> Refusal {
    Refusal::invalid(format!("'fill_value' {} is no value of {data_type}", excerpt(value)))
}

fn element(data_type: &DataType, value: &Value, bytes: Bytes) -> Option<Vec<u8>> {
    Some(match data_type {
        DataType::Bool => vec![u8::from(value.as_bool()?)],
        DataType::ComplexFloat16
        | DataType::Complex64
        | DataType::Complex128
        | DataType::ComplexSmall(_) => complex(&data_type.part()?, value, bytes)?,
        DataType::DateTime64(_) | DataType::TimeDelta64(_) => match value.as_str() {
            Some("NaT") => i64::MIN.to_ne_bytes().to_vec(),
            _ => element(&DataType::Int64, value, bytes)?,
        },
        DataType::FixedLengthUtf32 { length } => utf32(value.as_str()?, *length)?,
        DataType::NullTerminatedBytes { length } => {
            padded(decode_base64(value.as_str()?)?, *length)?
        }
        DataType::RawBytes { length } => {
            plain_bytes(value).filter(|bytes| bytes.len() == *length)?
        }
        DataType::VariableLengthBytes => plain_bytes(value)?,
        DataType::Json => value.to_string().into_bytes(),
        DataType::Struct(record) => {
            let field = |data_type: &DataType, value: &Value| element(data_type, value, bytes);
            struct_metadata::fill_value(record, value, bytes, field)?
        }
        DataType::String => value.as_str()?.as_bytes().to_vec(),
        number => number_from_json(number, value)?,
    })
}

/// Bytes as a list of numbers or as base64.
fn plain_bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Array(items) => items.iter().map(byte).collect(),
        value => decode_base64(value.as_str()?),
    }
}

/// Text as code points of 32 bits, zeros behind them.
fn utf32(text: &str, length: usize) -> Option<Vec<u8>> {
    let units = text.chars().flat_map(|character| u32::from(character).to_ne_bytes()).collect();
    padded(units, length.checked_mul(4)?)
}

/// Bytes with zeros behind them.
fn padded(mut bytes: Vec<u8>, length: usize) -> Option<Vec<u8>> {
    if bytes.len() > length {
        return None;
    }
    bytes.resize(length, 0);
    Some(bytes)
}

fn byte(value: &Value) -> Option<u8> {
    u8::try_from(value.as_u64()?).ok()
}

fn complex(part: &DataType, value: &Value, bytes: Bytes) -> Option<Vec<u8>> {
    match value.as_array()?.as_slice() {
        [real, imaginary] => {
            Some([element(part, real, bytes)?, element(part, imaginary, bytes)?].concat())
        }
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::json::parse;

    fn v3(data_type: &DataType, text: &str) -> Option<Vec<u8>> {
        from_v3(data_type, &parse(text.as_bytes()).unwrap(), Bytes::new(Endian::Big)).ok()
    }

    fn v2(data_type: &DataType, text: &str) -> Option<Vec<u8>> {
        from_v2(data_type, &parse(text.as_bytes()).unwrap(), Bytes::new(Endian::Big)).ok()
    }

    #[test]
    fn integers_are_exact_up_to_their_limits() {
        use DataType::{Int8, Int64, UInt8, UInt64};
        let ok: [(DataType, &str, i128); 10] = [
            (Int8, "-128", -128),
            (UInt8, "255", 255),
            (Int64, "-9223372036854775808", i128::from(i64::MIN)),
            (Int64, "9007199254740993", 9_007_199_254_740_993),
            (UInt64, "18446744073709551615", i128::from(u64::MAX)),
            (UInt64, "0.0", 0),
            (Int64, "-0.0", 0),
            (Int64, "-1.2e3", -1200),
            (Int64, "1E2", 100),
            (UInt64, "18446744073709551615.000", i128::from(u64::MAX)),
        ];
        for (data_type, text, expected) in ok {
            let size = data_type.size().unwrap();
            let mut bytes = v3(&data_type, text).unwrap_or_else(|| panic!("{data_type} {text}"));
            if cfg!(target_endian = "big") {
                bytes.reverse();
            }
            assert_eq!(bytes, expected.to_le_bytes()[..size], "{data_type} {text}");
        }
        for (data_type, text) in [
            (Int8, "128"),
            (UInt8, "-1"),
            (UInt8, "256"),
            (Int64, "9223372036854775808"),
            (UInt64, "18446744073709551616"),
            (UInt64, "0.5"),
            (Int64, "1e400"),
            (Int64, "1e-1"),
            (Int64, "1e2147483647"),
            (Int64, "1e99999999999"),
            (Int64, "\"1\""),
            (Int64, "NaN"),
            (Int64, "true"),
            (Int64, "null"),
        ] {
            assert_eq!(v3(&data_type, text), None, "{data_type} {text}");
        }
    }

    #[test]
    fn floats_are_rounded_once_and_hex_gives_their_bits() {
        let single = |text: &str| {
            v3(&DataType::Float32, text).map(|b| u32::from_ne_bytes(b.try_into().unwrap()))
        };
        assert_eq!(single("0.1"), Some(0.1f32.to_bits()));
        // Half-way between two binary32 values but for its last digit: by way of f64 it would fall.
        assert_eq!(single("1.00000005960464477540"), Some(0x3f80_0001));
        assert_eq!(single("NaN"), Some(0x7fc0_0000));
        assert_eq!(single("\"NaN\""), Some(0x7fc0_0000));
        assert_eq!(single("\"Infinity\""), Some(f32::INFINITY.to_bits()));
        assert_eq!(single("-Infinity"), Some(f32::NEG_INFINITY.to_bits()));
        assert_eq!(single("\"0x7fc00001\""), Some(0x7fc0_0001));
        assert_eq!(single("\"0xFF800001\""), Some(0xff80_0001));
        assert_eq!(single("-0.0"), Some(0x8000_0000));
        assert_eq!(single("9.969209968386869e+36"), Some(9.969_21e36f32.to_bits()));
        let double = |text: &str| {
            v3(&DataType::Float64, text).map(|b| u64::from_ne_bytes(b.try_into().unwrap()))
        };
        assert_eq!(double("\"0x7ff8000000000002\""), Some(0x7ff8_0000_0000_0002));
        assert_eq!(double("1e-400"), Some(0));
        let half = |text: &str| {
            v3(&DataType::Float16, text).map(|b| u16::from_ne_bytes(b.try_into().unwrap()))
        };
        assert_eq!(half("65504"), Some(0x7bff));
        assert_eq!(half("\"0x7e01\""), Some(0x7e01));
        assert_eq!(half("NaN"), Some(0x7e00));
        assert_eq!(half("-Infinity"), Some(0xfc00));
    }

    #[test]
    fn what_is_no_float_is_refused() {
        for text in [
            "1e39",
            "-1e39",
            "1e400",
            "\"0x7fc0\"",
            "\"0x7fc000001\"",
            "\"0x+fc00001\"",
            "\"7fc00001\"",
            "\"0xé7fc000\"",
            "\"0x\\u00e97fc000\"",
            "\"€€\"",
            "\"0x\"",
            "\"\"",
            "\"nan\"",
            "\"1.0\"",
            "null",
            "false",
            "[1]",
        ] {
            assert_eq!(v3(&DataType::Float32, text), None, "{text}");
        }
        assert_eq!(v3(&DataType::Float16, "65520"), None);
        assert_eq!(v3(&DataType::Float64, "1e309"), None);
    }

    #[test]
    fn complex_numbers_are_pairs() {
        let pair = [1.5f32.to_ne_bytes(), 0xffc0_0001u32.to_ne_bytes()].concat();
        assert_eq!(v3(&DataType::Complex64, "[1.5, \"0xffc00001\"]"), Some(pair));
        let pair = [f64::NAN.to_ne_bytes(), f64::NEG_INFINITY.to_ne_bytes()].concat();
        assert_eq!(v3(&DataType::Complex128, "[\"NaN\", -Infinity]"), Some(pair));
        for text in ["1.0", "[1.0]", "[1, 2, 3]", "[1, null]", "\"NaN\""] {
            assert_eq!(v3(&DataType::Complex64, text), None, "{text}");
        }
        assert_eq!(v2(&DataType::Complex64, "0.0"), Some(vec![0; 8]));
    }

    #[test]
    fn booleans_and_strings() {
        assert_eq!(v3(&DataType::Bool, "true"), Some(vec![1]));
        assert_eq!(v3(&DataType::Bool, "0"), None);
        assert_eq!(v2(&DataType::Bool, "1"), Some(vec![1]));
        assert_eq!(v2(&DataType::Bool, "2"), None);
        assert_eq!(v3(&DataType::String, "\"Grüße\""), Some("Grüße".as_bytes().to_vec()));
        assert_eq!(v3(&DataType::String, "0"), None);
        assert_eq!(v2(&DataType::String, "0"), Some(b"0".to_vec()));
    }

    #[test]
    fn small_numbers_have_the_limits_of_their_type() {
        let named = |name: &str, text: &str| v3(&DataType::from_name(name).unwrap(), text);
        assert_eq!(named("int4", "-8"), Some(vec![0xf8]));
        assert_eq!(named("int2", "1.0"), Some(vec![1]));
        assert_eq!(named("uint4", "15"), Some(vec![15]));
        assert_eq!(named("bfloat16", "\"0x7fc1\""), Some(0x7fc1u16.to_ne_bytes().to_vec()));
        assert_eq!(named("bfloat16", "\"NaN\""), Some(0x7fc0u16.to_ne_bytes().to_vec()));
        assert_eq!(named("float8_e5m2", "-Infinity"), Some(vec![0xfc]));
        assert_eq!(named("float8_e4m3fnuz", "\"NaN\""), Some(vec![0x80]));
        assert_eq!(named("float4_e2m1fn", "-6"), Some(vec![0x0f]));
        // As TensorStore reads its own default.
        assert_eq!(named("float8_e8m0fnu", "0.0"), Some(vec![0]));
        assert_eq!(named("float6_e3m2fn", "\"0x3f\""), Some(vec![0x3f]));
        assert_eq!(named("complex_float8_e4m3", "[1, \"NaN\"]"), Some(vec![0x38, 0x7c]));
        for (name, text) in [
            ("int4", "8"),
            ("int2", "-3"),
            ("uint2", "4"),
            ("uint4", "-1"),
            ("bfloat16", "1e39"),
            ("bfloat16", "\"0x7f\""),
            ("float8_e4m3fn", "Infinity"),
            ("float6_e3m2fn", "NaN"),
            ("float6_e3m2fn", "\"0x40\""),
            ("float4_e2m1fn", "7.1"),
        ] {
            assert_eq!(named(name, text), None, "{name} {text}");
        }
    }

    #[test]
    fn times_text_and_bytes_of_fixed_length() {
        use DataType::{FixedLengthUtf32, NullTerminatedBytes, RawBytes};
        let step = lsio_array::TimeStep::new(lsio_array::TimeUnit::Nanosecond, 1).unwrap();
        let time = DataType::DateTime64(step);
        let number = |number: i64| Some(number.to_ne_bytes().to_vec());
        assert_eq!(v3(&time, "\"NaT\""), number(i64::MIN));
        assert_eq!(v3(&time, "-9223372036854775808"), number(i64::MIN));
        assert_eq!(v2(&DataType::TimeDelta64(step), "9007199254740993"), number((1 << 53) + 1));
        assert_eq!(v3(&time, "\"2020-01-01\""), None);
        let text = FixedLengthUtf32 { length: 2 };
        let units = [0x1f30du32, 0].iter().flat_map(|unit| unit.to_ne_bytes()).collect();
        assert_eq!(v3(&text, "\"🌍\""), Some(units));
        assert_eq!(v3(&text, "\"abc\""), None);
        assert_eq!(v3(&text, "0"), None);
        assert_eq!(v2(&text, "0").map(|units| units[..4] == 0x30u32.to_ne_bytes()), Some(true));
        let bytes = NullTerminatedBytes { length: 3 };
        assert_eq!(v3(&bytes, "\"YWI=\""), Some(b"ab\0".to_vec()));
        assert_eq!(v3(&bytes, "\"YWJjZA==\""), None);
        assert_eq!(v3(&bytes, "\"ab\""), None);
        assert_eq!(v2(&bytes, "\"ab\""), Some(b"ab\0".to_vec()));
        assert_eq!(v2(&bytes, "0"), Some(b"0\0\0".to_vec()));
        let raw = RawBytes { length: 2 };
        assert_eq!(v3(&raw, "[0, 255]"), Some(vec![0, 255]));
        assert_eq!(v3(&raw, "\"AP8=\""), Some(vec![0, 255]));
        for text in ["[0]", "[0, 256]", "[0, -1]", "\"AA==\"", "0"] {
            assert_eq!(v3(&raw, text), None, "{text}");
        }
        let any = DataType::VariableLengthBytes;
        assert_eq!(v3(&any, "[0, 255]"), Some(vec![0, 255]));
        assert_eq!(v3(&any, "\"AP8B\""), Some(vec![0, 255, 1]));
        assert_eq!(v3(&any, "\"\""), Some(vec![]));
        assert_eq!((v3(&any, "0"), v3(&any, "[256]"), v3(&any, "\"?\"")), (None, None, None));
        assert_eq!(v2(&any, "0"), Some(vec![]));
        assert_eq!(v2(&any, "\"a?\""), Some(b"a?".to_vec()));
        assert_eq!(v2(&raw, "0"), Some(vec![0, 0]));
        assert_eq!(v2(&raw, "null"), Some(vec![0, 0]));
    }

    #[test]
    fn records_are_objects_or_base64_of_what_is_stored() {
        let read = |text: &str| crate::data_type::from_v3(&parse(text.as_bytes()).unwrap());
        let inner = r#"{"name": "struct", "configuration": {"fields": [["x", "float32"]]}}"#;
        let fields = format!(r#"{{"fields": [["id", "uint16"], ["p", {inner}], ["b", "bool"]]}}"#);
        let record = read(&format!(r#"{{"name": "struct", "configuration": {fields}}}"#)).unwrap();
        let expected = [&258u16.to_ne_bytes()[..], &1.5f32.to_ne_bytes(), &[1]].concat();
        // Stored big-endian: 0x0102, 0x3fc00000, 0x01.
        for text in [
            r#"{"id": 258, "p": {"x": 1.5}, "b": true}"#,
            r#"{"b": true, "p": "P8AAAA==", "id": 258}"#,
            r#""AQI/wAAAAQ==""#,
        ] {
            assert_eq!(v3(&record, text), Some(expected.clone()), "{text}");
            assert_eq!(v2(&record, text), Some(expected.clone()), "{text}");
        }
        for text in [
            r#"{"id": 258, "p": {"x": 1.5}}"#,
            r#"{"id": 258, "p": {"x": 1.5}, "c": true}"#,
            r#"{"id": 258, "p": {"x": 1.5}, "b": true, "c": 1}"#,
            r#"{"id": 65536, "p": {"x": 1.5}, "b": true}"#,
            r#"{"id": 258, "p": 1.5, "b": true}"#,
            "[258, [1.5], true]",
            r#""AQI/wAAA""#,
            r#""AQI/wAAAAg==""#,
            "1",
        ] {
            assert_eq!(v3(&record, text), None, "{text}");
            assert_eq!(v2(&record, text), None, "{text}");
        }
        assert_eq!(v3(&record, "0"), None);
        assert_eq!(v2(&record, "0"), Some(vec![0; 7]));
        assert_eq!(v2(&record, "null"), Some(vec![0; 7]));
    }

    #[test]
    fn any_value_fills_arrays_of_json() {
        for text in ["null", "[1,\"a\"]", "NaN", "123456789012345678901"] {
            assert_eq!(v2(&DataType::Json, text), Some(text.as_bytes().to_vec()));
        }
    }

    #[test]
    fn null_is_zero_in_v2_only() {
        for data_type in DataType::without_parameters() {
            assert_eq!(v2(&data_type, "null"), Some(vec![0; data_type.size().unwrap_or(0)]));
            assert_eq!(v3(&data_type, "null"), None);
        }
    }
}
