//! Listings: the direct members below a prefix.

use std::sync::Arc;

use lsio_io::{Entry, Key, ListDone, StorageError};
use object_store::path::Path;
use object_store::{ListResult, ObjectMeta};

/// The direct members below `prefix`, sorted by name, out of what the store listed.
pub(crate) fn members(prefix: &Path, listed: &ListResult) -> Vec<Entry> {
    let name_of = |path: &Path| {
        let below = path.as_ref().strip_prefix(prefix.as_ref())?;
        let name = if prefix.is_root() { below } else { below.strip_prefix('/')? };
        (!name.is_empty() && !name.contains('/')).then(|| name.to_owned())
    };
    let object = |meta: &ObjectMeta| Some(Entry::Object(name_of(&meta.location)?, meta.size));
    let folders =
        listed.common_prefixes.iter().filter_map(|path| Some(Entry::Prefix(name_of(path)?)));
    let mut members: Vec<Entry> = listed.objects.iter().filter_map(object).chain(folders).collect();
    members.sort_by(|a, b| (a.name(), a).cmp(&(b.name(), b)));
    members.dedup();
    members
}

/// The path of a key below the path of a store.
///
/// # Errors
/// What of it no store can hold.
pub(crate) fn path_of(base: &Path, key: &Key) -> Result<Path, object_store::path::Error> {
    match (base.is_root(), key.is_root()) {
        (true, _) => Path::parse(key.as_str()),
        (false, true) => Ok(base.clone()),
        (false, false) => Path::parse(format!("{base}/{key}")),
    }
}

/// A listing whose end is still owed. Dropping it says that the store was closed.
pub(crate) struct OwedListing {
    done: Option<ListDone>,
    location: Arc<str>,
}

impl OwedListing {
    pub(crate) fn new(done: ListDone, location: Arc<str>) -> Self {
        Self { done: Some(done), location }
    }

    pub(crate) fn answer(mut self, result: Result<Vec<Entry>, StorageError>) {
        if let Some(done) = self.done.take() {
            done(result);
        }
    }
}

impl Drop for OwedListing {
    fn drop(&mut self) {
        if let Some(done) = self.done.take() {
            done(Err(StorageError::Closed { location: self.location.to_string() }));
        }
    }
}
