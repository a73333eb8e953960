//! Counters under the names that users see.

use lsio::{Route, RunStats};
use napi_derive::napi;

/// Counters of one call, or of all calls since the start of the process.
#[napi(object, object_from_js = false)]
#[derive(Debug)]
pub struct NativeStats {
    /// Chunks that are done.
    pub chunks: f64,
    /// Chunks that the call needs.
    pub total_chunks: f64,
    /// Chunks that do not exist and became fill values.
    pub missing_chunks: f64,
    /// Chunks taken from what another call had read and decoded.
    pub shared_chunks: f64,
    /// Indexes of shards and decoded chunks taken from the cache.
    pub cache_hits: f64,
    /// Those looked for there in vain.
    pub cache_misses: f64,
    /// Entries of the cache that made room for others.
    pub cache_evictions: f64,
    /// Physical reads, those of shard indexes included.
    pub reads: f64,
    /// Of these, the reads that were needed to find chunks.
    pub index_reads: f64,
    /// Requests to object stores that reads took, the repeated and second ones included.
    pub requests: f64,
    /// Of these, those that repeated one which had failed or broken.
    pub retries: f64,
    /// Of these, second ones beside one whose answer was late.
    pub hedges: f64,
    /// Bytes that physical reads brought.
    pub bytes_read: f64,
    /// Of these, the bytes by how they were served.
    pub bytes_by_route: NativeRoutes,
    /// Of the bytes read, those that nobody wanted: gaps between ranges that were read as one.
    pub bytes_over_read: f64,
    /// Encoded bytes that were decoded.
    pub bytes_encoded: f64,
    /// Bytes after decoding.
    pub bytes_decoded: f64,
    /// Decoded bytes that were copied on their way to the result.
    pub bytes_copied: f64,
    /// Seconds by stage, summed over threads.
    pub seconds: NativeSeconds,
    /// The most that was reserved at once.
    pub peak_reserved_bytes: f64,
}

/// Bytes by how they were served.
#[napi(object, object_from_js = false)]
#[derive(Debug)]
pub struct NativeRoutes {
    /// From the page cache, by the worker that decodes them.
    pub resident: f64,
    /// Through the page cache, by a pool of threads.
    pub buffered: f64,
    /// Past the page cache, through `io_uring`.
    pub uring_direct: f64,
    /// Past the page cache, by a pool of threads.
    pub pread_direct: f64,
    /// From a store in memory.
    pub memory: f64,
    /// Over the network, from an object store.
    pub object_store: f64,
}

/// Seconds by stage, summed over threads.
#[napi(object, object_from_js = false)]
#[derive(Debug)]
pub struct NativeSeconds {
    /// In reads.
    pub read: f64,
    /// In decoding.
    pub decode: f64,
    /// In what follows: copies, statistics.
    pub apply: f64,
}

impl From<RunStats> for NativeStats {
    fn from(stats: RunStats) -> Self {
        Self {
            chunks: stats.tasks_done as f64,
            total_chunks: stats.tasks as f64,
            missing_chunks: stats.chunks_missing as f64,
            shared_chunks: stats.chunks_shared as f64,
            cache_hits: stats.cache_hits as f64,
            cache_misses: stats.cache_misses as f64,
            cache_evictions: stats.cache_evictions as f64,
            reads: stats.reads as f64,
            index_reads: stats.index_reads as f64,
            requests: stats.requests as f64,
            retries: stats.retries as f64,
            hedges: stats.hedges as f64,
            bytes_read: stats.bytes_read as f64,
            bytes_by_route: NativeRoutes::new(|route| stats.bytes_by_route[route.index()]),
            bytes_over_read: stats.bytes_over_read as f64,
            bytes_encoded: stats.bytes_encoded as f64,
            bytes_decoded: stats.bytes_decoded as f64,
            bytes_copied: stats.bytes_copied as f64,
            seconds: NativeSeconds {
                read: stats.read_seconds,
                decode: stats.decode_seconds,
                apply: stats.apply_seconds,
            },
            peak_reserved_bytes: stats.peak_reserved as f64,
        }
    }
}

impl NativeRoutes {
    fn new(bytes: impl Fn(Route) -> u64) -> Self {
        Self {
            resident: bytes(Route::Resident) as f64,
            buffered: bytes(Route::Buffered) as f64,
            uring_direct: bytes(Route::UringDirect) as f64,
            pread_direct: bytes(Route::PreadDirect) as f64,
            memory: bytes(Route::Memory) as f64,
            object_store: bytes(Route::ObjectStore) as f64,
        }
    }
}
