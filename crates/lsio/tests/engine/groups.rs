//! Groups and what is in them.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;

use lsio::{ErrorCode, Group, IoMode, Node, OpenOptions};
use lsio_io::Key;
use lsio_zarr::create_group;
use serde_json::{Map, json};

use crate::reading::{AMPLE, engine, get_all, wait};
use crate::scratch_folder::ScratchFolder;
use crate::written_array::WrittenArray;

fn group(node: Node) -> Arc<Group> {
    match node {
        Node::Group(group) => group,
        Node::Array(array) => panic!("{} is an array", array.name()),
    }
}

#[test]
fn links_that_lead_in_circles_end_a_walk() {
    let folder = ScratchFolder::new();
    let engine = engine(1, AMPLE);
    let store = Arc::new(engine.open_folder(folder.path()).unwrap());
    for path in ["", "a", "a/b", "other"] {
        create_group(store.as_ref(), &Key::new(path).unwrap(), &Map::new()).unwrap();
    }
    for link in ["a/b/up", "a/b/again"] {
        symlink(folder.path(), folder.join(link)).unwrap();
    }
    symlink(folder.join("other"), folder.join("a/b/linked")).unwrap();
    symlink(folder.join("nowhere"), folder.join("dangling")).unwrap();

    let opened = engine.open_blocking(folder.location(), &OpenOptions::default()).unwrap();
    let found = group(opened).descendants_blocking(None).unwrap();
    let names: Vec<&str> = found.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["a", "a/b", "a/b/again", "a/b/linked", "a/b/up", "other"]);
}

#[test]
fn one_member_that_cannot_be_opened_does_not_spoil_the_group() {
    let folder = ScratchFolder::new();
    let engine = engine(2, AMPLE);
    let store = Arc::new(engine.open_folder(folder.path()).unwrap());
    let attributes: Map<_, _> =
        [("title".to_owned(), json!("test")), ("big".to_owned(), json!(9_007_199_254_740_993u64))]
            .into_iter()
            .collect();
    create_group(store.as_ref(), &Key::root(), &attributes).unwrap();
    create_group(store.as_ref(), &Key::new("inner").unwrap(), &Map::new()).unwrap();
    let array = WrittenArray::floats(&[10, 10], &[4, 4], 1);
    for path in ["array", "inner/deep", "unsupported", "broken"] {
        array.write(store.clone(), path);
    }
    let edit = |path: &str, from: &str, to: &str| {
        let path = folder.join(path);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(&path, text.replace(from, to)).unwrap();
    };
    edit("unsupported/zarr.json", "\"zstd\"", "\"of tomorrow\"");
    edit("broken/zarr.json", "{", "[");
    fs::create_dir(folder.join("no node")).unwrap();
    fs::write(folder.join("notes.txt"), b"no member").unwrap();

    let options = OpenOptions::default();
    let opened = group(engine.open_blocking(folder.location(), &options).unwrap());
    assert_eq!((opened.zarr_format(), opened.attributes()), (3, &attributes));
    let members = wait(|done| opened.members(done)).unwrap();
    let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["array", "broken", "inner", "unsupported"]);
    let outcome = |number: usize| members[number].node.as_ref();
    assert!(matches!(outcome(0), Ok(Node::Array(_))) && matches!(outcome(2), Ok(Node::Group(_))));
    assert_eq!(outcome(1).unwrap_err().code, ErrorCode::Metadata);
    let unsupported = outcome(3).unwrap_err();
    assert_eq!(unsupported.code, ErrorCode::Unsupported);
    assert!(unsupported.message.contains("of tomorrow"), "{unsupported}");

    let Node::Array(deep) = opened.open_blocking("inner/deep").unwrap() else { panic!("a group") };
    assert!(get_all(&deep, IoMode::Auto).unwrap().0 == array.elements);
    let inner = group(wait(|done| opened.open("/inner/", done)).unwrap());
    assert_eq!(inner.path(), "inner");
    assert!(matches!(inner.open_blocking("deep"), Ok(Node::Array(_))));
    assert_eq!(opened.open_blocking("absent").unwrap_err().code, ErrorCode::NotFound);
    assert_eq!(inner.open_blocking("../array").unwrap_err().code, ErrorCode::Metadata);
}
