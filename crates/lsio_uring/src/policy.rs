//! Which way a read goes: a pure function of what was asked and what the machine has.

use lsio_io::{IoMode, Route};

/// A request larger than one part in this many of the available memory is read past the page cache.
///
/// Cached bytes of a scan that does not fit would push each other (and everybody else's) out before
/// they are read again; the copy through the page cache then buys nothing and costs 0.6-1.9 CPU
/// seconds per GiB against 0.03-0.06. Half leaves room for the results of the request itself.
pub const DIRECT_SHARE_OF_AVAILABLE: u64 = 2;

/// What serves direct reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// `io_uring`.
    Uring,
    /// A pool of threads that call pread.
    Pread,
}

/// The way chosen for a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RoutePlan {
    /// Through the page cache: on the caller's thread if resident, else by the pread pool.
    Buffered,
    /// `O_DIRECT` through the ring.
    UringDirect,
    /// `O_DIRECT` by the pread pool.
    PreadDirect,
}

impl RoutePlan {
    /// The route that statistics show for it.
    #[must_use]
    pub fn route(self) -> Route {
        match self {
            Self::Buffered => Route::Buffered,
            Self::UringDirect => Route::UringDirect,
            Self::PreadDirect => Route::PreadDirect,
        }
    }
}

/// Decides the way of a read that belongs to a request of `request_bytes` encoded bytes, while the
/// machine has `available_memory` bytes to spare.
///
/// Cold buffered reads never go through the ring: the kernel would hand them to its own worker
/// threads, one more hop than the pread pool needs.
///
/// ```
/// use lsio_io::IoMode;
/// use lsio_uring::{Engine, RoutePlan, route};
///
/// let gib = 1 << 30;
/// assert_eq!(route(IoMode::Auto, gib, 8 * gib, Engine::Uring), RoutePlan::Buffered);
/// assert_eq!(route(IoMode::Auto, 5 * gib, 8 * gib, Engine::Uring), RoutePlan::UringDirect);
/// assert_eq!(route(IoMode::Direct, 0, 8 * gib, Engine::Pread), RoutePlan::PreadDirect);
/// ```
#[must_use]
pub fn route(mode: IoMode, request_bytes: u64, available_memory: u64, engine: Engine) -> RoutePlan {
    let direct = match mode {
        IoMode::Buffered => false,
        IoMode::Direct => true,
        IoMode::Auto => request_bytes > available_memory / DIRECT_SHARE_OF_AVAILABLE,
    };
    match (direct, engine) {
        (false, _) => RoutePlan::Buffered,
        (true, Engine::Uring) => RoutePlan::UringDirect,
        (true, Engine::Pread) => RoutePlan::PreadDirect,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_that_was_asked_for_wins_over_memory() {
        for engine in [Engine::Uring, Engine::Pread] {
            assert_eq!(route(IoMode::Buffered, u64::MAX, 0, engine), RoutePlan::Buffered);
            assert_ne!(route(IoMode::Direct, 0, u64::MAX, engine), RoutePlan::Buffered);
        }
    }

    #[test]
    fn auto_goes_direct_above_half_of_the_available_memory_only() {
        assert_eq!(route(IoMode::Auto, 50, 100, Engine::Uring), RoutePlan::Buffered);
        assert_eq!(route(IoMode::Auto, 51, 100, Engine::Uring), RoutePlan::UringDirect);
        assert_eq!(route(IoMode::Auto, 51, 100, Engine::Pread), RoutePlan::PreadDirect);
        assert_eq!(route(IoMode::Auto, 0, 0, Engine::Pread), RoutePlan::Buffered);
    }
}
