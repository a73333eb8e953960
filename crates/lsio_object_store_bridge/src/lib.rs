//! Object stores for light-speed-io: S3, Google Cloud Storage, Azure Blob Storage and plain HTTP, through the
//! `object_store` crate.
//!
//! An [`ObjectStorage`] is a [`lsio_io::Storage`] over any [`object_store::ObjectStore`]. What is done here and not
//! there:
//!
//! - A [`Host`] decides how many requests are under way: it starts with 32, has more while more bring more, and fewer
//!   when the host says that it is too much. Whose turn it is goes by the order of the reads.
//! - Bodies are written frame by frame into the leased buffer of their read. What is longer than 16 MiB is read by
//!   several requests.
//! - A request that fails, or that brings too little in its time, is made again after a while, and one that broke goes
//!   on at the byte where it broke, for the same version of the object: [`RetryLimits`].
//! - A request whose answer is late by what the host usually takes gets a second one beside it, and the answer that
//!   begins first is taken: [`HostLimits::hedge`].
//! - Bytes of two versions never meet in one buffer.
//!
//! It runs on the threads of a [`Network`], which are its own.
//!
//! ```
//! use std::sync::Arc;
//!
//! use lsio_io::{Key, Memory, blocking};
//! use lsio_object_store_bridge::{Host, HostLimits, Network, ObjectStorage};
//! use object_store::memory::InMemory;
//! use object_store::path::Path;
//!
//! let (network, host) = (Network::new(), Host::new(HostLimits::default()));
//! let storage =
//!     ObjectStorage::new("memory", Arc::new(InMemory::new()), Path::ROOT, &host, &network);
//! let object = blocking::read_whole(&storage, &Memory::new(1 << 20), &Key::new("a/b")?, 1000)?;
//! assert!(object.is_none());
//! # Ok::<(), lsio_io::StorageError>(())
//! ```

mod address;
mod asked;
mod concurrency;
mod connections;
mod environment;
mod error;
mod failure;
mod fetch;
mod hedge;
mod host;
mod http_client;
mod lateness;
mod listing;
mod look;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
#[path = "../tests/loopback/mod.rs"]
mod loopback;
mod network;
mod object_read;
mod options;
mod origin;
mod owed_read;
mod provider_client;
mod refusal;
mod retry;
mod stats;
mod storage;
mod stores;
mod turn;
mod version;

pub use address::{Address, Provider, without_secrets};
pub use error::StoreError;
pub use host::{Host, HostLimits};
pub use network::Network;
pub use options::{Secret, StorageOptions};
pub use retry::RetryLimits;
pub use stats::StoreStats;
pub use storage::ObjectStorage;
pub use stores::Stores;
