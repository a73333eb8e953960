//! Structs in Zarr metadata: the lists of fields of both formats, and fill values of records.
//!
//! Specification: Zarr v3 extensions "struct" and "structured"; Zarr v2, "Data type encoding", and
//! `NumPy`, "The array interface protocol", `descr`.

use std::sync::Arc;

use lsio_array::{DataType, StructError, StructField, StructPart, StructType};
use lsio_codecs::Bytes;
use serde_json::{Map, Value, json};

use crate::array_metadata::MAX_RANK;
use crate::base64::decode_base64;
use crate::data_type;
use crate::error::{Refusal, excerpt};
use crate::extension::refuse_unknown_members;
use crate::json;

/// The names that v3 has for structs; the second is that of zarr-python before the first was registered.
pub(crate) const NAMES: [&str; 2] = ["struct", "structured"];

/// Reads the configuration of v3. A field is `{"name": .., "data_type": ..}` or, as zarr-python wrote it
/// at first, `[name, data type]`.
pub(crate) fn from_v3(configuration: &Map<String, Value>) -> Result<DataType, Refusal> {
    let field = |value: &Value| -> Result<StructPart, Refusal> {
        let (name, data_type) = match value {
            Value::Object(members) => {
                refuse_unknown_members(members, &["name", "data_type"])?;
                (json::required(members, "name")?, json::required(members, "data_type")?)
            }
            Value::Array(items) if items.len() == 2 => (&items[0], &items[1]),
            _ => return Err(wrong_field(value)),
        };
        let name = name.as_str().filter(|name| !name.is_empty());
        Ok(StructPart::Field(StructField {
            name: name.ok_or_else(|| wrong_field(value))?.to_owned(),
            data_type: data_type::from_v3(data_type)?,
            shape: Vec::new(),
            stored_order: None,
        }))
    };
    let fields = json::required(configuration, "fields")?;
    let list = fields.as_array().ok_or_else(|| wrong_field(fields))?;
    struct_of(list.iter().map(field).collect::<Result<_, _>>()?)
}

/// The configuration of v3 that says this.
pub(crate) fn to_v3(record: &StructType) -> Result<Value, Refusal> {
    if record.is_padded() {
        return Err(Refusal::unsupported("a struct with bytes between its fields in format 3"));
    }
    let field = |field: &StructField| -> Result<Value, Refusal> {
        if !field.shape.is_empty() {
            let what = format!("the shape of the field '{}' in format 3", field.name);
            return Err(Refusal::unsupported(what));
        }
        Ok(json!({"name": field.name, "data_type": data_type::to_v3(&field.data_type)?}))
    };
    let fields: Result<Vec<Value>, Refusal> =
        record.fields().map(|(_, stored)| field(stored)).collect();
    Ok(json!({ "fields": fields? }))
}

/// Reads the list of v2: fields as `[name, data type]` or `[name, data type, shape]`. A name may come
/// behind a title. Void without a name is what `NumPy` writes for bytes between fields.
pub(crate) fn from_v2(list: &[Value]) -> Result<DataType, Refusal> {
    let part = |value: &Value| -> Result<StructPart, Refusal> {
        let (name, stored, shape) = match value.as_array().map(Vec::as_slice) {
            Some([name, stored]) => (name, stored, Vec::new()),
            Some([name, stored, shape]) => (name, stored, shape_of(shape)?),
            _ => return Err(wrong_field(value)),
        };
        let name = match name {
            Value::String(name) => name,
            Value::Array(names) => match names.as_slice() {
                [Value::String(_), Value::String(name)] => name,
                _ => return Err(wrong_field(value)),
            },
            _ => return Err(wrong_field(value)),
        };
        let (data_type, order) = data_type::from_v2(stored, None)?;
        let has_order = data_type.endian_unit() > 1 && !matches!(data_type, DataType::Struct(_));
        let stored_order = has_order.then_some(order);
        match (&data_type, name.as_str()) {
            (DataType::RawBytes { length }, "") if shape.is_empty() => {
                Ok(StructPart::Padding(*length))
            }
            (_, "") => Err(wrong_field(value)),
            (_, name) => {
                let name = name.to_owned();
                Ok(StructPart::Field(StructField { name, data_type, shape, stored_order }))
            }
        }
    };
    struct_of(list.iter().map(part).collect::<Result<_, _>>()?)
}

/// The shape of a field; `NumPy` takes a number too.
fn shape_of(value: &Value) -> Result<Vec<usize>, Refusal> {
    let extents = match value {
        Value::Array(extents) => extents.as_slice(),
        extent => std::slice::from_ref(extent),
    };
    let extents: Option<Vec<usize>> =
        extents.iter().map(|extent| usize::try_from(extent.as_u64()?).ok()).collect();
    extents.filter(|extents| extents.len() <= MAX_RANK).ok_or_else(|| {
        Refusal::invalid(format!(
            "the shape of a field must be a list of at most {MAX_RANK} integers, found {}",
            excerpt(value)
        ))
    })
}

fn struct_of(parts: Vec<StructPart>) -> Result<DataType, Refusal> {
    match StructType::new(parts) {
        Ok(record) => Ok(DataType::Struct(Arc::new(record))),
        Err(error @ StructError::TooLarge) => Err(Refusal::unsupported(error.to_string())),
        Err(error) => Err(Refusal::caused("the fields of a struct are not valid", error)),
    }
}

fn wrong_field(value: &Value) -> Refusal {
    Refusal::invalid(format!(
        "a struct must be a list of fields with a name and a data type, found {}",
        excerpt(value)
    ))
}

/// The record that a fill value stands for, in native byte order: an object with a value for each field, of
/// which `element` makes its bytes, or base64 of the record as `bytes` stores it.
pub(crate) fn fill_value(
    record: &Arc<StructType>,
    value: &Value,
    bytes: Bytes,
    element: impl Fn(&DataType, &Value) -> Option<Vec<u8>>,
) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => {
            let stored = decode_base64(text).filter(|stored| stored.len() == record.size());
            let mut stored = stored?;
            bytes.decode_in_place(&DataType::Struct(Arc::clone(record)), &mut stored).ok()?;
            Some(stored)
        }
        Value::Object(values) if values.len() == record.fields().count() => {
            let mut filled = vec![0; record.size()];
            for (place, field) in record.fields() {
                let one = element(&field.data_type, values.get(&field.name)?)?;
                for part in filled.get_mut(place)?.chunks_exact_mut(one.len()) {
                    part.copy_from_slice(&one);
                }
            }
            Some(filled)
        }
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use lsio_codecs::Endian;

    fn v3(fields: &Value) -> Result<DataType, Refusal> {
        data_type::from_v3(&json!({"name": "struct", "configuration": {"fields": fields}}))
    }

    fn v2(list: &Value) -> Result<DataType, Refusal> {
        data_type::from_v2(list, None).map(|(data_type, _)| data_type)
    }

    fn record(data_type: &DataType) -> &StructType {
        let DataType::Struct(record) = data_type else { panic!("{data_type} is no struct") };
        record
    }

    #[test]
    fn both_spellings_of_v3_are_read_and_the_registered_one_is_written() {
        let nested = json!({"name": "struct", "configuration": {
            "fields": [{"name": "x", "data_type": "float32"}],
        }});
        let fields =
            json!([{"name": "id", "data_type": "int32"}, {"name": "p", "data_type": nested}]);
        let read = v3(&fields).unwrap();
        assert_eq!((read.size(), read.endian_unit()), (Some(8), 4));
        assert_eq!(record(&read).find("p.x").unwrap().offset, 4);
        let written = json!({"name": "struct", "configuration": {"fields": fields}});
        assert_eq!(data_type::to_v3(&read).unwrap(), written);
        let legacy = json!({"name": "structured", "configuration": {"fields": [["id", "int32"], ["p",
            {"name": "structured", "configuration": {"fields": [["x", "float32"]]}}]]}});
        assert_eq!(data_type::from_v3(&legacy).unwrap(), read);
    }

    #[test]
    fn lists_of_numpy_are_read() {
        let read = v2(&json!([
            ["a", "|i1"],
            ["", "|V7"],
            [["Title", "b"], ">f8", [2, 3]],
            ["c", [["x", "<c8"], ["y", "|S3"]], 2],
        ]));
        let read = read.unwrap();
        assert_eq!(read.size(), Some(1 + 7 + 48 + 22));
        let fields: Vec<_> = record(&read)
            .fields()
            .map(|(bytes, field)| (&*field.name, bytes.start, field.stored_order))
            .collect();
        let expected = [("a", 0, None), ("b", 8, Some(Endian::Big)), ("c", 56, None)];
        assert_eq!(fields, expected);
        let x = record(&read).find("c.x").unwrap();
        assert_eq!((x.shape, x.strides), (vec![2], vec![11]));
        assert!(data_type::to_v3(&read).is_err());
        let shaped = v2(&json!([["b", "|i1", [2]]])).unwrap();
        assert!(data_type::to_v3(&shaped).is_err());
    }

    #[test]
    fn what_is_no_struct_is_refused() {
        let deep = (0..60).fold(
            json!("int8"),
            |inner, _| json!({"name": "struct", "configuration": {"fields": [["a", inner]]}}),
        );
        assert!(data_type::from_v3(&deep).is_ok());
        for fields in [
            json!([]),
            json!({}),
            json!([1]),
            json!([["a"]]),
            json!([["a", "int8", [2]]]),
            json!([["", "int8"]]),
            json!([[1, "int8"]]),
            json!([{"name": "a"}]),
            json!([["a", "int8"], ["a", "int16"]]),
            json!([["a", "string"]]),
        ] {
            assert!(matches!(v3(&fields), Err(Refusal::Invalid { .. })), "{fields}");
        }
        for list in [
            json!([]),
            json!(["a", "<i4"]),
            json!([["", "|V4"]]),
            json!([["", "<i4"]]),
            json!([["a", "<i4"], [["T", "a"], "<i4"]]),
            json!([["a", "<i4", [-1]]]),
            json!([["a", "<i4", [0]]]),
            json!([["a", "<i4", vec![1; 65]]]),
            json!([["a", "|f4"]]),
            json!([["a", []]]),
            json!([["a", "<i4", [], 1]]),
        ] {
            assert!(matches!(v2(&list), Err(Refusal::Invalid { .. })), "{list}");
        }
        for list in [
            json!([["a", "|O"]]),
            json!([["a", "|V0"]]),
            json!([["a", "<i4", [u64::MAX]]]),
            json!([["a", "<i4", [1 << 20, 1 << 20, 1 << 20, 1 << 20]]]),
            json!([["a", "|V2147483647"], ["b", "|V2147483647"]]),
            json!([["a", [["b", "|V65536", 64]], 1000]]),
        ] {
            assert!(matches!(v2(&list), Err(Refusal::Unsupported(_))), "{list}");
        }
        let extra = v3(&json!([{"name": "a", "data_type": "int8", "offset": 3}]));
        assert!(matches!(extra, Err(Refusal::Unsupported(what)) if what.contains("offset")));
        let unknown = v3(&json!([["a", "mystery"]]));
        assert!(matches!(unknown, Err(Refusal::Unsupported(what)) if what.contains("mystery")));
    }
}
