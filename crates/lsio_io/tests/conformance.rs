//! The in-memory storage and the fault wrapper keep the contract of every storage.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use lsio_io::conformance::{Capabilities, ConformanceHarness, ResidentReads, check};
use lsio_io::{
    Fault, FaultStorage, Key, MemoryStorage, Reads, Storage, StorageError, WriteStorage,
};

struct Harness {
    objects: Arc<MemoryStorage>,
    storage: Arc<dyn Storage>,
    resident: ResidentReads,
}

impl ConformanceHarness for Harness {
    fn storage(&self) -> Arc<dyn Storage> {
        Arc::clone(&self.storage)
    }

    fn put(&self, key: &Key, bytes: &[u8]) -> Result<(), StorageError> {
        self.objects.put(key, bytes)
    }

    fn remove(&self, key: &Key) -> Result<(), StorageError> {
        assert!(self.objects.remove(key));
        Ok(())
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(self.resident)
    }
}

fn wrapped(set_up: impl FnOnce(&FaultStorage)) -> Harness {
    let objects = Arc::new(MemoryStorage::new());
    let storage = FaultStorage::new(Arc::clone(&objects) as Arc<dyn Storage>, 1);
    set_up(&storage);
    Harness { objects, storage: Arc::new(storage), resident: ResidentReads::Sometimes }
}

#[test]
fn the_in_memory_storage_conforms() {
    let objects = Arc::new(MemoryStorage::new());
    let storage = Arc::clone(&objects) as Arc<dyn Storage>;
    check(&Harness { objects, storage, resident: ResidentReads::Always }).unwrap();
}

#[test]
fn the_fault_wrapper_conforms_while_it_injects_nothing() {
    let harness = Harness { resident: ResidentReads::Always, ..wrapped(|_| {}) };
    check(&harness).unwrap();
}

#[test]
fn the_fault_wrapper_conforms_while_it_reorders_and_delays() {
    let harness = wrapped(|faults| {
        faults.reorder(8);
        faults.allow_resident(false);
        faults.inject(Reads::Nth(5), 1, Fault::Delay(100));
        faults.inject(Reads::All, u64::MAX, Fault::Delay(2));
    });
    check(&Harness { resident: ResidentReads::Never, ..harness }).unwrap();
}

#[test]
fn the_suite_finds_what_the_fault_wrapper_does() {
    let spoiled = |fault: Fault| check(&wrapped(|faults| faults.inject(Reads::All, 1, fault)));
    for fault in [
        Fault::Truncate(1),
        Fault::FlipBit(100),
        Fault::Conflict,
        Fault::Fail(StorageError::Closed { location: String::new() }),
    ] {
        let found = spoiled(fault.clone());
        assert!(found.is_err_and(|text| text.starts_with("ranges:")), "{fault:?}");
    }
}
