//! Data types of Zarr metadata: v3 names and v2 NumPy type strings.

use lsio_array::DataType;
use lsio_codecs::Endian;
use serde_json::Value;

use crate::error::{Refusal, excerpt};
use crate::extension::Extension;

/// Reads the member `data_type` of v3.
///
/// Specification: Zarr v3 core, "Core data types"; the extension `string`.
pub(crate) fn from_v3(value: &Value) -> Result<DataType, Refusal> {
    let extension = Extension::parse(value, "data_type")?;
    let data_type = DataType::from_name(&extension.name)
        .ok_or_else(|| Refusal::unsupported(format!("the data type '{}'", extension.name)))?;
    if let Some(member) = extension.configuration.keys().next() {
        return Err(Refusal::unsupported(format!(
            "the configuration member '{member}' of the data type '{data_type}'"
        )));
    }
    Ok(data_type)
}

/// Reads the member `dtype` of v2, with the byte order of the stored elements. `holds_strings` says whether the filters make UTF-8 text of
/// objects.
///
/// Specification: Zarr v2, "Data type encoding"; NumPy, "The array interface protocol", `typestr`.
pub(crate) fn from_v2(value: &Value, holds_strings: bool) -> Result<(DataType, Endian), Refusal> {
    let Value::String(typestr) = value else {
        return Err(match value {
            Value::Array(_) => Refusal::unsupported("a structured data type"),
            _ => Refusal::invalid(format!("'dtype' must be a string, found {}", excerpt(value))),
        });
    };
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
        "b1" => DataType::Bool,
        "i1" => DataType::Int8,
        "i2" => DataType::Int16,
        "i4" => DataType::Int32,
        "i8" => DataType::Int64,
        "u1" => DataType::UInt8,
        "u2" => DataType::UInt16,
        "u4" => DataType::UInt32,
        "u8" => DataType::UInt64,
        "f2" => DataType::Float16,
        "f4" => DataType::Float32,
        "f8" => DataType::Float64,
        "c8" => DataType::Complex64,
        "c16" => DataType::Complex128,
        "O" if holds_strings => DataType::String,
        "O" => {
            return Err(Refusal::unsupported("the data type '|O' without the filter 'vlen-utf8'"));
        }
        _ => return Err(unsupported()),
    };
    match endian {
        Some(endian) => Ok((data_type, endian)),
        // Either order is right for elements of one byte.
        None if data_type.endian_unit() == 1 => Ok((data_type, Endian::NATIVE)),
        None => Err(Refusal::invalid(format!("'dtype' must name a byte order, found '{typestr}'"))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn v3_names_and_objects() {
        for data_type in DataType::ALL {
            let name = data_type.name();
            assert_eq!(from_v3(&json!(name)).unwrap(), data_type, "{name}");
            let object = json!({"name": name, "configuration": {}, "must_understand": false});
            assert_eq!(from_v3(&object).unwrap(), data_type);
        }
    }

    #[test]
    fn unknown_v3_types_are_unsupported_by_name() {
        for (value, name) in [
            (json!("r16"), "r16"),
            (json!({"name": "numpy.datetime64", "configuration": {"unit": "s"}}), "datetime64"),
            (json!({"name": "int8", "configuration": {"packed": true}}), "packed"),
        ] {
            match from_v3(&value).unwrap_err() {
                Refusal::Unsupported(what) => assert!(what.contains(name), "{what}"),
                Refusal::Invalid { reason, .. } => panic!("{reason}"),
            }
        }
        assert!(matches!(from_v3(&json!(3)), Err(Refusal::Invalid { .. })));
    }

    #[test]
    fn v2_type_strings() {
        use Endian::{Big, Little};
        const NATIVE: Endian = Endian::NATIVE;
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
        ] {
            assert_eq!(from_v2(&json!(typestr), true).unwrap(), expected, "{typestr}");
        }
    }

    #[test]
    fn other_v2_types_are_refused() {
        for typestr in ["<M8[ns]", "<U10", "|S5", "|V8", "<f16", "<i3"] {
            let refusal = from_v2(&json!(typestr), false).unwrap_err();
            assert!(matches!(refusal, Refusal::Unsupported(what) if what.contains(typestr)));
        }
        assert!(matches!(from_v2(&json!("|O"), false), Err(Refusal::Unsupported(_))));
        assert!(matches!(from_v2(&json!([["a", "<f4"]]), false), Err(Refusal::Unsupported(_))));
        for value in [json!("f4"), json!(""), json!("é4"), json!("|f4"), json!(4), json!(null)] {
            assert!(matches!(from_v2(&value, false), Err(Refusal::Invalid { .. })), "{value}");
        }
    }
}
