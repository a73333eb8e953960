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
        // One that was opened before its folder was there judges missing files differently.
        shared(&self.folders, path, open, LocalStorage::existed)
    }

    /// The storage of this archive (an absolute path) that is open, else a new one.
    pub(crate) fn archive<E>(
        &self,
        path: PathBuf,
        open: impl FnOnce() -> Result<ZipStorage, E>,
    ) -> Result<Arc<ZipStorage>, E> {
        shared(&self.archives, path, open, |_| true)
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

/// The storage of this path that is open, else a new one, which others are given from now on if it is `lasting`.
fn shared<S, E>(
    live: &Mutex<Live<PathBuf, Weak<S>>>,
    path: PathBuf,
    open: impl FnOnce() -> Result<S, E>,
    lasting: impl FnOnce(&S) -> bool,
) -> Result<Arc<S>, E> {
    let lock = || live.lock().unwrap_or_else(PoisonError::into_inner);
    let find = |live: &Live<PathBuf, Weak<S>>| live.0.get(&path)?.upgrade();
    if let Some(storage) = find(&lock()) {
        return Ok(storage);
    }
    // A slow directory, or a mount that does not answer, must not hold up those who open others.
    let storage = Arc::new(open()?);
    let mut live = lock();
    if let Some(first) = find(&live) {
        return Ok(first);
    }
    if lasting(&storage) {
        live.insert(path, Arc::downgrade(&storage), |storage| storage.strong_count() > 0);
    }
    Ok(storage)
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
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::path::Path;

    use lsio_uring::{EngineChoice, LocalConfig, LocalEngine};

    use super::*;

    #[test]
    fn dead_entries_do_not_pile_up() {
        let mut live = Live::<usize, bool>::default();
        for number in 0..10_000 {
            live.insert(number, number < 100, |alive| *alive);
        }
        assert!(live.0.len() <= 200 && (0..100).all(|number| live.0.contains_key(&number)));
    }

    #[test]
    fn a_folder_is_opened_without_holding_up_others_and_shared_with_who_was_sooner() {
        let engine = LocalEngine::new(EngineChoice::Pread, LocalConfig::default()).unwrap();
        let open = |path: &Path| LocalStorage::open(path, &engine);
        let nodes = OpenNodes::default();
        let here = std::env::current_dir().unwrap();
        let mut sooner = None;
        let later = nodes.folder(here.clone(), || {
            assert!(nodes.folders.try_lock().is_ok());
            sooner = Some(nodes.folder(here.clone(), || open(&here)).unwrap());
            open(&here)
        });
        assert!(Arc::ptr_eq(&later.unwrap(), &sooner.unwrap()));
    }
}
