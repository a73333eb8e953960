//! Opening nodes: arrays, groups and the members of groups.

use std::fmt;
use std::sync::Arc;

use lsio_io::{Entry, Key, Memory, Storage, StorageError};
use serde_json::{Map, Value};

use crate::array::ZarrArray;
use crate::consolidated::Consolidated;
use crate::documents::{Document, DocumentKind, DocumentStore, FormatChoice, NodeDocuments};
use crate::error::{Refusal, ZarrError};
use crate::metadata_v3::NodeType;
use crate::{metadata_v2, metadata_v3};

/// What was opened.
#[derive(Debug)]
pub enum Node {
    /// An array, ready to be a chunk source.
    Array(Arc<ZarrArray>),
    /// A group.
    Group(Group),
}

/// Opens the array or group at `path`. `zarr_format` (2 or 3) says which format it must be in; without
/// it, version 3 is preferred where there are documents of both. A folder without documents is a group without
/// attributes if there is an array or a group in the folders below, of which only the nearest are looked into.
///
/// Blocks on the store, so it must not run on a worker of the executor.
///
/// # Errors
/// [`ZarrError::NotFound`] where there is no metadata, [`ZarrError::Metadata`] and
/// [`ZarrError::Unsupported`] where it cannot be understood, [`ZarrError::Storage`] where it cannot be
/// read.
pub fn open(
    storage: &Arc<dyn Storage>,
    memory: &Arc<Memory>,
    path: &Key,
    zarr_format: Option<u8>,
) -> Result<Node, ZarrError> {
    let store = DocumentStore::new(Arc::clone(storage), Arc::clone(memory));
    let format = match zarr_format {
        None => FormatChoice::Any,
        Some(2) => FormatChoice::V2,
        Some(3) => FormatChoice::V3,
        Some(other) => {
            let what = format!("the Zarr format {other}");
            return Err(ZarrError::Unsupported { path: store.full_path(path), what });
        }
    };
    open_in_store(&store, path, format)
}

fn open_in_store(
    store: &DocumentStore,
    path: &Key,
    format: FormatChoice,
) -> Result<Node, ZarrError> {
    let documents = store.read_node(path, format)?;
    let opening = Opening { store, path, format, consolidation: Consolidation::ReadOwn };
    opening.node(documents).or_else(|error| implicit_group(store, path, format, error))
}

/// The group that a folder without documents is, if there are nodes below it: drafts of Zarr v3 had such groups,
/// and writers still leave them behind. `error` says why it is not another node; it stands if it is not that
/// there is none, or if nothing is below.
fn implicit_group(
    store: &DocumentStore,
    path: &Key,
    format: FormatChoice,
    error: ZarrError,
) -> Result<Node, ZarrError> {
    if !matches!(error, ZarrError::NotFound { .. }) {
        return Err(error);
    }
    match store.format_below(path, format) {
        Ok(Some(zarr_format)) => {
            let opening = Opening { store, path, format, consolidation: Consolidation::Unread };
            Ok(opening.group(zarr_format, Map::new(), None))
        }
        Ok(None) | Err(ZarrError::Storage { source: StorageError::Unsupported { .. }, .. }) => {
            Err(error)
        }
        Err(unlisted) => Err(unlisted),
    }
}

/// A group of arrays and other groups.
pub struct Group {
    store: DocumentStore,
    path: Key,
    format: FormatChoice,
    zarr_format: u8,
    attributes: Map<String, Value>,
    consolidated: Option<ConsolidatedView>,
}

/// Consolidated metadata of a group, or of one above it.
#[derive(Clone)]
struct ConsolidatedView {
    documents: Arc<Consolidated>,
    /// Path of the group below the one that was consolidated.
    path: String,
}

/// A member of a group. One that cannot be opened is there with the reason.
#[derive(Debug)]
pub struct Member {
    /// Name below the group.
    pub name: String,
    /// The opened member.
    pub node: Result<Node, ZarrError>,
}

impl Group {
    /// The user's attributes, as [`crate::ArrayMetadata::attributes`].
    #[must_use]
    pub fn attributes(&self) -> &Map<String, Value> {
        &self.attributes
    }

    /// 2 or 3.
    #[must_use]
    pub fn zarr_format(&self) -> u8 {
        self.zarr_format
    }

    /// Where the group is in its store.
    #[must_use]
    pub fn path(&self) -> &Key {
        &self.path
    }

    /// Location of the group, for messages.
    #[must_use]
    pub fn name(&self) -> String {
        self.store.full_path(&self.path)
    }

    /// Whether members are opened from consolidated metadata.
    #[must_use]
    pub fn is_consolidated(&self) -> bool {
        self.consolidated.is_some()
    }

    /// What tells the group's folder from others; see [`Storage::folder_identity`].
    pub(crate) fn folder_identity(&self) -> Option<u128> {
        match &self.consolidated {
            // Not looked at in the store.
            Some(_) => None,
            None => self.store.storage().folder_identity(&self.path),
        }
    }

    /// Opens a member by its name, or a node further below by its path with `/` between names.
    /// Consolidated metadata is used where it has the node. Blocks on the store otherwise.
    ///
    /// # Errors
    /// As [`open`]; [`ZarrError::Storage`] for a path that would leave the group.
    pub fn open(&self, path: &str) -> Result<Node, ZarrError> {
        let key = self.store.join(&self.path, path)?;
        let Some(view) = &self.consolidated else {
            return open_in_store(&self.store, &key, self.format);
        };
        match self.open_consolidated(view, &key, view.path_of(path)) {
            Some(node) => node,
            None => open_in_store(&self.store, &key, self.format),
        }
    }

    /// The members of the group, by name. Blocks on the store unless the group is consolidated.
    ///
    /// # Errors
    /// [`ZarrError::Unlisted`] where the store has no listings or refuses them, [`ZarrError::Storage`] where it
    /// fails. What is wrong with a single member is in the member.
    pub fn members(&self) -> Result<Vec<Member>, ZarrError> {
        match &self.consolidated {
            Some(view) => self.consolidated_members(view),
            None => self.listed_members(),
        }
    }

    fn consolidated_members(&self, view: &ConsolidatedView) -> Result<Vec<Member>, ZarrError> {
        let mut members = Vec::new();
        for name in view.documents.members(&view.path) {
            let key = self.store.join(&self.path, name)?;
            if let Some(node) = self.open_consolidated(view, &key, view.path_of(name)) {
                members.push(Member { name: name.to_owned(), node });
            }
        }
        Ok(members)
    }

    /// The node at `key`, whose path below the consolidated group is `below`; `None` if the consolidated metadata
    /// does not have it.
    fn open_consolidated(
        &self,
        view: &ConsolidatedView,
        key: &Key,
        below: String,
    ) -> Option<Result<Node, ZarrError>> {
        let documents = view.documents.node(&below).cloned();
        let implicit = view.documents.format_below(&below);
        let view = ConsolidatedView { documents: Arc::clone(&view.documents), path: below };
        let consolidation = Consolidation::FromAbove(view);
        let opening = Opening { store: &self.store, path: key, format: self.format, consolidation };
        match documents.filter(|documents| documents.zarr_format().is_some()) {
            Some(documents) => Some(opening.node(documents)),
            None => implicit.map(|zarr_format| Ok(opening.group(zarr_format, Map::new(), None))),
        }
    }

    fn listed_members(&self) -> Result<Vec<Member>, ZarrError> {
        let mut members = Vec::new();
        let (mut names, mut paths) = (Vec::new(), Vec::new());
        for entry in self.store.list(&self.path).map_err(unlisted)? {
            let Entry::Prefix(name) = entry else { continue };
            match self.store.join(&self.path, &name) {
                Ok(path) => {
                    names.push(name);
                    paths.push(path);
                }
                // A folder whose name no key can have.
                Err(error) => members.push(Member { name, node: Err(error) }),
            }
        }
        let documents = self.store.read_members(&paths, self.format)?;
        for ((name, path), documents) in names.into_iter().zip(&paths).zip(documents) {
            let consolidation = Consolidation::Unread;
            let opening = Opening { store: &self.store, path, format: self.format, consolidation };
            let node = opening.node(documents);
            match node.or_else(|error| implicit_group(&self.store, path, self.format, error)) {
                // A folder that is no node, such as the chunks of something else.
                Err(ZarrError::NotFound { .. }) => {}
                node => members.push(Member { name, node }),
            }
        }
        members.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(members)
    }
}

/// What a listing that the store does not give is to its group.
fn unlisted(error: ZarrError) -> ZarrError {
    match error {
        ZarrError::Storage {
            path,
            source: source @ (StorageError::Unsupported { .. } | StorageError::Access { .. }),
        } => ZarrError::Unlisted { path, source },
        other => other,
    }
}

impl ConsolidatedView {
    /// Path of a node below the consolidated group, given its path below this group.
    fn path_of(&self, below: &str) -> String {
        match (self.path.as_str(), below) {
            ("", below) => below.to_owned(),
            (path, "") => path.to_owned(),
            (path, below) => format!("{path}/{below}"),
        }
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// A node whose documents are at hand.
struct Opening<'a> {
    store: &'a DocumentStore,
    path: &'a Key,
    format: FormatChoice,
    consolidation: Consolidation,
}

/// Where a group gets its consolidated metadata from.
enum Consolidation {
    /// A group above has it.
    FromAbove(ConsolidatedView),
    /// From the group's own documents.
    ReadOwn,
    /// From `zarr.json`, but no further document is read for it: the group is one of many.
    Unread,
}

impl Opening<'_> {
    fn node(self, documents: NodeDocuments) -> Result<Node, ZarrError> {
        let NodeDocuments { zarr, array_v2, group_v2, attributes_v2 } = documents;
        if let Some(document) = zarr.filter(|_| self.format != FormatChoice::V2) {
            return self.node_v3(document?);
        }
        let is_v2 = self.format != FormatChoice::V3;
        if let Some(document) = array_v2.filter(|_| is_v2) {
            let document = document?;
            let attributes = attributes_v2.unwrap_or_else(|| Ok(Map::new()))?;
            let parsed = metadata_v2::array(&document, attributes);
            let array = parsed.and_then(|parsed| self.array(parsed, document));
            return array.map_err(|refusal| self.refused(DocumentKind::ArrayV2, refusal));
        }
        if is_v2 {
            return self.group_v2(group_v2, attributes_v2);
        }
        Err(self.not_found())
    }

    fn node_v3(self, mut document: Map<String, Value>) -> Result<Node, ZarrError> {
        let refused = |refusal| self.refused(DocumentKind::Zarr, refusal);
        match metadata_v3::node_type(&document).map_err(refused)? {
            NodeType::Array => {
                let parsed = metadata_v3::array(&document);
                parsed.and_then(|parsed| self.array(parsed, document)).map_err(refused)
            }
            NodeType::Group => {
                let attributes = metadata_v3::group(&document).map_err(refused)?;
                let own = Consolidated::from_v3(&mut document).map_err(refused)?;
                Ok(self.group(3, attributes, own))
            }
        }
    }

    /// A group of v2 has a `.zgroup`, of its own or in its consolidated metadata.
    fn group_v2(
        self,
        group: Option<Document>,
        attributes: Option<Document>,
    ) -> Result<Node, ZarrError> {
        let own = match self.consolidation {
            Consolidation::ReadOwn => self.store.read_consolidated(self.path)?,
            Consolidation::FromAbove(_) | Consolidation::Unread => None,
        };
        let refused = |refusal| self.refused(DocumentKind::ConsolidatedV2, refusal);
        let own = own.map(Consolidated::from_v2).transpose().map_err(refused)?;
        let in_consolidated = own.as_ref().and_then(|own| own.node("")).cloned();
        let in_consolidated = in_consolidated.unwrap_or_default();
        let group = group.or(in_consolidated.group_v2).unwrap_or_else(|| Err(self.not_found()))?;
        let refused = |refusal| self.refused(DocumentKind::GroupV2, refusal);
        metadata_v2::check_group(&group).map_err(refused)?;
        let attributes = attributes.or(in_consolidated.attributes_v2);
        let attributes = attributes.unwrap_or_else(|| Ok(Map::new()))?;
        Ok(self.group(2, attributes, own))
    }

    fn array(
        &self,
        parsed: (crate::ArrayMetadata, crate::chunk_encoding::ChunkEncoding),
        document: Map<String, Value>,
    ) -> Result<Node, Refusal> {
        let storage = Arc::clone(self.store.storage());
        let array = ZarrArray::new(storage, self.path.clone(), parsed, document)?;
        Ok(Node::Array(Arc::new(array)))
    }

    fn group(
        self,
        zarr_format: u8,
        attributes: Map<String, Value>,
        own: Option<Consolidated>,
    ) -> Node {
        let consolidated = match (self.consolidation, own) {
            (Consolidation::FromAbove(view), _) => Some(view),
            (Consolidation::ReadOwn | Consolidation::Unread, own) => {
                own.map(|own| ConsolidatedView { documents: Arc::new(own), path: String::new() })
            }
        };
        Node::Group(Group {
            store: self.store.clone(),
            path: self.path.clone(),
            format: self.format,
            zarr_format,
            attributes,
            consolidated,
        })
    }

    fn refused(&self, kind: DocumentKind, refusal: Refusal) -> ZarrError {
        match self.store.join(self.path, kind.name()) {
            Ok(document) => refusal.at(self.store.full_path(&document)),
            Err(error) => error,
        }
    }

    fn not_found(&self) -> ZarrError {
        ZarrError::NotFound {
            path: self.store.full_path(self.path),
            looked_for: self.format.looked_for(),
        }
    }
}
