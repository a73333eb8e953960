//! What can go wrong when an archive is opened.

use std::borrow::Cow;

use lsio_io::{Key, StorageError};

/// Why an object cannot be opened as an archive.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ZipError {
    /// The storage below failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The object is no zip archive, or one that was cut off or damaged.
    #[error("'{key}' is not a zip archive: {reason}")]
    Invalid {
        /// The object.
        key: Key,
        /// What is wrong with it.
        reason: Cow<'static, str>,
    },
}
