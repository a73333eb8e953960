//! Arrays and groups that zarr-python 2 and 3 and tensorstore wrote.

use std::path::PathBuf;
use std::sync::Arc;

use lsio_array::{ChunkEdges, ChunkGrid, ChunkSource};
use lsio_io::MemoryStorage;
use lsio_zarr::{Group, Node};
use serde_json::{Map, Number, Value};

use crate::driver::{Driver, Elements, load_folder, memory, open, open_array};

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/data"))
}

fn manifest(name: &str) -> Vec<Value> {
    let text = std::fs::read(folder().join(name)).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn lengths(value: &Value) -> Option<Vec<u64>> {
    value.as_array().map(|items| items.iter().map(|item| item.as_u64().unwrap()).collect())
}

/// `{"$float": "NaN"}` in the manifest stands for the bare word.
fn with_words(value: &Value) -> Value {
    match value {
        Value::Object(members) => match members.get("$float").and_then(Value::as_str) {
            Some(word) => Value::Number(Number::from_string_unchecked(word.to_owned())),
            None => Value::Object(
                members.iter().map(|(name, value)| (name.clone(), with_words(value))).collect(),
            ),
        },
        Value::Array(items) => Value::Array(items.iter().map(with_words).collect()),
        other => other.clone(),
    }
}

fn check_attributes(attributes: &Map<String, Value>, entry: &Value) {
    if let Some(expected) = entry.get("attrs") {
        assert_eq!(&Value::Object(attributes.clone()), &with_words(expected));
    }
}

fn chunk_edges(grid: Option<&ChunkGrid>) -> Value {
    let edges = |edges: &Arc<ChunkEdges>| -> Vec<u64> {
        edges.runs().flat_map(|(edge, times)| vec![edge; times as usize]).collect()
    };
    let edges_of = |grid: &ChunkGrid| Some(grid.edges()?.iter().map(edges).collect::<Vec<_>>());
    serde_json::to_value(grid.and_then(edges_of)).unwrap()
}

fn check_array(store: &Arc<MemoryStorage>, entry: &Value, path: &str) {
    let array = open_array(store, path).unwrap();
    let metadata = array.metadata();
    assert_eq!(u64::from(metadata.zarr_format), entry["zarrFormat"].as_u64().unwrap());
    assert_eq!(entry["dtype"], *metadata.data_type.name());
    assert_eq!(Some(&metadata.shape), lengths(&entry["shape"]).as_ref());
    assert_eq!(Some(&metadata.chunk_shape), lengths(&entry["chunks"]).as_ref());
    assert_eq!(metadata.shard_shape, lengths(&entry["shards"]));
    if let Some(edges) = entry.get("chunkEdges") {
        assert_eq!(chunk_edges(metadata.stored_grid.as_ref()), *edges);
    }
    check_attributes(&metadata.attributes, entry);
    if let Some(names) = entry.get("dimensionNames") {
        assert_eq!(&serde_json::to_value(&metadata.dimension_names).unwrap(), names);
    }
    let expected = std::fs::read(folder().join(entry["expected"].as_str().unwrap())).unwrap();
    let expected = if metadata.data_type.size().is_none() {
        Elements::Strings(serde_json::from_slice(&expected).unwrap())
    } else {
        let unit = metadata.data_type.endian_unit();
        let mut native = expected;
        if cfg!(target_endian = "big") {
            native.chunks_exact_mut(unit).for_each(<[u8]>::reverse);
        }
        Elements::Fixed(native)
    };
    let whole = Driver::new().whole(&array).unwrap();
    assert!(whole == expected, "the elements differ");
    assert!(array.stored_bytes(&memory()).is_ok());
}

fn check_group(group: &Group, entry: &Value) {
    assert_eq!(u64::from(group.zarr_format()), entry["zarrFormat"].as_u64().unwrap());
    check_attributes(group.attributes(), entry);
    let members = group.members().unwrap();
    let kinds: Map<String, Value> = members
        .iter()
        .map(|member| {
            let kind = match member.node.as_ref().unwrap() {
                Node::Array(_) => "array",
                Node::Group(_) => "group",
            };
            (member.name.clone(), Value::from(kind))
        })
        .collect();
    if let Some(expected) = entry.get("members") {
        assert_eq!(&Value::Object(kinds), expected);
    }
    for member in members {
        match (member.node.unwrap(), group.open(&member.name).unwrap()) {
            (Node::Array(listed), Node::Array(opened)) => {
                assert_eq!(listed.metadata(), opened.metadata());
                assert_eq!(listed.info().name, opened.info().name);
            }
            (Node::Group(listed), Node::Group(opened)) => {
                assert_eq!(listed.attributes(), opened.attributes());
            }
            (listed, opened) => panic!("{listed:?} is not {opened:?}"),
        }
    }
}

#[test]
fn every_fixture_has_the_values_its_writer_reads() {
    let manifest = manifest("manifest.json");
    check_all(&manifest);
    assert!(manifest.len() > 800, "only {} fixtures", manifest.len());
}

#[test]
fn arrays_that_only_zarrs_writes_have_the_values_it_reads() {
    let manifest = manifest("manifest_zarrs.json");
    check_all(&manifest);
    assert_eq!(manifest.len(), 34);
}

fn check_all(manifest: &[Value]) {
    let mut failures = Vec::new();
    for entry in manifest {
        let path = entry["path"].as_str().unwrap();
        let check = || {
            let store = Arc::new(MemoryStorage::new());
            load_folder(&store, &folder().join(path), "node");
            match entry["kind"].as_str() {
                Some("array") => check_array(&store, entry, "node"),
                Some("group") => match open(&store, "node").unwrap() {
                    Node::Group(group) => check_group(&group, entry),
                    Node::Array(array) => panic!("{array:?} is no group"),
                },
                other => panic!("unknown kind {other:?}"),
            }
        };
        if std::panic::catch_unwind(check).is_err() {
            failures.push(path);
        }
    }
    assert!(failures.is_empty(), "{} fixtures failed: {failures:#?}", failures.len());
}
