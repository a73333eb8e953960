//! What one read asked of its store, counted by all parts of it.

use std::sync::atomic::{AtomicU32, Ordering};

use lsio_io::Requests;

/// [`Requests`] while they are counted. Relaxed: one task counts and reads them.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    made: AtomicU32,
    retries: AtomicU32,
    hedges: AtomicU32,
}

impl Asked {
    pub(crate) fn request(&self, is_retry: bool) {
        self.made.fetch_add(1, Ordering::Relaxed);
        self.retries.fetch_add(u32::from(is_retry), Ordering::Relaxed);
    }

    /// A second request beside one whose answer is late.
    pub(crate) fn hedge(&self) {
        self.made.fetch_add(1, Ordering::Relaxed);
        self.hedges.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn requests(&self) -> Requests {
        Requests {
            made: self.made.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            hedges: self.hedges.load(Ordering::Relaxed),
        }
    }
}
