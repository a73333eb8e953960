//! What the facade is told about an array, as tagged JSON.

use std::ops::Range;
use std::sync::Arc;

use half::f16;
use lsio::{Array, ArrayMetadata, ChunkEdges, ChunkGrid, Conversion, DataType, StructField};
use serde_json::{Map, Value, json};

use crate::tagged_json::{bigint, bytes as tagged_bytes, count, float, tagged, tagged_object};

/// The metadata of an array.
pub(crate) fn metadata_json(array: &Array) -> String {
    let metadata = array.metadata();
    let counts = |counts: &[u64]| counts.iter().map(|&entry| count(entry)).collect::<Value>();
    let nbytes = metadata.data_type.size().map(|_| count(array.decoded_bytes()));
    json!({
        "path": array.name(),
        "shape": counts(&metadata.shape),
        "chunks": counts(&metadata.chunk_shape),
        "shards": metadata.shard_shape.as_deref().map(counts),
        "chunkEdges": metadata.stored_grid.as_ref().and_then(ChunkGrid::edges).map(edge_runs),
        "chunkGridShape": counts(&array.grid().grid_shape()),
        "dtype": metadata.data_type.name(),
        "dtypeInfo": data_type_info(&metadata.data_type),
        "attrs": tagged_object(&metadata.attributes),
        "dimensionNames": metadata.dimension_names,
        "fillValue": fill_value(metadata),
        "zarrFormat": metadata.zarr_format,
        "codecs": metadata.codecs.iter().map(codec).collect::<Value>(),
        "nbytes": nbytes,
    })
    .to_string()
}

/// `[edge, how many chunks have it]`, one after the other, for each dimension.
fn edge_runs(edges: &[Arc<ChunkEdges>]) -> Value {
    let run = |(edge, times)| json!([count(edge), count(times)]);
    edges.iter().map(|edges| edges.runs().map(run).collect::<Value>()).collect()
}

/// What the name of a data type leaves open.
fn data_type_info(data_type: &DataType) -> Value {
    let mut info = Map::new();
    info.insert("itemBytes".into(), json!(data_type.size()));
    if let DataType::DateTime64(step) | DataType::TimeDelta64(step) = data_type {
        info.insert("unit".into(), json!(step.unit().name()));
        info.insert("scaleFactor".into(), json!(step.scale_factor()));
    }
    if let DataType::Struct(record) = data_type {
        info.insert(
            "fields".into(),
            record.fields().map(|(bytes, it)| field(&bytes, it)).collect(),
        );
    }
    Value::Object(info)
}

/// A field of a record, with its first byte there.
fn field(bytes: &Range<usize>, field: &StructField) -> Value {
    let mut described = Map::new();
    described.insert("name".into(), json!(field.name));
    described.insert("dtype".into(), json!(field.data_type.name()));
    described.insert("byteOffset".into(), json!(bytes.start));
    described.insert("shape".into(), json!(field.shape));
    if let Value::Object(info) = data_type_info(&field.data_type) {
        described.extend(info);
    }
    Value::Object(described)
}

/// The fill value as the data type's JavaScript value; null where the metadata does not say.
fn fill_value(metadata: &ArrayMetadata) -> Value {
    if metadata.stored_fill_value.is_null() {
        return Value::Null;
    }
    if metadata.data_type == DataType::Json {
        return tagged(&metadata.stored_fill_value);
    }
    scalar(&metadata.data_type, &metadata.fill_value).unwrap_or(Value::Null)
}

/// One element in native byte order; `None` if its length is not that of the type.
fn scalar(data_type: &DataType, bytes: &[u8]) -> Option<Value> {
    Some(match data_type {
        DataType::Bool => Value::Bool(u8::from_ne_bytes(bytes.try_into().ok()?) != 0),
        DataType::Int2 | DataType::Int4 | DataType::Int8 => {
            i8::from_ne_bytes(bytes.try_into().ok()?).into()
        }
        DataType::Int16 => i16::from_ne_bytes(bytes.try_into().ok()?).into(),
        DataType::Int32 => i32::from_ne_bytes(bytes.try_into().ok()?).into(),
        DataType::Int64 | DataType::DateTime64(_) | DataType::TimeDelta64(_) => {
            bigint(i64::from_ne_bytes(bytes.try_into().ok()?))
        }
        DataType::UInt2 | DataType::UInt4 | DataType::UInt8 => {
            u8::from_ne_bytes(bytes.try_into().ok()?).into()
        }
        DataType::UInt16 => u16::from_ne_bytes(bytes.try_into().ok()?).into(),
        DataType::UInt32 => u32::from_ne_bytes(bytes.try_into().ok()?).into(),
        DataType::UInt64 => bigint(u64::from_ne_bytes(bytes.try_into().ok()?)),
        DataType::Float16 => float(f16::from_ne_bytes(bytes.try_into().ok()?).into()),
        DataType::Float32 => float(f32::from_ne_bytes(bytes.try_into().ok()?).into()),
        DataType::Float64 => float(f64::from_ne_bytes(bytes.try_into().ok()?)),
        DataType::Small(small) => float(match bytes {
            [bits] => small.to_f32(u16::from(*bits)).into(),
            bits => small.to_f32(u16::from_ne_bytes(bits.try_into().ok()?)).into(),
        }),
        DataType::ComplexFloat16
        | DataType::Complex64
        | DataType::Complex128
        | DataType::ComplexSmall(_) => parts(&data_type.part()?, bytes)?,
        DataType::FixedLengthUtf32 { .. } => {
            let text = Conversion::new(data_type, &DataType::String)?;
            std::str::from_utf8(&text.element(bytes)?).ok()?.into()
        }
        DataType::NullTerminatedBytes { .. }
        | DataType::RawBytes { .. }
        | DataType::Struct(_)
        | DataType::VariableLengthBytes => tagged_bytes(bytes),
        DataType::String => std::str::from_utf8(bytes).ok()?.into(),
        // What it is in the metadata is at hand: see `fill_value`.
        DataType::Json => return None,
    })
}

/// A complex number as its real and its imaginary part.
fn parts(part: &DataType, bytes: &[u8]) -> Option<Value> {
    let (re, im) = bytes.split_at_checked(part.size()?)?;
    Some(json!([scalar(part, re)?, scalar(part, im)?]))
}

/// A codec as `{ name, configuration }`, whichever of the formats' forms it is in: v3 has that form or
/// a plain name, v2 has `{ id, ... }`.
fn codec(stored: &Value) -> Value {
    let Value::Object(members) = stored else {
        return json!({ "name": stored, "configuration": {} });
    };
    if let Some(name) = members.get("name") {
        let configuration = members.get("configuration").map_or(json!({}), tagged);
        return json!({ "name": name, "configuration": configuration });
    }
    let rest = members.iter().filter(|(name, _)| *name != "id");
    let rest: Map<String, Value> =
        rest.map(|(name, value)| (name.clone(), value.clone())).collect();
    json!({ "name": members.get("id"), "configuration": tagged_object(&rest) })
}
