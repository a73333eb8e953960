//! Groups and their members as the facade sees them.

use std::sync::Arc;

use lsio::{Group, LsioError, Node};
use napi::bindgen_prelude::Object;
use napi::{Env, Result};
use napi_derive::napi;
use serde_json::json;

use crate::native_array::NativeArray;
use crate::native_error::NativeError;
use crate::settled_promise::Settle;
use crate::tagged_json::tagged_object;

/// An array or a group, or why a member could not be opened.
#[napi(object, object_from_js = false)]
#[derive(Debug)]
pub struct NativeNode {
    /// Name or path below the group; empty for a node that was opened by its path.
    pub name: String,
    /// The array, if it is one.
    pub array: Option<NativeArray>,
    /// The group, if it is one.
    pub group: Option<NativeGroup>,
    /// Why it could not be opened.
    pub error: Option<NativeError>,
}

impl NativeNode {
    pub(crate) fn opened(node: Node) -> Self {
        Self::new(String::new(), Ok(node))
    }

    fn new(name: String, node: std::result::Result<Node, LsioError>) -> Self {
        let (array, group, error) = match node {
            Ok(Node::Array(array)) => (Some(NativeArray::new(array)), None, None),
            Ok(Node::Group(group)) => (None, Some(NativeGroup { group }), None),
            Err(error) => (None, None, Some(error.into())),
        };
        Self { name, array, group, error }
    }
}

/// An opened group.
#[napi]
#[derive(Debug)]
pub struct NativeGroup {
    group: Arc<Group>,
}

#[napi]
impl NativeGroup {
    /// What the group is, as tagged JSON.
    #[napi(catch_unwind)]
    #[must_use]
    pub fn metadata_json(&self) -> String {
        json!({
            "path": self.group.name(),
            "attrs": tagged_object(self.group.attributes()),
            "zarrFormat": self.group.zarr_format(),
        })
        .to_string()
    }

    /// The nodes below the group, at most `max_depth` levels: 1 are its members. Absent: all of them.
    ///
    /// # Errors
    /// Where Node-API fails.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeResult<Array<NativeNode>>>")]
    pub fn descendants<'env>(
        &self,
        env: &'env Env,
        max_depth: Option<f64>,
    ) -> Result<Object<'env>> {
        let (settle, promise) = Settle::promise(env)?;
        self.group.descendants(max_depth.map(|depth| depth as usize), move |members| {
            settle.with(members.map(|members| {
                let node = |member: lsio::Member| NativeNode::new(member.name, member.node);
                members.into_iter().map(node).collect::<Vec<_>>()
            }));
        });
        Ok(promise)
    }

    /// Opens a member by its path.
    ///
    /// # Errors
    /// Where Node-API fails.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeResult<NativeNode>>")]
    pub fn open<'env>(&self, env: &'env Env, path: String) -> Result<Object<'env>> {
        let (settle, promise) = Settle::promise(env)?;
        self.group.open(&path, move |node| settle.with(node.map(NativeNode::opened)));
        Ok(promise)
    }
}
