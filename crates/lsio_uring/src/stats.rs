//! Counters that show which way bytes came and what it took.

use std::sync::atomic::{AtomicU64, Ordering};

use lsio_io::Route;

const ROUTES: usize = Route::ALL.len();

/// What a [`LocalEngine`](crate::LocalEngine) has done since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LocalStats {
    /// Reads answered with bytes, by [`Route::index`].
    pub reads: [u64; ROUTES],
    /// Bytes handed out, by [`Route::index`].
    pub bytes: [u64; ROUTES],
    /// Files opened (re-opening the same file for another kind of I/O is not counted).
    pub opens: u64,
    /// Reads that found their file in the handle cache.
    pub handle_hits: u64,
    /// Requests that were given to the ring.
    pub ring_requests: u64,
    /// Times that the ring was entered to submit requests, as seen between two waits of its thread.
    pub submissions: u64,
    /// Bytes read only because direct I/O wants whole blocks.
    pub over_read_bytes: u64,
    /// Reads that the kernel cut short and that were continued.
    pub short_reads: u64,
    /// Requests repeated after EINTR or EAGAIN.
    pub retries: u64,
    /// Files that could not be read with `O_DIRECT` and fell back to the page cache.
    pub direct_fallbacks: u64,
    /// Objects whose pages were asked for in advance.
    pub read_aheads: u64,
    /// Directory entries left out of listings because no key can name them.
    pub names_skipped: u64,
}

impl LocalStats {
    /// Reads that `route` answered.
    #[must_use]
    pub fn reads_by(&self, route: Route) -> u64 {
        self.reads[route.index()]
    }

    /// Bytes that `route` handed out.
    #[must_use]
    pub fn bytes_by(&self, route: Route) -> u64 {
        self.bytes[route.index()]
    }
}

/// One counter. Relaxed: counts are read for people and tests, nothing is ordered by them.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The live counters behind [`LocalStats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    reads: [Counter; ROUTES],
    bytes: [Counter; ROUTES],
    pub(crate) opens: Counter,
    pub(crate) handle_hits: Counter,
    pub(crate) ring_requests: Counter,
    pub(crate) submissions: Counter,
    pub(crate) over_read_bytes: Counter,
    pub(crate) short_reads: Counter,
    pub(crate) retries: Counter,
    pub(crate) direct_fallbacks: Counter,
    pub(crate) read_aheads: Counter,
    pub(crate) names_skipped: Counter,
}

impl Counters {
    /// Counts one read that `route` answered with `bytes` bytes.
    pub(crate) fn served(&self, route: Route, bytes: usize) {
        self.reads[route.index()].add(1);
        self.bytes[route.index()].add(bytes as u64);
    }

    pub(crate) fn snapshot(&self) -> LocalStats {
        LocalStats {
            reads: std::array::from_fn(|route| self.reads[route].get()),
            bytes: std::array::from_fn(|route| self.bytes[route].get()),
            opens: self.opens.get(),
            handle_hits: self.handle_hits.get(),
            ring_requests: self.ring_requests.get(),
            submissions: self.submissions.get(),
            over_read_bytes: self.over_read_bytes.get(),
            short_reads: self.short_reads.get(),
            retries: self.retries.get(),
            direct_fallbacks: self.direct_fallbacks.get(),
            read_aheads: self.read_aheads.get(),
            names_skipped: self.names_skipped.get(),
        }
    }
}
