//! Writing whole objects.

use std::fs;

use lsio_io::{IoMode, Key, StorageError, WriteStorage};
use lsio_uring::{EngineChoice, LocalConfig};

use crate::harness::{Ask, Bench, Folder, noise};

#[test]
fn a_written_object_is_read_back_and_can_be_replaced() {
    for durable_writes in [false, true] {
        let folder = Folder::new();
        let config = LocalConfig { durable_writes, ..LocalConfig::default() };
        let bench = Bench::with_config(&folder, EngineChoice::Auto, config);
        let key = Key::new("a/b/c").unwrap();
        for (len, seed) in [(0, 1), (100_001, 2), (7, 3)] {
            let bytes = noise(len, seed);
            bench.storage.put(&key, &bytes).unwrap();
            let answer = bench.whole("a/b/c", &Ask::new(IoMode::Auto, len as u64)).unwrap();
            assert!(answer.bytes[..] == bytes[..]);
        }
        let names: Vec<_> = fs::read_dir(folder.path().join("a/b"))
            .unwrap()
            .map(|member| member.unwrap().file_name())
            .collect();
        assert_eq!(names, ["c"]);
    }
}

#[test]
fn a_failed_write_leaves_nothing_behind() {
    let folder = Folder::new();
    folder.file("file", 1, 1);
    fs::create_dir_all(folder.path().join("directory/inside")).unwrap();
    let bench = Bench::new(&folder, EngineChoice::Auto);
    for name in ["directory", "", "file/below"] {
        let error = bench.storage.put(&Key::new(name).unwrap(), b"bytes").unwrap_err();
        assert!(matches!(error, StorageError::Io { .. }), "{name}: {error:?}");
    }
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|member| member.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["directory", "file"]);
}
