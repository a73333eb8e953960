//! What a run did: counters that prove structure, and seconds by stage.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lsio_io::{Requests, Route};

/// Counters of one run, or summed over all runs of an executor. Bytes and counts; seconds are summed
/// over threads.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunStats {
    /// Tasks in the plan.
    pub tasks: u64,
    /// Tasks that are complete.
    pub tasks_done: u64,
    /// Chunks decoded.
    pub chunks_decoded: u64,
    /// Chunks that do not exist and became fill values.
    pub chunks_missing: u64,
    /// Chunks taken from what another run had read and decoded.
    pub chunks_shared: u64,
    /// Shard indexes and the like, and decoded chunks, that were taken from the cache.
    pub cache_hits: u64,
    /// Those that were not there, or only of another version of their object.
    pub cache_misses: u64,
    /// Entries of the cache that made room for what this run left there; over all runs, also those that gave
    /// way to what was reserved.
    pub cache_evictions: u64,
    /// Physical reads, shard indexes and the like included.
    pub reads: u64,
    /// Of these, the reads that a source needed before it could locate a chunk.
    pub index_reads: u64,
    /// Requests to object stores that reads took, those that failed included, the repeated and second ones too.
    pub requests: u64,
    /// Of these, those that repeated one which had failed or broken.
    pub retries: u64,
    /// Of these, second ones beside one whose answer was late.
    pub hedges: u64,
    /// Bytes that physical reads brought.
    pub bytes_read: u64,
    /// Of these, bytes that nobody wanted: gaps between ranges that were read as one.
    pub bytes_over_read: u64,
    /// Encoded bytes that were decoded.
    pub bytes_encoded: u64,
    /// Bytes after decoding.
    pub bytes_decoded: u64,
    /// Decoded bytes that were copied on their way to the destination.
    pub bytes_copied: u64,
    /// Bytes that physical reads brought, by [`Route::index`].
    pub bytes_by_route: [u64; Route::ALL.len()],
    /// Seconds in reads.
    pub read_seconds: f64,
    /// Seconds in decoding.
    pub decode_seconds: f64,
    /// Seconds in what follows: copies, the function applied.
    pub apply_seconds: f64,
    /// Most bytes reserved at once for this run.
    pub peak_reserved: u64,
}

macro_rules! counters {
    ($($name:ident),*) => {
        /// [`RunStats`] while they are counted.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: AtomicU64,)*
            pub(crate) bytes_by_route: [AtomicU64; Route::ALL.len()],
            pub(crate) read_nanos: AtomicU64,
            pub(crate) decode_nanos: AtomicU64,
            pub(crate) apply_nanos: AtomicU64,
            pub(crate) reserved: AtomicU64,
            pub(crate) peak_reserved: AtomicU64,
        }

        impl Counters {
            /// Adds what has been counted here to `total`.
            pub(crate) fn add_to(&self, total: &Self) {
                $(add_some(&total.$name, &self.$name);)*
                for (mine, sum) in self.bytes_by_route.iter().zip(&total.bytes_by_route) {
                    add_some(sum, mine);
                }
                add_some(&total.read_nanos, &self.read_nanos);
                add_some(&total.decode_nanos, &self.decode_nanos);
                add_some(&total.apply_nanos, &self.apply_nanos);
                total.peak_reserved.fetch_max(read(&self.peak_reserved), Ordering::Relaxed);
            }

            pub(crate) fn snapshot(&self) -> RunStats {
                RunStats {
                    $($name: read(&self.$name),)*
                    bytes_by_route: std::array::from_fn(|index| read(&self.bytes_by_route[index])),
                    read_seconds: seconds(&self.read_nanos),
                    decode_seconds: seconds(&self.decode_nanos),
                    apply_seconds: seconds(&self.apply_nanos),
                    peak_reserved: read(&self.peak_reserved),
                }
            }
        }
    };
}

counters!(
    tasks,
    tasks_done,
    chunks_decoded,
    chunks_missing,
    chunks_shared,
    cache_hits,
    cache_misses,
    cache_evictions,
    reads,
    index_reads,
    requests,
    retries,
    hedges,
    bytes_read,
    bytes_over_read,
    bytes_encoded,
    bytes_decoded,
    bytes_copied
);

impl Counters {
    /// One physical read has ended well.
    pub(crate) fn count_read(&self, bytes: u64, route: Route, elapsed: Duration) {
        add(&self.reads, 1);
        add(&self.bytes_read, bytes);
        add(&self.bytes_by_route[route.index()], bytes);
        add_time(&self.read_nanos, elapsed);
    }

    /// A read, which may have failed, asked a server this.
    pub(crate) fn count_requests(&self, requests: Requests) {
        // Local files ask none: adding zeros would cost what counting costs.
        if requests.made > 0 {
            add(&self.requests, u64::from(requests.made));
            add(&self.retries, u64::from(requests.retries));
            add(&self.hedges, u64::from(requests.hedges));
        }
    }

    /// Memory was reserved for this run.
    pub(crate) fn reserve(&self, bytes: u64) {
        let now = self.reserved.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.peak_reserved.fetch_max(now, Ordering::Relaxed);
    }

    /// Memory of this run was given back, or went to the user.
    pub(crate) fn release(&self, bytes: u64) {
        self.reserved.fetch_sub(bytes, Ordering::Relaxed);
    }
}

pub(crate) fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

/// Adds a count. Most are zero, and adding to what all workers count in is dear.
fn add_some(total: &AtomicU64, counted: &AtomicU64) {
    let counted = read(counted);
    if counted > 0 {
        add(total, counted);
    }
}

pub(crate) fn add_time(counter: &AtomicU64, elapsed: Duration) {
    add(counter, u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX));
}

pub(crate) fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn seconds(nanos: &AtomicU64) -> f64 {
    Duration::from_nanos(read(nanos)).as_secs_f64()
}

/// What the workers of an executor did, summed since it was made.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExecutorStats {
    /// Sum over all runs that have ended.
    pub runs: RunStats,
    /// Runs that have ended.
    pub runs_ended: u64,
    /// Jobs taken from another worker's queue.
    pub steals: u64,
    /// Tasks that each worker finished.
    pub tasks_by_worker: Vec<u64>,
    /// Times that a worker found nothing to do and went to sleep.
    pub parks: u64,
}
