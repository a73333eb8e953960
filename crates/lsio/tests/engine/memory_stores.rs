//! Stores in memory, by their locations.

use lsio::{ErrorCode, IoMode, OpenOptions, Route};

use crate::reading::{AMPLE, engine, get_all, open_at, wait};
use crate::written_array::WrittenArray;

#[test]
fn a_store_in_memory_is_read_like_any_other() {
    let engine = engine(2, AMPLE);
    let array = WrittenArray::floats(&[40, 50], &[8, 16], 1).with_missing(4);
    array.write(engine.memory_store("one"), "deep/down");
    let missing = open_at(&engine, "memory://two/deep/down").unwrap_err();
    assert_eq!(missing.code, ErrorCode::NotFound, "{missing}");
    let nothing = open_at(&engine, "memory://one/shallow").unwrap_err();
    assert_eq!(nothing.code, ErrorCode::NotFound, "{nothing}");
    let by_path = OpenOptions { path: "deep/down/".into(), ..OpenOptions::default() };
    assert!(engine.open_blocking("memory://one", &by_path).is_ok());
    let opened = open_at(&engine, "memory://one/deep/down").unwrap();
    assert_eq!(opened.metadata().stored_fill_value, *array.fill_value());
    for mode in [IoMode::Auto, IoMode::Direct, IoMode::Buffered] {
        let (bytes, stats) = get_all(&opened, mode).unwrap();
        assert!(bytes == array.elements);
        assert_eq!(stats.bytes_by_route[Route::Memory.index()], stats.bytes_read);
    }
    let stored = wait(|done| opened.stored_bytes(done)).unwrap();
    assert!(stored > 0 && stored < opened.decoded_bytes(), "{stored}");
}

#[test]
fn what_is_put_into_a_store_in_memory_can_be_opened() {
    let engine = engine(2, AMPLE);
    let array = WrittenArray::floats(&[10], &[4], 2);
    let other = crate::reading::engine(1, AMPLE);
    let source = other.memory_store("source");
    array.write(source, "");
    let document = r#"{"zarr_format": 3, "node_type": "array", "shape": [3], "data_type": "uint8",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [3]}},
        "chunk_key_encoding": {"name": "default"}, "fill_value": 0, "codecs": ["bytes"]}"#;
    let put = |key: &str, bytes: &[u8]| {
        wait(|done| engine.put_in_memory("put", key, bytes.to_vec(), done))
    };
    put("zarr.json", document.as_bytes()).unwrap();
    put("c/0", &[1, 2, 3]).unwrap();
    let opened = open_at(&engine, "memory://put").unwrap();
    assert_eq!(get_all(&opened, IoMode::Auto).unwrap().0, [1, 2, 3]);
    put("c/0", &[4, 5, 6]).unwrap();
    assert_eq!(get_all(&opened, IoMode::Auto).unwrap().0, [4, 5, 6]);
    for key in ["../up", "", "a//b", "/a"] {
        assert_eq!(put(key, &[0]).unwrap_err().code, ErrorCode::Metadata, "{key:?}");
    }
    assert!(engine.delete_memory_store("put"));
    assert!(!engine.delete_memory_store("put"));
    assert_eq!(open_at(&engine, "memory://put").unwrap_err().code, ErrorCode::NotFound);
    assert_eq!(get_all(&opened, IoMode::Auto).unwrap().0, [4, 5, 6], "what is open goes on");
    // Stores belong to their engine.
    assert_eq!(open_at(&engine, "memory://source").unwrap_err().code, ErrorCode::NotFound);
}
