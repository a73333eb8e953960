//! Listing directories.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::sync::mpsc;

use lsio_io::{Entry, Key, Storage, StorageError};
use lsio_uring::EngineChoice;

use crate::harness::{Bench, Folder};

fn list(bench: &Bench, prefix: &str) -> Result<Vec<Entry>, StorageError> {
    let (sender, done) = mpsc::channel();
    let answer = Box::new(move |result| sender.send(result).unwrap());
    bench.storage.list(&Key::new(prefix).unwrap(), answer);
    done.recv().unwrap()
}

#[test]
fn members_are_sorted_and_links_count_as_what_they_lead_to() {
    let folder = Folder::new();
    let elsewhere = Folder::new();
    folder.file("b", 5, 1);
    fs::create_dir(folder.path().join("a")).unwrap();
    folder.file("a/below", 3, 1);
    symlink(elsewhere.path(), folder.path().join("c")).unwrap();
    symlink("b", folder.path().join("d")).unwrap();
    symlink("gone", folder.path().join("e")).unwrap();
    let bench = Bench::new(&folder, EngineChoice::Auto);
    let object = |name: &str, len| Entry::Object(name.to_owned(), len);
    let prefix = |name: &str| Entry::Prefix(name.to_owned());
    let expected = [prefix("a"), object("b", 5), prefix("c"), object("d", 5), object("e", 4)];
    assert_eq!(list(&bench, "").unwrap(), expected);
    assert_eq!(list(&bench, "a").unwrap(), [object("below", 3)]);
    assert!(list(&bench, "c").unwrap().is_empty());
}

#[test]
fn names_that_no_key_can_hold_are_left_out_and_counted() {
    let folder = Folder::new();
    folder.file("fine", 1, 1);
    folder.file("back\\slash", 1, 1);
    fs::write(folder.path().join(OsStr::from_bytes(b"no\xfftext")), b"").unwrap();
    let bench = Bench::new(&folder, EngineChoice::Auto);
    assert_eq!(list(&bench, "").unwrap(), [Entry::Object("fine".to_owned(), 1)]);
    assert_eq!(bench.storage.engine().stats().names_skipped, 2);
}

#[test]
fn what_is_no_directory_is_absent_or_an_error() {
    let folder = Folder::new();
    folder.file("file", 1, 1);
    let bench = Bench::new(&folder, EngineChoice::Auto);
    assert!(matches!(list(&bench, "nothing"), Err(StorageError::NotFound { .. })));
    assert!(matches!(list(&bench, "file"), Err(StorageError::Io { .. })));
}
