//! Groups: what is in them.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{Engine, LsioError, Node};

/// A group of arrays and other groups.
#[derive(Debug)]
pub struct Group {
    engine: Arc<Engine>,
    zarr: lsio_zarr::Group,
}

/// A node below a group. One that cannot be opened is there with the reason.
#[derive(Debug)]
pub struct Member {
    /// Name below the group; of a node further below, its path.
    pub name: String,
    /// The opened member.
    pub node: Result<Node, LsioError>,
}

impl Group {
    pub(crate) fn new(engine: &Arc<Engine>, zarr: lsio_zarr::Group) -> Self {
        Self { engine: engine.clone(), zarr }
    }

    /// Location of the group.
    #[must_use]
    pub fn name(&self) -> String {
        self.zarr.name()
    }

    /// Path of the group in its store.
    #[must_use]
    pub fn path(&self) -> &str {
        self.zarr.path().as_str()
    }

    /// 2 or 3.
    #[must_use]
    pub fn zarr_format(&self) -> u8 {
        self.zarr.zarr_format()
    }

    /// The user's attributes; numbers keep their text.
    #[must_use]
    pub fn attributes(&self) -> &Map<String, Value> {
        self.zarr.attributes()
    }

    /// The members, by name. `done` is called once, on a thread of the engine.
    pub fn members(
        self: &Arc<Self>,
        done: impl FnOnce(Result<Vec<Member>, LsioError>) + Send + 'static,
    ) {
        let group = self.clone();
        self.engine.control.run(move || done(group.members_blocking()));
    }

    /// [`members`](Self::members) that waits.
    ///
    /// # Errors
    /// Where the group cannot be listed. What is wrong with one member is in the member.
    pub fn members_blocking(&self) -> Result<Vec<Member>, LsioError> {
        Ok(self.zarr.members()?.into_iter().map(|member| self.opened(member)).collect())
    }

    /// The members, those of the groups among them, and so on, at most `max_depth` levels: a group before what is
    /// in it, siblings by name. `done` is called once, on a thread of the engine.
    pub fn descendants(
        self: &Arc<Self>,
        max_depth: Option<usize>,
        done: impl FnOnce(Result<Vec<Member>, LsioError>) + Send + 'static,
    ) {
        let group = self.clone();
        self.engine.control.run(move || done(group.descendants_blocking(max_depth)));
    }

    /// [`descendants`](Self::descendants) that waits.
    ///
    /// # Errors
    /// Where the group itself cannot be listed. What is wrong with another node is in that member.
    pub fn descendants_blocking(&self, max_depth: Option<usize>) -> Result<Vec<Member>, LsioError> {
        let found = self.zarr.descendants(max_depth)?;
        Ok(found.into_iter().map(|member| self.opened(member)).collect())
    }

    fn opened(&self, member: lsio_zarr::Member) -> Member {
        let node = member.node.map_err(LsioError::from);
        let node = node.and_then(|node| Node::new(&self.engine, node));
        Member { name: member.name, node }
    }

    /// Opens a member, or a node further below by its path. `done` is called once, on a thread of the
    /// engine.
    pub fn open(
        self: &Arc<Self>,
        path: &str,
        done: impl FnOnce(Result<Node, LsioError>) + Send + 'static,
    ) {
        let (group, path) = (self.clone(), path.to_owned());
        self.engine.control.run(move || done(group.open_blocking(&path)));
    }

    /// [`open`](Self::open) that waits.
    ///
    /// # Errors
    /// As [`Engine::open_blocking`].
    pub fn open_blocking(&self, path: &str) -> Result<Node, LsioError> {
        Node::new(&self.engine, self.zarr.open(path.trim_matches('/'))?)
    }
}
