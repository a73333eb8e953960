//! The directory that is a store's root: paths of keys, and what an error on them means.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lsio_io::{Key, StorageError};

/// A directory whose files are the objects of a store.
#[derive(Debug)]
pub(crate) struct Root {
    path: PathBuf,
    location: String,
    /// Whether the directory was there when the store was opened. If it was and is not any more, a
    /// missing file says nothing about the object.
    existed: bool,
}

impl Root {
    /// Looks at the directory. It need not exist.
    ///
    /// # Errors
    /// [`StorageError`] if it cannot be looked at, or is something else than a directory.
    pub(crate) fn new(path: &Path) -> Result<Self, StorageError> {
        let failed = |error| StorageError::from_io("open", &Key::root(), error);
        // Made absolute once, so that a later change of the working directory changes nothing here.
        let path = std::path::absolute(path).map_err(failed)?;
        let existed = match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => true,
            Ok(_) => return Err(failed(io::ErrorKind::NotADirectory.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(failed(error)),
        };
        let location = path.display().to_string();
        Ok(Self { path, location, existed })
    }

    /// Whether the directory was there when this was made.
    pub(crate) fn existed(&self) -> bool {
        self.existed
    }

    /// The directory, as text for people.
    pub(crate) fn location(&self) -> &str {
        &self.location
    }

    /// The file behind `key`. A [`Key`] has no `..`, so it is below the root; symbolic links that the
    /// owner made are followed.
    pub(crate) fn path(&self, key: &Key) -> PathBuf {
        let key = if key.is_root() { "" } else { key.as_str() };
        // In one allocation: this is on the way of every read.
        let mut path = PathBuf::with_capacity(self.path.as_os_str().len() + 1 + key.len());
        path.push(&self.path);
        if !key.is_empty() {
            path.push(key);
        }
        path
    }

    /// Device and inode of the folder behind `key`.
    pub(crate) fn folder_identity(&self, key: &Key) -> Option<u128> {
        let metadata = fs::metadata(self.path(key)).ok().filter(fs::Metadata::is_dir)?;
        Some(u128::from(metadata.dev()) << 64 | u128::from(metadata.ino()))
    }

    /// What the failed `operation` on `key` means to a caller.
    ///
    /// [`StorageError::NotFound`] is kept for objects that are absent for sure: not for a root that
    /// has vanished, and not for a symbolic link whose target is gone.
    pub(crate) fn error(
        &self,
        operation: &'static str,
        key: &Key,
        error: io::Error,
    ) -> StorageError {
        if error.kind() == io::ErrorKind::NotFound {
            let root_vanished = self.existed && !self.path.is_dir();
            let dangling = fs::symlink_metadata(self.path(key)).is_ok_and(|it| it.is_symlink());
            if root_vanished || dangling {
                return StorageError::Io { operation, key: key.clone(), source: Arc::new(error) };
            }
        }
        StorageError::from_io(operation, key, error)
    }

    /// The answer to whatever is asked after the end.
    pub(crate) fn closed(&self) -> StorageError {
        StorageError::Closed { location: self.location.clone() }
    }
}
