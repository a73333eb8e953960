//! A directory of files as a store of objects.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lsio_io::{
    Key, ListDone, Read, ReadLimits, ReadTarget, Resident, Storage, StorageError, WriteStorage,
};

use crate::LocalEngine;
use crate::listing::Listing;
use crate::owed_read::OwedRead;
use crate::policy::RoutePlan;
use crate::resident;
use crate::root::Root;
use crate::writing;

/// Ranges of one file with a gap up to this, in bytes, are read as one: cold, that is as fast as two reads or
/// faster, while 64 KiB more take longer than one more request (benches/findings.md, merge gaps).
const MERGE_GAP: u64 = 16 << 10;

/// Merging stops at this size, in bytes: several merged reads keep several devices and workers busy,
/// one huge read would not.
const MOST_MERGED: u64 = 8 << 20;

/// Bytes under way that keep a device busy, and then some: 2 MiB do while reads follow one another, but workers
/// decode in between. Twice as many cost a cold read of 0.5 GB a tenth of its speed, for the pages of new buffers
/// (benches/findings.md, how much to read ahead past the page cache).
const ENOUGH_IN_FLIGHT: u64 = 24 << 20;

/// The files below one directory.
///
/// A key is the path of a file below that directory, with symbolic links followed. "Does not exist"
/// is ENOENT on the key itself, while the directory is there (or was not there from the start). A
/// directory that vanished, a file used as a directory, a loop of symbolic links, a link that leads
/// nowhere and a directory read as an object are [`StorageError::Io`]; refused permission is
/// [`StorageError::Access`].
#[derive(Debug)]
pub struct LocalStorage {
    root: Arc<Root>,
    engine: Arc<LocalEngine>,
}

impl LocalStorage {
    /// The files below `root`, read by `engine`. The directory need not exist: then reads find
    /// nothing, and [`WriteStorage::put`] creates it.
    ///
    /// # Errors
    /// [`StorageError::Access`] and [`StorageError::Io`] if `root` cannot be looked at or is no
    /// directory.
    pub fn open(root: &Path, engine: &Arc<LocalEngine>) -> Result<Self, StorageError> {
        Ok(Self { root: Arc::new(Root::new(root)?), engine: Arc::clone(engine) })
    }

    /// Whether the directory was there when the storage was opened.
    #[must_use]
    pub fn existed(&self) -> bool {
        self.root.existed()
    }

    /// The engine that serves this storage.
    #[must_use]
    pub fn engine(&self) -> &Arc<LocalEngine> {
        &self.engine
    }
}

impl Storage for LocalStorage {
    fn location(&self) -> &str {
        self.root.location()
    }

    fn limits(&self) -> ReadLimits {
        // Reads of any length are split inside, into one buffer.
        ReadLimits { merge_gap: MERGE_GAP, max_merged: MOST_MERGED, max_request: u64::MAX }
    }

    fn enough_in_flight(&self) -> u64 {
        ENOUGH_IN_FLIGHT
    }

    fn submit(&self, batch: Vec<Read>) {
        let planned = batch.into_iter().map(|read| {
            let plan = match &read.begun {
                // Begun in the page cache, so it goes on there.
                Some(_) => RoutePlan::Buffered,
                None => self.engine.reader().plan(read.mode, read.request_bytes),
            };
            let counters = Arc::clone(&self.engine.reader().counters);
            (plan, OwedRead::new(read, Arc::clone(&self.root), counters, plan.route()))
        });
        match self.engine.start() {
            Ok(reader) => reader.submit(planned.collect()),
            Err(source) => {
                for (_, read) in planned {
                    let (key, source) = (read.key.clone(), Arc::clone(&source));
                    let error = StorageError::Io { operation: "start threads for", key, source };
                    read.answer(Err(error), Duration::ZERO);
                }
            }
        }
    }

    fn try_read_resident(&self, read: Read) -> Resident {
        let reader = self.engine.reader();
        if reader.plan(read.mode, read.request_bytes) == RoutePlan::Buffered {
            resident::try_read(reader, &self.root, read)
        } else {
            Resident::Miss(read)
        }
    }

    fn try_read_resident_into(
        &self,
        read: &Read,
        len: u64,
        target: &mut dyn ReadTarget,
    ) -> Option<Duration> {
        let reader = self.engine.reader();
        if reader.plan(read.mode, read.request_bytes) != RoutePlan::Buffered {
            return None;
        }
        resident::try_read_into(reader, &self.root, read, len, target)
    }

    fn folder_identity(&self, prefix: &Key) -> Option<u128> {
        self.root.folder_identity(prefix)
    }

    fn list(&self, prefix: &Key, done: ListDone) {
        let listing = Listing::new(Arc::clone(&self.root), prefix.clone(), done);
        match self.engine.start() {
            Ok(reader) => reader.list(listing),
            Err(source) => {
                let key = prefix.clone();
                let operation = "start threads for";
                listing.answer(Err(StorageError::Io { operation, key, source }));
            }
        }
    }
}

impl WriteStorage for LocalStorage {
    fn put(&self, key: &Key, bytes: &[u8]) -> Result<(), StorageError> {
        writing::put(&self.root, key, bytes, self.engine.config().durable_writes)
    }
}
