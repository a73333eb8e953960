//! The memory that is available, asked for once in a while.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::locking::lock;

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
    last: Mutex<Option<(Instant, u64)>>,
}

impl RecentMemory {
    pub(crate) fn new(source: AvailableMemory) -> Self {
        Self { source, last: Mutex::default() }
    }

    /// Available memory in bytes, as of a moment ago.
    pub(crate) fn bytes(&self) -> u64 {
        let mut last = lock(&self.last);
        match *last {
            Some((asked, bytes)) if asked.elapsed() < MOST_AGE => bytes,
            _ => {
                let bytes = (self.source.0)();
                *last = Some((Instant::now(), bytes));
                bytes
            }
        }
    }
}
