//! Archives as they are opened, listed and read.

use std::sync::Arc;

use lsio_io::{Key, Memory, MemoryStorage, Storage, StorageError, WriteStorage, blocking};
use lsio_mutation::{Outcome, Random, Target};
use lsio_zip::ZipStorage;

use crate::forged_archive::{MEMBERS, archive};

/// Most bytes of a member that are read.
const LONGEST: u64 = 1 << 20;

/// Beside the archive: its directory, buffers of the memory pool, what inflates a member.
const WORKING_MEMORY: u64 = 4 << 20;

pub(crate) struct ArchiveTarget {
    below: Arc<MemoryStorage>,
    key: Key,
    memory: Arc<Memory>,
}

impl ArchiveTarget {
    pub(crate) fn new() -> Self {
        let key = Key::new("data.zip").unwrap();
        Self { below: Arc::new(MemoryStorage::new()), key, memory: Memory::new(16 << 20) }
    }
}

impl Target for ArchiveTarget {
    fn row(&self) -> String {
        "zip archive".to_owned()
    }

    fn sample(&self, random: &mut Random) -> Vec<u8> {
        archive(random, false)
    }

    fn forge(&self, random: &mut Random) -> Vec<u8> {
        archive(random, true)
    }

    fn decode(&self, input: &[u8]) -> Outcome {
        self.below.put(&self.key, input).unwrap();
        let below: Arc<dyn Storage> = Arc::clone(&self.below) as _;
        // Members are inflated on this thread, whose memory is counted.
        let spawn: lsio_zip::Spawn = Arc::new(|work| work());
        let Ok(zip) = ZipStorage::open(below, self.key.clone(), &self.memory, spawn) else {
            return Outcome::Refused;
        };
        let _ = blocking::list_blocking(&zip, &Key::root());
        let (mut read, mut in_body) = (0, false);
        for name in MEMBERS {
            match blocking::read_whole(&zip, &self.memory, &Key::new(name).unwrap(), LONGEST) {
                Ok(Some((bytes, _))) => {
                    assert!(bytes.len() as u64 <= LONGEST, "{} bytes", bytes.len());
                    read += 1;
                }
                // Its bytes were found, but are not those that the directory says.
                Err(StorageError::Io { .. } | StorageError::Truncated { .. }) => in_body = true,
                Ok(None) | Err(_) => {}
            }
        }
        match (read, in_body) {
            (read, _) if read == MEMBERS.len() => Outcome::Decoded,
            (0, false) => Outcome::Refused,
            _ => Outcome::InBody,
        }
    }

    fn most_memory(&self, _: u64) -> u64 {
        WORKING_MEMORY
    }
}
