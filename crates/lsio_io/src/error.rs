//! What can go wrong between a storage and its caller, told apart by what the caller can do.

use std::io;
use std::sync::Arc;

use crate::Key;

/// A failed storage operation.
///
/// It is `Clone` because one physical read may feed many chunks, each of which reports it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StorageError {
    /// The store says that the object itself does not exist (ENOENT, 404). Never used for any other
    /// failure: a missing chunk becomes fill values.
    #[error("'{key}' does not exist")]
    NotFound {
        /// The object.
        key: Key,
    },
    /// The store itself does not exist: no bucket or container has its name. Never taken for a missing object.
    #[error("the store at {location} does not exist")]
    NoStore {
        /// Where the store was looked for.
        location: String,
    },
    /// The store refused access (EACCES, EPERM, 401, 403).
    #[error("access to '{key}' was refused")]
    Access {
        /// The object.
        key: Key,
        /// The store's own words.
        source: Arc<io::Error>,
    },
    /// Any other failure of the store.
    #[error("could not {operation} '{key}'")]
    Io {
        /// What was being done: `open`, `read`, `list`, ...
        operation: &'static str,
        /// The object.
        key: Key,
        /// The store's own words.
        source: Arc<io::Error>,
    },
    /// The object ends before the range that was asked for.
    #[error("'{key}' ends at byte {actual} but byte {expected} was asked for")]
    Truncated {
        /// The object.
        key: Key,
        /// End of the range that was asked for, in bytes.
        expected: u64,
        /// Length of the object, in bytes.
        actual: u64,
    },
    /// The object is not the one that was read before: it was replaced or changed meanwhile.
    #[error("'{key}' was changed while it was being read")]
    Conflict {
        /// The object.
        key: Key,
    },
    /// The object is longer than the read's reservation. The caller may try again with `len`.
    #[error("'{key}' has {len} bytes, more than the {reserved} bytes reserved for reading it")]
    TooLong {
        /// The object.
        key: Key,
        /// Bytes that the read needs.
        len: u64,
        /// Bytes that were reserved.
        reserved: u64,
    },
    /// A name that would leave the store's root, or that no store can hold.
    #[error("'{name}' is not a valid object name: {reason}")]
    InvalidKey {
        /// The name as it was given.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The store cannot do this at all.
    #[error("{location} does not support {operation}")]
    Unsupported {
        /// Where the store is.
        location: String,
        /// What was asked.
        operation: &'static str,
    },
    /// The read was cancelled before it was submitted.
    #[error("the read of '{key}' was cancelled")]
    Cancelled {
        /// The object.
        key: Key,
    },
    /// The storage has been shut down.
    #[error("the storage at {location} is closed")]
    Closed {
        /// Where the store was.
        location: String,
    },
}

impl StorageError {
    /// Folds an operating system error into the variant that says what a caller can do about it.
    #[must_use]
    pub fn from_io(operation: &'static str, key: &Key, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound { key: key.clone() },
            io::ErrorKind::PermissionDenied => {
                Self::Access { key: key.clone(), source: Arc::new(source) }
            }
            _ => Self::Io { operation, key: key.clone(), source: Arc::new(source) },
        }
    }
}
