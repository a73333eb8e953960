//! Takes files out of the page cache, so that the next read of them is a cold one.

use std::fs::{File, read_dir};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Advice, fadvise};

use crate::location::archive_in;
use crate::{Engine, LsioError};
use lsio_io::{Key, StorageError};

impl Engine {
    /// Writes all files below the folder `path` to their device and drops them from the page cache; for a path in a zip
    /// archive, the archive. `done` is called once, on a thread of the engine.
    pub fn drop_cache(
        self: &Arc<Self>,
        path: &Path,
        done: impl FnOnce(Result<(), LsioError>) + Send + 'static,
    ) {
        // Without a slash at the end, which a file cannot have.
        let path: PathBuf = path.components().collect();
        self.control.run(move || {
            let dropped = match archive_in(&path) {
                Some((archive, _)) => drop_file(archive),
                None => drop_files(path.clone()),
            };
            done(dropped.map_err(|error| {
                let error = StorageError::from_io("drop from the page cache", &Key::root(), error);
                LsioError::from(error).at(path.display().to_string())
            }));
        });
    }
}

fn drop_files(directory: PathBuf) -> io::Result<()> {
    let mut folders = vec![directory];
    while let Some(folder) = folders.pop() {
        for entry in read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                drop_file(&entry.path())?;
            }
        }
    }
    Ok(())
}

fn drop_file(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    file.sync_data()?;
    // A length of zero is up to the end of the file.
    fadvise(&file, 0, None, Advice::DontNeed)?;
    Ok(())
}
