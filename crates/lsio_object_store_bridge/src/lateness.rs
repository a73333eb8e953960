//! When an answer is late, and how many late ones a second request may be made for. Time comes from outside.

use std::collections::VecDeque;
use std::time::Duration;

/// Answers that say how soon a host answers: enough that one in a hundred which is slow does not count, few enough
/// that a host which has become slower is soon known to be.
const KEPT: usize = 256;

/// Answers before which nothing is known, and after which the time is worked out again: as many as are asked for at
/// the start.
const ENOUGH: usize = crate::concurrency::FIRST as usize;

/// No answer is late that took less: at a host that answers within some milliseconds a busy machine makes others of
/// them, and a second request costs about as much as it saves.
const LEAST: Duration = Duration::from_millis(50);

/// A late answer has taken more than so many times the median: as long as a request on a new connection takes, whose
/// round trips are those of TCP, of TLS 1.3 and its own.
const MEDIANS: u32 = 3;

/// A late answer has taken longer than so many in a hundred: with 95, second requests are one in twenty at most by
/// themselves (Dean and Barroso, The Tail at Scale, 2013, hedge by it). See [`EARNED_BY`].
const PERCENT: usize = 95;

/// Requests for each of which one may be made twice: 5 %, also where a host becomes slower at once.
const EARNED_BY: u32 = 20;

/// Second requests that may be made one after the other where none was for long.
const SAVED: u32 = 8;

/// How long may pass until another look at what could not be hedged yet.
pub(crate) const LOOK: Duration = LEAST;

/// How soon a host answers, and which answers are waited for no longer alone.
#[derive(Debug, Default)]
pub(crate) struct Lateness {
    recent: VecDeque<Duration>,
    /// Answers since the time was worked out.
    fresh: usize,
    late_after: Option<Duration>,
    /// Requests that no second one was made for yet, up to a bound.
    earned: u32,
}

impl Lateness {
    /// A request was made that is not a second one.
    pub(crate) fn asked(&mut self) {
        self.earned = (self.earned + 1).min(SAVED * EARNED_BY);
    }

    /// The answer to a request began after so long, or had not begun by then when it was given up for a second one.
    pub(crate) fn answered(&mut self, after: Duration) {
        if self.recent.len() == KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back(after);
        self.fresh += 1;
        if self.fresh >= ENOUGH {
            self.fresh = 0;
            self.late_after = Some(late_after(self.recent.iter().copied().collect()));
        }
    }

    /// The host said that there are too many requests. It gets no second ones until it has answered many others.
    pub(crate) fn refused(&mut self) {
        *self = Self::default();
    }

    /// How long until it should be asked again whether an answer that was waited for so long is late. `None`: it is,
    /// and there may be a second request.
    pub(crate) fn look_again(&self, waited: Duration) -> Option<Duration> {
        let Some(late_after) = self.late_after else { return Some(LOOK) };
        match late_after.checked_sub(waited) {
            Some(left) if !left.is_zero() => Some(left),
            _ if self.earned < EARNED_BY => Some(LOOK),
            _ => None,
        }
    }

    /// A second request is made.
    pub(crate) fn hedged(&mut self) {
        self.earned = self.earned.saturating_sub(EARNED_BY);
    }
}

/// The time after which an answer is late, where some took so long.
fn late_after(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    let at = |percent| times.get(times.len() * percent / 100).copied().unwrap_or(LEAST);
    LEAST.max(at(50).saturating_mul(MEDIANS)).max(at(PERCENT))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATE: Duration = Duration::from_mins(1);

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// After so many requests, each answered after as many milliseconds as `time` says.
    fn after(requests: u64, time: impl Fn(u64) -> u64) -> Lateness {
        let mut lateness = Lateness::default();
        for request in 0..requests {
            lateness.asked();
            lateness.answered(ms(time(request)));
        }
        lateness
    }

    #[test]
    fn nothing_is_late_before_enough_is_known() {
        assert_eq!(after(31, |_| 1).look_again(LATE), Some(LOOK));
        assert_eq!(after(32, |_| 1).look_again(LATE), None);
    }

    #[test]
    fn late_is_what_takes_much_longer_than_most() {
        let late_after = |time: fn(u64) -> u64| after(256, time).late_after;
        assert_eq!(late_after(|_| 1), Some(LEAST));
        assert_eq!(late_after(|_| 30), Some(ms(90)));
        assert_eq!(late_after(|request| if request % 100 == 7 { 500 } else { 20 }), Some(ms(60)));
        let one_in_ten_is_slow = |request| if request % 10 == 7 { 500 } else { 20 };
        assert_eq!(late_after(one_in_ten_is_slow), Some(ms(500)));
    }

    #[test]
    fn it_is_looked_at_again_when_it_is_late() {
        let lateness = after(64, |_| 30);
        assert_eq!(lateness.look_again(Duration::ZERO), Some(ms(90)));
        assert_eq!(lateness.look_again(ms(50)), Some(ms(40)));
        assert_eq!(lateness.look_again(ms(90)), None);
    }

    #[test]
    fn a_host_that_becomes_slower_is_soon_known_to_be() {
        let mut lateness = after(10_000, |_| 20);
        assert_eq!(lateness.look_again(ms(60)), None);
        for _ in 0..KEPT {
            lateness.answered(ms(200));
        }
        assert_eq!(lateness.look_again(ms(60)), Some(ms(540)));
    }

    #[test]
    fn one_request_in_twenty_is_made_twice_at_most() {
        let mut lateness = after(32, |_| 1);
        let mut hedged = 0;
        for _ in 32..10_000 {
            lateness.asked();
            if lateness.look_again(LATE).is_none() {
                lateness.hedged();
                hedged += 1;
            }
        }
        assert_eq!(hedged, 10_000 / 20);
    }

    #[test]
    fn few_are_saved_up() {
        let mut lateness = after(1_000_000, |_| 1);
        let mut hedged = 0;
        while lateness.look_again(LATE).is_none() {
            lateness.hedged();
            hedged += 1;
        }
        assert_eq!(hedged, SAVED);
    }

    #[test]
    fn a_refusal_ends_second_requests_until_many_others_were_answered() {
        let mut lateness = after(1000, |_| 1);
        lateness.refused();
        for _ in 0..ENOUGH {
            assert_eq!(lateness.look_again(LATE), Some(LOOK));
            lateness.asked();
            lateness.answered(ms(1));
        }
        assert_eq!(lateness.look_again(LATE), None);
    }
}
