//! Arrays of every data type that others wrote, as they are stored and converted.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lsio::{
    DataType, DimensionSelection, ErrorCode, IoMode, OpenOptions, ReadOptions, ReadValues, Values,
};
use lsio_io::{Key, WriteStorage};
use serde_json::Value;

use crate::reading::{AMPLE, array_of, bytes_of, engine, get_with, in_mode, texts};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/data")
}

fn file(entry: &Value, member: &str) -> Option<Vec<u8>> {
    let path = entry.get(member)?.as_str()?;
    Some(fs::read(data().join(path)).unwrap())
}

fn unhex(text: &str) -> Vec<u8> {
    let pair = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(pair).collect()
}

/// Elements of varying length, where an entry lists them: bytes in hexadecimal digits, or texts of JSON.
fn listed(entry: &Value) -> Option<Vec<Vec<u8>>> {
    let texts = |member| -> Option<Vec<String>> {
        file(entry, member).map(|list| serde_json::from_slice(&list).unwrap())
    };
    let hexes = texts("hexes").map(|texts| texts.iter().map(|text| unhex(text)).collect());
    hexes.or_else(|| texts("values").map(|it| it.into_iter().map(String::into_bytes).collect()))
}

/// What a text of JSON says, however it spells strings, with texts for the numbers that JSON does not have.
fn document(text: &[u8]) -> Value {
    let mut rest = std::str::from_utf8(text).unwrap();
    let (mut plain, mut is_in_text) = (String::new(), false);
    while let Some(first) = rest.chars().next() {
        let names = ["NaN", "Infinity", "-Infinity"];
        if let Some(name) = names.into_iter().find(|name| !is_in_text && rest.starts_with(name)) {
            plain.extend(["\"number ", name, "\""]);
            rest = &rest[name.len()..];
            continue;
        }
        let is_escape = is_in_text && first == '\\';
        is_in_text ^= first == '"';
        let len = if is_escape { 2 } else { first.len_utf8() };
        plain.push_str(&rest[..len]);
        rest = &rest[len..];
    }
    serde_json::from_str(&plain).unwrap()
}

/// The same values, where `1e-7` and `1e-07` are one; integers have one spelling.
fn says_the_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || a.is_f64() && b.is_f64() && a.as_f64() == b.as_f64()
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| says_the_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let is_in = |(name, a)| b.get(name).is_some_and(|b| says_the_same(a, b));
            a.len() == b.len() && a.iter().all(is_in)
        }
        _ => one == other,
    }
}

/// The same bits, or both NaN: writers differ in the payload that they give a NaN when it is widened.
fn same_floats(found: &[u8], expected: &[u8]) -> bool {
    let floats = |bytes: &[u8]| -> Vec<f32> {
        bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_ne_bytes(*bytes)).collect()
    };
    found.len() == expected.len()
        && floats(found)
            .iter()
            .zip(floats(expected))
            .all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan())
}

#[test]
fn every_data_type_has_the_elements_that_its_writer_read_back() {
    let engine = engine(2, AMPLE);
    let manifest = fs::read(data().join("manifest_data_types.json")).unwrap();
    let entries: Vec<Value> = serde_json::from_slice(&manifest).unwrap();
    assert!(entries.len() > 90, "only {} arrays in the manifest", entries.len());
    for entry in &entries {
        let path = entry["path"].as_str().unwrap();
        let location = data().join(path);
        let node = engine.open_blocking(location.to_str().unwrap(), &OpenOptions::default());
        let node = node.unwrap_or_else(|error| panic!("{path}: {error} {:?}", error.causes()));
        let array = array_of(node);
        let data_type = array.metadata().data_type.clone();
        assert_eq!(data_type.name(), entry["dtype"].as_str().unwrap(), "{path}");
        let size = data_type.size().map(|size| size as u64);
        assert_eq!(size, entry["dtypeInfo"]["itemBytes"].as_u64(), "{path}");
        if let Some(fill) = entry["fillBytes"].as_str() {
            assert_eq!(*array.metadata().fill_value, unhex(fill), "{path}");
        }
        let get = |array: &_| get_with(array, &[None], in_mode(IoMode::Auto)).unwrap().0;
        if let Some(expected) = listed(entry) {
            let result = get(&array);
            let ReadValues::Each(values) = &result.values else { panic!("{path} has no elements") };
            let Values::Variable(found) = &values[0] else { panic!("{path} has no elements") };
            let found = &found.elements;
            let ranges = found.offsets.windows(2);
            let found: Vec<&[u8]> =
                ranges.map(|ends| &found.bytes[ends[0] as usize..ends[1] as usize]).collect();
            let is_same = |(found, expected): (&&[u8], &Vec<u8>)| {
                found == expected
                    || data_type == DataType::Json
                        && says_the_same(&document(found), &document(expected))
            };
            assert_eq!(found.len(), expected.len(), "{path}");
            assert!(found.iter().zip(&expected).all(is_same), "{path} has other elements");
            continue;
        }
        if data_type != DataType::String {
            let expected = file(entry, "expected").unwrap();
            assert!(*bytes_of(&get(&array)) == expected, "{path} has other elements");
        }
        if let Some(expected) = file(entry, "texts") {
            let expected: Vec<String> = serde_json::from_slice(&expected).unwrap();
            let result = get(&array.converted(&DataType::String).unwrap());
            let ReadValues::Each(values) = &result.values else { panic!("{path} has no texts") };
            assert_eq!(texts(&values[0]), expected, "{path}");
        }
        if let Some(expected) = file(entry, "converted") {
            let complex = data_type.part().is_some();
            let to = if complex { DataType::Complex64 } else { DataType::Float32 };
            let result = get(&array.converted(&to).unwrap());
            assert!(same_floats(bytes_of(&result), &expected), "{path} has other floats");
        }
        for (name, expected) in entry["fields"].as_object().into_iter().flatten() {
            let field = array.field(name).unwrap();
            let metadata = field.metadata();
            assert_eq!(
                metadata.data_type.name(),
                expected["dtype"].as_str().unwrap(),
                "{path} {name}"
            );
            assert_eq!(
                serde_json::to_value(&metadata.shape).unwrap(),
                expected["shape"],
                "{path} {name}"
            );
            let elements = unhex(expected["hex"].as_str().unwrap());
            assert!(*bytes_of(&get(&field)) == elements, "{path} has another {name}");
        }
    }
    assert_eq!(engine.memory_usage().reserved, 0);
    assert_eq!(engine.memory_usage().held, 0);
}

#[test]
fn an_array_is_converted_once_and_by_chunks_too() {
    let engine = engine(2, AMPLE);
    let location = data().join("types-zarr3/format3/fixed_length_utf32-little");
    let node = engine.open_blocking(location.to_str().unwrap(), &OpenOptions::default());
    let array = array_of(node.unwrap());
    let text = array.converted(&DataType::String).unwrap();
    assert!(Arc::ptr_eq(&text, &array.converted(&DataType::String).unwrap()));
    assert_eq!(*text.metadata().fill_value, *"ü🌍".as_bytes());
    let reader = text.read_chunks(None, &ReadOptions::default()).unwrap();
    let mut elements = 0;
    loop {
        let (send, receive) = std::sync::mpsc::channel();
        reader.next_batch(100, Box::new(move |chunks| send.send(chunks).unwrap()));
        let chunks = receive.recv().unwrap().unwrap();
        if chunks.is_empty() {
            break;
        }
        for chunk in chunks {
            let Values::Variable(strings) = &chunk.values else { panic!("no texts") };
            elements += strings.elements.offsets.len() - 1;
        }
    }
    assert_eq!(elements, 99);
    let error = array.converted(&DataType::Float32).unwrap_err();
    assert_eq!(error.code, ErrorCode::Unsupported);
    assert!(error.message.contains("fixed_length_utf32"), "{}", error.message);
}

#[test]
fn a_field_is_an_array_of_its_own() {
    let engine = engine(2, AMPLE);
    let open = |path: &str| {
        let location = data().join(path);
        let node = engine.open_blocking(location.to_str().unwrap(), &OpenOptions::default());
        array_of(node.unwrap())
    };
    let array = open("structs-zarr2/nested-null-f");
    let y = array.field("point.y").unwrap();
    assert!(Arc::ptr_eq(&y, &array.field("point.y").unwrap()));
    assert_eq!(
        (&*y.metadata().shape, &*y.metadata().chunk_shape),
        (&[5, 6, 2, 2][..], &[2, 4, 2, 2][..])
    );
    // Dimensions of the field are selected as others are, and it can be converted.
    let selection = [
        DimensionSelection::Index(-1),
        DimensionSelection::Slice { start: Some(1), stop: None, step: Some(2) },
        DimensionSelection::Index(1),
        DimensionSelection::Slice { start: None, stop: None, step: None },
    ];
    let read = |array: &_, selection| {
        let (result, _) = get_with(array, &[selection], in_mode(IoMode::Auto)).unwrap();
        bytes_of(&result).to_vec()
    };
    let whole = read(&y, None);
    let expected: Vec<u8> = [1, 3, 5]
        .iter()
        .flat_map(|column| {
            let at = ((4 * 6 + column) * 2 + 1) * 8;
            whole[at..at + 8].to_vec()
        })
        .collect();
    assert_eq!(read(&y, Some(&selection)), expected);
    let doubles = read(&y.converted(&DataType::Float64).unwrap(), Some(&selection));
    let widened =
        expected.as_chunks::<4>().0.iter().map(|bytes| f64::from(f32::from_ne_bytes(*bytes)));
    assert_eq!(doubles, widened.flat_map(f64::to_ne_bytes).collect::<Vec<u8>>());
    // A record in a record is one too.
    let point = array.field("point").unwrap();
    assert_eq!(read(&point.field("y").unwrap(), None), whole);

    for (array, path) in [
        (&array, "points"),
        (&array, "point.z"),
        (&y, "x"),
        (&open("structs-zarr2/nested-fill"), "point.y"),
    ] {
        let error = array.field(path).unwrap_err();
        assert_eq!(error.code, ErrorCode::Unsupported);
        assert!(error.message.contains(path), "{}", error.message);
    }
    assert!(array.field("points").unwrap_err().message.contains("struct elements have no field"));
}

#[test]
fn text_that_is_none_is_an_error_that_names_its_chunk() {
    let engine = engine(2, AMPLE);
    let store = engine.memory_store("no-text");
    let document = r#"{"zarr_format": 3, "node_type": "array", "shape": [2], "fill_value": "",
        "data_type": {"name": "fixed_length_utf32", "configuration": {"length_bytes": 4}},
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1]}},
        "chunk_key_encoding": {"name": "default"},
        "codecs": [{"name": "bytes", "configuration": {"endian": "big"}}]}"#;
    for (key, bytes) in [
        ("zarr.json", document.as_bytes()),
        ("c/0", &0x1f30d_u32.to_be_bytes()),
        ("c/1", &0x0011_0000_u32.to_be_bytes()),
    ] {
        store.put(&Key::new(key).unwrap(), bytes).unwrap();
    }
    let node = engine.open_blocking("memory://no-text", &OpenOptions::default());
    let array = array_of(node.unwrap());
    let text = array.converted(&DataType::String).unwrap();
    let first = [DimensionSelection::Index(0)];
    let (result, _) = get_with(&text, &[Some(&first)], in_mode(IoMode::Auto)).unwrap();
    let ReadValues::Each(values) = &result.values else { panic!("no texts") };
    assert_eq!(texts(&values[0]), ["🌍"]);
    let error = get_with(&text, &[None], in_mode(IoMode::Auto)).unwrap_err();
    assert_eq!(error.code, ErrorCode::Codec);
    let causes = format!("{error} {:?}", error.causes());
    assert!(causes.contains("[1]") && causes.contains("0x110000"), "{causes}");
}
