//! Metadata documents of the fixtures, which other libraries wrote, opened as nodes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lsio_array::{ChunkSource, DataType};
use lsio_io::{Memory, Storage};
use lsio_mutation::{Outcome, Random, Target};
use lsio_zarr::{Node, ZarrError};

use crate::driver::{Driver, key, store};
use crate::json_tree;

/// Longest document that is mutated: longer ones have more of the same.
const LONGEST: u64 = 20_000;

/// Beside 200 bytes for each of the document: a budget's bookkeeping, and what a codec's tables take.
const WORKING_MEMORY: u64 = 4 << 20;

/// Fill values of the largest elements that are held at once: one as it is parsed, one as the codecs see it and a
/// copy of that, and those of up to three members of a group, which is as many as a document is changed in.
const LARGE_ELEMENTS: u64 = 6;

/// Budget of the targets: of less than some regions of 2 MiB, none stays mapped between two inputs, and the kernel
/// clears one for each.
const MEMORY: u64 = 16 << 20;

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    row: &'static str,
    file: &'static str,
    /// What must be in it, white space aside.
    contains: &'static str,
}

const KINDS: [Kind; 8] = [
    Kind { row: "v3 array metadata", file: "zarr.json", contains: "\"array\"" },
    Kind { row: "v3 struct data type", file: "zarr.json", contains: "\"struct" },
    Kind { row: "v3 shard configuration", file: "zarr.json", contains: "sharding_indexed" },
    Kind { row: "v3 consolidated group", file: "zarr.json", contains: "\"inline\"" },
    Kind { row: "v2 array metadata", file: ".zarray", contains: "" },
    Kind { row: "v2 structured dtype", file: ".zarray", contains: "\"dtype\":[" },
    Kind { row: "v2 attributes", file: ".zattrs", contains: "" },
    Kind { row: "v2 consolidated group", file: ".zmetadata", contains: "" },
];

struct MetadataTarget {
    kind: Kind,
    documents: Vec<Vec<u8>>,
    /// For all inputs: a new one maps its regions for each of them.
    memory: Arc<Memory>,
}

/// Every kind of document.
pub(crate) fn all() -> Vec<Box<dyn Target>> {
    let mut files = Vec::new();
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/data"));
    add_files(root, &mut files);
    let target = |kind: Kind| Box::new(MetadataTarget::new(kind, &files)) as Box<dyn Target>;
    KINDS.map(target).into()
}

/// All files below a folder that may be metadata, in the same order on every machine.
fn add_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            add_files(&path, files);
        } else if KINDS.iter().any(|kind| path.ends_with(kind.file)) {
            files.push(path);
        }
    }
}

impl MetadataTarget {
    fn new(kind: Kind, files: &[PathBuf]) -> Self {
        let mut target = Self { kind, documents: Vec::new(), memory: Memory::new(MEMORY) };
        let mut seen = BTreeSet::new();
        for path in files.iter().filter(|path| path.ends_with(kind.file)) {
            if path.metadata().unwrap().len() > LONGEST {
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap();
            // Some fixtures are there to be refused.
            let dense: String = text.split_whitespace().collect();
            if dense.contains(kind.contains)
                && target.decode(text.as_bytes()) == Outcome::Decoded
                && seen.insert(text.clone())
            {
                target.documents.push(text.into_bytes());
            }
        }
        assert!(!target.documents.is_empty(), "no document for {}", kind.row);
        target
    }

    fn opened(&self, input: &[u8]) -> Result<(), ZarrError> {
        let name = format!("a/{}", self.kind.file);
        let mut objects = vec![(name.as_str(), input)];
        if [".zattrs", ".zmetadata"].contains(&self.kind.file) {
            objects.push(("a/.zgroup", br#"{"zarr_format": 2}"#));
        }
        let storage: Arc<dyn Storage> = store(&objects);
        check_node(lsio_zarr::open(&storage, &self.memory, &key("a"), None)?, &self.memory)
    }
}

/// Looks at all that was opened; a member that cannot be opened does not spoil its group, but is an error here.
fn check_node(node: Node, memory: &Arc<Memory>) -> Result<(), ZarrError> {
    match node {
        Node::Array(array) => {
            let first = vec![0; array.metadata().shape.len()];
            // Nothing is read yet: where the first chunk is follows from the metadata.
            array.locate(&first, &Driver::with_memory(Arc::clone(memory))).unwrap();
            assert_eq!(array.info().shape.len(), array.info().chunk_shape.len());
            assert_eq!(array.info().axis_order.len(), array.info().shape.len());
            Ok(())
        }
        Node::Group(group) => {
            group.members()?.into_iter().try_for_each(|member| check_node(member.node?, memory))
        }
    }
}

impl Target for MetadataTarget {
    fn row(&self) -> String {
        self.kind.row.to_owned()
    }

    fn sample(&self, random: &mut Random) -> Vec<u8> {
        random.pick(&self.documents).clone()
    }

    fn forge(&self, random: &mut Random) -> Vec<u8> {
        let sample = self.sample(random);
        json_tree::forge(random, &sample)
    }

    fn decode(&self, input: &[u8]) -> Outcome {
        match self.opened(input) {
            Ok(()) => Outcome::Decoded,
            // It is no JSON, or there is no node at all.
            Err(ZarrError::Metadata { source: Some(source), .. })
                if source.downcast_ref::<serde_json::Error>().is_some() =>
            {
                Outcome::Refused
            }
            Err(ZarrError::NotFound { .. }) => Outcome::Refused,
            Err(_) => Outcome::InBody,
        }
    }

    fn most_memory(&self, input_len: u64) -> u64 {
        WORKING_MEMORY + 200 * input_len + LARGE_ELEMENTS * DataType::MAX_SIZE as u64
    }
}
