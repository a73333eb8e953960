//! What counts as absent, and what is an error.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use lsio_io::{ByteRange, IoMode, Resident, Storage, StorageError};
use lsio_uring::{EngineChoice, LocalConfig, LocalEngine, LocalStorage};

use crate::harness::{Ask, Bench, Folder, choices};
use crate::unsafe_privileges::without_privileges;

const MODES: [IoMode; 3] = [IoMode::Auto, IoMode::Direct, IoMode::Buffered];

/// The error of reading `name`, which is the same in every mode and with every engine.
fn error_of(folder: &Folder, name: &str, is_expected: impl Fn(&StorageError) -> bool) {
    for choice in choices() {
        for mode in MODES {
            let bench = Bench::new(folder, choice);
            let error = bench.whole(name, &Ask::new(mode, 100)).unwrap_err();
            assert!(is_expected(&error), "{name} {choice:?} {mode:?}: {error:?}");
            assert_eq!(bench.memory.usage().reserved, 0);
            let read = bench.make(0, name, ByteRange::Whole, &Ask::new(mode, 100));
            match bench.storage.try_read_resident(read) {
                Resident::Miss(_) => {}
                Resident::Hit(completion) => assert!(is_expected(&completion.result.unwrap_err())),
            }
        }
    }
}

fn is_absent(error: &StorageError) -> bool {
    matches!(error, StorageError::NotFound { .. })
}

fn is_io(error: &StorageError, number: i32) -> bool {
    matches!(error, StorageError::Io { source, .. } if source.raw_os_error() == Some(number))
}

#[test]
fn only_a_missing_file_is_absent() {
    let folder = Folder::new();
    folder.file("file", 10, 1);
    fs::create_dir(folder.path().join("directory")).unwrap();
    symlink("loop", folder.path().join("loop")).unwrap();
    symlink("nowhere", folder.path().join("dangling")).unwrap();
    error_of(&folder, "nothing", is_absent);
    error_of(&folder, "no/such/folder/zarr.json", is_absent);
    error_of(&folder, "file/below", |error| is_io(error, libc::ENOTDIR));
    error_of(&folder, "directory", |error| is_io(error, libc::EISDIR));
    error_of(&folder, "", |error| is_io(error, libc::EISDIR));
    error_of(&folder, "loop", |error| is_io(error, libc::ELOOP));
    error_of(&folder, "loop/below", |error| is_io(error, libc::ELOOP));
    error_of(&folder, "dangling", |error| is_io(error, libc::ENOENT));
}

#[test]
fn symbolic_links_are_followed() {
    let folder = Folder::new();
    let elsewhere = Folder::new();
    let bytes = elsewhere.file("file", 5000, 1);
    symlink(elsewhere.path(), folder.path().join("link")).unwrap();
    for mode in MODES {
        let bench = Bench::new(&folder, choices()[0]);
        assert!(bench.whole("link/file", &Ask::new(mode, 5000)).unwrap().bytes[..] == bytes[..]);
    }
}

#[test]
fn a_root_that_vanished_is_an_error_and_one_that_never_was_is_empty() {
    let folder = Folder::new();
    let root = folder.path().join("root");
    for choice in choices() {
        let engine = LocalEngine::new(choice, LocalConfig::default()).unwrap();
        let bench = Bench::at(&root, &engine);
        assert!(is_absent(&bench.whole("a", &Ask::new(IoMode::Auto, 9)).unwrap_err()));
        fs::create_dir(&root).unwrap();
        let bench = Bench::at(&root, &engine);
        assert!(is_absent(&bench.whole("a", &Ask::new(IoMode::Auto, 9)).unwrap_err()));
        fs::remove_dir(&root).unwrap();
        for mode in MODES {
            let error = bench.whole("a", &Ask::new(mode, 9)).unwrap_err();
            assert!(is_io(&error, libc::ENOENT), "{error:?}");
        }
    }
    folder.file("root", 1, 1);
    let engine = LocalEngine::new(EngineChoice::Auto, LocalConfig::default()).unwrap();
    let error = LocalStorage::open(&root, &engine).unwrap_err();
    assert!(matches!(error, StorageError::Io { .. }), "{error:?}");
}

#[test]
fn a_fifo_is_refused_without_waiting_for_its_other_end() {
    let folder = Folder::new();
    let path = folder.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: mkfifo does not work here");
        return;
    }
    error_of(&folder, "fifo", |error| matches!(error, StorageError::Io { .. }));
}

#[test]
fn an_unreadable_file_is_refused_access() {
    let folder = Folder::new();
    folder.file("secret", 10, 1);
    let forbid = |name: &str, mode: u32| {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(folder.path().join(name), permissions).unwrap();
    };
    forbid("secret", 0o000);
    fs::create_dir(folder.path().join("closed")).unwrap();
    folder.file("closed/file", 10, 2);
    forbid("closed", 0o000);
    // The engine's threads inherit what the thread that starts them may do.
    without_privileges(|| {
        for name in ["secret", "closed/file"] {
            error_of(&folder, name, |error| matches!(error, StorageError::Access { .. }));
        }
    });
    forbid("closed", 0o755);
}
