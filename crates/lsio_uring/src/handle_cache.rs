//! A bounded cache of open files, each with the version it was opened at.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use lsio_io::{Freshness, Key, StorageError};

use crate::locking::lock;
use crate::open_file::{OpenFile, identity_at};
use crate::stats::Counters;

/// Open files by path; the one that was not used for longest makes room.
#[derive(Debug)]
pub(crate) struct HandleCache {
    most: usize,
    handles: Mutex<Handles>,
    /// How many there are: where none is kept, nobody takes the lock to find that out. Whoever misses one
    /// that is being added opens the file himself.
    kept: AtomicUsize,
}

#[derive(Debug, Default)]
struct Handles {
    by_path: HashMap<PathBuf, Handle>,
    /// Counts uses; a higher number was used later.
    clock: u64,
}

#[derive(Debug)]
struct Handle {
    file: Arc<OpenFile>,
    used: u64,
}

/// A file that was looked for.
#[derive(Debug)]
pub(crate) struct FoundFile {
    pub(crate) file: Arc<OpenFile>,
    /// Whether it is in the cache.
    pub(crate) is_kept: bool,
}

impl FoundFile {
    /// The file, if it is the version of `key` that `freshness` wants.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] if it is not.
    pub(crate) fn of_version(
        self,
        key: &Key,
        freshness: &Freshness,
    ) -> Result<Arc<OpenFile>, StorageError> {
        match freshness {
            Freshness::Pinned(identity) if self.file.identity() != identity => {
                Err(StorageError::Conflict { key: key.clone() })
            }
            Freshness::Current | Freshness::Pinned(_) => Ok(self.file),
        }
    }
}

impl HandleCache {
    /// A cache of at most `most` files (at least one).
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.max(1), handles: Mutex::default(), kept: AtomicUsize::new(0) }
    }

    /// The file at `path`: the cached one if it is the version that `freshness` wants, else what `open`
    /// finds there, which may be another version and is not in the cache yet.
    ///
    /// The current version is looked for at the path first; a pinned one is known by its identity.
    ///
    /// # Errors
    /// What stat(2) and `open` say.
    pub(crate) fn find_or_open(
        &self,
        path: PathBuf,
        freshness: &Freshness,
        counters: &Counters,
        open: impl FnOnce(PathBuf) -> io::Result<OpenFile>,
    ) -> io::Result<FoundFile> {
        if let Some(file) = self.find(&path, freshness, counters)? {
            return Ok(FoundFile { file, is_kept: true });
        }
        Ok(FoundFile { file: Arc::new(open(path)?), is_kept: false })
    }

    /// The cached file at `path`, if it is the version that `freshness` wants.
    ///
    /// # Errors
    /// What stat(2) says.
    pub(crate) fn find(
        &self,
        path: &Path,
        freshness: &Freshness,
        counters: &Counters,
    ) -> io::Result<Option<Arc<OpenFile>>> {
        let Some(file) = self.lookup(path) else { return Ok(None) };
        let is_wanted = match freshness {
            Freshness::Current => identity_at(path)? == *file.identity(),
            Freshness::Pinned(identity) => file.identity() == identity,
        };
        counters.handle_hits.add(u64::from(is_wanted));
        Ok(is_wanted.then_some(file))
    }

    fn lookup(&self, path: &Path) -> Option<Arc<OpenFile>> {
        if self.kept.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut handles = lock(&self.handles);
        handles.clock += 1;
        let now = handles.clock;
        let handle = handles.by_path.get_mut(path)?;
        handle.used = now;
        Some(Arc::clone(&handle.file))
    }

    /// Keeps `file` open, as the one that its path leads to.
    pub(crate) fn keep(&self, file: &Arc<OpenFile>) {
        let file = Arc::clone(file);
        let mut handles = lock(&self.handles);
        handles.clock += 1;
        let used = handles.clock;
        let replaced = handles.by_path.insert(file.path().to_owned(), Handle { file, used });
        // Looking at a few hundred entries costs less than the open that made it necessary.
        let evicted = (handles.by_path.len() > self.most)
            .then(|| handles.by_path.iter().min_by_key(|(_, handle)| handle.used))
            .flatten()
            .map(|(path, _)| path.clone())
            .and_then(|path| handles.by_path.remove(&path));
        self.kept.store(handles.by_path.len(), Ordering::Relaxed);
        // Files are closed outside the lock.
        drop(handles);
        drop((replaced, evicted));
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        lock(&self.handles).by_path.len()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::open_file::Access;

    #[test]
    fn the_least_recently_used_file_makes_room() {
        let folder = std::env::temp_dir().join(format!("lsio-handles-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let paths: Vec<_> = (0..3).map(|number| folder.join(number.to_string())).collect();
        let (cache, counters) = (HandleCache::new(2), Counters::default());
        let open = |path: &PathBuf| {
            let opener = |path| OpenFile::open(path, Access::Buffered, &counters);
            let found =
                cache.find_or_open(path.clone(), &Freshness::Current, &counters, opener).unwrap();
            if !found.is_kept {
                cache.keep(&found.file);
            }
        };
        for path in &paths {
            std::fs::write(path, b"bytes").unwrap();
        }
        open(&paths[0]);
        open(&paths[1]);
        open(&paths[0]);
        open(&paths[2]);
        assert_eq!(cache.len(), 2);
        open(&paths[0]);
        assert_eq!((counters.opens.get(), counters.handle_hits.get()), (3, 2));
        open(&paths[1]);
        assert_eq!((counters.opens.get(), cache.len()), (4, 2));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
