//! Data types of Zarr metadata: v3 names and v2 NumPy type strings.

use lsio_array::{DataType, TimeStep, TimeUnit};
use lsio_codecs::Endian;
use serde_json::{Map, Value, json};

use crate::error::{Refusal, excerpt};
use crate::extension::Extension;
use crate::{json, struct_metadata};

/// Reads the member `data_type` of v3.
///
/// Specification: Zarr v3 core, "Core data types"; the extensions of the names below. `raw_bytes` is
/// how zarr-python 3.1 writes `r<N>`.
pub(crate) fn from_v3(value: &Value) -> Result<DataType, Refusal> {
    let Extension { name, configuration } = Extension::parse(value, "data_type")?;
    let (data_type, members): (_, &[&str]) = match name.as_str() {
        "numpy.datetime64" => {
            (DataType::DateTime64(time_step(&configuration)?), &["unit", "scale_factor"])
        }
        "numpy.timedelta64" => {
            (DataType::TimeDelta64(time_step(&configuration)?), &["unit", "scale_factor"])
        }
        "fixed_length_utf32" => {
            let bytes = length_bytes(&configuration)?;
            if bytes % 4 != 0 {
                return Err(wrong_length(&configuration));
            }
            (DataType::FixedLengthUtf32 { length: bytes / 4 }, &["length_bytes"])
        }
        "null_terminated_bytes" => {
            let length = length_bytes(&configuration)?;
            (DataType::NullTerminatedBytes { length }, &["length_bytes"])
        }
        "raw_bytes" => {
            (DataType::RawBytes { length: length_bytes(&configuration)? }, &["length_bytes"])
        }
        name if struct_metadata::NAMES.contains(&name) => {
            (struct_metadata::from_v3(&configuration)?, &["fields"])
        }
        other => {
            let known = DataType::from_name(other);
            let unknown = || Refusal::unsupported(format!("the data type '{other}'"));
            (known.ok_or_else(unknown)?, &[])
        }
    };
    match configuration.keys().find(|member| !members.contains(&member.as_str())) {
        None => Ok(data_type),
        Some(member) => Err(Refusal::unsupported(format!(
            "the configuration member '{member}' of the data type '{name}'"
        ))),
    }
}

/// The member `data_type` of v3 that says this; an error for a struct that format 3 cannot express.
pub(crate) fn to_v3(data_type: &DataType) -> Result<Value, Refusal> {
    let configuration = match data_type {
        DataType::DateTime64(step) | DataType::TimeDelta64(step) => {
            json!({"unit": step.unit().name(), "scale_factor": step.scale_factor()})
        }
        DataType::FixedLengthUtf32 { length } => json!({"length_bytes": 4 * length}),
        DataType::NullTerminatedBytes { length } => json!({"length_bytes": length}),
        DataType::Struct(record) => struct_metadata::to_v3(record)?,
        _ => return Ok(data_type.name().into()),
    };
    Ok(json!({"name": data_type.name(), "configuration": configuration}))
}

fn time_step(configuration: &Map<String, Value>) -> Result<TimeStep, Refusal> {
    let unit = json::required(configuration, "unit")?;
    let factor = json::required(configuration, "scale_factor")?;
    let step = unit.as_str().and_then(TimeUnit::from_name).zip(factor.as_u64());
    step.and_then(|(unit, factor)| TimeStep::new(unit, factor)).ok_or_else(|| {
        Refusal::invalid(format!(
            "'unit' and 'scale_factor' must be a unit of NumPy and an integer from 1 to 2^31 - 1, \
             found {} and {}",
            excerpt(unit),
            excerpt(factor)
        ))
    })
}

fn length_bytes(configuration: &Map<String, Value>) -> Result<usize, Refusal> {
    let value = json::required(configuration, "length_bytes")?;
    let length = value.as_u64().and_then(|length| usize::try_from(length).ok());
    let length = length.filter(|length| *length > 0).ok_or_else(|| wrong_length(configuration))?;
    if length > DataType::MAX_SIZE {
        let most = DataType::MAX_SIZE;
        let reason = format!("elements of {length} bytes (at most {most} are read)");
        return Err(Refusal::unsupported(reason));
    }
    Ok(length)
}

fn wrong_length(configuration: &Map<String, Value>) -> Refusal {
    Refusal::invalid(format!(
        "'length_bytes' must be a number from 1 on, for UTF-32 a multiple of 4, found {}",
        excerpt(&configuration["length_bytes"])
    ))
}

/// Reads the member `dtype` of v2, with the byte order of the stored elements; the fields of a struct have
/// theirs. `objects` are what the filters make of objects.
///
/// Specification: Zarr v2, "Data type encoding"; NumPy, "The array interface protocol", `typestr`;
/// `TensorStore`, "zarr driver", `dtype`.
pub(crate) fn from_v2(
    value: &Value,
    objects: Option<&DataType>,
) -> Result<(DataType, Endian), Refusal> {
    let Value::String(typestr) = value else {
        return Err(match value {
            Value::Array(list) => {
                return struct_metadata::from_v2(list).map(|data_type| (data_type, Endian::NATIVE));
            }
            _ => Refusal::invalid(format!(
                "'dtype' must be a string or a list of fields, found {}",
                excerpt(value)
            )),
        });
    };
    if let Some(data_type) = of_tensorstore(typestr) {
        return Ok((data_type, Endian::Little));
    }
    let unsupported = || Refusal::unsupported(format!("the data type '{typestr}'"));
    let mut characters = typestr.chars();
    let endian = match characters.next() {
        Some('<') => Some(Endian::Little),
        Some('>') => Some(Endian::Big),
        Some('|') => None,
        _ => {
            return Err(Refusal::invalid(format!(
                "'dtype' must start with '<', '>' or '|', found '{typestr}'"
            )));
        }
    };
    let data_type = match characters.as_str() {
        "O" => objects.cloned().ok_or_else(|| {
            Refusal::unsupported("the data type '|O' without a filter that makes bytes of objects")
        })?,
        code => of_code(code).ok_or_else(unsupported)?,
    };
    match endian {
        Some(endian) => Ok((data_type, endian)),
        // Either order is right for elements of one byte.
        None if data_type.endian_unit() == 1 => Ok((data_type, Endian::NATIVE)),
        None => Err(Refusal::invalid(format!("'dtype' must name a byte order, found '{typestr}'"))),
    }
}

/// The small numbers that `TensorStore` stores in v2 by their v3 names, little-endian.
fn of_tensorstore(name: &str) -> Option<DataType> {
    let known = DataType::from_name(name)?;
    matches!(known, DataType::Small(_) | DataType::Int2 | DataType::Int4).then_some(known)
}

/// The data type of a NumPy type string without its byte order.
fn of_code(code: &str) -> Option<DataType> {
    let (kind, size) = code.split_at_checked(1)?;
    if let "M" | "m" = kind {
        let step = numpy_time_step(size.strip_prefix('8')?)?;
        return Some(match kind {
            "M" => DataType::DateTime64(step),
            _ => DataType::TimeDelta64(step),
        });
    }
    // Nothing but digits: `parse` would take a sign.
    let length = Some(size).filter(|size| size.bytes().all(|byte| byte.is_ascii_digit()));
    let length: usize = length?.parse().ok()?;
    let data_type = match (kind, length) {
        ("b", 1) => DataType::Bool,
        ("i", 1) => DataType::Int8,
        ("i", 2) => DataType::Int16,
        ("i", 4) => DataType::Int32,
        ("i", 8) => DataType::Int64,
        ("u", 1) => DataType::UInt8,
        ("u", 2) => DataType::UInt16,
        ("u", 4) => DataType::UInt32,
        ("u", 8) => DataType::UInt64,
        ("f", 2) => DataType::Float16,
        ("f", 4) => DataType::Float32,
        ("f", 8) => DataType::Float64,
        ("c", 8) => DataType::Complex64,
        ("c", 16) => DataType::Complex128,
        ("U", 1..) => DataType::FixedLengthUtf32 { length },
        ("S", 1..) => DataType::NullTerminatedBytes { length },
        ("V", 1..) => DataType::RawBytes { length },
        _ => return None,
    };
    data_type.size().is_some_and(|size| size <= DataType::MAX_SIZE).then_some(data_type)
}

/// What NumPy writes behind `M8`: `[25s]`, `[ns]` or nothing.
fn numpy_time_step(text: &str) -> Option<TimeStep> {
    if text.is_empty() {
        return TimeStep::new(TimeUnit::Generic, 1);
    }
    let step = text.strip_prefix('[')?.strip_suffix(']')?;
    let digits = step.bytes().take_while(u8::is_ascii_digit).count();
    let (factor, unit) = step.split_at(digits);
    let factor = if factor.is_empty() { 1 } else { factor.parse().ok()? };
    TimeStep::new(TimeUnit::from_name(unit)?, factor)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use lsio_array::SmallFloat;

    #[test]
    fn v3_names_and_objects() {
        for data_type in DataType::without_parameters() {
            let name = data_type.name();
            assert_eq!(from_v3(&json!(name)).unwrap(), data_type, "{name}");
            let object = json!({"name": name, "configuration": {}, "must_understand": false});
            assert_eq!(from_v3(&object).unwrap(), data_type);
        }
    }

    #[test]
    fn v3_types_with_parameters_are_read_and_written() {
        let step = |unit, factor| TimeStep::new(unit, factor).unwrap();
        for (value, data_type) in [
            (json!("r16"), DataType::RawBytes { length: 2 }),
            (
                json!({"name": "null_terminated_bytes", "configuration": {"length_bytes": 5}}),
                DataType::NullTerminatedBytes { length: 5 },
            ),
            (
                json!({"name": "fixed_length_utf32", "configuration": {"length_bytes": 8}}),
                DataType::FixedLengthUtf32 { length: 2 },
            ),
            (
                json!({"name": "numpy.datetime64", "configuration": {"unit": "us", "scale_factor": 10}}),
                DataType::DateTime64(step(TimeUnit::Microsecond, 10)),
            ),
            (
                json!({"name": "numpy.timedelta64", "configuration": {"unit": "generic", "scale_factor": 1}}),
                DataType::TimeDelta64(step(TimeUnit::Generic, 1)),
            ),
        ] {
            assert_eq!(from_v3(&value).unwrap(), data_type);
            assert_eq!(to_v3(&data_type).unwrap(), value);
        }
        let raw = json!({"name": "raw_bytes", "configuration": {"length_bytes": 3}});
        assert_eq!(from_v3(&raw).unwrap(), DataType::RawBytes { length: 3 });
    }

    #[test]
    fn unknown_v3_types_are_unsupported_by_name() {
        for (value, name) in [
            (json!("r15"), "r15"),
            (json!("optional"), "optional"),
            (json!({"name": "int8", "configuration": {"packed": true}}), "packed"),
            (
                json!({"name": "null_terminated_bytes", "configuration": {"length_bytes": 5, "x": 1}}),
                "'x'",
            ),
        ] {
            match from_v3(&value).unwrap_err() {
                Refusal::Unsupported(what) => assert!(what.contains(name), "{what}"),
                Refusal::Invalid { reason, .. } => panic!("{reason}"),
            }
        }
        // NumPy has such types; a fill value for one takes as much memory.
        for name in ["fixed_length_utf32", "null_terminated_bytes", "raw_bytes"] {
            let of = |len: usize| {
                from_v3(&json!({"name": name, "configuration": {"length_bytes": len}}))
            };
            assert_eq!(of(DataType::MAX_SIZE).unwrap().size(), Some(16 << 20));
            for len in [DataType::MAX_SIZE + 4, 1 << 31, 1 << 62] {
                let refusal = of(len).unwrap_err();
                let named = matches!(&refusal, Refusal::Unsupported(what) if what.contains(&len.to_string()));
                assert!(named, "{refusal:?}");
            }
        }
        assert!(matches!(from_v3(&json!(3)), Err(Refusal::Invalid { .. })));
    }

    #[test]
    fn wrong_parameters_are_invalid() {
        for (name, configuration) in [
            ("numpy.datetime64", json!({})),
            ("numpy.datetime64", json!({"unit": "s"})),
            ("numpy.datetime64", json!({"unit": "s", "scale_factor": 0})),
            ("numpy.datetime64", json!({"unit": "s", "scale_factor": 2_147_483_648_u32})),
            ("numpy.timedelta64", json!({"unit": "sec", "scale_factor": 1})),
            ("numpy.timedelta64", json!({"unit": 1, "scale_factor": 1})),
            ("fixed_length_utf32", json!({"length_bytes": 6})),
            ("fixed_length_utf32", json!({"length_bytes": 0})),
            ("null_terminated_bytes", json!({"length_bytes": 0})),
            ("null_terminated_bytes", json!({"length_bytes": -1})),
            ("raw_bytes", json!({"length_bytes": 1.5})),
            ("raw_bytes", json!({"length_bytes": "4"})),
        ] {
            let refusal = from_v3(&json!({"name": name, "configuration": configuration}));
            assert!(matches!(refusal, Err(Refusal::Invalid { .. })), "{name} {configuration}");
        }
    }

    #[test]
    fn v2_type_strings() {
        use Endian::{Big, Little};
        const NATIVE: Endian = Endian::NATIVE;
        let step = |unit, factor| TimeStep::new(unit, factor).unwrap();
        for (typestr, expected) in [
            ("|b1", (DataType::Bool, NATIVE)),
            ("<b1", (DataType::Bool, Little)),
            ("|i1", (DataType::Int8, NATIVE)),
            ("|u1", (DataType::UInt8, NATIVE)),
            (">i2", (DataType::Int16, Big)),
            ("<u8", (DataType::UInt64, Little)),
            ("<f2", (DataType::Float16, Little)),
            (">f4", (DataType::Float32, Big)),
            ("<c8", (DataType::Complex64, Little)),
            (">c16", (DataType::Complex128, Big)),
            ("|O", (DataType::String, NATIVE)),
            ("<M8[ns]", (DataType::DateTime64(step(TimeUnit::Nanosecond, 1)), Little)),
            (">m8[25s]", (DataType::TimeDelta64(step(TimeUnit::Second, 25)), Big)),
            ("<m8", (DataType::TimeDelta64(step(TimeUnit::Generic, 1)), Little)),
            (">U10", (DataType::FixedLengthUtf32 { length: 10 }, Big)),
            ("|S5", (DataType::NullTerminatedBytes { length: 5 }, NATIVE)),
            ("|V8", (DataType::RawBytes { length: 8 }, NATIVE)),
            ("int4", (DataType::Int4, Little)),
            ("bfloat16", (DataType::Small(SmallFloat::BFloat16), Little)),
        ] {
            let read = from_v2(&json!(typestr), Some(&DataType::String)).unwrap();
            assert_eq!(read, expected, "{typestr}");
        }
    }

    #[test]
    fn other_v2_types_are_refused() {
        for typestr in [
            "<f16",
            "<i3",
            "<i+4",
            "|S0",
            "|V",
            "<U4194305",
            "|S16777217",
            "|V2147483647",
            "|S4294967296",
            "<M8[x]",
            "<M8[0s]",
            "<M8[s",
            "<M4[s]",
            "<M8[99999999999s]",
            "<\u{e9}4",
        ] {
            let refusal = from_v2(&json!(typestr), None).unwrap_err();
            assert!(matches!(refusal, Refusal::Unsupported(what) if what.contains(typestr)));
        }
        assert!(matches!(from_v2(&json!("|O"), None), Err(Refusal::Unsupported(_))));
        for value in [json!("f4"), json!(""), json!("é4"), json!("|f4"), json!("|U4"), json!(null)]
        {
            assert!(matches!(from_v2(&value, None), Err(Refusal::Invalid { .. })), "{value}");
        }
    }
}
