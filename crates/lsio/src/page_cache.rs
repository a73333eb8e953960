//! Takes files out of the page cache, so that the next read of them is a cold one.

use std::fs::{File, read_dir};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Advice, fadvise};

use crate::{Engine, LsioError};
use lsio_io::{Key, StorageError};

impl Engine {
    /// Writes all files below `directory` to their device and drops them from the page cache. `done`
    /// is called once, on a thread of the engine.
    pub fn drop_cache(
        self: &Arc<Self>,
        directory: &Path,
        done: impl FnOnce(Result<(), LsioError>) + Send + 'static,
    ) {
        let directory = directory.to_owned();
        self.control.run(move || {
            done(drop_files(directory.clone()).map_err(|error| {
                let error = StorageError::from_io("drop from the page cache", &Key::root(), error);
                LsioError::from(error).at(directory.display().to_string())
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
                let file = File::open(entry.path())?;
                file.sync_data()?;
                // A length of zero is up to the end of the file.
                fadvise(&file, 0, None, Advice::DontNeed)?;
            }
        }
    }
    Ok(())
}
