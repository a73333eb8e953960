//! A store in memory: for tests, for `memory://` locations and as a cache in front of nothing.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use crate::{
    Completion, Entry, Freshness, Identity, Key, ListDone, Read, ReadAnswer, ReadLimits,
    ReadTarget, Requests, Resident, Route, Storage, StorageError, WriteStorage,
};

/// Objects in memory. Reads are answered on the calling thread, before [`Storage::submit`] returns.
///
/// The stored objects themselves are beside the budget; what is read is copied into a leased buffer,
/// as with any other storage.
#[derive(Debug)]
pub struct MemoryStorage {
    location: String,
    limits: ReadLimits,
    objects: RwLock<Objects>,
}

#[derive(Debug, Default)]
struct Objects {
    by_key: BTreeMap<Key, Object>,
    writes: u64,
}

#[derive(Debug, Clone)]
struct Object {
    bytes: Arc<[u8]>,
    version: u64,
}

impl Default for MemoryStorage {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStorage {
    /// Copying a gap costs about as much as a second read: a page is a fair price for one read less.
    const LIMITS: ReadLimits =
        ReadLimits { merge_gap: 4 << 10, max_merged: 4 << 20, max_request: u64::MAX };

    /// An empty store at `memory://`.
    #[must_use]
    pub fn new() -> Self {
        Self::at("memory://")
    }

    /// An empty store with this location in its messages.
    #[must_use]
    pub fn at(location: &str) -> Self {
        Self {
            location: location.to_owned(),
            limits: Self::LIMITS,
            objects: RwLock::new(Objects::default()),
        }
    }

    /// The same store with other wishes for the read planner.
    #[must_use]
    pub fn with_limits(mut self, limits: ReadLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Removes an object. Returns whether there was one.
    pub fn remove(&self, key: &Key) -> bool {
        self.objects_mut().by_key.remove(key).is_some()
    }

    fn objects(&self) -> RwLockReadGuard<'_, Objects> {
        self.objects.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn objects_mut(&self) -> RwLockWriteGuard<'_, Objects> {
        self.objects.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The object that a read wants, in the version that it accepts.
    fn version(&self, read: &Read) -> Result<(Object, Identity), StorageError> {
        if read.cancel.is_cancelled() {
            return Err(StorageError::Cancelled { key: read.key.clone() });
        }
        let object = self.objects().by_key.get(&read.key).cloned();
        let identity = object.as_ref().map(|object| Identity::Version(object.version));
        if let Freshness::Pinned(pinned) = &read.freshness
            && identity.as_ref() != Some(pinned)
        {
            return Err(StorageError::Conflict { key: read.key.clone() });
        }
        object.zip(identity).ok_or_else(|| StorageError::NotFound { key: read.key.clone() })
    }

    fn answer(&self, read: &mut Read) -> Result<ReadAnswer, StorageError> {
        let (Object { bytes, .. }, identity) = self.version(read)?;
        let object_len = bytes.len() as u64;
        let (offset, len) = read.range.resolve(&read.key, object_len)?;
        let mut lease = read.lease(len)?;
        let start = offset as usize;
        lease.copy_from_slice(&bytes[start..start + len as usize]);
        Ok(ReadAnswer { bytes: lease.freeze(), object_len, identity })
    }
}

impl Storage for MemoryStorage {
    fn location(&self) -> &str {
        &self.location
    }

    fn limits(&self) -> ReadLimits {
        self.limits
    }

    fn submit(&self, batch: Vec<Read>) {
        for mut read in batch {
            let start = Instant::now();
            let result = self.answer(&mut read);
            read.complete(result, Route::Memory, start.elapsed());
        }
    }

    fn try_read_resident(&self, mut read: Read) -> Resident {
        let start = Instant::now();
        let result = self.answer(&mut read);
        let elapsed = start.elapsed();
        let (tag, route, requests) = (read.tag, Route::Memory, Requests::default());
        Resident::Hit(Completion { tag, result, route, elapsed, requests })
    }

    fn try_read_resident_into(
        &self,
        read: &Read,
        len: u64,
        target: &mut dyn ReadTarget,
    ) -> Option<Duration> {
        let start = Instant::now();
        let (Object { bytes, .. }, _) = self.version(read).ok()?;
        let (offset, has) = read.range.resolve(&read.key, bytes.len() as u64).ok()?;
        if has != len {
            return None;
        }
        let mut rest = &bytes[offset as usize..(offset + len) as usize];
        while !rest.is_empty() {
            let room = target.room();
            let (next, behind) = rest.split_at_checked(room.len()).filter(|it| !it.0.is_empty())?;
            room.copy_from_slice(next);
            target.filled();
            rest = behind;
        }
        Some(start.elapsed())
    }

    fn list(&self, prefix: &Key, done: ListDone) {
        let mut entries: Vec<Entry> = self
            .objects()
            .by_key
            .range((Bound::Excluded(prefix), Bound::Unbounded))
            // Keys such as "a-b" lie between "a" and "a/b": passed over, not the end.
            .take_while(|(key, _)| key.as_str().starts_with(prefix.as_str()))
            .filter_map(|(key, object)| {
                let below = key.as_str().strip_prefix(prefix.as_str())?;
                let name = if prefix.is_root() { below } else { below.strip_prefix('/')? };
                Some(match name.split_once('/') {
                    Some((folder, _)) => Entry::Prefix(folder.to_owned()),
                    None => Entry::Object(name.to_owned(), object.bytes.len() as u64),
                })
            })
            .collect();
        entries.sort_by(|a, b| (a.name(), a).cmp(&(b.name(), b)));
        entries.dedup();
        done(Ok(entries));
    }
}

impl WriteStorage for MemoryStorage {
    fn put(&self, key: &Key, bytes: &[u8]) -> Result<(), StorageError> {
        if key.is_root() {
            let reason = "it names the root of the store";
            return Err(StorageError::InvalidKey { name: String::new(), reason });
        }
        let bytes = Arc::from(bytes);
        let mut objects = self.objects_mut();
        objects.writes += 1;
        let version = objects.writes;
        objects.by_key.insert(key.clone(), Object { bytes, version });
        Ok(())
    }
}
