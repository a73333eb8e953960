//! What can go wrong between a location and an opened Zarr node.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use lsio_io::StorageError;

/// A Zarr node that could not be opened, listed or written. Every variant names the path.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ZarrError {
    /// Neither an array nor a group is there.
    #[error("no Zarr array or group at '{path}': {looked_for}")]
    NotFound {
        /// Where it was looked for.
        path: String,
        /// Which documents would have made it one.
        looked_for: &'static str,
    },
    /// A metadata document says something impossible, or is not one.
    #[error("invalid Zarr metadata in '{path}': {reason}")]
    Metadata {
        /// The document.
        path: String,
        /// What was expected and what was found.
        reason: String,
        /// The parser's or the codec's own words.
        source: Option<Arc<dyn Error + Send + Sync>>,
    },
    /// A valid document that asks for something this library does not do.
    #[error("'{path}' cannot be read: {what} is not supported")]
    Unsupported {
        /// The document.
        path: String,
        /// What it asks for, by its name in the document.
        what: String,
    },
    /// The store failed.
    #[error("cannot access '{path}'")]
    Storage {
        /// The object.
        path: String,
        /// The store's own error.
        #[source]
        source: StorageError,
    },
    /// A group without consolidated metadata, in a store that has no listings or refuses them.
    #[error(
        "cannot list the group at '{path}': open its members by name, or give it consolidated metadata"
    )]
    Unlisted {
        /// The group.
        path: String,
        /// The store's own error.
        #[source]
        source: StorageError,
    },
    /// Data handed to a writer does not fit its array.
    #[error("cannot write '{path}': {reason}")]
    Write {
        /// The array.
        path: String,
        /// What was expected and what was given.
        reason: String,
        /// The codec's own words.
        source: Option<Arc<dyn Error + Send + Sync>>,
    },
}

/// Why a document is refused, before it is known which document it is.
#[derive(Debug, Clone)]
pub(crate) enum Refusal {
    /// It says something impossible.
    Invalid {
        /// What was expected and what was found.
        reason: String,
        /// The parser's or the codec's own words.
        source: Option<Arc<dyn Error + Send + Sync>>,
    },
    /// It asks for something unknown.
    Unsupported(String),
}

impl Refusal {
    /// An impossible document.
    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid { reason: reason.into(), source: None }
    }

    /// An impossible document, with the error that says so.
    pub(crate) fn caused(
        reason: impl Into<String>,
        source: impl Error + Send + Sync + 'static,
    ) -> Self {
        Self::Invalid { reason: reason.into(), source: Some(Arc::new(source)) }
    }

    /// A document that asks for something unknown.
    pub(crate) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported(what.into())
    }

    /// Names the document.
    pub(crate) fn at(self, path: impl fmt::Display) -> ZarrError {
        let path = path.to_string();
        match self {
            Self::Invalid { reason, source } => ZarrError::Metadata { path, reason, source },
            Self::Unsupported(what) => ZarrError::Unsupported { path, what },
        }
    }
}

/// `value` for a message: as JSON, cut where it gets long.
pub(crate) fn excerpt(value: &serde_json::Value) -> String {
    const LONGEST: usize = 80;
    let text = value.to_string();
    if text.chars().count() <= LONGEST {
        return text;
    }
    let mut cut: String = text.chars().take(LONGEST).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_at_a_character() {
        let value = serde_json::Value::String("é".repeat(500));
        assert_eq!(excerpt(&value).chars().count(), 81);
        assert_eq!(excerpt(&serde_json::json!({"a": 1})), r#"{"a":1}"#);
    }
}
