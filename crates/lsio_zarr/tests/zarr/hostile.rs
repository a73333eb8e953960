//! Metadata and chunks that somebody made to do harm, or that something damaged.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use lsio_array::{ChunkError, ChunkErrorKind, ChunkSource};
use lsio_io::{MemoryStorage, StorageError};
use lsio_zarr::ZarrError;
use proptest::prelude::*;
use serde_json::Value;

use crate::driver::{Driver, load_folder, open, open_array, store};

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/hostile"))
}

/// What the public API calls the error.
fn code_of_storage(error: &StorageError) -> &'static str {
    match error {
        StorageError::NotFound { .. } => "ERR_LSIO_NOT_FOUND",
        StorageError::Access { .. } => "ERR_LSIO_ACCESS",
        StorageError::Truncated { .. } => "ERR_LSIO_TRUNCATED",
        StorageError::Conflict { .. } => "ERR_LSIO_CONFLICT",
        _ => "ERR_LSIO_IO",
    }
}

fn code_of_open(error: &ZarrError) -> &'static str {
    match error {
        ZarrError::NotFound { .. } => "ERR_LSIO_NOT_FOUND",
        ZarrError::Metadata { .. } => "ERR_LSIO_METADATA",
        ZarrError::Unsupported { .. } => "ERR_LSIO_UNSUPPORTED",
        ZarrError::Storage { source, .. } | ZarrError::Unlisted { source, .. } => {
            code_of_storage(source)
        }
        ZarrError::Write { .. } => "ERR_LSIO_IO",
    }
}

fn code_of_chunk(error: &ChunkError) -> &'static str {
    match &error.kind {
        ChunkErrorKind::Storage(source) => code_of_storage(source),
        ChunkErrorKind::Codec(_)
        | ChunkErrorKind::CodecFunction(_)
        | ChunkErrorKind::Length { .. } => "ERR_LSIO_CODEC",
        ChunkErrorKind::Checksum { .. } => "ERR_LSIO_CHECKSUM",
        ChunkErrorKind::Truncated { .. } => "ERR_LSIO_TRUNCATED",
        ChunkErrorKind::TooLarge { .. } => "ERR_LSIO_BUDGET",
        ChunkErrorKind::Missing => "ERR_LSIO_NOT_FOUND",
        ChunkErrorKind::Function(_) | ChunkErrorKind::Panic(_) => "ERR_LSIO_INTERNAL",
    }
}

fn code(entry: &Value) -> String {
    let store = Arc::new(MemoryStorage::new());
    let folder = folder().join(entry["path"].as_str().unwrap());
    if folder.exists() {
        load_folder(&store, &folder, "node");
    }
    if entry["operation"] == "open" {
        return open(&store, "node")
            .err()
            .map_or("opened", |error| code_of_open(&error))
            .to_owned();
    }
    let array = open_array(&store, "node").unwrap();
    match Driver::new().whole(&array) {
        Ok(_) => "read".to_owned(),
        Err(error) => {
            assert!(error.to_string().contains("memory://node"), "{error}");
            code_of_chunk(&error).to_owned()
        }
    }
}

#[test]
fn every_hostile_fixture_ends_in_its_error() {
    let text = std::fs::read(folder().join("manifest_hostile.json")).unwrap();
    let manifest: Vec<Value> = serde_json::from_slice(&text).unwrap();
    let mut wrong = Vec::new();
    let mut tried = 0;
    for entry in &manifest {
        let path = entry["path"].as_str().unwrap();
        // The memory budget and the file system are not in this crate.
        if path.starts_with("size/") || path.ends_with("is-a-folder") || path.ends_with("is-a-file")
        {
            continue;
        }
        tried += 1;
        let expected = entry["code"].as_str().unwrap();
        let also = entry.get("alsoAccepted").and_then(Value::as_array);
        let found = std::panic::catch_unwind(|| code(entry)).unwrap_or("panic".to_owned());
        if found != expected && !also.is_some_and(|also| also.contains(&found.as_str().into())) {
            wrong.push(format!("{path}: {found} instead of {expected}"));
        }
    }
    assert!(tried > 100, "only {tried} hostile fixtures");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn arrays_of_2_to_60_elements_open_without_reading_anything() {
    for size in ["elements-2-to-60", "elements-2-to-60-v2", "chunk-2-to-60", "chunk-of-2-to-50"] {
        let store = Arc::new(MemoryStorage::new());
        load_folder(&store, &folder().join("size").join(size), "node");
        let array = open_array(&store, "node").unwrap();
        assert!(array.decoded_bytes() >= 1 << 50, "{size}: {}", array.decoded_bytes());
    }
}

fn document(members: &str) -> String {
    let mut document: Value = serde_json::from_str(
        r#"{"zarr_format": 3, "node_type": "array", "shape": [4], "data_type": "uint8",
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2]}},
            "chunk_key_encoding": "default", "fill_value": 0, "codecs": ["bytes"]}"#,
    )
    .unwrap();
    let members: Value = serde_json::from_str(members).unwrap();
    for (name, value) in members.as_object().unwrap() {
        document[name] = value.clone();
    }
    document.to_string()
}

#[test]
fn messages_name_the_document_and_what_is_wrong() {
    let cases = [
        (r#"{"shape": [4, -1]}"#, ["'shape'", "[4,-1]"]),
        (r#"{"codecs": ["bytes", "lz77"]}"#, ["the codec 'lz77'", "not supported"]),
        (r#"{"fill_value": 256}"#, ["256", "uint8"]),
        (r#"{"surprise": 1}"#, ["surprise", "not supported"]),
        (r#"{"shape": [4, 4]}"#, ["[2]", "[4, 4]"]),
    ];
    for (members, words) in cases {
        let store = store(&[("a/zarr.json", document(members).as_bytes())]);
        let error = open(&store, "a").unwrap_err().to_string();
        assert!(error.contains("memory://a/zarr.json"), "{error}");
        for word in words {
            assert!(error.contains(word), "{error} does not say {word}");
        }
    }
}

#[test]
fn the_parser_keeps_its_own_words_as_the_source() {
    let store = store(&[("a/zarr.json", b"{\"zarr_format\": 3,")]);
    let error = open(&store, "a").unwrap_err();
    assert!(error.source().unwrap().to_string().contains("line 1"), "{error:?}");
}

#[test]
fn only_a_chunk_without_an_object_is_missing() {
    let store = store(&[("a/zarr.json", document("{}").as_bytes()), ("a/c/1", b"12")]);
    let array = open_array(&store, "a").unwrap();
    let driver = Driver::new();
    assert_eq!(driver.chunk(&array, &[0]).unwrap(), None);
    let elements = driver.chunk(&array, &[1]).unwrap();
    assert_eq!(elements, Some(crate::driver::Elements::Fixed(b"12".to_vec())));
}

const SHARDED: &str = r#"{"zarr_format": 3, "node_type": "array", "shape": [9, 4],
    "data_type": {"name": "float32"}, "fill_value": "0x7fc00001",
    "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [4, 4]}},
    "chunk_key_encoding": {"name": "v2", "configuration": {"separator": "/"}},
    "codecs": [{"name": "transpose", "configuration": {"order": [1, 0]}},
        {"name": "sharding_indexed", "configuration": {"chunk_shape": [2, 2],
            "codecs": [{"name": "bytes", "configuration": {"endian": "big"}}, "crc32c"],
            "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, "crc32c"],
            "index_location": "start"}}, "crc32c"],
    "attributes": {"x": [NaN, -Infinity, 1e300, 18446744073709551616]},
    "dimension_names": ["a", null], "storage_transformers": []}"#;
const FORMAT_2: &str = r#"{"zarr_format": 2, "shape": [9, 4], "chunks": [4, 4], "dtype": "<c8",
    "compressor": {"id": "zstd", "level": 1}, "fill_value": [NaN, 1.0], "order": "F",
    "filters": [{"id": "crc32c"}], "dimension_separator": "/"}"#;
const PIECES: [&str; 16] = [
    "0",
    "-1",
    "1",
    "18446744073709551615",
    "1e999",
    "NaN",
    "\"\"",
    "\"bytes\"",
    "null",
    "[]",
    "{}",
    "true",
    "\"é\"",
    "9223372036854775808",
    "\"sharding_indexed\"",
    "[[[[0]]]]",
];

#[test]
fn the_documents_open_before_they_are_edited() {
    for (name, text) in [("a/zarr.json", SHARDED), ("a/.zarray", FORMAT_2)] {
        let array = open_array(&store(&[(name, text.as_bytes())]), "a").unwrap();
        assert_eq!(array.metadata().shape, [9, 4]);
        assert_eq!(array.info().axis_order, [1, 0]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Pieces of JSON over other pieces, cuts and doublings.
    #[test]
    fn no_document_is_a_panic(
        is_v3 in any::<bool>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..12usize, 0..PIECES.len()), 1..4),
    ) {
        let (name, text) = if is_v3 { ("zarr.json", SHARDED) } else { (".zarray", FORMAT_2) };
        let mut bytes = text.as_bytes().to_vec();
        for (at, removed, piece) in edits {
            let start = at.index(bytes.len());
            let end = (start + removed).min(bytes.len());
            bytes.splice(start..end, PIECES[piece].bytes());
        }
        let store = store(&[(&format!("a/{name}"), &bytes)]);
        if let Ok(array) = open_array(&store, "a") {
            let first = vec![0; array.metadata().shape.len()];
            let located = array.locate(&first, &Driver::new());
            prop_assert!(located.is_ok(), "{located:?}");
        }
    }
}
