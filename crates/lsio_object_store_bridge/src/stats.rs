//! Counters that show what a host was asked and how it answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What was done with one host, or with several together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreStats {
    /// Requests made, the repeated and second ones included.
    pub requests: u64,
    /// Of these, those that repeated one which had failed.
    pub retries: u64,
    /// Of the requests, second ones beside one whose answer was late.
    pub hedges: u64,
    /// Answers that said that there are too many requests.
    pub throttled: u64,
    /// Bytes of bodies that arrived.
    pub bytes_received: u64,
    /// Bytes handed out.
    pub bytes_delivered: u64,
    /// Time until an answer began: half of all took no longer. `None` before the first one. A request that was given
    /// up because a second one was answered counts with the time until then.
    pub first_byte_p50: Option<Duration>,
    /// As [`first_byte_p50`](Self::first_byte_p50), of 99 in 100.
    pub first_byte_p99: Option<Duration>,
    /// Requests under way now, each on a connection of its own (HTTP/1), from when it may be made until its answer was
    /// taken to its end or given up: connections in use.
    pub under_way: u64,
    /// Most requests that were under way at once at one host.
    pub most_under_way: u64,
    /// Tasks now on the threads of the network: one for each read and each listing, from when it is asked for until
    /// it has been answered and nothing of it is left.
    pub tasks: u64,
}

/// Steps of the histogram for each doubling of time.
const STEPS: u64 = 4;

/// Steps from a microsecond to 2^28 of them (some four minutes).
const BUCKETS: usize = 28 * STEPS as usize;

/// The live counters behind [`StoreStats`]. Relaxed: they are read for people and tests, nothing is ordered by them.
#[derive(Debug)]
pub(crate) struct Counters {
    requests: AtomicU64,
    retries: AtomicU64,
    hedges: AtomicU64,
    throttled: AtomicU64,
    received: AtomicU64,
    delivered: AtomicU64,
    first_byte: [AtomicU64; BUCKETS],
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            requests: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            hedges: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
            received: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            first_byte: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

impl Counters {
    pub(crate) fn request(&self, is_retry: bool) {
        add(&self.requests, 1);
        add(&self.retries, u64::from(is_retry));
    }

    pub(crate) fn hedge(&self) {
        add(&self.requests, 1);
        add(&self.hedges, 1);
    }

    pub(crate) fn throttled(&self) {
        add(&self.throttled, 1);
    }

    pub(crate) fn received(&self, bytes: u64) {
        add(&self.received, bytes);
    }

    pub(crate) fn delivered(&self, bytes: u64) {
        add(&self.delivered, bytes);
    }

    pub(crate) fn first_byte(&self, after: Duration) {
        add(&self.first_byte[bucket(after)], 1);
    }

    /// Time until the answer began for the median request; `None` before the first one.
    pub(crate) fn median_first_byte(&self) -> Option<Duration> {
        quantile(&self.histogram(), 50)
    }

    fn histogram(&self) -> [u64; BUCKETS] {
        std::array::from_fn(|index| self.first_byte[index].load(Ordering::Relaxed))
    }

    /// What was counted, added to `sum`, which has the histogram of all that were added to it.
    pub(crate) fn add_to(&self, sum: &mut Sum) {
        let stats = &mut sum.stats;
        stats.requests += self.requests.load(Ordering::Relaxed);
        stats.retries += self.retries.load(Ordering::Relaxed);
        stats.hedges += self.hedges.load(Ordering::Relaxed);
        stats.throttled += self.throttled.load(Ordering::Relaxed);
        stats.bytes_received += self.received.load(Ordering::Relaxed);
        stats.bytes_delivered += self.delivered.load(Ordering::Relaxed);
        for (sum, more) in sum.first_byte.iter_mut().zip(self.histogram()) {
            *sum += more;
        }
    }
}

/// Counters of several hosts, added up.
#[derive(Debug, Clone)]
pub(crate) struct Sum {
    pub(crate) stats: StoreStats,
    first_byte: [u64; BUCKETS],
}

impl Default for Sum {
    fn default() -> Self {
        Self { stats: StoreStats::default(), first_byte: [0; BUCKETS] }
    }
}

impl Sum {
    pub(crate) fn finish(self) -> StoreStats {
        let first_byte_p50 = quantile(&self.first_byte, 50);
        let first_byte_p99 = quantile(&self.first_byte, 99);
        StoreStats { first_byte_p50, first_byte_p99, ..self.stats }
    }
}

fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

/// The step of a time: its highest bit in microseconds, and the two below it.
fn bucket(time: Duration) -> usize {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
    let doublings = u64::from(micros.ilog2());
    let step = ((u128::from(micros) * u128::from(STEPS)) >> doublings) as u64 - STEPS;
    ((doublings * STEPS + step) as usize).min(BUCKETS - 1)
}

/// The upper end of the step in which the quantile lies.
fn quantile(histogram: &[u64; BUCKETS], percent: u64) -> Option<Duration> {
    let total: u64 = histogram.iter().sum();
    let wanted = total.saturating_mul(percent).div_ceil(100).max(1);
    let mut passed = 0;
    let at = histogram.iter().position(|&count| {
        passed += count;
        passed >= wanted
    })? as u64;
    let micros = (1 << (at / STEPS)) * (STEPS + at % STEPS + 1) / STEPS;
    Some(Duration::from_micros(micros))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_near_the_times_that_were_counted() {
        let counters = Counters::default();
        assert_eq!(counters.median_first_byte(), None);
        for _ in 0..98 {
            counters.first_byte(Duration::from_millis(20));
        }
        counters.first_byte(Duration::from_secs(3));
        counters.first_byte(Duration::from_hours(1));
        let mut sum = Sum::default();
        counters.add_to(&mut sum);
        let stats = sum.finish();
        let (p50, p99) = (stats.first_byte_p50.unwrap(), stats.first_byte_p99.unwrap());
        assert!(p50 >= Duration::from_millis(20) && p50 < Duration::from_millis(25), "{p50:?}");
        assert!(p99 >= Duration::from_secs(3) && p99 < Duration::from_secs(4), "{p99:?}");
    }

    #[test]
    fn every_time_has_a_step() {
        assert_eq!(bucket(Duration::ZERO), 0);
        assert_eq!(bucket(Duration::MAX), BUCKETS - 1);
        let steps: Vec<usize> = (1..5000).map(|ms| bucket(Duration::from_millis(ms))).collect();
        assert!(steps.is_sorted() && steps.first() < steps.last());
    }
}
