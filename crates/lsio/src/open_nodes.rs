//! What is open now: opened again, it is the same storage and the same source, so that reads of both
//! share what they learn and decode.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use lsio_compute::SourceHandle;
use lsio_io::{Key, StorageError};
use lsio_uring::LocalStorage;
use lsio_zarr::ZarrArray;
use lsio_zip::ZipStorage;

/// An array and its executor's handle. The handle keeps the array alive.
type Source = (Weak<ZarrArray>, Weak<SourceHandle>);

/// Storages and arrays that somebody still uses. Stores are told apart by their address, which nobody
/// else has while an array in them is alive.
#[derive(Debug, Default)]
pub(crate) struct OpenNodes {
    folders: Mutex<Live<PathBuf, Weak<LocalStorage>>>,
    archives: Mutex<Live<PathBuf, Weak<ZipStorage>>>,
    arrays: Mutex<Live<(usize, Key), Source>>,
}

impl OpenNodes {
    /// The storage of this folder (an absolute path) that is open, else a new one.
    pub(crate) fn folder(
        &self,
        path: PathBuf,
        open: impl FnOnce() -> Result<LocalStorage, StorageError>,
    ) -> Result<Arc<LocalStorage>, StorageError> {
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(storage) = folders.0.get(&path).and_then(Weak::upgrade) {
            return Ok(storage);
        }
        let storage = Arc::new(open()?);
        // One that was opened before its folder was there judges missing files differently.
        if storage.existed() {
            let alive = |storage: &Weak<LocalStorage>| storage.strong_count() > 0;
            folders.insert(path, Arc::downgrade(&storage), alive);
        }
        Ok(storage)
    }

    /// The storage of this archive (an absolute path) that is open, else a new one.
    pub(crate) fn archive<E>(
        &self,
        path: PathBuf,
        open: impl FnOnce() -> Result<ZipStorage, E>,
    ) -> Result<Arc<ZipStorage>, E> {
        let find = |archives: &Live<PathBuf, Weak<ZipStorage>>| archives.0.get(&path)?.upgrade();
        if let Some(storage) = find(&self.archives.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(storage);
        }
        // Its directory may take long to read: others open theirs meanwhile.
        let storage = Arc::new(open()?);
        let mut archives = self.archives.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = find(&archives) {
            return Ok(first);
        }
        archives.insert(path, Arc::downgrade(&storage), |storage| storage.strong_count() > 0);
        Ok(storage)
    }

    /// The same array, if it is open with the same metadata and codecs; else `array` and the handle that `register`
    /// makes for it.
    pub(crate) fn array(
        &self,
        array: Arc<ZarrArray>,
        register: impl FnOnce(Arc<ZarrArray>) -> Option<Arc<SourceHandle>>,
    ) -> Option<(Arc<ZarrArray>, Arc<SourceHandle>)> {
        let store = Arc::as_ptr(array.storage()).cast::<()>() as usize;
        let key = (store, array.path().clone());
        let mut arrays = self.arrays.lock().unwrap_or_else(PoisonError::into_inner);
        let open = arrays.0.get(&key);
        let open = open.and_then(|(array, handle)| Some((array.upgrade()?, handle.upgrade()?)));
        if let Some((same, handle)) = open.filter(|(open, _)| open.is_made_like(&array)) {
            return Some((same, handle));
        }
        let handle = register(array.clone())?;
        let source = (Arc::downgrade(&array), Arc::downgrade(&handle));
        arrays.insert(key, source, |(_, handle)| handle.strong_count() > 0);
        Some((array, handle))
    }
}

/// Entries of which some have died; these are dropped when the map has grown to twice what was alive.
#[derive(Debug)]
struct Live<K, V>(HashMap<K, V>, usize);

/// Entries below which the dead are not looked for.
const FEW: usize = 64;

impl<K, V> Default for Live<K, V> {
    fn default() -> Self {
        Self(HashMap::new(), FEW)
    }
}

impl<K: std::hash::Hash + Eq, V> Live<K, V> {
    fn insert(&mut self, key: K, value: V, alive: impl Fn(&V) -> bool) {
        if self.0.len() >= self.1 {
            self.0.retain(|_, value| alive(value));
            self.1 = (2 * self.0.len()).max(FEW);
        }
        self.0.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_entries_do_not_pile_up() {
        let mut live = Live::<usize, bool>::default();
        for number in 0..10_000 {
            live.insert(number, number < 100, |alive| *alive);
        }
        assert!(live.0.len() <= 200 && (0..100).all(|number| live.0.contains_key(&number)));
    }
}
