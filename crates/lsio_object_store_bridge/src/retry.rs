//! When a request is made again, and after how long.

use std::time::Duration;

/// Shortest wait before a request is made again.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// Longest wait, unless the host asks for more.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Times that a host which has never answered is tried again: a wrong address should not take minutes to be found
/// out.
const UNKNOWN_HOST_RETRIES: u32 = 2;

/// How long a request is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RetryLimits {
    /// Times that a request which failed is made again.
    pub retries: u32,
    /// Time from its first attempt after which it is not made again.
    pub deadline: Duration,
    /// Every so long an attempt must have brought [`least_rate`](Self::least_rate) times as many bytes, or its first
    /// byte; one that has not is given up and made again.
    pub progress: Duration,
    /// Bytes a second that an attempt must bring.
    pub least_rate: u64,
}

impl Default for RetryLimits {
    /// As many and as long as `object_store` retries by itself (10, three minutes). A host that has not begun to
    /// answer after 15 seconds has mostly forgotten the request; a connection of 1 KiB/s does not recover.
    fn default() -> Self {
        Self {
            retries: 10,
            deadline: Duration::from_mins(3),
            progress: Duration::from_secs(15),
            least_rate: 1 << 10,
        }
    }
}

impl RetryLimits {
    /// Bytes that an attempt must bring in each period of [`progress`](Self::progress).
    pub(crate) fn least_progress(&self) -> u64 {
        let bytes = u128::from(self.least_rate) * self.progress.as_millis() / 1000;
        u64::try_from(bytes).unwrap_or(u64::MAX).max(1)
    }
}

/// What is known when an attempt has failed in a way that may pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failed {
    /// Attempts so far, this one included.
    pub(crate) attempts: u32,
    /// Time since the first attempt began.
    pub(crate) elapsed: Duration,
    /// How long the host asks to wait.
    pub(crate) asked: Option<Duration>,
    /// Whether the host could not be reached, and never has been.
    pub(crate) unknown_host: bool,
}

/// How long to wait before the next attempt; `None`: there is none. `random` is evenly spread over all numbers.
pub(crate) fn wait(limits: &RetryLimits, failed: Failed, random: u64) -> Option<Duration> {
    let retries =
        if failed.unknown_host { limits.retries.min(UNKNOWN_HOST_RETRIES) } else { limits.retries };
    if failed.attempts > retries {
        return None;
    }
    let doubled = 1u32 << failed.attempts.saturating_sub(1).min(16);
    let most = FIRST_WAIT.saturating_mul(doubled).min(LONGEST_WAIT);
    // Anything between half of it and all of it, so that requests which failed together do not come back together.
    let part = 0.5 + 0.5 * (random >> 11) as f64 / (1u64 << 53) as f64;
    let wait = most.mul_f64(part).max(failed.asked.unwrap_or_default());
    (failed.elapsed.checked_add(wait)? < limits.deadline).then_some(wait)
}

/// Numbers that look random (the splitmix64 sequence), from a counter.
pub(crate) fn scramble(counter: u64) -> u64 {
    let mut x = counter.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn failed(attempts: u32) -> Failed {
        Failed { attempts, elapsed: Duration::ZERO, asked: None, unknown_host: false }
    }

    #[test]
    fn waits_grow_and_differ() {
        let limits = RetryLimits::default();
        let mut longest = Duration::ZERO;
        for attempts in 1..=10 {
            let waits: Vec<Duration> = (0..100)
                .map(|number| wait(&limits, failed(attempts), scramble(number)).unwrap())
                .collect();
            let (least, most) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
            assert!(*most <= LONGEST_WAIT && *most >= longest, "{most:?} after {longest:?}");
            assert!(*least >= FIRST_WAIT / 2 && *least * 4 < *most * 3, "{least:?} to {most:?}");
            longest = longest.max(*most / 2);
        }
        assert_eq!(wait(&limits, failed(11), 0), None);
    }

    #[test]
    fn the_deadline_ends_it() {
        let limits = RetryLimits { deadline: Duration::from_secs(1), ..RetryLimits::default() };
        let late = Failed { elapsed: Duration::from_millis(999), ..failed(1) };
        assert_eq!(wait(&limits, late, 0), None);
        assert!(wait(&limits, Failed { elapsed: Duration::from_millis(900), ..late }, 0).is_some());
    }

    #[test]
    fn the_host_may_ask_for_more_time_within_the_deadline() {
        let limits = RetryLimits::default();
        let asked = |secs| Failed { asked: Some(Duration::from_secs(secs)), ..failed(1) };
        assert_eq!(wait(&limits, asked(30), 0), Some(Duration::from_secs(30)));
        assert_eq!(wait(&limits, asked(200), 0), None);
    }

    #[test]
    fn a_host_that_never_answered_is_given_up_soon() {
        let limits = RetryLimits::default();
        let unknown = |attempts| Failed { unknown_host: true, ..failed(attempts) };
        assert!(wait(&limits, unknown(2), 0).is_some());
        assert_eq!(wait(&limits, unknown(3), 0), None);
    }

    #[test]
    fn progress_is_at_least_a_byte() {
        let limits = RetryLimits { least_rate: 0, ..RetryLimits::default() };
        assert_eq!(limits.least_progress(), 1);
        assert_eq!(RetryLimits::default().least_progress(), 15 << 10);
    }
}
