//! Metadata, links and permissions that want to do harm.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Arc;

use lsio::{DimensionSelection, ErrorCode, IoMode, OpenOptions, ReadOptions, RunOptions};
use rustix::process::{Uid, getuid};
use rustix::thread::set_thread_uid;

use crate::own_process::in_own_process;
use crate::reading::{
    AMPLE, bytes_of, engine, get_all, get_with, in_mode, mean, next_batch, open_at,
};
use crate::scratch_folder::ScratchFolder;
use crate::written_array::WrittenArray;

fn small() -> WrittenArray {
    WrittenArray::floats(&[8, 8], &[4, 4], 1)
}

#[test]
fn files_and_folders_that_may_not_be_read_are_refused_access() {
    in_own_process("hostile::files_and_folders_that_may_not_be_read_are_refused_access", || {
        let folder = ScratchFolder::for_everybody();
        // Everybody may enter, whatever the umask says.
        let permit = |name: &str, mode| {
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode)).unwrap();
        };
        let engine = engine(2, AMPLE);
        for name in ["chunk", "metadata", "folder"] {
            let store = Arc::new(engine.open_folder(&folder.join(name)).unwrap());
            small().write(store, "");
            permit(name, 0o755);
        }
        permit("", 0o755);
        permit("chunk/zarr.json", 0o644);
        permit("chunk/c", 0o755);
        permit("chunk/c/0", 0o755);
        permit("chunk/c/0/0", 0o000);
        permit("metadata/zarr.json", 0o000);
        permit("folder", 0o000);
        // A thread that gives up its rights passes none on to the threads it starts. An engine that
        // has started none yet works without them altogether.
        let check = || {
            let engine = crate::reading::engine(2, AMPLE);
            if getuid().is_root() {
                set_thread_uid(Uid::from_raw(65534)).unwrap();
            }
            let opened = open_at(&engine, folder.join("chunk").to_str().unwrap()).unwrap();
            for mode in [IoMode::Auto, IoMode::Direct, IoMode::Buffered] {
                let error = get_all(&opened, mode).unwrap_err();
                assert_eq!(error.code, ErrorCode::Access, "{mode:?}: {error}");
                assert_eq!(error.chunk, Some(vec![0, 0]));
            }
            for name in ["metadata", "folder"] {
                let error = open_at(&engine, folder.join(name).to_str().unwrap()).unwrap_err();
                assert_eq!(error.code, ErrorCode::Access, "{name}: {error}");
            }
        };
        std::thread::scope(|scope| scope.spawn(check).join()).unwrap();
        permit("folder", 0o755);
    });
}

#[test]
fn links_of_the_owner_are_followed_and_loops_are_errors() {
    let folder = ScratchFolder::new();
    let engine = engine(2, AMPLE);
    let array = small();
    array.write(Arc::new(engine.open_folder(&folder.join("real")).unwrap()), "");
    symlink(folder.join("real"), folder.join("link")).unwrap();
    let opened = open_at(&engine, folder.join("link").to_str().unwrap()).unwrap();
    assert!(get_all(&opened, IoMode::Auto).unwrap().0 == array.elements);

    // A chunk that lies elsewhere, outside of the array's folder.
    fs::rename(folder.join("real/c/0/0"), folder.join("elsewhere")).unwrap();
    symlink("../../../elsewhere", folder.join("real/c/0/0")).unwrap();
    for mode in [IoMode::Auto, IoMode::Direct, IoMode::Buffered] {
        assert!(get_all(&opened, mode).unwrap().0 == array.elements, "{mode:?}");
    }

    fs::remove_file(folder.join("real/c/0/0")).unwrap();
    symlink("0", folder.join("real/c/0/0")).unwrap();
    for mode in [IoMode::Auto, IoMode::Direct, IoMode::Buffered] {
        let error = get_all(&opened, mode).unwrap_err();
        assert_eq!(error.code, ErrorCode::Io, "{mode:?}: {error}");
        assert_eq!(error.chunk, Some(vec![0, 0]));
    }
    symlink("loop", folder.join("loop")).unwrap();
    let error = open_at(&engine, folder.join("loop").to_str().unwrap()).unwrap_err();
    assert_eq!(error.code, ErrorCode::Io, "{error}");
    fs::create_dir(folder.join("looped")).unwrap();
    symlink("zarr.json", folder.join("looped/zarr.json")).unwrap();
    let error = open_at(&engine, folder.join("looped").to_str().unwrap()).unwrap_err();
    assert_eq!(error.code, ErrorCode::Io, "{error}");
}

#[test]
fn paths_do_not_leave_the_root() {
    let folder = ScratchFolder::new();
    let engine = engine(2, AMPLE);
    small().write(Arc::new(engine.open_folder(&folder.join("outside")).unwrap()), "");
    fs::create_dir(folder.join("root")).unwrap();
    for path in ["../outside", "a/../../outside", "..", ".", "a//b", "a\\b", "a\0b"] {
        let options = OpenOptions { path: path.into(), ..OpenOptions::default() };
        let error =
            engine.open_blocking(folder.join("root").to_str().unwrap(), &options).unwrap_err();
        assert_eq!(error.code, ErrorCode::Metadata, "{path:?}: {error}");
    }
    // A user who names another folder means it.
    let dots = folder.join("root/../outside");
    assert!(open_at(&engine, dots.to_str().unwrap()).is_ok());
}

#[test]
fn locations_with_nothing_to_open_say_what_is_wrong() {
    let folder = ScratchFolder::new();
    let engine = engine(2, AMPLE);
    let code = |location: &str| open_at(&engine, location).unwrap_err().code;
    assert_eq!(code(folder.location()), ErrorCode::NotFound);
    assert_eq!(code(folder.join("absent").to_str().unwrap()), ErrorCode::NotFound);
    fs::write(folder.join("file"), b"no folder").unwrap();
    assert_eq!(code(folder.join("file").to_str().unwrap()), ErrorCode::Io);
    assert_eq!(code(folder.join("file/below").to_str().unwrap()), ErrorCode::Io);
    fs::create_dir_all(folder.join("folder/zarr.json")).unwrap();
    assert_eq!(code(folder.join("folder").to_str().unwrap()), ErrorCode::Io);
    assert_eq!(code("ftp://host/array"), ErrorCode::Unsupported);
    for scheme in ["s3", "gs", "az"] {
        assert_eq!(code(&format!("{scheme}:///array")), ErrorCode::NotFound, "{scheme}");
    }
    assert_eq!(code("http://example.org/array"), ErrorCode::Access);
}

/// An array of 2^60 bytes, of which nothing exists.
const HUGE: &str = r#"{"zarr_format": 3, "node_type": "array", "shape": [1073741824, 1073741824],
    "data_type": "uint8", "fill_value": 7, "codecs": ["bytes"],
    "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1024, 1024]}},
    "chunk_key_encoding": {"name": "default"}}"#;

#[test]
fn an_array_that_claims_2_to_the_60_elements_opens_and_is_read_lazily() {
    let folder = ScratchFolder::new();
    let engine = engine(2, 128 << 20);
    fs::write(folder.join("zarr.json"), HUGE).unwrap();
    let opened = open_at(&engine, folder.location()).unwrap();
    assert_eq!(opened.decoded_bytes(), 1 << 60);
    let error = get_all(&opened, IoMode::Auto).unwrap_err();
    assert_eq!(error.code, ErrorCode::Budget, "{error}");
    let far = DimensionSelection::Index(-1);
    let (result, stats) =
        get_with(&opened, &[Some(&[far.clone(), far])], in_mode(IoMode::Auto)).unwrap();
    assert_eq!((bytes_of(&result), stats.chunks_missing), (&[7][..], 1));
    // A million selections' worth of chunks is planned as it is read.
    let reader = opened.read_chunks(None, &ReadOptions::default()).unwrap();
    let chunks = next_batch(&reader, 2).unwrap();
    assert!(!chunks.is_empty());
    assert_eq!(reader.stats().tasks, 1 << 40);
    reader.close();
    drop((reader, chunks));
    let (sender, ended) = std::sync::mpsc::channel();
    let handle =
        opened.mean(RunOptions::default(), move |mean| sender.send(mean).unwrap()).unwrap();
    handle.cancel();
    assert_eq!(ended.recv().unwrap().unwrap_err().code, ErrorCode::Closed);
}

/// A shard of one compressed shard, of as many chunks as there can be.
const COMPRESSED_SHARD: &str = r#"{"zarr_format": 3, "node_type": "array", "shape": [1099511627776],
    "data_type": "uint8", "fill_value": 0, "chunk_key_encoding": {"name": "default"},
    "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1099511627776]}},
    "codecs": [{"name": "sharding_indexed", "configuration": {"chunk_shape": [1099511627776],
        "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        "codecs": [
            {"name": "sharding_indexed", "configuration": {"chunk_shape": [1073741824],
                "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
                "codecs": [{"name": "bytes"}]}},
            {"name": "zstd", "configuration": {"level": 1, "checksum": false}}]}}]}"#;

#[test]
fn a_compressed_shard_takes_no_more_than_the_budget_has() {
    let folder = ScratchFolder::new();
    let engine = engine(2, 64 << 20);
    fs::write(folder.join("zarr.json"), COMPRESSED_SHARD).unwrap();
    // A frame that claims 128 GiB and has nothing.
    let mut shard = vec![0x28, 0xb5, 0x2f, 0xfd, 0xc0, 0];
    shard.extend_from_slice(&(1u64 << 37).to_le_bytes());
    shard.extend_from_slice(&[1, 0, 0]);
    let frame_len = shard.len() as u64;
    shard.extend_from_slice(&0u64.to_le_bytes());
    shard.extend_from_slice(&frame_len.to_le_bytes());
    fs::create_dir(folder.join("c")).unwrap();
    fs::write(folder.join("c/0"), shard).unwrap();
    let opened = open_at(&engine, folder.location()).unwrap();
    let first = [DimensionSelection::Index(0)];
    let error = get_with(&opened, &[Some(&first)], in_mode(IoMode::Auto)).unwrap_err();
    assert_eq!(error.code, ErrorCode::Budget, "{error}");
    assert_eq!(engine.memory_usage().reserved, 0);
}

#[test]
fn a_chunk_that_no_budget_holds_is_refused_with_the_numbers() {
    let folder = ScratchFolder::new();
    let engine = engine(2, 8 << 20);
    let text = HUGE.replace("[1024, 1024]", "[32768, 32768]");
    fs::write(folder.join("zarr.json"), text).unwrap();
    let opened = open_at(&engine, folder.location()).unwrap();
    let one = [const { DimensionSelection::Index(0) }; 2];
    let error = get_with(&opened, &[Some(&one)], in_mode(IoMode::Auto)).unwrap_err();
    assert_eq!(error.code, ErrorCode::Budget, "{error}");
    assert!(error.message.contains(&(4u64 << 20).to_string()), "{error}");
    assert_eq!(mean(&opened, IoMode::Auto).unwrap_err().code, ErrorCode::Budget);
    assert_eq!(engine.memory_usage().reserved, 0);
}
