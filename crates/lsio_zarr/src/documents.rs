//! Metadata documents of nodes: which there are, and how they are read from a store.

use std::sync::Arc;

use lsio_io::{Entry, Key, Memory, Storage, StorageError, blocking};
use serde_json::{Map, Value};

use crate::error::ZarrError;
use crate::json;

/// Longest document in bytes that is read when one node is opened. Consolidated metadata of 10^5
/// arrays has about 10^8 bytes.
const MAX_DOCUMENT_LEN: u64 = 256 << 20;

/// Longest document in bytes that is read while a group is listed.
const MAX_MEMBER_DOCUMENT_LEN: u64 = 8 << 20;

/// Nodes whose documents are read at once while a group is listed: enough to hide a store's latency,
/// few enough that a group full of the longest documents does not exhaust memory.
const NODES_PER_BATCH: usize = 16;

/// Folders that are listed in search of a node that makes the folders above it groups. So many take some
/// milliseconds on a disk; a folder without any Zarr may have millions below it.
const MAX_FOLDERS_SEARCHED: usize = 64;

/// A metadata document as a JSON object, or why it is not one.
pub(crate) type Document = Result<Map<String, Value>, ZarrError>;

/// The kinds of metadata documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DocumentKind {
    /// `zarr.json`: array or group of v3.
    Zarr,
    /// `.zarray`: array of v2.
    ArrayV2,
    /// `.zgroup`: group of v2.
    GroupV2,
    /// `.zattrs`: attributes of v2.
    AttributesV2,
    /// `.zmetadata`: documents of all nodes below a group of v2.
    ConsolidatedV2,
}

impl DocumentKind {
    /// Name of the object below the node.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Zarr => "zarr.json",
            Self::ArrayV2 => ".zarray",
            Self::GroupV2 => ".zgroup",
            Self::AttributesV2 => ".zattrs",
            Self::ConsolidatedV2 => ".zmetadata",
        }
    }

    /// Whether a folder with this document is an array or a group.
    fn is_node(self) -> bool {
        matches!(self, Self::Zarr | Self::ArrayV2 | Self::GroupV2)
    }

    /// 2 or 3.
    fn zarr_format(self) -> u8 {
        if self == Self::Zarr { 3 } else { 2 }
    }
}

/// Which format a node may be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormatChoice {
    /// Version 3 if there is a document of it, else version 2.
    Any,
    /// Only version 2.
    V2,
    /// Only version 3.
    V3,
}

impl FormatChoice {
    fn kinds(self) -> &'static [DocumentKind] {
        use DocumentKind::{ArrayV2, AttributesV2, GroupV2, Zarr};
        match self {
            Self::Any => &[Zarr, ArrayV2, GroupV2, AttributesV2],
            Self::V2 => &[ArrayV2, GroupV2, AttributesV2],
            Self::V3 => &[Zarr],
        }
    }

    /// What is missing where there is no node.
    pub(crate) fn looked_for(self) -> &'static str {
        match self {
            Self::Any => "there is no zarr.json, .zarray or .zgroup, and none in the folders below",
            Self::V2 => "there is no .zarray or .zgroup, and none in the folders below",
            Self::V3 => "there is no zarr.json, and none in the folders below",
        }
    }
}

/// The documents of one node.
#[derive(Debug, Clone, Default)]
pub(crate) struct NodeDocuments {
    /// `zarr.json`
    pub(crate) zarr: Option<Document>,
    /// `.zarray`
    pub(crate) array_v2: Option<Document>,
    /// `.zgroup`
    pub(crate) group_v2: Option<Document>,
    /// `.zattrs`
    pub(crate) attributes_v2: Option<Document>,
}

impl NodeDocuments {
    /// The format that the node is in, if it is one.
    pub(crate) fn zarr_format(&self) -> Option<u8> {
        match (&self.zarr, &self.array_v2, &self.group_v2) {
            (Some(_), _, _) => Some(3),
            (None, None, None) => None,
            (None, _, _) => Some(2),
        }
    }

    /// Adds a document.
    pub(crate) fn set(&mut self, kind: DocumentKind, document: Document) {
        let place = match kind {
            DocumentKind::Zarr => &mut self.zarr,
            DocumentKind::ArrayV2 => &mut self.array_v2,
            DocumentKind::GroupV2 => &mut self.group_v2,
            DocumentKind::AttributesV2 => &mut self.attributes_v2,
            // Belongs to many nodes.
            DocumentKind::ConsolidatedV2 => return,
        };
        *place = Some(document);
    }
}

/// A store that documents are read from. Every call blocks until the store has answered.
#[derive(Debug, Clone)]
pub(crate) struct DocumentStore {
    storage: Arc<dyn Storage>,
    memory: Arc<Memory>,
}

impl DocumentStore {
    /// Documents in `storage`, read into buffers of `memory`.
    pub(crate) fn new(storage: Arc<dyn Storage>, memory: Arc<Memory>) -> Self {
        Self { storage, memory }
    }

    /// The store itself.
    pub(crate) fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// The path of an object or a node with its store, for messages.
    pub(crate) fn full_path(&self, key: &Key) -> String {
        full_path(self.storage.as_ref(), key)
    }

    /// The documents of the node at `path`, other than consolidated ones. What cannot be read is an
    /// error in its place.
    pub(crate) fn read_node(
        &self,
        path: &Key,
        format: FormatChoice,
    ) -> Result<NodeDocuments, ZarrError> {
        let nodes = self.read_batch(std::slice::from_ref(path), format, MAX_DOCUMENT_LEN)?;
        Ok(nodes.into_iter().next().unwrap_or_default())
    }

    /// The documents of the members at `paths`, in the same order, each as from
    /// [`DocumentStore::read_node`].
    pub(crate) fn read_members(
        &self,
        paths: &[Key],
        format: FormatChoice,
    ) -> Result<Vec<NodeDocuments>, ZarrError> {
        let mut members = Vec::with_capacity(paths.len());
        for batch in paths.chunks(NODES_PER_BATCH) {
            members.extend(self.read_batch(batch, format, MAX_MEMBER_DOCUMENT_LEN)?);
        }
        Ok(members)
    }

    fn read_batch(
        &self,
        paths: &[Key],
        format: FormatChoice,
        limit: u64,
    ) -> Result<Vec<NodeDocuments>, ZarrError> {
        let kinds = format.kinds();
        let mut keys = Vec::with_capacity(paths.len() * kinds.len());
        for path in paths {
            for kind in kinds {
                keys.push(self.join(path, kind.name())?);
            }
        }
        let mut documents = self.read(&keys, limit).into_iter();
        let node = |_| {
            let mut node = NodeDocuments::default();
            for (kind, document) in kinds.iter().zip(documents.by_ref()) {
                if let Some(document) = document {
                    node.set(*kind, document);
                }
            }
            node
        };
        Ok(paths.iter().map(node).collect())
    }

    /// The consolidated metadata of a v2 group; `None` if the store says that there is none.
    pub(crate) fn read_consolidated(
        &self,
        path: &Key,
    ) -> Result<Option<Map<String, Value>>, ZarrError> {
        let key = self.join(path, DocumentKind::ConsolidatedV2.name())?;
        self.read(&[key], MAX_DOCUMENT_LEN).into_iter().flatten().next().transpose()
    }

    /// Members below `prefix`; none if the store says that there is no such folder.
    pub(crate) fn list(&self, prefix: &Key) -> Result<Vec<Entry>, ZarrError> {
        match blocking::list_blocking(self.storage.as_ref(), prefix) {
            Err(StorageError::NotFound { .. }) => Ok(Vec::new()),
            other => other.map_err(|source| self.storage_error(prefix, source)),
        }
    }

    /// The format of a node somewhere below `path`, which makes the folder an implicit group; the nearest one
    /// is found first. `None` if there is none in the folders that are looked into.
    pub(crate) fn format_below(
        &self,
        path: &Key,
        format: FormatChoice,
    ) -> Result<Option<u8>, ZarrError> {
        let mut folders = vec![path.clone()];
        let mut searched = 0;
        while let Some(folder) = folders.get(searched).cloned() {
            let entries = self.list(&folder)?;
            let has = |kind: &DocumentKind| {
                entries
                    .iter()
                    .any(|entry| matches!(entry, Entry::Object(name, _) if name == kind.name()))
            };
            // The folder itself was looked at before.
            if searched > 0
                && let Some(kind) = format.kinds().iter().find(|kind| kind.is_node() && has(kind))
            {
                return Ok(Some(kind.zarr_format()));
            }
            let room = MAX_FOLDERS_SEARCHED - folders.len();
            let below = entries.iter().filter_map(|entry| match entry {
                // A name that no key can have holds no node that could be opened.
                Entry::Prefix(name) => folder.join(name).ok(),
                Entry::Object(..) => None,
            });
            folders.extend(below.take(room));
            searched += 1;
        }
        Ok(None)
    }

    /// `path` with `name` below it.
    pub(crate) fn join(&self, path: &Key, name: &str) -> Result<Key, ZarrError> {
        path.join(name).map_err(|source| self.storage_error(path, source))
    }

    fn read(&self, keys: &[Key], limit: u64) -> Vec<Option<Document>> {
        let answers = blocking::read_many(self.storage.as_ref(), &self.memory, keys, limit);
        keys.iter()
            .zip(answers)
            .map(|(key, answer)| match answer {
                Ok(None) => None,
                Ok(Some((bytes, _))) => Some(
                    json::parse_object(&bytes).map_err(|refusal| refusal.at(self.full_path(key))),
                ),
                Err(source) => Some(Err(self.storage_error(key, source))),
            })
            .collect()
    }

    fn storage_error(&self, key: &Key, source: StorageError) -> ZarrError {
        ZarrError::Storage { path: self.full_path(key), source }
    }
}

/// The path of an object or a node with its store, for messages.
pub(crate) fn full_path(storage: &dyn Storage, key: &Key) -> String {
    let location = storage.location();
    if key.is_root() {
        return location.to_owned();
    }
    let slash = if location.ends_with('/') { "" } else { "/" };
    format!("{location}{slash}{key}")
}
