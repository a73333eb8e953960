//! The suite that holds for every storage, over both engines and every mode.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lsio_io::conformance::{Capabilities, ConformanceHarness, ResidentReads, check};
use lsio_io::{
    IoMode, Key, ListDone, Read, ReadLimits, ReadTarget, Resident, Storage, StorageError,
    WriteStorage,
};
use lsio_uring::{LocalConfig, LocalEngine, LocalStorage};

use crate::harness::{Folder, choices};

/// Reads everything in one mode, whatever was asked for.
#[derive(Debug)]
struct InMode {
    inner: LocalStorage,
    mode: Option<IoMode>,
}

impl InMode {
    fn set(&self, mut read: Read) -> Read {
        read.mode = self.mode.unwrap_or(read.mode);
        read
    }
}

impl Storage for InMode {
    fn location(&self) -> &str {
        self.inner.location()
    }

    fn limits(&self) -> ReadLimits {
        self.inner.limits()
    }

    fn enough_in_flight(&self) -> u64 {
        self.inner.enough_in_flight()
    }

    fn submit(&self, batch: Vec<Read>) {
        self.inner.submit(batch.into_iter().map(|read| self.set(read)).collect());
    }

    fn try_read_resident(&self, read: Read) -> Resident {
        self.inner.try_read_resident(self.set(read))
    }

    fn try_read_resident_into(
        &self,
        read: &Read,
        len: u64,
        target: &mut dyn ReadTarget,
    ) -> Option<Duration> {
        let buffered = self.mode.is_none_or(|mode| mode == IoMode::Buffered);
        buffered.then(|| self.inner.try_read_resident_into(read, len, target)).flatten()
    }

    fn list(&self, prefix: &Key, done: ListDone) {
        self.inner.list(prefix, done);
    }
}

struct Harness {
    storage: Arc<InMode>,
    root: PathBuf,
}

impl ConformanceHarness for Harness {
    fn storage(&self) -> Arc<dyn Storage> {
        Arc::clone(&self.storage) as Arc<dyn Storage>
    }

    fn put(&self, key: &Key, bytes: &[u8]) -> Result<(), StorageError> {
        self.storage.inner.put(key, bytes)
    }

    fn remove(&self, key: &Key) -> Result<(), StorageError> {
        fs::remove_file(self.root.join(key.as_str()))
            .map_err(|error| StorageError::from_io("remove", key, error))
    }

    fn capabilities(&self) -> Capabilities {
        let resident = match self.storage.mode {
            Some(IoMode::Direct) => ResidentReads::Never,
            _ => ResidentReads::Sometimes,
        };
        Capabilities { has_directories: true, ..Capabilities::new(resident) }
    }
}

#[test]
fn both_engines_pass_the_suite_in_every_mode() {
    for choice in choices() {
        for mode in [None, Some(IoMode::Auto), Some(IoMode::Direct), Some(IoMode::Buffered)] {
            let folder = Folder::new();
            let engine = LocalEngine::new(choice, LocalConfig::default()).unwrap();
            let inner = LocalStorage::open(folder.path(), &engine).unwrap();
            let storage = Arc::new(InMode { inner, mode });
            let harness = Harness { storage, root: folder.path().to_owned() };
            assert_eq!(check(&harness), Ok(()), "{choice:?} {mode:?}");
        }
    }
}
