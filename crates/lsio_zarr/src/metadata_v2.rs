//! `.zarray`, `.zgroup` and `.zattrs` of format 2.
//!
//! Specification: Zarr v2, "Arrays" and "Hierarchies". Unknown members are ignored, as it says.

use lsio_array::DataType;
use lsio_codecs::Bytes;
use serde_json::{Map, Value};

use crate::array_metadata::{ArrayMetadata, check_shapes};
use crate::chunk_encoding::{ChunkEncoding, NumcodecsCodec, V2Codecs};
use crate::chunk_key::{ChunkKeyEncoding, Separator};
use crate::error::{Refusal, excerpt};
use crate::{data_type, fill_value, json};

/// Attribute in which xarray stores the names of the dimensions.
const DIMENSION_NAMES: &str = "_ARRAY_DIMENSIONS";

/// Filters that make one document of a chunk; numcodecs wrote those without a number before 0.6.
const DOCUMENTS: [&str; 4] = ["json", "json2", "msgpack", "msgpack2"];

/// Reads the metadata of an array.
pub(crate) fn array(
    members: &Map<String, Value>,
    attributes: Map<String, Value>,
) -> Result<(ArrayMetadata, ChunkEncoding), Refusal> {
    json::check_zarr_format(members, 2)?;
    let shape = json::lengths(json::required(members, "shape")?, "shape")?;
    let chunk_shape = json::lengths(json::required(members, "chunks")?, "chunks")?;
    let filters = filters(members)?;
    let compressor = match json::required(members, "compressor")? {
        Value::Null => None,
        compressor => Some(numcodecs_id(compressor, "compressor")?),
    };
    let objects = objects(&filters)?;
    let (data_type, endian) =
        data_type::from_v2(json::required(members, "dtype")?, objects.as_ref())?;
    // The values of a document may be elements of fixed size: that is up to the codec.
    let is_document = filters.iter().any(|(id, _)| DOCUMENTS.contains(id));
    if let Some(objects) = objects.filter(|objects| *objects != data_type && !is_document) {
        return Err(Refusal::invalid(format!(
            "a filter makes {objects} elements, which is for the data type '|O', not {data_type}"
        )));
    }
    check_shapes(&shape, &chunk_shape, &data_type)?;
    let is_f_order = is_f_order(members)?;
    let encoding = ChunkEncoding::from_v2(
        &V2Codecs { endian, is_f_order, filters: &filters, compressor },
        &data_type,
        &chunk_shape,
    )?;
    let stored_fill_value = json::required(members, "fill_value")?;
    let separator = match members.get("dimension_separator") {
        None | Some(Value::Null) => Separator::Dot,
        Some(separator) => Separator::parse(separator, "dimension_separator")?,
    };
    let metadata = ArrayMetadata {
        zarr_format: 2,
        dimension_names: dimension_names(&attributes, shape.len()),
        shape,
        chunk_shape,
        shard_shape: None,
        stored_grid: None,
        fill_value: fill_value::from_v2(&data_type, stored_fill_value, Bytes::new(endian))?.into(),
        data_type,
        stored_fill_value: stored_fill_value.clone(),
        chunk_key_encoding: ChunkKeyEncoding::V2(separator),
        codecs: filters
            .iter()
            .copied()
            .chain(compressor)
            .map(|(_, configuration)| Value::Object(configuration.clone()))
            .collect(),
        attributes,
    };
    Ok((metadata, encoding))
}

/// Checks the metadata of a group, which says nothing but its format.
pub(crate) fn check_group(members: &Map<String, Value>) -> Result<(), Refusal> {
    json::check_zarr_format(members, 2)
}

fn filters(members: &Map<String, Value>) -> Result<Vec<NumcodecsCodec<'_>>, Refusal> {
    match members.get("filters") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(filters)) => {
            filters.iter().map(|filter| numcodecs_id(filter, "filters")).collect()
        }
        Some(other) => Err(Refusal::invalid(format!(
            "'filters' must be a list or null, found {}",
            excerpt(other)
        ))),
    }
}

/// What the filters make of objects.
fn objects(filters: &[NumcodecsCodec<'_>]) -> Result<Option<DataType>, Refusal> {
    for (id, configuration) in filters {
        match *id {
            "vlen-utf8" => return Ok(Some(DataType::String)),
            "vlen-bytes" => return Ok(Some(DataType::VariableLengthBytes)),
            "vlen-array" => return Ok(Some(DataType::Json)),
            document if DOCUMENTS.contains(&document) => return Ok(Some(DataType::Json)),
            "categorize" if configuration.get("dtype").and_then(Value::as_str) == Some("|O") => {
                return Ok(Some(DataType::String));
            }
            "pickle" => {
                let what = "the filter 'pickle', which runs code that is in the data,";
                return Err(Refusal::unsupported(what));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// The name of a numcodecs configuration, and all of it.
fn numcodecs_id<'a>(value: &'a Value, member: &str) -> Result<NumcodecsCodec<'a>, Refusal> {
    let configuration = json::object(value, member)?;
    let id = configuration.get("id").and_then(Value::as_str);
    id.map(|id| (id, configuration)).ok_or_else(|| {
        Refusal::invalid(format!("'{member}' must name a codec in 'id', found {}", excerpt(value)))
    })
}

fn is_f_order(members: &Map<String, Value>) -> Result<bool, Refusal> {
    let order = json::required(members, "order")?;
    match order.as_str() {
        Some("C") => Ok(false),
        Some("F") => Ok(true),
        _ => Err(Refusal::invalid(format!(
            "'order' must be \"C\" or \"F\", found {}",
            excerpt(order)
        ))),
    }
}

/// A convention of xarray, not of the format: what does not follow it is just an attribute.
fn dimension_names(attributes: &Map<String, Value>, rank: usize) -> Option<Vec<Option<String>>> {
    let names = attributes.get(DIMENSION_NAMES)?.as_array().filter(|names| names.len() == rank)?;
    names.iter().map(|name| name.as_str().map(|name| Some(name.to_owned()))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    fn valid() -> Value {
        json!({
            "zarr_format": 2,
            "shape": [10, 20],
            "chunks": [4, 5],
            "dtype": "<f4",
            "compressor": {"id": "zstd", "level": 1, "checksum": false},
            "fill_value": "NaN",
            "order": "C",
            "filters": null,
        })
    }

    fn read(document: &Value) -> Result<(ArrayMetadata, ChunkEncoding), Refusal> {
        array(document.as_object().unwrap(), Map::new())
    }

    fn with(member: &str, value: Value) -> Value {
        let mut document = valid();
        document[member] = value;
        document
    }

    #[test]
    fn an_array_is_read() {
        let (metadata, encoding) = read(&valid()).unwrap();
        assert_eq!(metadata.shape, [10, 20]);
        assert_eq!(metadata.chunk_shape, [4, 5]);
        assert_eq!(metadata.data_type, DataType::Float32);
        assert_eq!(*metadata.fill_value, f32::NAN.to_ne_bytes());
        assert_eq!(metadata.chunk_key_encoding, ChunkKeyEncoding::V2(Separator::Dot));
        assert_eq!(metadata.codecs, [json!({"id": "zstd", "level": 1, "checksum": false})]);
        assert_eq!(encoding.axis_order(), [0, 1]);
        assert!(!encoding.is_sharded());
    }

    #[test]
    fn both_spellings_of_no_filters_and_no_compressor() {
        for document in [
            with("filters", json!([])),
            with("compressor", json!(null)),
            with("dimension_separator", json!(null)),
            with("unknown", json!({"must_understand": true})),
        ] {
            assert!(read(&document).is_ok(), "{document}");
        }
    }

    #[test]
    fn f_order_and_slash_keys() {
        let mut document = with("order", json!("F"));
        document["dimension_separator"] = json!("/");
        let (metadata, encoding) = read(&document).unwrap();
        assert_eq!(encoding.axis_order(), [1, 0]);
        assert_eq!(metadata.chunk_key_encoding, ChunkKeyEncoding::V2(Separator::Slash));
    }

    #[test]
    fn a_null_fill_value_is_zero_and_remembered() {
        let (metadata, _) = read(&with("fill_value", json!(null))).unwrap();
        assert_eq!(*metadata.fill_value, [0; 4]);
        assert_eq!(metadata.stored_fill_value, Value::Null);
    }

    #[test]
    fn objects_are_strings_behind_their_filter() {
        let mut document = with("dtype", json!("|O"));
        document["filters"] = json!([{"id": "vlen-utf8"}]);
        document["fill_value"] = json!("");
        let (metadata, _) = read(&document).unwrap();
        assert_eq!(metadata.data_type, DataType::String);
        document["dtype"] = json!("<f4");
        document["fill_value"] = json!(0);
        assert!(matches!(read(&document), Err(Refusal::Invalid { .. })));
        document["filters"] = json!([{"id": "vlen-bytes"}]);
        assert!(matches!(read(&document), Err(Refusal::Invalid { .. })));
        document["dtype"] = json!("|O");
        let (metadata, _) = read(&document).unwrap();
        assert_eq!(metadata.data_type, DataType::VariableLengthBytes);
        for (filter, data_type) in [
            (json!({"id": "json"}), DataType::Json),
            (json!({"id": "msgpack"}), DataType::Json),
            (json!({"id": "msgpack2"}), DataType::Json),
            (json!({"id": "vlen-array", "dtype": "<i4"}), DataType::Json),
            (json!({"id": "categorize", "labels": ["a"], "dtype": "|O"}), DataType::String),
        ] {
            document["filters"] = json!([filter]);
            assert_eq!(read(&document).unwrap().0.data_type, data_type);
        }
        for (filters, named) in [
            (json!(null), "'|O'"),
            (json!([{"id": "pickle", "protocol": 5}]), "'pickle'"),
            (json!([{"id": "categorize", "labels": ["a"], "dtype": "<U1"}]), "'|O'"),
        ] {
            document["filters"] = filters;
            let refusal = read(&document).unwrap_err();
            assert!(matches!(refusal, Refusal::Unsupported(what) if what.contains(named)));
        }
    }

    #[test]
    fn xarray_names_dimensions_in_an_attribute() {
        let names = |value: Value| {
            let attributes = Map::from_iter([(DIMENSION_NAMES.to_owned(), value)]);
            let document = valid();
            let (metadata, _) = array(document.as_object().unwrap(), attributes).unwrap();
            assert!(metadata.attributes.contains_key(DIMENSION_NAMES));
            metadata.dimension_names
        };
        let expected = vec![Some("time".to_owned()), Some("x".to_owned())];
        assert_eq!(names(json!(["time", "x"])), Some(expected));
        for odd in [json!(["time"]), json!([1, 2]), json!("time"), json!(null)] {
            assert_eq!(names(odd), None);
        }
    }

    #[test]
    fn wrong_members_are_invalid_and_unknown_codecs_unsupported() {
        for (member, value) in [
            ("zarr_format", json!(3)),
            ("shape", json!(null)),
            ("shape", json!([1_u64 << 60, 1_u64 << 60])),
            ("chunks", json!([0, 1])),
            ("chunks", json!([1])),
            ("chunks", json!(true)),
            ("dtype", json!("f4")),
            ("order", json!("A")),
            ("fill_value", json!("zero")),
            ("filters", json!({})),
            ("filters", json!([null])),
            ("compressor", json!("zstd")),
            ("compressor", json!({"name": "zstd"})),
            ("dimension_separator", json!("-")),
        ] {
            let refusal = read(&with(member, value.clone())).unwrap_err();
            assert!(matches!(refusal, Refusal::Invalid { .. }), "{member}: {value}: {refusal:?}");
        }
        for (member, value) in
            [("compressor", json!({"id": "mystery"})), ("filters", json!([{"id": "mystery"}]))]
        {
            let refusal = read(&with(member, value)).unwrap_err();
            assert!(matches!(refusal, Refusal::Unsupported(what) if what.contains("mystery")));
        }
    }
}
