//! Groups, their members, and metadata in both formats.

use std::sync::Arc;

use lsio_array::ChunkSource;
use lsio_io::{Fault, FaultStorage, Key, MemoryStorage, Reads, Storage, StorageError};
use lsio_zarr::{Group, Node, ZarrError, create_group, open as open_node};
use serde_json::{Map, json};

use crate::driver::{key, memory, open, store};

const ARRAY_V3: &str = r#"{"zarr_format": 3, "node_type": "array", "shape": [3], "data_type": "int8",
    "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2]}},
    "chunk_key_encoding": "default", "fill_value": 0, "codecs": ["bytes"]}"#;
const GROUP_V3: &str = r#"{"zarr_format": 3, "node_type": "group", "attributes": {"a": 1}}"#;
const ARRAY_V2: &str = r#"{"zarr_format": 2, "shape": [5], "chunks": [2], "dtype": "|i1",
    "compressor": null, "fill_value": 0, "order": "C", "filters": null}"#;
const GROUP_V2: &str = r#"{"zarr_format": 2}"#;

fn group(store: &Arc<MemoryStorage>, path: &str) -> Group {
    match open(store, path).unwrap() {
        Node::Group(group) => group,
        Node::Array(array) => panic!("{array:?} is no group"),
    }
}

fn kinds(group: &Group) -> Vec<(String, &'static str)> {
    let members = group.members().unwrap();
    members
        .into_iter()
        .map(|member| {
            let kind = match member.node {
                Ok(Node::Array(_)) => "array",
                Ok(Node::Group(_)) => "group",
                Err(ZarrError::Unsupported { .. }) => "unsupported",
                Err(ZarrError::Metadata { .. }) => "invalid",
                Err(ZarrError::Storage { .. }) => "unreadable",
                Err(error) => panic!("{error}"),
            };
            (member.name, kind)
        })
        .collect()
}

fn names(listed: &[(String, &'static str)]) -> Vec<String> {
    listed.iter().map(|(name, kind)| format!("{name}: {kind}")).collect()
}

#[test]
fn members_of_both_formats_are_listed_by_name() {
    let store = store(&[
        ("zarr.json", GROUP_V3.as_bytes()),
        ("b/zarr.json", ARRAY_V3.as_bytes()),
        ("b/c/0", b"12"),
        ("a/.zarray", ARRAY_V2.as_bytes()),
        ("d/.zgroup", GROUP_V2.as_bytes()),
        ("d/.zattrs", br#"{"x": NaN}"#),
        ("notes/readme.txt", b"no node"),
        ("readme.txt", b"no node"),
    ]);
    let root = group(&store, "");
    assert_eq!(names(&kinds(&root)), ["a: array", "b: array", "d: group"]);
    assert_eq!(root.attributes()["a"], 1);
    let Node::Group(d) = root.open("d").unwrap() else { panic!("d is a group") };
    assert_eq!(d.zarr_format(), 2);
    assert_eq!(d.attributes()["x"].to_string(), "NaN");
    assert_eq!(d.name(), "memory://d");
}

#[test]
fn one_bad_member_does_not_spoil_the_group() {
    let store = store(&[
        (".zgroup", GROUP_V2.as_bytes()),
        ("bad/.zarray", b"{"),
        ("good/.zarray", ARRAY_V2.as_bytes()),
        ("odd/zarr.json", ARRAY_V3.replace("int8", "optional").as_bytes()),
        ("worse/.zarray", b"\xff"),
    ]);
    let faulty = Arc::new(FaultStorage::new(Arc::clone(&store) as _, 0));
    let secret = key("secret/zarr.json");
    let refused = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    let refused = StorageError::from_io("open", &secret, refused);
    faulty.inject(Reads::Of(secret), 1, Fault::Fail(refused));
    lsio_io::WriteStorage::put(&*store, &key("secret/zarr.json"), ARRAY_V3.as_bytes()).unwrap();

    let storage: Arc<dyn Storage> = faulty;
    let Node::Group(root) = open_node(&storage, &memory(), &Key::root(), None).unwrap() else {
        panic!("the root is a group")
    };
    assert_eq!(
        names(&kinds(&root)),
        ["bad: invalid", "good: array", "odd: unsupported", "secret: unreadable", "worse: invalid",]
    );
}

#[test]
fn version_3_is_preferred_unless_the_other_is_asked_for() {
    let store = store(&[
        ("a/zarr.json", ARRAY_V3.as_bytes()),
        ("a/.zarray", ARRAY_V2.as_bytes()),
        ("two/.zarray", ARRAY_V2.as_bytes()),
    ]);
    let storage: Arc<dyn Storage> = store;
    let shape = |path: &str, format| match open_node(&storage, &memory(), &key(path), format) {
        Ok(Node::Array(array)) => Ok(array.info().shape.clone()),
        Ok(Node::Group(group)) => panic!("{group:?} is no array"),
        Err(error) => Err(error),
    };
    assert_eq!(shape("a", None).unwrap(), [3]);
    assert_eq!(shape("a", Some(3)).unwrap(), [3]);
    assert_eq!(shape("a", Some(2)).unwrap(), [5]);
    assert_eq!(shape("two", None).unwrap(), [5]);
    assert!(matches!(shape("two", Some(3)), Err(ZarrError::NotFound { .. })));
    assert!(matches!(shape("a", Some(4)), Err(ZarrError::Unsupported { .. })));
}

#[test]
fn a_broken_version_3_document_is_not_passed_over() {
    let store = store(&[("a/zarr.json", b"{"), ("a/.zarray", ARRAY_V2.as_bytes())]);
    assert!(matches!(open(&store, "a"), Err(ZarrError::Metadata { .. })));
}

#[test]
fn an_unreadable_document_is_not_an_absent_one() {
    let store = store(&[("a/.zarray", ARRAY_V2.as_bytes()), ("a/.zattrs", b"{}")]);
    for document in ["a/zarr.json", "a/.zarray", "a/.zattrs"] {
        let faulty = FaultStorage::new(Arc::clone(&store) as _, 0);
        let source = std::io::Error::from(std::io::ErrorKind::TimedOut);
        let failed = StorageError::from_io("read", &key(document), source);
        faulty.inject(Reads::Of(key(document)), 1, Fault::Fail(failed));
        let storage: Arc<dyn Storage> = Arc::new(faulty);
        let error = open_node(&storage, &memory(), &key("a"), None).unwrap_err();
        assert!(matches!(&error, ZarrError::Storage { path, .. } if path.ends_with(document)));
    }
}

#[test]
fn nothing_is_not_found() {
    let store = store(&[("a/c/0", b"1"), ("b/.zattrs", b"{}")]);
    for path in ["", "a", "b", "nowhere/at/all"] {
        let error = open(&store, path).unwrap_err();
        assert!(matches!(error, ZarrError::NotFound { .. }), "{path}: {error}");
    }
    let root = self::store(&[("zarr.json", GROUP_V3.as_bytes())]);
    let root = group(&root, "");
    assert!(matches!(root.open("a"), Err(ZarrError::NotFound { .. })));
    for path in ["..", "../a", "/a", "a/../b", "a//b"] {
        assert!(matches!(root.open(path), Err(ZarrError::Storage { .. })), "{path}");
    }
    assert!(root.members().unwrap().is_empty());
}

#[test]
fn consolidated_members_are_opened_without_reading() {
    let consolidated_v3 = json!({
        "zarr_format": 3, "node_type": "group",
        "consolidated_metadata": {"kind": "inline", "must_understand": false, "metadata": {
            "g": serde_json::from_str::<serde_json::Value>(GROUP_V3).unwrap(),
            "g/a": serde_json::from_str::<serde_json::Value>(ARRAY_V3).unwrap(),
            "odd": {"zarr_format": 3, "node_type": "array", "surprise": 1},
        }},
    });
    let consolidated_v2 = json!({
        "zarr_consolidated_format": 1,
        "metadata": {
            ".zgroup": {"zarr_format": 2}, ".zattrs": {"title": "t"},
            "g/.zgroup": {"zarr_format": 2},
            "g/a/.zarray": serde_json::from_str::<serde_json::Value>(ARRAY_V2).unwrap(),
            "g/a/.zattrs": {"_ARRAY_DIMENSIONS": ["x"]},
            "odd/.zarray": 7,
        },
    });
    let store = store(&[
        ("three/zarr.json", consolidated_v3.to_string().as_bytes()),
        ("two/.zgroup", GROUP_V2.as_bytes()),
        ("two/.zmetadata", consolidated_v2.to_string().as_bytes()),
        ("only/.zmetadata", consolidated_v2.to_string().as_bytes()),
    ]);
    for (path, odd) in
        [("three", "odd: unsupported"), ("two", "odd: invalid"), ("only", "odd: invalid")]
    {
        let faulty = Arc::new(FaultStorage::new(Arc::clone(&store) as _, 0));
        let storage: Arc<dyn Storage> = Arc::clone(&faulty) as _;
        let Node::Group(root) = open_node(&storage, &memory(), &key(path), None).unwrap() else {
            panic!("{path} is a group")
        };
        assert!(root.is_consolidated());
        let before = faulty.counts();
        assert_eq!(names(&kinds(&root)), ["g: group", odd]);
        let Node::Group(inner) = root.open("g").unwrap() else { panic!("g is a group") };
        assert_eq!(names(&kinds(&inner)), ["a: array"]);
        let below: Vec<String> =
            root.descendants(None).unwrap().into_iter().map(|member| member.name).collect();
        assert_eq!(below, ["g", "g/a", "odd"]);
        for array in [root.open("g/a").unwrap(), inner.open("a").unwrap()] {
            let Node::Array(array) = array else { panic!("a is an array") };
            assert_eq!(*array.info().name, format!("memory://{path}/g/a"));
        }
        assert_eq!(faulty.counts(), before, "{path}");
        // What was added after consolidation is read from the store.
        assert!(matches!(root.open("later"), Err(ZarrError::NotFound { .. })));
        assert_ne!(faulty.counts(), before, "{path}");
    }
}

fn paths_below(group: &Group, max_depth: Option<usize>) -> Vec<String> {
    let found = group.descendants(max_depth).unwrap();
    let line = |member: lsio_zarr::Member| match member.node {
        Ok(Node::Array(array)) => {
            format!("{}: array of v{}", member.name, array.metadata().zarr_format)
        }
        Ok(Node::Group(group)) => format!("{}: group of v{}", member.name, group.zarr_format()),
        Err(_) => format!("{}: error", member.name),
    };
    found.into_iter().map(line).collect()
}

#[test]
fn everything_below_a_group_is_found_in_order_down_to_any_depth() {
    let store = store(&[
        ("zarr.json", GROUP_V3.as_bytes()),
        ("b/zarr.json", GROUP_V3.as_bytes()),
        ("b/deep/.zgroup", GROUP_V2.as_bytes()),
        ("b/deep/x/.zarray", ARRAY_V2.as_bytes()),
        ("b/deep/x/0/.zarray", ARRAY_V2.as_bytes()),
        ("b/y/zarr.json", ARRAY_V3.as_bytes()),
        ("b-c/zarr.json", ARRAY_V3.as_bytes()),
        ("a/.zarray", ARRAY_V2.as_bytes()),
        ("bad/zarr.json", b"["),
    ]);
    let root = group(&store, "");
    let all = [
        "a: array of v2",
        "b: group of v3",
        "b/deep: group of v2",
        "b/deep/x: array of v2",
        "b/y: array of v3",
        "b-c: array of v3",
        "bad: error",
    ];
    assert_eq!(paths_below(&root, None), all);
    assert_eq!(paths_below(&root, Some(9)), all);
    let shallow = |depth: usize| {
        let within = |line: &&&str| line.matches('/').count() < depth;
        all.iter().filter(within).map(ToString::to_string).collect::<Vec<_>>()
    };
    for depth in 0..4 {
        assert_eq!(paths_below(&root, Some(depth)), shallow(depth));
    }
    assert_eq!(kinds(&root).len(), paths_below(&root, Some(1)).len());
}

#[test]
fn a_group_that_cannot_be_listed_does_not_spoil_the_one_above() {
    /// A store in which one folder cannot be listed.
    #[derive(Debug)]
    struct Unlistable(Arc<MemoryStorage>);
    impl Storage for Unlistable {
        fn location(&self) -> &str {
            self.0.location()
        }
        fn limits(&self) -> lsio_io::ReadLimits {
            self.0.limits()
        }
        fn submit(&self, batch: Vec<lsio_io::Read>) {
            self.0.submit(batch);
        }
        fn list(&self, prefix: &Key, done: lsio_io::ListDone) {
            if prefix.as_str() == "secret" {
                let refused = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
                return done(Err(StorageError::from_io("list", prefix, refused)));
            }
            self.0.list(prefix, done);
        }
    }
    let store = store(&[
        ("zarr.json", GROUP_V3.as_bytes()),
        ("secret/zarr.json", GROUP_V3.as_bytes()),
        ("a/zarr.json", ARRAY_V3.as_bytes()),
    ]);
    let storage: Arc<dyn Storage> = Arc::new(Unlistable(store));
    let open = |path: &str| open_node(&storage, &memory(), &key(path), None).unwrap();
    let (Node::Group(root), Node::Group(secret)) = (open(""), open("secret")) else {
        panic!("both are groups")
    };
    assert_eq!(paths_below(&root, Some(1)), ["a: array of v3", "secret: group of v3"]);
    assert_eq!(paths_below(&root, None), ["a: array of v3", "secret: error"]);
    assert!(matches!(secret.descendants(None), Err(ZarrError::Unlisted { .. })));
}

#[test]
fn what_other_writers_keep_in_attributes_is_no_error() {
    // NCZarr keeps what netCDF needs in attributes of v2, or in members of its documents.
    let array =
        ARRAY_V2.replace("\"order\"", "\"_NCZARR_ARRAY\": {\"dimrefs\": [\"/x\"]}, \"order\"");
    let attributes = r#"{"_ARRAY_DIMENSIONS": ["x"], "_nczarr_array": {"dimrefs": ["/x"]}}"#;
    let root = r#"{"_nczarr_group": {"dims": {"x": 5}, "vars": ["v"], "groups": []},
        "_nczarr_superblock": {"version": "2.0.0"}}"#;
    let store = store(&[
        (".zgroup", br#"{"zarr_format": 2, "_NCZARR_SUPERBLOCK": {"version": "2.0.0"}}"#),
        (".zattrs", root.as_bytes()),
        ("v/.zarray", array.as_bytes()),
        ("v/.zattrs", attributes.as_bytes()),
        ("w/.zarray", ARRAY_V2.as_bytes()),
        ("w/.zattrs", br#"{"_ARRAY_DIMENSIONS": "no list"}"#),
    ]);
    let root = group(&store, "");
    assert_eq!(paths_below(&root, None), ["v: array of v2", "w: array of v2"]);
    assert_eq!(root.attributes()["_nczarr_group"]["dims"]["x"], 5);
    let Node::Array(array) = root.open("v").unwrap() else { panic!("v is an array") };
    assert_eq!(array.metadata().dimension_names, Some(vec![Some("x".to_owned())]));
    assert_eq!(array.metadata().attributes["_nczarr_array"]["dimrefs"][0], "/x");
}

#[test]
fn written_groups_are_read_back() {
    let store = store(&[]);
    let attributes = json!({"title": "größe", "big": 18_446_744_073_709_551_615_u64});
    let attributes: Map<_, _> = attributes.as_object().unwrap().clone();
    create_group(&*store, &Key::root(), &Map::new()).unwrap();
    create_group(&*store, &key("a/b"), &attributes).unwrap();
    assert!(group(&store, "").attributes().is_empty());
    assert_eq!(group(&store, "a/b").attributes(), &attributes);
}
