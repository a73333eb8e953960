//! `zarr.json` of format 3.
//!
//! Specification: Zarr v3 core, "Array metadata" and "Group metadata".

use lsio_codecs::{Bytes, Endian};
use serde_json::{Map, Value};

use crate::array_metadata::{ArrayMetadata, check_shapes};
use crate::chunk_encoding::ChunkEncoding;
use crate::chunk_grid::StoredGrid;
use crate::chunk_key::ChunkKeyEncoding;
use crate::error::{Refusal, excerpt};
use crate::extension::{Extension, refuse_unknown_members};
use crate::{data_type, fill_value, json};

const ARRAY_MEMBERS: [&str; 11] = [
    "zarr_format",
    "node_type",
    "shape",
    "data_type",
    "chunk_grid",
    "chunk_key_encoding",
    "fill_value",
    "codecs",
    "attributes",
    "storage_transformers",
    "dimension_names",
];

const GROUP_MEMBERS: [&str; 4] =
    ["zarr_format", "node_type", "attributes", "consolidated_metadata"];

/// What a `zarr.json` describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeType {
    /// An array.
    Array,
    /// A group.
    Group,
}

/// Reads `zarr_format` and `node_type`.
pub(crate) fn node_type(members: &Map<String, Value>) -> Result<NodeType, Refusal> {
    json::check_zarr_format(members, 3)?;
    let found = json::required(members, "node_type")?;
    match found.as_str() {
        Some("array") => Ok(NodeType::Array),
        Some("group") => Ok(NodeType::Group),
        _ => Err(Refusal::invalid(format!(
            "'node_type' must be \"array\" or \"group\", found {}",
            excerpt(found)
        ))),
    }
}

/// Reads the metadata of an array.
pub(crate) fn array(
    members: &Map<String, Value>,
) -> Result<(ArrayMetadata, ChunkEncoding), Refusal> {
    json::check_zarr_format(members, 3)?;
    refuse_unknown_members(members, &ARRAY_MEMBERS)?;
    refuse_storage_transformers(members)?;
    let shape = json::lengths(json::required(members, "shape")?, "shape")?;
    let data_type = data_type::from_v3(json::required(members, "data_type")?)?;
    let StoredGrid { shape: stored_shape, varying } =
        StoredGrid::parse(json::required(members, "chunk_grid")?, &shape)?;
    check_shapes(&shape, &stored_shape, &data_type)?;
    let stored_fill_value = json::required(members, "fill_value")?;
    let codecs = json::required(members, "codecs")?.as_array().ok_or_else(|| {
        Refusal::invalid(format!("'codecs' must be a list, found {}", excerpt(&members["codecs"])))
    })?;
    let number = fill_value::before_codecs(&data_type, stored_fill_value);
    let encoding = ChunkEncoding::from_v3(codecs, &data_type, &stored_shape, number)?;
    let bytes = encoding.chain().bytes().unwrap_or(Bytes::new(Endian::Little));
    let metadata = ArrayMetadata {
        zarr_format: 3,
        dimension_names: dimension_names(members, shape.len())?,
        shape,
        chunk_shape: encoding.chunk_shape().to_vec(),
        shard_shape: encoding.is_sharded().then_some(stored_shape),
        stored_grid: varying,
        fill_value: fill_value::from_v3(&data_type, stored_fill_value, bytes)?.into(),
        data_type,
        stored_fill_value: stored_fill_value.clone(),
        chunk_key_encoding: ChunkKeyEncoding::from_v3(json::required(
            members,
            "chunk_key_encoding",
        )?)?,
        codecs: codecs.clone(),
        attributes: attributes(members)?,
    };
    Ok((metadata, encoding))
}

/// Reads the metadata of a group: its attributes.
pub(crate) fn group(members: &Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    json::check_zarr_format(members, 3)?;
    refuse_unknown_members(members, &GROUP_MEMBERS)?;
    attributes(members)
}

fn attributes(members: &Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    match members.get("attributes") {
        None => Ok(Map::new()),
        Some(attributes) => json::object(attributes, "attributes").cloned(),
    }
}

fn refuse_storage_transformers(members: &Map<String, Value>) -> Result<(), Refusal> {
    let Some(value) = members.get("storage_transformers") else { return Ok(()) };
    let transformers = value.as_array().ok_or_else(|| {
        Refusal::invalid(format!("'storage_transformers' must be a list, found {}", excerpt(value)))
    })?;
    match transformers.first() {
        None => Ok(()),
        Some(first) => {
            let Extension { name, .. } = Extension::parse(first, "storage_transformers")?;
            Err(Refusal::unsupported(format!("the storage transformer '{name}'")))
        }
    }
}

fn dimension_names(
    members: &Map<String, Value>,
    rank: usize,
) -> Result<Option<Vec<Option<String>>>, Refusal> {
    let value = match members.get("dimension_names") {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let names = value.as_array().filter(|names| names.len() == rank).and_then(|names| {
        names
            .iter()
            .map(|name| match name {
                Value::Null => Some(None),
                Value::String(name) => Some(Some(name.clone())),
                _ => None,
            })
            .collect::<Option<Vec<_>>>()
    });
    names.map(Some).ok_or_else(|| {
        Refusal::invalid(format!(
            "'dimension_names' must be a list of {rank} strings or nulls, found {}",
            excerpt(value)
        ))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use lsio_array::DataType;
    use serde_json::json;

    use crate::chunk_key::Separator;

    fn valid() -> Value {
        json!({
            "zarr_format": 3,
            "node_type": "array",
            "shape": [10, 20],
            "data_type": "int64",
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [4, 5]}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": 9_007_199_254_740_993_i64,
            "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
            "attributes": {"big": 18_446_744_073_709_551_615_u64},
            "dimension_names": ["time", null],
            "storage_transformers": [],
        })
    }

    fn read(document: &Value) -> Result<ArrayMetadata, Refusal> {
        array(document.as_object().unwrap()).map(|(metadata, _)| metadata)
    }

    fn with(member: &str, value: Value) -> Value {
        let mut document = valid();
        document[member] = value;
        document
    }

    #[test]
    fn an_array_is_read_exactly() {
        let metadata = read(&valid()).unwrap();
        assert_eq!(metadata.shape, [10, 20]);
        assert_eq!(metadata.chunk_shape, [4, 5]);
        assert_eq!(metadata.shard_shape, None);
        assert_eq!(metadata.data_type, DataType::Int64);
        assert_eq!(*metadata.fill_value, 9_007_199_254_740_993_i64.to_ne_bytes());
        assert_eq!(metadata.chunk_key_encoding, ChunkKeyEncoding::Default(Separator::Slash));
        assert_eq!(metadata.dimension_names, Some(vec![Some("time".to_owned()), None]));
        assert_eq!(metadata.attributes["big"].to_string(), "18446744073709551615");
        assert_eq!(metadata.codecs.len(), 1);
    }

    #[test]
    fn optional_members_may_be_absent() {
        let mut document = valid();
        for member in ["attributes", "dimension_names", "storage_transformers"] {
            document.as_object_mut().unwrap().remove(member);
        }
        let metadata = read(&document).unwrap();
        assert_eq!(metadata.dimension_names, None);
        assert!(metadata.attributes.is_empty());
        assert!(read(&with("dimension_names", json!(null))).is_ok());
        assert!(read(&with("future", json!({"must_understand": false}))).is_ok());
    }

    #[test]
    fn required_members_are_named_when_missing() {
        for member in ARRAY_MEMBERS {
            let mut document = valid();
            document.as_object_mut().unwrap().remove(member);
            if ["attributes", "dimension_names", "storage_transformers", "node_type"]
                .contains(&member)
            {
                continue;
            }
            let message = read(&document).unwrap_err().at("a/zarr.json").to_string();
            assert!(message.contains(member), "{message}");
            assert!(message.contains("a/zarr.json"), "{message}");
        }
    }

    #[test]
    fn wrong_members_are_invalid() {
        for (member, value) in [
            ("zarr_format", json!(2)),
            ("zarr_format", json!("3")),
            ("shape", json!([10, -1])),
            ("shape", json!([10])),
            ("shape", json!([1_u64 << 60, 1_u64 << 60])),
            ("data_type", json!(["int64"])),
            ("chunk_grid", json!("regular")),
            ("chunk_grid", json!({"name": "regular", "configuration": {"chunk_shape": [0, 5]}})),
            ("chunk_grid", json!({"name": "regular", "configuration": {"chunk_shape": [4]}})),
            ("fill_value", json!(0.5)),
            ("fill_value", json!(null)),
            ("codecs", json!("bytes")),
            ("codecs", json!([])),
            ("codecs", json!([1])),
            ("attributes", json!([])),
            ("dimension_names", json!(["time"])),
            ("dimension_names", json!([1, 2])),
            ("storage_transformers", json!({})),
        ] {
            let refusal = read(&with(member, value.clone())).unwrap_err();
            assert!(matches!(refusal, Refusal::Invalid { .. }), "{member}: {value}: {refusal:?}");
        }
    }

    #[test]
    fn a_fill_value_must_come_back_from_another_data_type() {
        let map = json!({"encode": [["NaN", 0]], "decode": [[0, "NaN"]]});
        let one_way = json!({"encode": [["NaN", 0]]});
        let bytes = &valid()["codecs"][0];
        for (fill, configuration, is_read) in [
            (json!(7.0), json!({"data_type": "uint8"}), true),
            (json!(-0.0), json!({"data_type": "int8"}), true),
            (json!("NaN"), json!({"data_type": "float32"}), true),
            (json!("NaN"), json!({"data_type": "uint8", "scalar_map": map}), true),
            (json!("NaN"), json!({"data_type": "uint8", "scalar_map": one_way}), false),
            (json!("NaN"), json!({"data_type": "uint8"}), false),
            (json!(256.0), json!({"data_type": "uint8"}), false),
            (json!(256.0), json!({"data_type": "uint8", "out_of_range": "clamp"}), false),
            (json!(0.5), json!({"data_type": "int8"}), false),
        ] {
            let mut document = with("data_type", json!("float64"));
            document["fill_value"] = fill;
            let cast = json!({"name": "cast_value", "configuration": configuration});
            let chunk = json!([cast, bytes]);
            let sharding = |codecs: &Value| {
                let members =
                    json!({"chunk_shape": [2, 5], "codecs": codecs, "index_codecs": [bytes]});
                json!([{"name": "sharding_indexed", "configuration": members}])
            };
            let inside = sharding(&chunk);
            let behind = json!([cast, sharding(&json!([bytes]))[0]]);
            for codecs in [chunk, inside, behind] {
                document["codecs"] = codecs;
                assert_eq!(read(&document).is_ok(), is_read, "{document}");
            }
        }
        // What counts is what the codecs before make of it.
        let scale = json!({"name": "scale_offset", "configuration": {"offset": 1.0}});
        let cast = json!({"name": "cast_value", "configuration": {"data_type": "uint8"}});
        for (fill, is_read) in [(256.0, true), (257.0, false), (0.0, false)] {
            let mut document = with("data_type", json!("float64"));
            document["fill_value"] = json!(fill);
            document["codecs"] = json!([scale, cast, bytes]);
            assert_eq!(read(&document).is_ok(), is_read, "{document}");
        }
    }

    #[test]
    fn unknown_extensions_are_unsupported_by_name() {
        let bytes = &valid()["codecs"][0];
        for (member, value) in [
            ("data_type", json!("mystery")),
            ("chunk_grid", json!({"name": "mystery"})),
            ("chunk_key_encoding", json!("mystery")),
            ("codecs", json!([bytes, "mystery"])),
            ("codecs", json!([bytes, {"name": "mystery", "must_understand": false}])),
            ("storage_transformers", json!([{"name": "mystery"}])),
            ("mystery", json!(1)),
            ("mystery", json!({"must_understand": true})),
        ] {
            match read(&with(member, value)).unwrap_err() {
                Refusal::Unsupported(what) => assert!(what.contains("mystery"), "{what}"),
                Refusal::Invalid { reason, .. } => panic!("{member}: {reason}"),
            }
        }
    }

    #[test]
    fn groups_have_attributes_and_no_surprises() {
        let document = json!({
            "zarr_format": 3, "node_type": "group", "attributes": {"a": 1},
            "consolidated_metadata": null,
        });
        let members = document.as_object().unwrap();
        assert_eq!(node_type(members).unwrap(), NodeType::Group);
        assert_eq!(group(members).unwrap()["a"], 1);
        let document = json!({"zarr_format": 3, "node_type": "group", "shape": []});
        assert!(matches!(group(document.as_object().unwrap()), Err(Refusal::Unsupported(_))));
        let document = json!({"zarr_format": 3, "node_type": "table"});
        assert!(node_type(document.as_object().unwrap()).is_err());
    }
}
