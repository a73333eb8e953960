//! The storage over an object store keeps the contract of every storage.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use lsio_io::conformance::{Capabilities, ConformanceHarness, ResidentReads, check};
use lsio_io::{Key, Storage, StorageError};
use lsio_object_store_bridge::{Host, HostLimits, Network, ObjectStorage};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

struct Harness {
    store: Arc<InMemory>,
    base: Path,
    storage: Arc<dyn Storage>,
    runtime: tokio::runtime::Runtime,
}

impl Harness {
    fn new(base: &str, limits: HostLimits) -> Self {
        let store = Arc::new(InMemory::new());
        let base = Path::from(base);
        let network = Network::new();
        let host = Host::new(limits);
        let objects = store.clone() as Arc<dyn ObjectStore>;
        let storage = ObjectStorage::new("in memory", objects, base.clone(), &host, &network);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self { store, base, storage: Arc::new(storage), runtime }
    }

    fn path(&self, key: &Key) -> Path {
        Path::parse(format!("{}/{key}", self.base)).unwrap()
    }
}

impl ConformanceHarness for Harness {
    fn storage(&self) -> Arc<dyn Storage> {
        self.storage.clone()
    }

    fn put(&self, key: &Key, bytes: &[u8]) -> Result<(), StorageError> {
        let payload = PutPayload::from(bytes.to_vec());
        self.runtime.block_on(self.store.put(&self.path(key), payload)).unwrap();
        Ok(())
    }

    fn remove(&self, key: &Key) -> Result<(), StorageError> {
        self.runtime.block_on(self.store.delete(&self.path(key))).unwrap();
        Ok(())
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(ResidentReads::Never)
    }
}

#[test]
fn a_store_below_a_path_conforms() {
    check(&Harness::new("some/base", HostLimits::default())).unwrap();
}

#[test]
fn a_whole_bucket_conforms() {
    check(&Harness::new("", HostLimits::default())).unwrap();
}

#[test]
fn one_request_at_a_time_conforms() {
    let limits = HostLimits { most_requests: 1, ..HostLimits::default() };
    check(&Harness::new("", limits)).unwrap();
}
