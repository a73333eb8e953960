//! Writing a whole object: a temporary file beside it, then a rename.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use lsio_io::{Key, StorageError};

use crate::root::Root;

/// Writes `bytes` as the object `key`. If `durable`, they have reached the device when this returns.
///
/// # Errors
/// As [`Root::error`]. Nothing but directories is left behind then.
pub(crate) fn put(root: &Root, key: &Key, bytes: &[u8], durable: bool) -> Result<(), StorageError> {
    try_put(&root.path(key), key, bytes, durable).map_err(|error| match error.kind() {
        // "Absent" is an answer to reading, not to writing.
        io::ErrorKind::NotFound => StorageError::Io {
            operation: "write",
            key: key.clone(),
            source: std::sync::Arc::new(error),
        },
        _ => root.error("write", key, error),
    })
}

fn try_put(path: &Path, key: &Key, bytes: &[u8], durable: bool) -> io::Result<()> {
    let Some(folder) = path.parent().filter(|_| !key.is_root()) else {
        return Err(io::Error::from_raw_os_error(libc::EISDIR));
    };
    fs::create_dir_all(folder)?;
    let (mut file, mut temporary) = Temporary::create(folder)?;
    file.write_all(bytes)?;
    if durable {
        file.sync_all()?;
    }
    drop(file);
    fs::rename(&temporary.path, path)?;
    temporary.renamed = true;
    if durable {
        // The new name is durable only when its directory is.
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// A file that is removed unless it gets its real name.
struct Temporary {
    path: PathBuf,
    renamed: bool,
}

impl Temporary {
    fn create(folder: &Path) -> io::Result<(File, Self)> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!(".lsio-{}-{number}.tmp", process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((file, Self { path, renamed: false })),
                // Left behind by a process of the same number that was killed.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            // The error that led here is the one to report.
            fs::remove_file(&self.path).unwrap_or_default();
        }
    }
}
