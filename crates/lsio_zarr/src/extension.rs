//! Extension points of Zarr v3: a name with a configuration, in any of its spellings.
//!
//! Specification: Zarr v3 core, "Extension definition". A codec, data type, chunk grid or chunk key
//! encoding is either a plain string or an object `{name, configuration, must_understand}`.

use serde_json::{Map, Value};

use crate::error::{Refusal, excerpt};

/// One extension point, such as `{"name": "zstd", "configuration": {"level": 1}}`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Extension {
    /// Its name.
    pub(crate) name: String,
    /// Its configuration, empty if there is none.
    pub(crate) configuration: Map<String, Value>,
}

impl Extension {
    /// Reads either spelling; `point` names the extension point for messages.
    ///
    /// `must_understand` changes nothing here: whoever cannot decode a codec or data type cannot
    /// ignore it either. It is checked to be a boolean.
    pub(crate) fn parse(value: &Value, point: &str) -> Result<Self, Refusal> {
        let refused = || {
            Refusal::invalid(format!(
                "'{point}' must be a name or an object with 'name' and 'configuration', found {}",
                excerpt(value)
            ))
        };
        let members = match value {
            Value::String(name) if !name.is_empty() => {
                return Ok(Self { name: name.clone(), configuration: Map::new() });
            }
            Value::Object(members) => members,
            _ => return Err(refused()),
        };
        let name = members.get("name").and_then(Value::as_str).ok_or_else(refused)?;
        let configuration = match members.get("configuration") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(configuration)) => configuration.clone(),
            Some(_) => return Err(refused()),
        };
        if !matches!(members.get("must_understand"), None | Some(Value::Bool(_))) {
            return Err(refused());
        }
        Ok(Self { name: name.to_owned(), configuration })
    }
}

/// Refuses members of a v3 document that are not in `known`, unless they say that they may be ignored.
///
/// Specification: Zarr v3 core, "Array metadata", last paragraph on unknown members.
pub(crate) fn refuse_unknown_members(
    members: &Map<String, Value>,
    known: &[&str],
) -> Result<(), Refusal> {
    for (name, value) in members {
        let may_be_ignored = value.get("must_understand") == Some(&Value::Bool(false));
        if !known.contains(&name.as_str()) && !may_be_ignored {
            return Err(Refusal::unsupported(format!("the metadata member '{name}'")));
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_spelling_gives_the_same_extension() {
        let bare = Extension { name: "crc32c".to_owned(), configuration: Map::new() };
        for value in [
            json!("crc32c"),
            json!({"name": "crc32c"}),
            json!({"name": "crc32c", "configuration": {}}),
            json!({"name": "crc32c", "configuration": null, "must_understand": true}),
            json!({"name": "crc32c", "must_understand": false}),
        ] {
            assert_eq!(Extension::parse(&value, "codecs").unwrap(), bare, "{value}");
        }
    }

    #[test]
    fn what_has_no_name_is_refused() {
        for value in [
            json!(1),
            json!(null),
            json!(""),
            json!({}),
            json!({"name": 1}),
            json!({"name": "a", "configuration": 1}),
            json!({"name": "a", "must_understand": "no"}),
        ] {
            assert!(Extension::parse(&value, "codecs").is_err(), "{value}");
        }
    }

    #[test]
    fn unknown_members_are_refused_by_name_unless_they_may_be_ignored() {
        let members = json!({"a": 1, "b": {"must_understand": false}});
        assert!(refuse_unknown_members(members.as_object().unwrap(), &["a"]).is_ok());
        for value in [json!(1), json!({"must_understand": true}), json!({}), json!(null)] {
            let members = json!({"a": 1, "surprise": value});
            let refusal = refuse_unknown_members(members.as_object().unwrap(), &["a"]).unwrap_err();
            assert!(refusal.at("x").to_string().contains("surprise"));
        }
    }
}
