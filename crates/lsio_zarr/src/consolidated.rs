//! Consolidated metadata: the documents of all nodes below a group in one document.
//!
//! `.zmetadata` of zarr-python for v2 (`zarr_consolidated_format` 1), and the member
//! `consolidated_metadata` of kind `inline` in the `zarr.json` of a group of v3. Neither is in the core
//! specifications.

use std::collections::{BTreeMap, BTreeSet};

use lsio_io::Key;
use serde_json::{Map, Value};

use crate::documents::{Document, DocumentKind, NodeDocuments};
use crate::error::{Refusal, excerpt};
use crate::json;

/// Documents by the path of their node below the consolidated group. The group itself has the empty
/// path.
#[derive(Debug, Clone, Default)]
pub(crate) struct Consolidated {
    nodes: BTreeMap<String, NodeDocuments>,
}

impl Consolidated {
    /// Reads `.zmetadata`.
    pub(crate) fn from_v2(mut members: Map<String, Value>) -> Result<Self, Refusal> {
        let format = json::required(&members, "zarr_consolidated_format")?;
        if format.as_u64() != Some(1) {
            return Err(Refusal::unsupported(format!(
                "'zarr_consolidated_format' {}",
                excerpt(format)
            )));
        }
        let mut consolidated = Self::default();
        for (key, value) in take_documents(&mut members)? {
            let (path, name) = key.rsplit_once('/').unwrap_or(("", &key));
            let kind = match name {
                ".zarray" => DocumentKind::ArrayV2,
                ".zgroup" => DocumentKind::GroupV2,
                ".zattrs" => DocumentKind::AttributesV2,
                _ => continue,
            };
            consolidated.add(path, kind, &key, value)?;
        }
        Ok(consolidated)
    }

    /// Reads and removes `consolidated_metadata` from the `zarr.json` of a group; `None` if there is
    /// none, or one that may be ignored.
    pub(crate) fn from_v3(members: &mut Map<String, Value>) -> Result<Option<Self>, Refusal> {
        let mut inline = match members.remove("consolidated_metadata") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Object(inline)) => inline,
            Some(other) => {
                return Err(Refusal::invalid(format!(
                    "'consolidated_metadata' must be an object or null, found {}",
                    excerpt(&other)
                )));
            }
        };
        let kind = json::required(&inline, "kind")?;
        if kind.as_str() != Some("inline") {
            if inline.get("must_understand") == Some(&Value::Bool(false)) {
                return Ok(None);
            }
            return Err(Refusal::unsupported(format!(
                "consolidated metadata of kind {}",
                excerpt(kind)
            )));
        }
        let mut consolidated = Self::default();
        for (path, value) in take_documents(&mut inline)? {
            consolidated.add(&path, DocumentKind::Zarr, &path, value)?;
        }
        Ok(Some(consolidated))
    }

    /// The documents of the node at this path below the consolidated group.
    pub(crate) fn node(&self, path: &str) -> Option<&NodeDocuments> {
        self.nodes.get(path)
    }

    /// Names of the nodes directly below the node at `path`, those of implicit groups among them.
    pub(crate) fn members(&self, path: &str) -> BTreeSet<&str> {
        let below = self.below(path).filter(|(_, documents)| documents.zarr_format().is_some());
        below.map(|(below, _)| below.split('/').next().unwrap_or(below)).collect()
    }

    /// The format of a node below `path`, which makes it an implicit group where it has no documents.
    pub(crate) fn format_below(&self, path: &str) -> Option<u8> {
        self.below(path).find_map(|(_, documents)| documents.zarr_format())
    }

    /// All nodes below the one at `path`, with their paths below it.
    fn below(&self, path: &str) -> impl Iterator<Item = (&str, &NodeDocuments)> {
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        self.nodes
            .range(prefix.clone()..)
            .map_while(move |(path, documents)| Some((path.strip_prefix(&prefix)?, documents)))
            .filter(|(below, _)| !below.is_empty())
    }

    fn add(
        &mut self,
        path: &str,
        kind: DocumentKind,
        key: &str,
        value: Value,
    ) -> Result<(), Refusal> {
        // Refused as a whole: whoever forges one name may have forged the rest.
        Key::new(path).map_err(|error| {
            Refusal::caused(format!("the consolidated name '{key}' is not allowed"), error)
        })?;
        let document: Document = match value {
            Value::Object(members) => Ok(members),
            other => Err(Refusal::invalid(format!(
                "the consolidated document must be a JSON object, found {}",
                excerpt(&other)
            ))
            .at(key)),
        };
        self.nodes.entry(path.to_owned()).or_default().set(kind, document);
        Ok(())
    }
}

fn take_documents(members: &mut Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    match members.remove("metadata") {
        Some(Value::Object(documents)) => Ok(documents),
        Some(other) => Err(Refusal::invalid(format!(
            "'metadata' must be a JSON object, found {}",
            excerpt(&other)
        ))),
        None => Err(Refusal::invalid("the member 'metadata' is missing")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn names<'a>(consolidated: &'a Consolidated, path: &str) -> Vec<&'a str> {
        consolidated.members(path).into_iter().collect()
    }

    #[test]
    fn v2_documents_are_found_by_node() {
        let consolidated = Consolidated::from_v2(map(&json!({
            "zarr_consolidated_format": 1,
            "metadata": {
                ".zgroup": {}, ".zattrs": {"a": 1},
                "b/.zgroup": {}, "b/c/.zarray": {}, "b/c/.zattrs": {}, "b-d/.zarray": {},
                "b/readme": 1, "e/f/g/.zarray": {}, "e/f/h/.zarray": {}, "x/.zattrs": {},
            },
        })))
        .unwrap();
        assert_eq!(names(&consolidated, ""), ["b", "b-d", "e"]);
        assert_eq!(names(&consolidated, "e"), ["f"]);
        assert_eq!(names(&consolidated, "e/f"), ["g", "h"]);
        assert_eq!(consolidated.format_below("e"), Some(2));
        assert_eq!(consolidated.format_below("x"), None);
        assert_eq!(consolidated.format_below("e/f/g"), None);
        assert_eq!(names(&consolidated, "b"), ["c"]);
        assert!(names(&consolidated, "c").is_empty());
        assert!(consolidated.node("").unwrap().attributes_v2.is_some());
        assert!(consolidated.node("b/c").unwrap().array_v2.is_some());
        assert!(consolidated.node("b/x").is_none());
    }

    #[test]
    fn v3_documents_are_found_by_node() {
        let mut members = map(&json!({"consolidated_metadata": {
            "kind": "inline", "must_understand": false,
            "metadata": {"b": {}, "b/c": {}, "broken": 3},
        }}));
        let consolidated = Consolidated::from_v3(&mut members).unwrap().unwrap();
        assert!(members.is_empty());
        assert_eq!(names(&consolidated, ""), ["b", "broken"]);
        assert!(matches!(consolidated.node("broken").unwrap().zarr, Some(Err(_))));
    }

    #[test]
    fn none_null_and_what_may_be_ignored() {
        for value in [
            json!({}),
            json!({"consolidated_metadata": null}),
            json!({"consolidated_metadata": {"kind": "elsewhere", "must_understand": false}}),
        ] {
            assert!(Consolidated::from_v3(&mut map(&value)).unwrap().is_none());
        }
    }

    #[test]
    fn names_that_escape_are_refused() {
        for path in ["../x", "/etc", "a//b", "a/./b", "a/..", "a\\b"] {
            let key = format!("{path}/.zarray");
            let v2 = json!({"zarr_consolidated_format": 1, "metadata": {key: {}}});
            assert!(Consolidated::from_v2(map(&v2)).is_err(), "{path}");
            let v3 = json!({"consolidated_metadata": {"kind": "inline", "metadata": {path: {}}}});
            assert!(Consolidated::from_v3(&mut map(&v3)).is_err(), "{path}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for value in [
            json!({}),
            json!({"zarr_consolidated_format": 2, "metadata": {}}),
            json!({"zarr_consolidated_format": 1}),
            json!({"zarr_consolidated_format": 1, "metadata": []}),
        ] {
            assert!(Consolidated::from_v2(map(&value)).is_err());
        }
        for value in [json!(1), json!({}), json!({"kind": "elsewhere"}), json!({"kind": "inline"})]
        {
            let mut members = map(&json!({"consolidated_metadata": value}));
            assert!(Consolidated::from_v3(&mut members).is_err());
        }
    }
}
