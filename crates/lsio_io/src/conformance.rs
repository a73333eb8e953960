//! What every [`Storage`] must do, as one check that tests run over each implementation.
//!
//! ```
//! use std::sync::Arc;
//!
//! use lsio_io::conformance::{Capabilities, ConformanceHarness, ResidentReads, check};
//! use lsio_io::{Key, MemoryStorage, Storage, StorageError, WriteStorage};
//!
//! struct InMemory(Arc<MemoryStorage>);
//!
//! impl ConformanceHarness for InMemory {
//!     fn storage(&self) -> Arc<dyn Storage> {
//!         Arc::clone(&self.0) as Arc<dyn Storage>
//!     }
//!     fn put(&self, key: &Key, bytes: &[u8]) -> Result<(), StorageError> {
//!         self.0.put(key, bytes)
//!     }
//!     fn remove(&self, key: &Key) -> Result<(), StorageError> {
//!         self.0.remove(key);
//!         Ok(())
//!     }
//!     fn capabilities(&self) -> Capabilities {
//!         Capabilities::new(ResidentReads::Always)
//!     }
//! }
//!
//! assert_eq!(check(&InMemory(Arc::new(MemoryStorage::new()))), Ok(()));
//! ```

use std::sync::Arc;

mod batches;
mod buffers;
mod names;
mod ranges;
mod reads;
mod versions;

use reads::Reader;

use crate::{IoMode, Key, Storage, StorageError};

/// A storage under test, and a way to change what is in it.
pub trait ConformanceHarness {
    /// The storage. It is empty, and nobody else uses it.
    fn storage(&self) -> Arc<dyn Storage>;

    /// Writes or replaces an object in the way in which the store's writers do (a file system: a new
    /// file, renamed over the old one).
    ///
    /// # Errors
    /// The store's; the check fails then.
    fn put(&self, key: &Key, bytes: &[u8]) -> Result<(), StorageError>;

    /// Removes an object.
    ///
    /// # Errors
    /// The store's; the check fails then.
    fn remove(&self, key: &Key) -> Result<(), StorageError>;

    /// In what the storage may differ from others.
    fn capabilities(&self) -> Capabilities;
}

/// In what storages may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// When [`Storage::try_read_resident`] serves a read.
    pub resident: ResidentReads,
    /// Whether a prefix without members can be told from one that does not exist.
    pub has_directories: bool,
    /// Whether members can be listed; else that is [`StorageError::Unsupported`].
    pub can_list: bool,
}

impl Capabilities {
    /// A store that can be listed and has no directories.
    #[must_use]
    pub fn new(resident: ResidentReads) -> Self {
        Self { resident, has_directories: false, can_list: true }
    }
}

/// When [`Storage::try_read_resident`] serves a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResidentReads {
    /// It always misses.
    Never,
    /// It depends on what is cached.
    Sometimes,
    /// It always serves objects that exist.
    Always,
}

/// Runs the whole suite.
///
/// # Errors
/// What the storage did wrong, for the test to show.
pub fn check(harness: &dyn ConformanceHarness) -> Result<(), String> {
    let suite = Suite { harness, reader: Reader::new(harness.storage()) };
    for (name, run) in Suite::checks() {
        run(&suite).map_err(|fault| format!("{name}: {fault}"))?;
        suite.reader.is_at_rest().map_err(|fault| format!("after {name}: {fault}"))?;
    }
    Ok(())
}

/// Fails with a description unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($description:tt)+) => {
        if !$condition {
            return Err(format!($($description)+));
        }
    };
}
use ensure;

/// Bytes that differ from place to place and from seed to seed.
fn sample(len: usize, seed: u32) -> Vec<u8> {
    (0..len as u32).map(|i| (i.wrapping_add(seed).wrapping_mul(0x9e37_79b1) >> 24) as u8).collect()
}

fn key(name: &str) -> Result<Key, String> {
    Key::new(&format!("conformance/{name}")).map_err(|error| error.to_string())
}

const MODES: [IoMode; 3] = [IoMode::Auto, IoMode::Direct, IoMode::Buffered];

struct Suite<'a> {
    harness: &'a dyn ConformanceHarness,
    reader: Reader,
}

/// One check, and the name under which it fails.
type Check<'a> = (&'static str, fn(&Suite<'a>) -> Result<(), String>);

impl<'a> Suite<'a> {
    fn checks() -> [Check<'a>; 15] {
        [
            ("description", Self::describes_itself),
            ("ranges", Self::serves_every_range),
            ("empty object", Self::serves_an_empty_object),
            ("truncation", Self::refuses_ranges_beyond_the_end),
            ("missing object", Self::tells_missing_objects),
            ("reservation", Self::keeps_to_the_reservation),
            ("cancellation", Self::cancels_what_has_not_begun),
            ("freshness", Self::tells_versions_apart),
            ("batches", Self::completes_each_read_of_a_batch_once),
            ("sub-views", Self::leaves_delivered_bytes_alone),
            ("resident reads", Self::serves_resident_reads_as_declared),
            ("resident targets", Self::reads_resident_bytes_into_a_target),
            ("listing", Self::lists_direct_members_by_name),
            ("names", Self::serves_odd_names),
            ("metadata", Self::serves_blocking_reads),
        ]
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<Key, String> {
        let key = key(name)?;
        self.harness.put(&key, bytes).map_err(|error| format!("put '{key}': {error}"))?;
        Ok(key)
    }
}
