//! Zip archives: what is in them is what was in the folders that they were made of.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, thread};

use lsio::{Engine, ErrorCode, IoMode, Node, OpenOptions, ReadValues, Route};

use crate::reading::{
    AMPLE, array_of, bytes_of, drop_cache, engine, get_with, in_mode, open_at, texts,
};
use crate::scratch_folder::ScratchFolder;
use crate::web_server::{Manner, WebServer};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/data")
}

fn open(engine: &Arc<Engine>, path: &Path) -> Result<Node, lsio::LsioError> {
    engine.open_blocking(path.to_str().unwrap(), &OpenOptions::default())
}

/// Values of an array at a location, by the bytes of its elements or by its texts.
fn values(engine: &Arc<Engine>, path: &Path, mode: IoMode) -> (Vec<u8>, Vec<String>) {
    let array =
        array_of(open(engine, path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    let (result, _) = get_with(&array, &[None], in_mode(mode)).unwrap();
    if array.metadata().data_type.size().is_some() {
        (bytes_of(&result).to_vec(), Vec::new())
    } else {
        let ReadValues::Each(values) = &result.values else {
            panic!("no texts in {}", path.display())
        };
        (Vec::new(), texts(&values[0]))
    }
}

#[test]
fn arrays_in_archives_have_the_values_of_the_folders_they_were_made_of() {
    let engine = engine(2, AMPLE);
    for (name, folder, arrays) in [
        ("group", "zarr3/group/plain-v3", ["temperature", "time", "inner/names"].as_slice()),
        ("shards", "zarr3/shard/256-inner", &[""]),
        ("format2", "zarr2/group/plain", &[]),
    ] {
        for method in ["stored", "deflated"] {
            let archive = data().join(format!("zip/{name}-{method}.zip"));
            for array in arrays {
                let expected = values(&engine, &data().join(folder).join(array), IoMode::Auto);
                for mode in [IoMode::Auto, IoMode::Direct, IoMode::Buffered] {
                    assert_eq!(
                        values(&engine, &archive.join(array), mode),
                        expected,
                        "{archive:?} {array}"
                    );
                }
            }
            let (Node::Group(inside), Node::Group(outside)) =
                (open(&engine, &archive).unwrap(), open(&engine, &data().join(folder)).unwrap())
            else {
                continue;
            };
            let names = |group: &lsio::Group| {
                let members = group.members_blocking().unwrap();
                members.into_iter().map(|member| member.name).collect::<Vec<_>>()
            };
            assert_eq!(names(&inside), names(&outside), "{archive:?}");
        }
    }
}

#[test]
fn archives_on_a_server_that_refuses_head_are_read() {
    let engine = engine(2, AMPLE);
    let server = WebServer::start(Manner { refuses_head: true, ..Manner::default() });
    for name in ["group-stored.zip", "group-deflated.zip"] {
        let archive = data().join("zip").join(name);
        server.put(name, &fs::read(&archive).unwrap());
        let expected = values(&engine, &archive.join("temperature"), IoMode::Auto);
        let array = open_at(&engine, &format!("{}{name}/temperature", server.url())).unwrap();
        let (result, _) = get_with(&array, &[None], in_mode(IoMode::Auto)).unwrap();
        assert_eq!(bytes_of(&result), expected.0, "{name}");
    }
}

#[test]
fn members_are_cold_once_their_archive_was_dropped_from_the_page_cache() {
    let engine = engine(2, AMPLE);
    let folder = ScratchFolder::new();
    let archive = folder.join("data.zip");
    fs::copy(data().join("zip/group-stored.zip"), &archive).unwrap();
    let array = array_of(open(&engine, &archive.join("temperature")).unwrap());
    let buffered = || {
        let (_, stats) = get_with(&array, &[None], in_mode(IoMode::Auto)).unwrap();
        stats.bytes_by_route[Route::Buffered.index()]
    };
    buffered();
    assert_eq!(buffered(), 0, "it is in the page cache");
    for path in [archive.join("temperature"), archive.clone(), archive.join("")] {
        // What was dropped may be back, by read-ahead, before it is asked for; then again.
        let is_cold = (0..50).any(|_| {
            drop_cache(&engine, &path);
            buffered() > 0
        });
        assert!(is_cold, "{path:?}");
    }
}

#[test]
fn many_can_open_and_list_an_archive_at_once() {
    let engine = engine(2, AMPLE);
    let archive = data().join("zip/group-deflated.zip");
    thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                let Node::Group(group) = open(&engine, &archive).unwrap() else {
                    panic!("a group")
                };
                assert_eq!(group.members_blocking().unwrap().len(), 3);
            });
        }
    });
}

#[test]
fn what_is_named_zip_and_is_none_is_refused() {
    let folder = ScratchFolder::new();
    let engine = engine(2, AMPLE);
    let path = folder.join("broken.zip");
    fs::write(&path, b"PK and no more").unwrap();
    let error = open(&engine, &path).unwrap_err();
    assert_eq!(error.code, ErrorCode::Metadata);
    assert!(error.message.contains("not a zip archive"), "{error}");
    let missing = open(&engine, &folder.join("missing.zip")).unwrap_err();
    assert_eq!(missing.code, ErrorCode::NotFound);
    // A folder may have such a name.
    fs::create_dir(folder.join("folder.zip")).unwrap();
    let empty = open(&engine, &folder.join("folder.zip")).unwrap_err();
    assert_eq!(empty.code, ErrorCode::NotFound);
}

#[test]
fn an_archive_that_is_replaced_is_read_as_it_is_then() {
    let folder = ScratchFolder::new();
    let engine = engine(2, AMPLE);
    let path = folder.join("data.zip");
    let put = |name: &str| {
        fs::copy(data().join("zip").join(name), folder.join("new")).unwrap();
        fs::rename(folder.join("new"), &path).unwrap();
    };
    put("group-stored.zip");
    let array = array_of(open(&engine, &path.join("temperature")).unwrap());
    let read = || {
        get_with(&array, &[None], in_mode(IoMode::Auto))
            .map(|(result, _)| bytes_of(&result).to_vec())
    };
    let first = read().unwrap();
    put("group-deflated.zip");
    assert_eq!(read().unwrap(), first);
}
