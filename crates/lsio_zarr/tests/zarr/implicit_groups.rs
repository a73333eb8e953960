//! Folders without metadata that are groups because of what is below them.

use std::sync::Arc;

use lsio_io::{Key, MemoryStorage, Storage, StorageError};
use lsio_zarr::{Group, Node, ZarrError, open as open_node};
use serde_json::json;

use crate::driver::{key, memory, open, store};

const ARRAY_V3: &[u8] =
    br#"{"zarr_format": 3, "node_type": "array", "shape": [3], "data_type": "int8",
    "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2]}},
    "chunk_key_encoding": "default", "fill_value": 0, "codecs": ["bytes"]}"#;
const ARRAY_V2: &[u8] = br#"{"zarr_format": 2, "shape": [5], "chunks": [2], "dtype": "|i1",
    "compressor": null, "fill_value": 0, "order": "C", "filters": null}"#;

fn group(node: Node) -> Group {
    match node {
        Node::Group(group) => group,
        Node::Array(array) => panic!("{array:?} is no group"),
    }
}

fn below(group: &Group) -> Vec<String> {
    let found = group.descendants(None).unwrap();
    let line = |member: lsio_zarr::Member| match member.node {
        Ok(Node::Array(_)) => format!("{}: array", member.name),
        Ok(Node::Group(group)) => format!("{}: group of v{}", member.name, group.zarr_format()),
        Err(error) => panic!("{}: {error}", member.name),
    };
    found.into_iter().map(line).collect()
}

#[test]
fn a_folder_above_nodes_is_a_group_without_attributes() {
    let store = store(&[
        ("root/zarr.json", br#"{"zarr_format": 3, "node_type": "group"}"#),
        ("root/a/b/x/zarr.json", ARRAY_V3),
        ("root/a/b/x/c/0", b"12"),
        ("root/old/y/.zarray", ARRAY_V2),
        ("root/notes/more/readme.txt", b"no node"),
        ("root/lost/c/0", b"12"),
    ]);
    let all =
        ["a: group of v3", "a/b: group of v3", "a/b/x: array", "old: group of v2", "old/y: array"];
    let root = group(open(&store, "root").unwrap());
    assert_eq!(below(&root), all);
    let inner = group(root.open("a/b").unwrap());
    assert!(inner.attributes().is_empty());
    assert!(!inner.is_consolidated());
    assert_eq!(inner.name(), "memory://root/a/b");
    assert!(matches!(inner.open("x").unwrap(), Node::Array(_)));
    // The store itself is such a folder too.
    assert_eq!(group(open(&store, "").unwrap()).zarr_format(), 3);
    for path in ["root/notes", "root/lost", "root/lost/c"] {
        let error = open(&store, path).unwrap_err();
        assert!(matches!(error, ZarrError::NotFound { .. }), "{path}: {error}");
    }
}

#[test]
fn only_nodes_of_the_format_that_was_asked_for_make_a_group() {
    let store = store(&[("a/x/zarr.json", ARRAY_V3), ("b/y/.zarray", ARRAY_V2)]);
    let storage: Arc<dyn Storage> = store;
    for (path, right, wrong) in [("a", 3, 2), ("b", 2, 3)] {
        let open = |format| open_node(&storage, &memory(), &key(path), Some(format));
        assert_eq!(group(open(right).unwrap()).zarr_format(), right);
        assert!(matches!(open(wrong), Err(ZarrError::NotFound { .. })));
    }
}

#[test]
fn a_broken_document_below_still_makes_a_group_which_has_a_bad_member() {
    let store = store(&[("a/x/zarr.json", b"{"), ("a/y/zarr.json", ARRAY_V3)]);
    let members = group(open(&store, "a").unwrap()).members().unwrap();
    assert!(matches!(members[0].node, Err(ZarrError::Metadata { .. })));
    assert!(matches!(members[1].node, Ok(Node::Array(_))));
}

#[test]
fn consolidated_metadata_names_groups_that_it_has_no_document_of() {
    let v3 = json!({
        "zarr_format": 3, "node_type": "group",
        "consolidated_metadata": {"kind": "inline", "must_understand": false, "metadata": {
            "a/b/x": serde_json::from_slice::<serde_json::Value>(ARRAY_V3).unwrap(),
        }},
    });
    let v2 = json!({
        "zarr_consolidated_format": 1,
        "metadata": {
            ".zgroup": {"zarr_format": 2}, "lonely/.zattrs": {},
            "a/b/x/.zarray": serde_json::from_slice::<serde_json::Value>(ARRAY_V2).unwrap(),
        },
    });
    let store = store(&[
        ("three/zarr.json", v3.to_string().as_bytes()),
        ("two/.zmetadata", v2.to_string().as_bytes()),
    ]);
    for (path, format) in [("three", 3), ("two", 2)] {
        let root = group(open(&store, path).unwrap());
        let of = format!("group of v{format}");
        assert_eq!(below(&root), [format!("a: {of}"), format!("a/b: {of}"), "a/b/x: array".into()]);
        let inner = group(root.open("a/b").unwrap());
        assert!(inner.is_consolidated() && inner.attributes().is_empty());
        assert!(matches!(inner.open("x").unwrap(), Node::Array(_)));
        assert!(matches!(root.open("lonely"), Err(ZarrError::NotFound { .. })));
    }
}

/// A store that counts its listings, or cannot list, or refuses to.
#[derive(Debug)]
struct Listed {
    store: Arc<MemoryStorage>,
    listings: std::sync::atomic::AtomicUsize,
    answer: Answer,
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    Lists,
    CannotList,
    Refuses,
}

impl Storage for Listed {
    fn location(&self) -> &str {
        self.store.location()
    }
    fn limits(&self) -> lsio_io::ReadLimits {
        self.store.limits()
    }
    fn submit(&self, batch: Vec<lsio_io::Read>) {
        self.store.submit(batch);
    }
    fn list(&self, prefix: &Key, done: lsio_io::ListDone) {
        self.listings.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        match self.answer {
            Answer::Lists => self.store.list(prefix, done),
            Answer::CannotList => {
                let location = self.location().to_owned();
                done(Err(StorageError::Unsupported { location, operation: "listing" }));
            }
            Answer::Refuses => {
                let refused = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
                done(Err(StorageError::from_io("list", prefix, refused)));
            }
        }
    }
}

fn listed(store: &Arc<MemoryStorage>, answer: Answer) -> Arc<Listed> {
    Arc::new(Listed { store: Arc::clone(store), listings: 0.into(), answer })
}

#[test]
fn without_a_listing_there_is_no_such_group_and_a_refused_one_is_an_error() {
    let store = store(&[("a/x/zarr.json", ARRAY_V3)]);
    let open = |answer| {
        let storage: Arc<dyn Storage> = listed(&store, answer);
        open_node(&storage, &memory(), &key("a"), None)
    };
    assert!(open(Answer::Lists).is_ok());
    assert!(matches!(open(Answer::CannotList), Err(ZarrError::NotFound { .. })));
    assert!(matches!(open(Answer::Refuses), Err(ZarrError::Storage { .. })));
}

#[test]
fn the_search_ends_after_some_folders_and_finds_the_nearest_first() {
    let folders: Vec<String> =
        (0..500).map(|folder| format!("many/{folder:03}/deep/readme.txt")).collect();
    let mut objects: Vec<(&str, &[u8])> =
        folders.iter().map(|path| (path.as_str(), b"no node".as_slice())).collect();
    objects.push(("near/a/b/c/d/zarr.json", ARRAY_V3));
    objects.push(("near/z/.zarray", ARRAY_V2));
    let store = store(&objects);
    let listing = listed(&store, Answer::Lists);
    let storage: Arc<dyn Storage> = listing.clone();
    let error = open_node(&storage, &memory(), &key("many"), None).unwrap_err();
    assert!(matches!(error, ZarrError::NotFound { .. }), "{error}");
    assert_eq!(listing.listings.load(std::sync::atomic::Ordering::Relaxed), 64);
    let near = group(open_node(&storage, &memory(), &key("near"), None).unwrap());
    assert_eq!(near.zarr_format(), 2);
}
