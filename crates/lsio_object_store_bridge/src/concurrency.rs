//! How many requests to have under way at one host: learned from what the host does with them.

use std::time::{Duration, Instant};

/// Requests under way at the start, at a host that answers soon. One stream of S3 brings 85-90 MB/s, so fewer would
/// leave a fast network idle while the first round trips are measured.
pub(crate) const FIRST: u32 = 32;

/// A host that takes longer to answer gets as many more at the start: 3,200 requests a second are begun then. S3
/// takes 5,500 for each prefix of keys.
const SOON: Duration = Duration::from_millis(10);

/// More requests under way are worth keeping if they bring this many times as much.
const WORTHWHILE: f64 = 1.08;

/// Rounds without a try of more requests after one that brought nothing.
const HOLD_ROUNDS: u32 = 16;

/// Shortest round that says something about the rate.
const SHORTEST_ROUND: Duration = Duration::from_millis(20);

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
    /// How often the limit fell.
    falls: Falls,
}

/// How often the limit had fallen when a request began: what the host made of requests that were under way as it
/// fell says nothing about the limit since then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Falls(u32);

/// As many requests as may be under way, one after the other or at once.
#[derive(Debug)]
struct Round {
    began: Instant,
    ended: u32,
    /// Of these, those that the host refused because there were too many.
    refused: u32,
    worth: u64,
    /// Whether more requests would have been started if they had been allowed.
    was_full: bool,
}

impl Round {
    fn new(began: Instant) -> Self {
        Self { began, ended: 0, refused: 0, worth: 0, was_full: false }
    }
}

#[derive(Debug)]
enum Phase {
    /// Nothing is known but how soon answers began, at best.
    Starting { soonest: Option<Duration> },
    /// The limit was raised from one that brought so much a second.
    Growing { from: (u32, f64) },
    /// The limit stays for so many rounds.
    Holding { rounds: u32 },
    /// The host refused requests at this limit: until it is reached again, one more each round.
    Recovering { to: u32 },
}

impl Concurrency {
    /// Starts at [`FIRST`], or at `most` if that is less.
    pub(crate) fn new(most: u32, now: Instant) -> Self {
        let most = most.max(1);
        let phase = Phase::Starting { soonest: None };
        let (round, falls) = (Round::new(now), Falls::default());
        Self { limit: FIRST.min(most), most, round, phase, falls }
    }

    /// Requests that may be under way.
    pub(crate) fn limit(&self) -> u32 {
        self.limit
    }

    /// What a request that begins now is to say when it has ended.
    pub(crate) fn falls(&self) -> Falls {
        self.falls
    }

    /// A request begins, and none is under way: the time until now says nothing about the host.
    pub(crate) fn wakes(&mut self, now: Instant) {
        self.round = Round::new(now);
    }

    /// The answer to a request began after so long.
    pub(crate) fn answered(&mut self, after: Duration) {
        if let Phase::Starting { soonest } = &mut self.phase {
            // The least has no time in it that others under way or the connection took.
            let soonest = *soonest.insert(soonest.map_or(after, |before| before.min(after)));
            let first = u128::from(FIRST) * soonest.as_micros() / SOON.as_micros();
            let first = u32::try_from(first).unwrap_or(u32::MAX).max(FIRST);
            self.limit = first.min(self.most);
        }
    }

    /// A request waits because the limit is reached.
    pub(crate) fn is_full(&mut self) {
        self.round.was_full = true;
    }

    /// A request has brought so many bytes and ended, or was refused because the host gets too many.
    pub(crate) fn ended(&mut self, began: Falls, bytes: u64, is_refused: bool, now: Instant) {
        if began != self.falls {
            return;
        }
        self.round.ended += 1;
        self.round.refused += u32::from(is_refused);
        self.round.worth = self.round.worth.saturating_add(bytes).saturating_add(REQUEST_WORTH);
        let elapsed = now.saturating_duration_since(self.round.began);
        if self.round.ended < self.limit || elapsed < SHORTEST_ROUND {
            return;
        }
        let round = std::mem::replace(&mut self.round, Round::new(now));
        if round.refused > 0 {
            self.fall(&round);
        } else if round.was_full {
            // Where nothing had to wait, the rate says what was asked for, not what the host can do.
            self.judge(round.worth as f64 / elapsed.as_secs_f64());
        }
    }

    /// By as large a part as was refused, so that the odd refusal costs little; by half at most, since those under
    /// way may be refused for what was under way before them.
    fn fall(&mut self, round: &Round) {
        let refused = u64::from(self.limit) * u64::from(round.refused) / u64::from(round.ended);
        let less = u32::try_from(refused).unwrap_or(self.limit).clamp(1, self.limit.div_ceil(2));
        self.phase = Phase::Recovering { to: self.limit };
        self.limit = (self.limit - less).max(1);
        self.falls.0 = self.falls.0.wrapping_add(1);
    }

    fn judge(&mut self, rate: f64) {
        match &mut self.phase {
            Phase::Growing { from: (before, brought) } if rate < *brought * WORTHWHILE => {
                self.limit = *before;
                self.phase = Phase::Holding { rounds: HOLD_ROUNDS };
            }
            Phase::Starting { .. } | Phase::Growing { .. } | Phase::Holding { rounds: 0 } => {
                self.phase = Phase::Growing { from: (self.limit, rate) };
                self.limit = (self.limit + self.limit.div_ceil(2)).min(self.most);
            }
            Phase::Holding { rounds } => *rounds -= 1,
            Phase::Recovering { to } => {
                self.limit = (self.limit + 1).min(self.most);
                if self.limit >= *to {
                    self.phase = Phase::Holding { rounds: HOLD_ROUNDS };
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::VecDeque;

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
                concurrency.ended(concurrency.falls(), bytes, false, at);
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
    fn a_host_that_answers_late_is_asked_by_more_at_once() {
        let first = |most, milliseconds: &[u64]| {
            let mut concurrency = Concurrency::new(most, Instant::now());
            for &after in milliseconds {
                concurrency.answered(Duration::from_millis(after));
            }
            concurrency.limit()
        };
        assert_eq!([first(256, &[0]), first(256, &[10]), first(256, &[20])], [32, 32, 64]);
        assert_eq!(first(256, &[90, 20, 50]), 64, "the least is what counts");
        assert_eq!([first(128, &[1000]), first(8, &[1000])], [128, 8]);
    }

    #[test]
    fn what_came_before_a_pause_is_no_rate() {
        let mut now = Instant::now();
        let mut concurrency = Concurrency::new(256, now);
        for pause in 0..8 {
            // Each longer than the one before: by the clock, ever less would be brought.
            now += Duration::from_secs(100 << pause);
            concurrency.wakes(now);
            run(&mut concurrency, &mut now, 1, |limit| 10e6 * f64::from(limit));
        }
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
            concurrency.ended(concurrency.falls(), 1 << 20, false, now);
        }
        assert_eq!(concurrency.limit(), FIRST);
    }

    /// Many requests at a host that answers each after 20 ms; `is_refused` is told how many are under way with it, and
    /// the number of the request. Returns the limit after each request.
    fn ask(
        concurrency: &mut Concurrency,
        now: &mut Instant,
        requests: u32,
        is_refused: impl Fn(u32, u32) -> bool,
    ) -> Vec<u32> {
        let mut under_way = VecDeque::new();
        let mut limits = Vec::new();
        for request in 0..requests {
            while under_way.len() >= concurrency.limit() as usize {
                concurrency.is_full();
                let (at, began, refused) = under_way.pop_front().unwrap();
                *now = at;
                concurrency.ended(began, 1000, refused, at);
            }
            let refused = is_refused(under_way.len() as u32 + 1, request);
            let at = *now + Duration::from_millis(20) + Duration::from_micros(request.into());
            under_way.push_back((at, concurrency.falls(), refused));
            limits.push(concurrency.limit());
        }
        limits
    }

    #[test]
    fn it_falls_to_what_the_host_takes_and_stays_there() {
        for most in [64, 128, 1000] {
            let mut now = Instant::now();
            let mut concurrency = Concurrency::new(most, now);
            ask(&mut concurrency, &mut now, 20_000, |_, _| false);
            assert!(concurrency.limit() >= 64, "{}", concurrency.limit());
            let limits = ask(&mut concurrency, &mut now, 20_000, |under_way, _| under_way > 16);
            let later = &limits[4000..];
            let (least, highest) = (later.iter().min().unwrap(), later.iter().max().unwrap());
            assert!(*least >= 12 && *highest <= 24, "{least} to {highest} where 16 are taken");
        }
    }

    #[test]
    fn refusals_of_requests_that_were_under_way_together_count_once() {
        let mut now = Instant::now();
        let mut concurrency = Concurrency::new(32, now);
        let began = concurrency.falls();
        now += Duration::from_millis(20);
        for _ in 0..64 {
            concurrency.ended(began, 0, true, now);
        }
        assert_eq!(concurrency.limit(), 16);
        now += Duration::from_millis(20);
        for _ in 0..16 {
            concurrency.ended(concurrency.falls(), 0, true, now);
        }
        assert_eq!(concurrency.limit(), 8);
        for _ in 0..100 {
            now += Duration::from_millis(20);
            concurrency.ended(concurrency.falls(), 0, true, now);
        }
        assert_eq!(concurrency.limit(), 1);
    }

    #[test]
    fn the_odd_refusal_leaves_many_under_way() {
        let mut now = Instant::now();
        let mut concurrency = Concurrency::new(128, now);
        let limits = ask(&mut concurrency, &mut now, 40_000, |_, request| request % 101 == 0);
        let least = limits[4000..].iter().min().unwrap();
        assert!(*least >= 24, "{least}");
    }

    #[test]
    fn it_recovers_after_refusals_end() {
        let mut now = Instant::now();
        let mut concurrency = Concurrency::new(64, now);
        ask(&mut concurrency, &mut now, 1000, |_, _| true);
        assert_eq!(concurrency.limit(), 1);
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
