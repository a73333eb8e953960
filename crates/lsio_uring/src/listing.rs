//! Listing a directory.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use lsio_io::{Entry, Key, ListDone, StorageError};

use crate::root::Root;
use crate::stats::Counters;

/// A listing that is owed. Dropping it unanswered reports the end of the storage.
pub(crate) struct Listing {
    root: Arc<Root>,
    prefix: Key,
    done: Option<ListDone>,
}

impl Listing {
    pub(crate) fn new(root: Arc<Root>, prefix: Key, done: ListDone) -> Self {
        Self { root, prefix, done: Some(done) }
    }

    /// Lists and answers.
    pub(crate) fn serve(self, counters: &Counters) {
        let result = list(&self.root, &self.prefix, counters);
        self.answer(result);
    }

    /// Answers with `result`.
    pub(crate) fn answer(mut self, result: Result<Vec<Entry>, StorageError>) {
        if let Some(done) = self.done.take() {
            done(result);
        }
    }
}

impl Drop for Listing {
    fn drop(&mut self) {
        if let Some(done) = self.done.take() {
            done(Err(self.root.closed()));
        }
    }
}

impl fmt::Debug for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listing").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// The direct members of the directory `prefix`, sorted by name.
///
/// Symbolic links count as what they lead to; one that leads nowhere is listed as an object of its own
/// length, so that whoever reads it is told what is wrong. Names that no [`Key`] can hold (not UTF-8,
/// or with a backslash) are left out and counted: nothing could ever read them through a store, and no
/// array format has such names.
fn list(root: &Root, prefix: &Key, counters: &Counters) -> Result<Vec<Entry>, StorageError> {
    let path = root.path(prefix);
    let failed = |error| root.error("list", prefix, error);
    let mut entries = Vec::new();
    for member in fs::read_dir(&path).map_err(failed)? {
        let member = member.map_err(failed)?;
        let name = member.file_name();
        let Some(name) = name.to_str().filter(|name| prefix.join(name).is_ok()) else {
            counters.names_skipped.add(1);
            continue;
        };
        if let Some(entry) = entry(&member.path(), name).map_err(failed)? {
            entries.push(entry);
        }
    }
    entries.sort_by(|one, other| name_of(one).cmp(name_of(other)));
    Ok(entries)
}

/// What the member at `path` is; `None` if it has gone since the directory was read.
fn entry(path: &Path, name: &str) -> io::Result<Option<Entry>> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(_) => match fs::symlink_metadata(path) {
            Ok(link) => link,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        },
    };
    Ok(Some(if metadata.is_dir() {
        Entry::Prefix(name.to_owned())
    } else {
        Entry::Object(name.to_owned(), metadata.len())
    }))
}

fn name_of(entry: &Entry) -> &str {
    match entry {
        Entry::Object(name, _) | Entry::Prefix(name) => name,
    }
}
