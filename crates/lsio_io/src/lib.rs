//! The contract of all I/O in light-speed-io.
//!
//! A [`Storage`] answers batches of [`Read`]s. Every byte it hands out lies in a buffer leased from
//! one [`Memory`], which is the process-wide byte budget and the pool of huge-page regions in one.
//! The way of a read:
//!
//! 1. The executor asks [`Memory::reserve`] for the most bytes that a read may need.
//! 2. [`plan`] merges near ranges of one object and splits big ones.
//! 3. [`Storage::submit`] (or [`Storage::try_read_resident`]) learns the true length, shrinks the
//!    [`Reservation`], turns it into a [`Lease`] and fills it.
//! 4. The [`Completion`] arrives at the read's [`CompletionSink`] with [`SharedBytes`], which can be
//!    sliced into sub-views that keep the one physical buffer alive.
//!
//! Whoever may block (opening an array reads metadata) uses [`blocking`]. Implementations here are
//! [`MemoryStorage`] and [`FaultStorage`], which wraps any other for tests; every implementation
//! passes [`conformance::check`].
//!
//! This crate never spawns a thread and knows no format. It supports 64-bit targets only: a `usize`
//! holds every length that the engine accepts.

#[cfg(not(target_pointer_width = "64"))]
compile_error!("lsio_io needs a 64-bit target: buffer lengths are usize");

mod backing;
pub mod blocking;
mod budget;
pub mod conformance;
mod entity_tag;
mod error;
mod fault;
mod hold_back;
mod identity;
mod key;
mod lease;
mod memory;
mod memory_storage;
pub mod plan;
mod pool;
mod range;
mod region;
mod reservation;
mod shared_bytes;
mod size_class;
mod storage;
mod system_memory;

pub use entity_tag::EntityTag;
pub use error::StorageError;
pub use fault::{Fault, FaultCounts, FaultStorage, Reads};
pub use identity::Identity;
pub use key::Key;
pub use lease::Lease;
pub use memory::{Memory, MemoryUsage};
pub use memory_storage::MemoryStorage;
pub use range::ByteRange;
pub use reservation::Reservation;
pub use shared_bytes::SharedBytes;
pub use size_class::class_size;
pub use storage::{
    Begun, CancelToken, Completion, CompletionSink, Entry, Freshness, IoMode, LOCAL_READS_AT_ONCE,
    ListDone, Read, ReadAnswer, ReadLimits, ReadTarget, Requests, Resident, Route, Storage,
    WriteStorage,
};
pub use system_memory::available_memory;
