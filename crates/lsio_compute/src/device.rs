//! Devices and hosts that runs read from, each with what is under way there: one that does not answer keeps nobody
//! from reading from the others.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use lsio_io::Storage;
use smallvec::SmallVec;

use crate::SourceHandle;

/// Those that a run reads from: nearly always one.
pub(crate) type RunDevices = SmallVec<[Arc<Device>; 1]>;

/// What answers the reads of one or more storages.
#[derive(Debug)]
pub(crate) struct Device {
    /// As [`Storage::device`] has it.
    number: usize,
    /// Reads that were submitted and have not ended, by their weight.
    outstanding: AtomicUsize,
}

impl Device {
    pub(crate) fn submitted(&self, weight: usize) {
        self.outstanding.fetch_add(weight, Ordering::Relaxed);
    }

    pub(crate) fn ended(&self, weight: usize) {
        self.outstanding.fetch_sub(weight, Ordering::Relaxed);
    }

    pub(crate) fn outstanding(&self) -> usize {
        self.outstanding.load(Ordering::Relaxed)
    }
}

/// The devices that runs which have not ended read from.
#[derive(Debug, Default)]
pub(crate) struct Devices(RwLock<Vec<Arc<Device>>>);

impl Devices {
    /// Those that these sources read from.
    pub(crate) fn of(&self, sources: &[Arc<SourceHandle>]) -> RunDevices {
        let mut found = RunDevices::new();
        let mut devices = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Only runs have others.
        devices.retain(|device| Arc::strong_count(device) > 1);
        for storage in sources.iter().flat_map(|handle| handle.source().stores()) {
            let number = storage.device();
            if found.iter().any(|device| device.number == number) {
                continue;
            }
            let known = devices.iter().find(|device| device.number == number);
            found.push(known.cloned().unwrap_or_else(|| {
                let device = Arc::new(Device { number, outstanding: AtomicUsize::new(0) });
                devices.push(device.clone());
                device
            }));
        }
        found
    }

    /// Whether one of them, which a run still has, has less under way than `limit`.
    pub(crate) fn any_below(&self, limit: usize) -> bool {
        let devices = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let has_room = |device: &Arc<Device>| device.outstanding() < limit;
        devices.iter().any(|device| Arc::strong_count(device) > 1 && has_room(device))
    }
}

/// Which of a run's devices answers the reads of this storage, by its place among them.
pub(crate) fn place_of(storage: &dyn Storage, devices: &[Arc<Device>]) -> usize {
    if devices.len() < 2 {
        return 0;
    }
    let number = storage.device();
    devices.iter().position(|device| device.number == number).unwrap_or(0)
}
