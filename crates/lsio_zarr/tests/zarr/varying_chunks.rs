//! Arrays whose chunks vary in length, in forms that no fixture has.

use std::sync::Arc;

use lsio_array::{ChunkErrorKind, ChunkSource};
use lsio_io::MemoryStorage;
use lsio_zarr::ZarrError;
use serde_json::{Value, json};

use crate::driver::{Driver, Elements, memory, open, open_array, store};

fn metadata(data_type: &str, shape: &Value, chunk_shapes: &Value, codecs: &Value) -> String {
    let fill = if data_type == "string" { json!("none") } else { json!(9) };
    json!({
        "zarr_format": 3, "node_type": "array", "shape": shape, "data_type": data_type,
        "chunk_grid": {
            "name": "rectilinear",
            "configuration": {"kind": "inline", "chunk_shapes": chunk_shapes},
        },
        "chunk_key_encoding": "default", "fill_value": fill, "codecs": codecs,
    })
    .to_string()
}

/// The form of the codec `vlen-utf8`.
fn texts(elements: &[&str]) -> Vec<u8> {
    let mut bytes = (elements.len() as u32).to_le_bytes().to_vec();
    for text in elements {
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes
}

#[test]
fn texts_come_from_chunks_of_any_shape() {
    let document =
        metadata("string", &json!([3, 4]), &json!([[1, 2], [3, 2]]), &json!(["vlen-utf8"]));
    let chunks = [
        ("a/c/0/0", texts(&["00", "", "02"])),
        // Behind the end of the array there is one column more.
        ("a/c/0/1", texts(&["03", "x"])),
        ("a/c/1/0", texts(&["10", "eleven", "12", "20", "21", "zwölf"])),
    ];
    let mut objects = vec![("a/zarr.json", document.as_bytes())];
    objects.extend(chunks.iter().map(|(key, bytes)| (*key, &bytes[..])));
    let array = open_array(&store(&objects), "a").unwrap();
    assert_eq!(array.grid().unwrap().grid_shape(), [2, 2]);
    let expected =
        ["00", "", "02", "03", "10", "eleven", "12", "none", "20", "21", "zwölf", "none"];
    let expected = expected.into_iter().map(str::to_owned).collect();
    assert_eq!(Driver::new().whole(&array).unwrap(), Elements::Strings(expected));
    let stored = chunks.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>();
    assert_eq!(array.stored_bytes(&memory()).unwrap(), stored);
}

#[test]
fn a_chunk_of_the_length_of_another_is_an_error() {
    let document = metadata("uint8", &json!([5]), &json!([[2, 3]]), &json!(["bytes"]));
    let objects = [
        ("a/zarr.json", document.as_bytes()),
        ("a/c/0", b"123"),
        ("a/c/1", b"12"),
        ("a/c/2", b"1"),
    ];
    let array = open_array(&store(&objects), "a").unwrap();
    let driver = Driver::new();
    let error = driver.chunk(&array, &[0]).unwrap_err();
    assert!(matches!(error.kind, ChunkErrorKind::Length { expected: 2, actual: 3 }), "{error:?}");
    let error = driver.chunk(&array, &[1]).unwrap_err();
    assert!(
        matches!(
            error.kind,
            ChunkErrorKind::Truncated { expected: 3, actual: 2 }
                | ChunkErrorKind::Length { expected: 3, actual: 2 }
        ),
        "{error:?}"
    );
    // What is no chunk of the grid is not counted.
    assert_eq!(array.stored_bytes(&memory()).unwrap(), 5);
}

#[test]
fn room_around_a_chunk_is_zero() {
    let document = metadata("uint8", &json!([4, 4]), &json!([[1, 3], [3, 1]]), &json!(["bytes"]));
    let objects = [("a/zarr.json", document.as_bytes()), ("a/c/1/1", b"\x05\x06\x07")];
    let array = open_array(&store(&objects), "a").unwrap();
    let chunk = Driver::new().chunk(&array, &[1, 1]).unwrap();
    assert_eq!(chunk, Some(Elements::Fixed(vec![5, 0, 0, 6, 0, 0, 7, 0, 0])));
}

fn refused(store: &Arc<MemoryStorage>) -> ZarrError {
    open(store, "a").unwrap_err()
}

#[test]
fn what_does_not_fit_the_edges_is_refused_when_it_is_opened() {
    let shards = |chunk_shape: Value| {
        json!([{"name": "sharding_indexed", "configuration": {
            "chunk_shape": chunk_shape,
            "codecs": ["bytes"],
            "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        }}])
    };
    let large = 1_u64 << 60;
    let cases = [
        (json!([6]), json!([[4, 2, 3]]), shards(json!([4])), true),
        (json!([6]), json!([[4, 3]]), shards(json!([2])), true),
        (json!([12]), json!([[4, 4, 6]]), shards(json!([4])), true),
        (json!([large]), json!([[[1, large], [2, large]]]), json!(["bytes"]), false),
        (json!([large]), json!([[[1, large - 1]]]), json!(["bytes"]), true),
        (json!([8]), json!([[[large, large]]]), json!(["bytes"]), true),
        (json!([3]), json!([[1, 0, 2]]), json!(["bytes"]), true),
        (json!([8, large]), json!([[1, 7], [large, 1]]), json!(["bytes"]), false),
    ];
    for (shape, chunk_shapes, codecs, is_refused) in cases {
        let document = metadata("uint8", &shape, &chunk_shapes, &codecs);
        let store = store(&[("a/zarr.json", document.as_bytes())]);
        if is_refused {
            assert!(matches!(refused(&store), ZarrError::Metadata { .. }), "{chunk_shapes}");
        } else {
            // Impossible to read, but nothing is allocated for what it claims.
            assert!(open(&store, "a").is_ok(), "{chunk_shapes}");
        }
    }
}
