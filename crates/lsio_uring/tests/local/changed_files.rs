//! Files that are replaced, written over or cut while they are read.

use std::fs::{self, OpenOptions};

use lsio_io::{ByteRange, IoMode, Storage, StorageError, WriteStorage};
use lsio_uring::LocalConfig;

use crate::harness::{Ask, Bench, Folder, choices, noise};

const LEN: usize = (2 << 20) + 5;
const MODES: [IoMode; 2] = [IoMode::Direct, IoMode::Buffered];

#[test]
fn a_file_that_shrank_is_truncated_and_never_zeros() {
    for choice in choices() {
        for mode in MODES {
            let folder = Folder::new();
            folder.file("data", LEN, 1);
            let bench = Bench::new(&folder, choice);
            let answer = bench.whole("data", &Ask::new(mode, LEN as u64)).unwrap();
            let file = OpenOptions::new().write(true).open(folder.path().join("data")).unwrap();
            for len in [LEN as u64 - 1, (1 << 20) + 100, 4096, 0] {
                file.set_len(len).unwrap();
                // The open file is used without looking at the path.
                let ask = Ask::pinned(mode, LEN as u64, &answer);
                let error = bench.whole("data", &ask).unwrap_err();
                assert!(
                    matches!(error, StorageError::Truncated { actual, .. } if actual == len),
                    "{choice:?} {mode:?} {error:?}"
                );
            }
        }
    }
}

#[test]
fn a_pinned_file_that_was_written_over_is_a_conflict() {
    for choice in choices() {
        for mode in [IoMode::Direct, IoMode::Buffered, IoMode::Auto] {
            let folder = Folder::new();
            folder.file("data", LEN, 1);
            let bench = Bench::new(&folder, choice);
            let answer = bench.whole("data", &Ask::new(mode, LEN as u64)).unwrap();
            let file = OpenOptions::new().write(true).open(folder.path().join("data")).unwrap();
            let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
            file.set_modified(later).unwrap();
            let ask = Ask::pinned(mode, LEN as u64, &answer);
            let error = bench.whole("data", &ask).unwrap_err();
            assert!(matches!(error, StorageError::Conflict { .. }), "{error:?}");
            // What is there now can be read.
            assert!(bench.whole("data", &Ask::new(mode, LEN as u64)).is_ok());
        }
    }
}

#[test]
fn a_replaced_file_keeps_its_old_bytes_for_those_who_pinned_it() {
    for choice in choices() {
        for mode in MODES {
            let folder = Folder::new();
            let old = folder.file("data", LEN, 1);
            let config = LocalConfig { handles: 4, ..LocalConfig::default() };
            let bench = Bench::with_config(&folder, choice, config);
            let answer = bench.whole("data", &Ask::new(mode, LEN as u64)).unwrap();
            let pinned = Ask::pinned(mode, LEN as u64, &answer);
            let new = noise(LEN, 2);
            bench.storage.put(&lsio_io::Key::new("data").unwrap(), &new).unwrap();

            let range = ByteRange::Bounded { offset: 1000, len: 2000 };
            let again = bench.read("data", range, &pinned).result.unwrap();
            assert!(again.bytes[..] == old[1000..3000]);
            assert_eq!(again.identity, answer.identity);

            // Four other files push it out of the cache; then that version is gone.
            for name in ["a", "b", "c", "d"] {
                folder.file(name, 10, 3);
                bench.whole(name, &Ask::new(mode, 10)).unwrap();
            }
            let error = bench.read("data", range, &pinned).result.unwrap_err();
            assert!(matches!(error, StorageError::Conflict { .. }), "{error:?}");

            let answer = bench.whole("data", &Ask::new(mode, LEN as u64)).unwrap();
            assert!(answer.bytes[..] == new[..]);
            fs::remove_file(folder.path().join("data")).unwrap();
            let gone = bench.whole("data", &Ask::new(mode, LEN as u64)).unwrap_err();
            assert!(matches!(gone, StorageError::NotFound { .. }), "{gone:?}");
        }
    }
}

#[test]
fn a_current_read_finds_the_replacement() {
    let folder = Folder::new();
    for choice in choices() {
        for mode in [IoMode::Direct, IoMode::Buffered, IoMode::Auto] {
            folder.file("data", 9000, 1);
            let bench = Bench::new(&folder, choice);
            bench.whole("data", &Ask::new(mode, 9000)).unwrap();
            let new = noise(9000, 2);
            bench.storage.put(&lsio_io::Key::new("data").unwrap(), &new).unwrap();
            let ask = Ask::new(mode, 9000);
            let read = bench.make(0, "data", ByteRange::Whole, &ask);
            match bench.storage.try_read_resident(read) {
                lsio_io::Resident::Hit(completion) => {
                    assert!(completion.result.unwrap().bytes[..] == new[..]);
                }
                lsio_io::Resident::Miss(_) => {}
            }
            assert!(bench.whole("data", &ask).unwrap().bytes[..] == new[..]);
        }
    }
}
