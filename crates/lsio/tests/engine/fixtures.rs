//! Every fixture that other writers made, read through the whole engine and compared byte for byte.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lsio::{
    Array, DimensionSelection, Engine, ErrorCode, IoMode, LsioError, Node, OpenOptions, ReadResult,
    ReadValues,
};
use serde_json::Value;

use crate::reading::{AMPLE, array_of, bytes_of, engine, get_with, in_mode, texts};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

fn json(path: &str) -> Value {
    serde_json::from_slice(&fs::read(fixtures().join(path)).unwrap()).unwrap()
}

fn open(engine: &Arc<Engine>, path: &str) -> Result<Node, LsioError> {
    let location = fixtures().join(path);
    engine.open_blocking(location.to_str().unwrap(), &OpenOptions::default())
}

fn open_array(engine: &Arc<Engine>, entry: &Value) -> Arc<Array> {
    let path = entry["path"].as_str().unwrap();
    let options = OpenOptions {
        zarr_format: entry["zarrFormat"].as_u64().map(|format| u8::try_from(format).unwrap()),
        ..OpenOptions::default()
    };
    let location = fixtures().join("data").join(path);
    let node = engine.open_blocking(location.to_str().unwrap(), &options);
    array_of(node.unwrap_or_else(|error| panic!("{path}: {error} {:?}", error.causes())))
}

fn get(
    array: &Array,
    selection: Option<&[DimensionSelection]>,
    mode: IoMode,
) -> Result<ReadResult, LsioError> {
    get_with(array, &[selection], in_mode(mode)).map(|(result, _)| result)
}

#[test]
fn every_array_has_the_values_that_its_writer_read_back() {
    let engine = engine(2, AMPLE);
    let manifest = json("data/manifest.json");
    let entries = manifest.as_array().unwrap();
    let mut arrays = 0;
    for (number, entry) in entries.iter().enumerate() {
        if entry["kind"] != "array" {
            continue;
        }
        let path = entry["path"].as_str().unwrap();
        let array = open_array(&engine, entry);
        assert_eq!(array.metadata().data_type.name(), entry["dtype"].as_str().unwrap(), "{path}");
        let mode = [IoMode::Auto, IoMode::Direct, IoMode::Buffered][number % 3];
        let result = get(&array, None, mode)
            .unwrap_or_else(|error| panic!("{path}: {error} {:?}", error.causes()));
        let expected = fixtures().join("data").join(entry["expected"].as_str().unwrap());
        if entry["dtype"] == "string" {
            let expected: Vec<String> =
                serde_json::from_slice(&fs::read(expected).unwrap()).unwrap();
            let ReadValues::Each(values) = &result.values else { panic!("{path} has no texts") };
            assert_eq!(texts(&values[0]), expected, "{path}");
        } else {
            assert!(*bytes_of(&result) == fs::read(expected).unwrap(), "{path} has other values");
        }
        arrays += 1;
    }
    assert!(arrays > 500, "only {arrays} arrays in the manifest");
    assert_eq!(engine.memory_usage().reserved, 0);
    assert_eq!(engine.memory_usage().held, 0);
}

#[test]
fn hostile_input_is_refused_with_the_right_code() {
    let engine = engine(2, AMPLE);
    let manifest = json("hostile/manifest_hostile.json");
    let mut wrong = Vec::new();
    for entry in manifest.as_array().unwrap() {
        let path = entry["path"].as_str().unwrap();
        let location = format!("hostile/{path}");
        let outcome = open(&engine, &location).and_then(|node| match (node, &entry["operation"]) {
            (Node::Array(array), operation) if operation == "get" => {
                let selection = entry["selection"].as_array().map(|list| parse_selection(list));
                get(&array, selection.as_deref(), IoMode::Auto).map(|_| ())
            }
            _ => Ok(()),
        });
        let code = outcome.err().map(|error| error.code.name());
        let accepted = |value: &Value| value.as_str() == code;
        let also = entry["alsoAccepted"].as_array();
        if !accepted(&entry["code"]) && !also.is_some_and(|codes| codes.iter().any(accepted)) {
            wrong.push(format!("{path}: {code:?}, expected {} ({})", entry["code"], entry["why"]));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(engine.memory_usage().reserved, 0);
}

fn parse_selection(list: &[Value]) -> Vec<DimensionSelection> {
    let bound = |value: &Value| value.as_i64();
    list.iter()
        .map(|entry| match entry {
            Value::Null => DimensionSelection::All,
            Value::String(dots) if dots == "..." => DimensionSelection::Ellipsis,
            Value::Array(list) if list.iter().any(Value::is_boolean) => {
                let mask = list.iter().map(|flag| flag.as_bool().unwrap());
                DimensionSelection::Mask(Arc::new(mask.collect()))
            }
            Value::Array(list) => {
                let indices = list.iter().map(|index| index.as_i64().unwrap());
                DimensionSelection::Indices(Arc::new(indices.collect()))
            }
            Value::Number(index) => DimensionSelection::Index(index.as_i64().unwrap()),
            Value::Object(slice) => DimensionSelection::Slice {
                start: slice.get("start").and_then(bound),
                stop: slice.get("stop").and_then(bound),
                step: slice.get("step").and_then(bound),
            },
            other => panic!("unknown selection {other}"),
        })
        .collect()
}

#[test]
fn seeded_selections_are_what_numpy_picks() {
    let engine = engine(2, AMPLE);
    let manifest = json("data/manifest.json");
    let file = json("data/selections.json");
    let picked = json("data/picked_selections.json");
    let selections = file["selections"].as_array().unwrap();
    let orthogonal = picked["orthogonal"].as_array().unwrap();
    assert!(selections.len() + orthogonal.len() >= 1000);
    for case in selections.iter().chain(orthogonal) {
        let path = case["path"].as_str().unwrap();
        let entry =
            manifest.as_array().unwrap().iter().find(|entry| entry["path"] == path).unwrap();
        let array = open_array(&engine, entry);
        let selection = parse_selection(case["selection"].as_array().unwrap());
        let result = get(&array, Some(&selection), IoMode::Auto).unwrap();
        let shape: Vec<u64> =
            case["shape"].as_array().unwrap().iter().map(|len| len.as_u64().unwrap()).collect();
        assert_eq!(result.regions[0].layout.shape, shape, "{path} {selection:?}");
        let sum = crc32fast::hash(bytes_of(&result));
        assert_eq!(u64::from(sum), case["crc32"].as_u64().unwrap(), "{path} {selection:?}");
    }
    // Fractions are no selection of this crate; the facade refuses them.
    let whole = |case: &&Value| {
        let mut entries = case["selection"].as_array().unwrap().iter();
        entries.all(|entry| !entry.is_f64() || entry.as_i64().is_some())
    };
    for case in file["refused"].as_array().unwrap().iter().filter(whole) {
        let path = case["path"].as_str().unwrap();
        let entry =
            manifest.as_array().unwrap().iter().find(|entry| entry["path"] == path).unwrap();
        let selection = parse_selection(case["selection"].as_array().unwrap());
        let error = get(&open_array(&engine, entry), Some(&selection), IoMode::Auto).unwrap_err();
        assert_eq!(error.code, ErrorCode::Selection, "{case}");
    }
}
