//! Local files for light-speed-io.
//!
//! [`LocalStorage`] is a directory as a [`Storage`](lsio_io::Storage). One [`LocalEngine`], shared by
//! all of them, owns the threads and chooses the way of each read ([`route`]):
//!
//! - *resident*: bytes in the page cache are read by the thread that asks, if it asks by
//!   [`try_read_resident`](lsio_io::Storage::try_read_resident);
//! - *buffered*: cold bytes of requests that fit in memory go through the page cache, by a few pread
//!   threads, while one more thread asks the kernel for what they will read next;
//! - *direct*: large scans go past the page cache with `O_DIRECT`, through the ring (one thread, many
//!   requests in flight) or, where the kernel grants no ring, by the pread threads.
//!
//! Only `unsafe_kernel_queue` knows the ring's crate.
//!
//! ```
//! use std::sync::{Arc, mpsc};
//! use lsio_io::{
//!     ByteRange, CancelToken, Completion, CompletionSink, Freshness, IoMode, Key, Memory, Read,
//!     Storage, WriteStorage,
//! };
//! use lsio_uring::{EngineChoice, LocalConfig, LocalEngine, LocalStorage};
//!
//! #[derive(Debug)]
//! struct Sink(mpsc::Sender<Completion>);
//! impl CompletionSink for Sink {
//!     fn complete(&self, completion: Completion) {
//!         self.0.send(completion).expect("the receiver waits");
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = std::env::temp_dir().join(format!("lsio-doc-{}", std::process::id()));
//! let engine = LocalEngine::new(EngineChoice::Auto, LocalConfig::default())?;
//! let storage = LocalStorage::open(&folder, &engine)?;
//! let key = Key::new("c/0/0")?;
//! storage.put(&key, b"0123456789")?;
//!
//! let memory = Memory::new(1 << 20);
//! let (sender, completions) = mpsc::channel();
//! storage.submit(vec![Read {
//!     key,
//!     range: ByteRange::Bounded { offset: 2, len: 3 },
//!     freshness: Freshness::Current,
//!     reservation: memory.reserve(1, Read::reserve_for(3)).ok_or("no memory")?,
//!     mode: IoMode::Direct,
//!     request_bytes: 3,
//!     cancel: CancelToken::new(),
//!     tag: 7,
//!     sink: Arc::new(Sink(sender)),
//!     begun: None,
//! }]);
//! let completion = completions.recv()?;
//! assert_eq!((completion.tag, &completion.result?.bytes[..]), (7, &b"234"[..]));
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok(())
//! # }
//! ```

mod available_memory;
mod buffered;
mod config;
mod direct;
mod engine;
mod handle_cache;
mod job_queue;
mod listing;
mod locking;
mod open_file;
mod owed_read;
mod policy;
mod probe;
mod read_ahead;
mod reader;
mod resident;
mod ring;
mod root;
mod stats;
mod storage;
mod transfer;
mod unsafe_kernel_queue;
mod unsafe_lease_parts;
mod unsafe_syscalls;
mod writing;

pub use available_memory::AvailableMemory;
pub use config::{EngineChoice, LocalConfig};
pub use engine::{EngineError, LocalEngine};
pub use policy::{DIRECT_SHARE_OF_AVAILABLE, Engine, RoutePlan, route};
pub use probe::Probe;
pub use stats::LocalStats;
pub use storage::LocalStorage;
