//! How many requests to have under way at one host: learned from what the host does with them.

use std::time::{Duration, Instant};

/// Requests under way at the start. One stream of S3 brings 85-90 MB/s, so fewer would leave a fast network idle
/// while the first round trips are measured.
pub(crate) const FIRST: u32 = 32;

/// More requests under way are worth keeping if they bring this many times as much.
const WORTHWHILE: f64 = 1.08;

/// Rounds without a try of more requests after one that brought nothing.
const HOLD_ROUNDS: u32 = 16;

/// Shortest round that says something about the rate.
const SHORTEST_ROUND: Duration = Duration::from_millis(20);

/// Refusals within this time of the last halving are answers to what was under way then.
const HALVE_AGAIN: Duration = Duration::from_millis(500);

/// What a request is worth beside its bytes, so that a rate can be told where requests are tiny: about what a
/// connection brings while the request of a small object is answered.
const REQUEST_WORTH: u64 = 16 << 10;

/// A number of requests under way that grows while more of them bring more, and falls when the host says that it is
/// too much. Time comes from outside.
#[derive(Debug)]
pub(crate) struct Concurrency {
    limit: u32,
    most: u32,
    round: Round,
    phase: Phase,
    /// When the host last said that it is too much.
    halved: Option<Instant>,
}

/// As many requests as may be under way, one after the other or at once.
#[derive(Debug)]
struct Round {
    began: Instant,
    ended: u32,
    worth: u64,
    /// Whether more requests would have been started if they had been allowed.
    was_full: bool,
}

impl Round {
    fn new(began: Instant) -> Self {
        Self { began, ended: 0, worth: 0, was_full: false }
    }
}

#[derive(Debug)]
enum Phase {
    /// The limit was raised from one that brought so much a second (nothing is known of the first one).
    Growing { from: Option<(u32, f64)> },
    /// The limit stays for so many rounds.
    Holding { rounds: u32 },
}

impl Concurrency {
    /// Starts at [`FIRST`], or at `most` if that is less.
    pub(crate) fn new(most: u32, now: Instant) -> Self {
        let most = most.max(1);
        let phase = Phase::Growing { from: None };
        Self { limit: FIRST.min(most), most, round: Round::new(now), phase, halved: None }
    }

    /// Requests that may be under way.
    pub(crate) fn limit(&self) -> u32 {
        self.limit
    }

    /// A request waits because the limit is reached.
    pub(crate) fn is_full(&mut self) {
        self.round.was_full = true;
    }

    /// A request has brought so many bytes and ended.
    pub(crate) fn ended(&mut self, bytes: u64, now: Instant) {
        self.round.ended += 1;
        self.round.worth = self.round.worth.saturating_add(bytes).saturating_add(REQUEST_WORTH);
        let elapsed = now.saturating_duration_since(self.round.began);
        if self.round.ended < self.limit || elapsed < SHORTEST_ROUND {
            return;
        }
        let round = std::mem::replace(&mut self.round, Round::new(now));
        // Where nothing had to wait, the rate says what was asked for, not what the host can do.
        if round.was_full {
            self.judge(round.worth as f64 / elapsed.as_secs_f64());
        }
    }

    fn judge(&mut self, rate: f64) {
        match &mut self.phase {
            Phase::Growing { from: Some((before, brought)) } if rate < *brought * WORTHWHILE => {
                self.limit = *before;
                self.phase = Phase::Holding { rounds: HOLD_ROUNDS };
            }
            Phase::Growing { .. } | Phase::Holding { rounds: 0 } => self.grow(rate),
            Phase::Holding { rounds } => *rounds -= 1,
        }
    }

    fn grow(&mut self, rate: f64) {
        self.phase = Phase::Growing { from: Some((self.limit, rate)) };
        self.limit = (self.limit + self.limit.div_ceil(2)).min(self.most);
    }

    /// The host answered that it gets too many requests. Answers to requests that were under way together count
    /// as one.
    pub(crate) fn throttled(&mut self, now: Instant) {
        let is_new = match self.phase {
            Phase::Holding { rounds } if rounds >= HOLD_ROUNDS => {
                now.saturating_duration_since(self.halved.unwrap_or(now)) > HALVE_AGAIN
            }
            _ => true,
        };
        if is_new {
            self.limit = (self.limit / 2).max(1);
            self.phase = Phase::Holding { rounds: 2 * HOLD_ROUNDS };
            self.round = Round::new(now);
            self.halved = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds of full concurrency at a host whose rate depends on the requests under way.
    fn run(
        concurrency: &mut Concurrency,
        now: &mut Instant,
        rounds: u32,
        rate: impl Fn(u32) -> f64,
    ) {
        for _ in 0..rounds {
            let limit = concurrency.limit();
            let bytes = 1 << 20;
            let took = f64::from(limit) * bytes as f64 / rate(limit);
            for request in 1..=limit {
                concurrency.is_full();
                let at =
                    *now + Duration::from_secs_f64(took * f64::from(request) / f64::from(limit));
                concurrency.ended(bytes, at);
            }
            *now += Duration::from_secs_f64(took);
        }
    }

    #[test]
    fn it_grows_while_more_requests_bring_more() {
        let mut now = Instant::now();
        let mut concurrency = Concurrency::new(256, now);
        assert_eq!(concurrency.limit(), FIRST);
        // Latency rules: each request brings as much as the others, however many there are.
        run(&mut concurrency, &mut now, 8, |limit| 10e6 * f64::from(limit));
        // The last step to the limit is too short to show.
        assert!(concurrency.limit() > 200, "{}", concurrency.limit());
    }

    #[test]
    fn it_stays_where_more_requests_bring_nothing() {
        let mut now = Instant::now();
        let mut concurrency = Concurrency::new(256, now);
        run(&mut concurrency, &mut now, 200, |limit| 10e6 * f64::from(limit.min(60)));
        let limit = concurrency.limit();
        assert!((48..=108).contains(&limit), "{limit} where 60 are enough");
    }

    #[test]
    fn requests_that_nobody_waits_for_teach_nothing() {
        let mut now = Instant::now();
        let mut concurrency = Concurrency::new(256, now);
        for _ in 0..10_000 {
            now += Duration::from_millis(1);
            concurrency.ended(1 << 20, now);
        }
        assert_eq!(concurrency.limit(), FIRST);
    }

    #[test]
    fn it_halves_once_for_refusals_that_come_together_and_again_for_later_ones() {
        let mut now = Instant::now();
        let mut concurrency = Concurrency::new(256, now);
        for _ in 0..20 {
            now += Duration::from_millis(1);
            concurrency.throttled(now);
        }
        assert_eq!(concurrency.limit(), 16);
        now += Duration::from_secs(2);
        concurrency.throttled(now);
        assert_eq!(concurrency.limit(), 8);
        for _ in 0..20 {
            now += Duration::from_secs(2);
            concurrency.throttled(now);
        }
        assert_eq!(concurrency.limit(), 1);
    }

    #[test]
    fn it_recovers_after_refusals_end() {
        let mut now = Instant::now();
        let mut concurrency = Concurrency::new(64, now);
        concurrency.throttled(now);
        run(&mut concurrency, &mut now, 200, |limit| 10e6 * f64::from(limit));
        assert!(concurrency.limit() > 50, "{}", concurrency.limit());
    }

    #[test]
    fn it_never_exceeds_what_the_user_allows() {
        let mut now = Instant::now();
        let mut concurrency = Concurrency::new(5, now);
        assert_eq!(concurrency.limit(), 5);
        run(&mut concurrency, &mut now, 50, |limit| 10e6 * f64::from(limit));
        assert_eq!(concurrency.limit(), 5);
        assert_eq!(Concurrency::new(0, now).limit(), 1);
    }
}
