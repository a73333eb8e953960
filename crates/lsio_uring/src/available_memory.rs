//! The memory that is available, asked for once in a while.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Age at which an answer is asked for again. Asking reads a few small files of /proc and of the
/// control groups (some 50 microseconds); a scan that matters takes longer than this.
const MOST_AGE: Duration = Duration::from_millis(250);

/// Tells the memory that is available, in bytes.
#[derive(Clone)]
pub struct AvailableMemory(Arc<dyn Fn() -> u64 + Send + Sync>);

impl AvailableMemory {
    /// Memory as `ask` tells it, in bytes.
    #[must_use]
    pub fn new(ask: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }
}

impl Default for AvailableMemory {
    /// What [`lsio_io::available_memory`] says; plenty where it cannot tell.
    fn default() -> Self {
        Self::new(|| lsio_io::available_memory().unwrap_or(u64::MAX))
    }
}

impl fmt::Debug for AvailableMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AvailableMemory")
    }
}

/// The last answer.
#[derive(Debug)]
pub(crate) struct RecentMemory {
    source: AvailableMemory,
    made: Instant,
    /// When the answer gets too old, in nanoseconds since `made`. Zero: there was none yet.
    good_until: AtomicU64,
    bytes: AtomicU64,
}

impl RecentMemory {
    pub(crate) fn new(source: AvailableMemory) -> Self {
        let (good_until, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { source, made: Instant::now(), good_until, bytes }
    }

    /// Available memory in bytes, as of a moment ago. Without a lock, since every read asks.
    pub(crate) fn bytes(&self) -> u64 {
        let now = nanoseconds(self.made.elapsed());
        let good_until = self.good_until.load(Ordering::Acquire);
        if now < good_until {
            return self.bytes.load(Ordering::Relaxed);
        }
        let next = now.saturating_add(nanoseconds(MOST_AGE)).max(1);
        let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
        // One thread asks while the others go on with the old answer; the first time all of them ask.
        if good_until > 0
            && self.good_until.compare_exchange(good_until, next, success, failure).is_err()
        {
            return self.bytes.load(Ordering::Relaxed);
        }
        let bytes = (self.source.0)();
        self.bytes.store(bytes, Ordering::Release);
        self.good_until.fetch_max(next, Ordering::AcqRel);
        bytes
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_asked_for_once_in_a_while() {
        let asked = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&asked);
        let recent = RecentMemory::new(AvailableMemory::new(move || {
            counter.fetch_add(1, Ordering::Relaxed) + 100
        }));
        assert_eq!(recent.bytes(), 100);
        // As if the answer had been good for a long time, and then for none.
        recent.good_until.store(u64::MAX, Ordering::Relaxed);
        assert_eq!((recent.bytes(), asked.load(Ordering::Relaxed)), (100, 1));
        recent.good_until.store(1, Ordering::Relaxed);
        assert_eq!((recent.bytes(), asked.load(Ordering::Relaxed)), (101, 2));
    }
}
