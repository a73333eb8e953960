//! What an engine for local files may use.

use crate::AvailableMemory;

/// Which engine serves direct reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum EngineChoice {
    /// The ring where the kernel grants one, the pread pool elsewhere.
    #[default]
    Auto,
    /// The ring; it is an error if the kernel refuses.
    Uring,
    /// The pread pool.
    Pread,
}

/// Sizes and habits of a [`LocalEngine`](crate::LocalEngine).
#[derive(Debug, Clone)]
pub struct LocalConfig {
    /// Most files that are kept open. Each has up to two descriptors.
    pub handles: usize,
    /// Threads of the pread pool: as many direct reads as it has in flight.
    pub pread_threads: usize,
    /// Most of those threads that read through the page cache at once.
    pub buffered_threads: usize,
    /// Requests that the ring has in flight.
    pub ring_slots: usize,
    /// Whether [`WriteStorage::put`](lsio_io::WriteStorage::put) waits until the object would survive
    /// a power cut. Off: it survives the end of the process only.
    pub durable_writes: bool,
    /// Where [`IoMode::Auto`](lsio_io::IoMode::Auto) learns how much memory there is to spare.
    pub available_memory: AvailableMemory,
}

impl Default for LocalConfig {
    fn default() -> Self {
        Self {
            // Enough for the shards of a wide request; far below the usual limit of 1024 descriptors.
            handles: 256,
            // Within 15 % of the ring from 4 to 8 threads on.
            pread_threads: 8,
            // They wait for the device: cold arrays came 5 % faster than with 4, and no faster with 16.
            buffered_threads: 8,
            // 8 are nearly enough at 256 KiB, short requests want more.
            ring_slots: 32,
            durable_writes: false,
            available_memory: AvailableMemory::default(),
        }
    }
}
