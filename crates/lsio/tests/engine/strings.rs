//! Arrays of strings.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lsio::{
    Array, Chunk, DataType, DimensionSelection, Engine, ErrorCode, IoMode, ReadOptions, ReadValues,
};
use lsio_io::Key;
use lsio_zarr::{ArraySpec, ArrayWriter};
use serde_json::{Map, Value, json};

use crate::naive_model::{for_each_index, number_of};
use crate::random::Random;
use crate::reading::{AMPLE, all_chunks, engine, get_with, in_mode, open_at, open_in, texts};
use crate::user_codecs::{all_texts, chunk_of_texts, encoded, shard, stored};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/data")
}

/// Every committed array of strings, with its texts in C order.
fn fixtures(engine: &Arc<Engine>) -> Vec<(String, Arc<Array>, Vec<String>)> {
    let json = |path: &str| fs::read_to_string(data().join(path)).unwrap();
    let manifest: Vec<Value> = serde_json::from_str(&json("manifest.json")).unwrap();
    let strings = manifest.into_iter().filter(|entry| entry["dtype"] == "string");
    strings
        .map(|entry| {
            let path = entry["path"].as_str().unwrap();
            let array = open_at(engine, data().join(path).to_str().unwrap()).unwrap();
            let texts = serde_json::from_str(&json(entry["expected"].as_str().unwrap())).unwrap();
            (path.to_owned(), array, texts)
        })
        .collect()
}

/// What `selection` picks, by the numbers of the elements.
fn pick(texts: &[String], shape: &[u64], selection: &[DimensionSelection]) -> Vec<String> {
    let numbers: Vec<u8> = (0..texts.len() as u64).flat_map(u64::to_ne_bytes).collect();
    let (_, picked) = crate::naive_model::pick(&numbers, 8, shape, selection);
    let (picked, _) = picked.as_chunks::<8>();
    picked.iter().map(|bytes| texts[u64::from_ne_bytes(*bytes) as usize].clone()).collect()
}

fn assemble(chunks: &[Chunk], shape: &[u64]) -> Vec<String> {
    let mut result = vec![None; shape.iter().product::<u64>() as usize];
    for chunk in chunks {
        let found = texts(&chunk.values);
        for_each_index(&chunk.layout.shape, |index| {
            let source: u64 =
                index.iter().zip(&chunk.layout.strides).map(|(at, step)| at * step).sum();
            let place: Vec<u64> =
                index.iter().zip(&chunk.origin).map(|(at, from)| at + from).collect();
            let before = result[number_of(&place, shape)].replace(found[source as usize].clone());
            assert_eq!(before, None, "{place:?} is written twice");
        });
    }
    result.into_iter().map(|text| text.expect("every element is written")).collect()
}

/// Reads everything in every way and compares.
fn assert_reads(name: &str, array: &Array, expected: &[String], random: &mut Random) {
    let shape = array.metadata().shape.clone();
    let mut selections = vec![vec![DimensionSelection::All; shape.len()]];
    selections.extend((0..12).map(|_| random.selection(&shape)));
    let wanted: Vec<_> = selections.iter().map(|list| Some(list.as_slice())).collect();
    let (together, stats) = get_with(array, &wanted, in_mode(IoMode::Auto)).unwrap();
    let chunks = array.grid().grid_shape().iter().product::<u64>();
    assert!(stats.chunks_decoded + stats.chunks_missing <= chunks, "{name}");
    let ReadValues::Each(each) = &together.values else { panic!("{name} has no texts") };
    for (selection, values) in selections.iter().zip(each) {
        let picked = pick(expected, &shape, selection);
        assert_eq!(texts(values), picked, "{name}, {selection:?}");
        let (alone, _) = get_with(array, &[Some(selection)], in_mode(IoMode::Direct)).unwrap();
        let ReadValues::Each(alone) = &alone.values else { panic!("{name} has no texts") };
        assert_eq!(texts(&alone[0]), picked, "{name}, {selection:?}");
    }
    for grid_order in [false, true] {
        let options = ReadOptions { grid_order, ..ReadOptions::default() };
        let reader = array.read_chunks(None, &options).unwrap();
        let chunks = all_chunks(&reader, 3).unwrap();
        assert_eq!(assemble(&chunks, &shape), expected, "{name}");
    }
}

#[test]
fn strings_of_other_writers_are_read_in_every_way() {
    let engine = engine(2, AMPLE);
    let mut random = Random(1);
    let fixtures = fixtures(&engine);
    assert!(fixtures.len() > 5, "only {} arrays of strings", fixtures.len());
    for (name, array, expected) in &fixtures {
        assert_reads(name, array, expected, &mut random);
    }
    let usage = engine.memory_usage();
    assert_eq!((usage.reserved, usage.held, usage.leases), (0, 0, 0));
}

#[test]
fn missing_chunks_of_strings_are_full_of_the_fill_text() {
    let engine = engine(2, AMPLE);
    let store = engine.memory_store("strings");
    let spec = ArraySpec {
        shape: vec![7, 9],
        chunk_shape: vec![3, 4],
        shard_shape: None,
        data_type: DataType::String,
        codecs: vec![
            ("vlen-utf8".into(), Value::Null),
            ("zstd".into(), json!({"level": 1, "checksum": false})),
        ],
        fill_value: json!("n/a ∅"),
        dimension_names: None,
        attributes: Map::new(),
    };
    let writer = ArrayWriter::create(store.clone(), Key::root(), &spec).unwrap();
    let text = |index: &[u64]| "ü".repeat((index[0] * 3 + index[1]) as usize % 11);
    let written = |chunk: &[u64]| (chunk[0] + chunk[1]).is_multiple_of(2);
    for_each_index(&[3, 3], |chunk| {
        let mut elements = Vec::new();
        for_each_index(&spec.chunk_shape, |inside| {
            let corner = chunk.iter().zip(&spec.chunk_shape);
            let index: Vec<u64> = corner.zip(inside).map(|((at, len), i)| at * len + i).collect();
            elements.push(text(&index));
        });
        if written(chunk) {
            let elements: Vec<&str> = elements.iter().map(String::as_str).collect();
            writer.write_strings(chunk, &elements).unwrap();
        }
    });
    let mut expected = Vec::new();
    for_each_index(&spec.shape, |index| {
        let chunk = [index[0] / 3, index[1] / 4];
        expected.push(if written(&chunk) { text(index) } else { "n/a ∅".to_owned() });
    });
    let opened = open_in(&engine, store, "");
    assert_reads("written", &opened, &expected, &mut Random(2));
}

#[test]
fn a_chunk_of_long_strings_outgrows_its_first_reservation() {
    let engine = engine(2, AMPLE);
    let store = engine.memory_store("long strings");
    let spec = ArraySpec {
        shape: vec![64],
        chunk_shape: vec![16],
        shard_shape: None,
        data_type: DataType::String,
        codecs: vec![
            ("vlen-utf8".into(), Value::Null),
            ("zstd".into(), json!({"level": 1, "checksum": false})),
        ],
        fill_value: json!(""),
        dimension_names: None,
        attributes: Map::new(),
    };
    let writer = ArrayWriter::create(store.clone(), Key::root(), &spec).unwrap();
    let expected: Vec<String> =
        (0..64u8).map(|n| char::from(b' ' + n).to_string().repeat(20_000)).collect();
    for (number, chunk) in expected.chunks(16).enumerate() {
        let elements: Vec<&str> = chunk.iter().map(String::as_str).collect();
        writer.write_strings(&[number as u64], &elements).unwrap();
    }
    let opened = open_in(&engine, store, "");
    assert_reads("long", &opened, &expected, &mut Random(3));
    let usage = engine.memory_usage();
    assert_eq!((usage.reserved, usage.held), (0, 0));
}

#[test]
fn texts_of_any_length_come_out_of_compressed_shards() {
    let engine = engine(2, AMPLE);
    let zstd = r#"{"name": "zstd", "configuration": {"level": 1, "checksum": false}}"#;
    let gzip = r#"{"name": "gzip", "configuration": {"level": 1}}"#;
    let little = r#"{"name": "bytes", "configuration": {"endian": "little"}}"#;
    let mut random = Random(4);
    for (length, after, names) in [
        (200, zstd.to_owned(), &["zstd"][..]),
        (5000, gzip.to_owned(), &["gzip"]),
        (1000, format!("{zstd}, {gzip}"), &["zstd", "gzip"]),
    ] {
        let expected: Vec<String> = (0..10_000)
            .map(|_| {
                let digit = |_| char::from(b'a' + random.below(26) as u8);
                let start: String = (0..8).map(digit).collect();
                start.repeat(length / 8)
            })
            .collect();
        let chunks: Vec<Vec<u8>> = expected.chunks(1000).map(chunk_of_texts).collect();
        let stored_shard = names.iter().fold(shard(&chunks), |shard, name| encoded(name, &shard));
        let codecs = format!(
            r#"[{{"name": "sharding_indexed", "configuration": {{"chunk_shape": [1000],
            "codecs": ["vlen-utf8"], "index_codecs": [{little}]}}}}, {after}]"#
        );
        let name = format!("texts-{length}");
        let array = stored(&engine, &name, ("string", 10_000, 10_000), &codecs, &[stored_shard]);
        assert!(all_texts(&array) == expected, "{names:?}");
    }
    let usage = engine.memory_usage();
    assert_eq!((usage.reserved, usage.held), (0, 0));
}

#[test]
fn a_compressed_shard_of_texts_that_outgrows_the_budget_is_refused_with_numbers() {
    let engine = engine(1, 64 << 20);
    let zstd = r#"{"name": "zstd", "configuration": {"level": 1, "checksum": false}}"#;
    let little = r#"{"name": "bytes", "configuration": {"endian": "little"}}"#;
    let codecs = format!(
        r#"[{{"name": "sharding_indexed", "configuration": {{"chunk_shape": [1],
        "codecs": ["vlen-utf8"], "index_codecs": [{little}]}}}}, {zstd}]"#
    );
    let long = encoded("zstd", &vec![0; 100 << 20]);
    let array = stored(&engine, "long", ("string", 1, 1), &codecs, &[long]);
    let error = get_with(&array, &[None], in_mode(IoMode::Auto)).unwrap_err();
    assert_eq!(error.code, ErrorCode::Budget);
    // Not what texts are expected to take, which is a few bytes for one: what the budget has.
    assert!(error.to_string().contains("33554432 are allowed"), "{error:?}");
}
