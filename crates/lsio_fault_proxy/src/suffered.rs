//! Which faults one request suffers by the plan, and the counts that this follows from.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::sync::Barrier;

use crate::plan::{Fault, Plan, Rule};

/// The faults of one request, folded: the last rule wins where two say different things, latencies add up.
#[derive(Debug, Default)]
pub(crate) struct Suffered {
    pub(crate) latency: Duration,
    /// Where it waits for others.
    pub(crate) together: Option<Arc<Barrier>>,
    pub(crate) status: Option<StatusCode>,
    pub(crate) reset_after: Option<u64>,
    pub(crate) cut_after: Option<u64>,
    pub(crate) bytes_per_second: Option<u64>,
    pub(crate) length_difference: i64,
    pub(crate) etag: Option<ChangedEtag>,
}

/// What the object's `ETag` is said to have become.
#[derive(Debug)]
pub(crate) enum ChangedEtag {
    /// One other tag.
    Once,
    /// A tag that only this request sees: the number of it.
    Always(u64),
}

/// A plan under way.
#[derive(Debug, Default)]
pub(crate) struct Course {
    plan: Plan,
    counts: Vec<Counts>,
}

/// What one rule has seen.
#[derive(Debug)]
struct Counts {
    /// Where requests wait for others, if that is the rule.
    together: Option<Arc<Barrier>>,
    /// Requests of each path that its `method`, `path` and `above_in_flight` match.
    by_path: HashMap<String, u64>,
    /// Requests that came to the lot.
    drawn: u64,
}

impl Course {
    pub(crate) fn new(plan: Plan) -> Self {
        let counts = plan.rules.iter().map(|rule| Counts::new(rule.fault)).collect();
        Self { plan, counts }
    }

    /// What the next request suffers: `path` is its path, `target` its path and query; so many requests are under way
    /// with it.
    pub(crate) fn next(
        &mut self,
        method: &str,
        path: &str,
        target: &str,
        in_flight: u64,
    ) -> Suffered {
        let mut suffered = Suffered::default();
        for (number, (rule, counts)) in self.plan.rules.iter().zip(&mut self.counts).enumerate() {
            let matches = rule.method.as_deref().is_none_or(|wanted| wanted == method)
                && rule.path.as_deref().is_none_or(|part| target.contains(part))
                && in_flight > rule.above_in_flight;
            if matches && counts.hits(rule, path, self.plan.seed ^ ((number as u64) << 32)) {
                suffered.add(rule.fault, counts);
            }
        }
        suffered
    }
}

impl Counts {
    fn new(fault: Fault) -> Self {
        let together = match fault {
            Fault::Together { requests } => Some(Arc::new(Barrier::new(requests))),
            _ => None,
        };
        Self { together, by_path: HashMap::new(), drawn: 0 }
    }

    fn hits(&mut self, rule: &Rule, path: &str, seed: u64) -> bool {
        if rule.after > 0 {
            let seen = self.by_path.entry(path.to_owned()).or_default();
            *seen += 1;
            if *seen <= rule.after {
                return false;
            }
        }
        let lot = lot(seed, self.drawn);
        self.drawn += 1;
        rule.first.is_none_or(|first| self.drawn <= first) && lot < rule.fraction
    }
}

impl Suffered {
    fn add(&mut self, fault: Fault, counts: &Counts) {
        match fault {
            Fault::Latency { milliseconds } => self.latency += Duration::from_millis(milliseconds),
            Fault::Together { .. } => self.together.clone_from(&counts.together),
            Fault::Reset { after_bytes } => self.reset_after = Some(after_bytes),
            // A status that is none was a mistake in the plan, which must not look like a good answer.
            Fault::Status { status } => {
                let status = StatusCode::from_u16(status);
                self.status = Some(status.unwrap_or(StatusCode::NOT_IMPLEMENTED));
            }
            Fault::Cut { after_bytes } => self.cut_after = Some(after_bytes),
            Fault::Slow { bytes_per_second } => {
                self.bytes_per_second = Some(bytes_per_second.max(1));
            }
            Fault::ContentLength { difference } => self.length_difference = difference,
            Fault::ChangedEtag { always: false } => self.etag = Some(ChangedEtag::Once),
            Fault::ChangedEtag { always: true } => {
                self.etag = Some(ChangedEtag::Always(counts.drawn));
            }
        }
    }
}

/// A number from 0 to 1 that follows from its place alone (`SplitMix64`).
fn lot(seed: u64, place: u64) -> f64 {
    let mut state = seed.wrapping_add(place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    // 53 bits are what a float of 64 holds exactly.
    ((state ^ (state >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statuses(rule: Rule, seed: u64, count: usize) -> Vec<bool> {
        let mut course = Course::new(Plan { seed, rules: vec![rule] });
        (0..count).map(|_| course.next("GET", "/key", "/key?x=1", 1).status.is_some()).collect()
    }

    fn unavailable() -> Rule {
        Rule::every(Fault::Status { status: 503 })
    }

    #[test]
    fn a_fraction_is_met_and_can_be_repeated() {
        let rule = Rule { fraction: 0.01, ..unavailable() };
        let hits = statuses(rule.clone(), 7, 100_000);
        let count = hits.iter().filter(|&&hit| hit).count();
        // 1000 expected, standard deviation 31.
        assert!((850..1150).contains(&count), "{count} of 100000");
        assert_eq!(statuses(rule.clone(), 7, 100_000), hits);
        assert_ne!(statuses(rule, 8, 100_000), hits);
    }

    #[test]
    fn the_first_requests_alone_suffer() {
        let rule = Rule { first: Some(2), ..unavailable() };
        assert_eq!(statuses(rule, 0, 4), [true, true, false, false]);
    }

    #[test]
    fn the_first_requests_of_each_path_are_spared() {
        let rule = Rule { after: 1, ..unavailable() };
        let mut course = Course::new(Plan { seed: 0, rules: vec![rule] });
        let mut hit = |path| course.next("GET", path, path, 1).status.is_some();
        assert_eq!([hit("/a"), hit("/b"), hit("/a"), hit("/b")], [false, false, true, true]);
    }

    #[test]
    fn method_and_path_choose() {
        let rule = Rule {
            method: Some("GET".to_owned()),
            path: Some("list-type".to_owned()),
            ..unavailable()
        };
        let mut course = Course::new(Plan { seed: 0, rules: vec![rule] });
        assert!(course.next("GET", "/b", "/b?list-type=2", 1).status.is_some());
        assert!(course.next("PUT", "/b", "/b?list-type=2", 1).status.is_none());
        assert!(course.next("GET", "/b", "/b", 1).status.is_none());
    }

    #[test]
    fn those_above_a_number_under_way_suffer() {
        let rule = Rule { above_in_flight: 16, ..unavailable() };
        let mut course = Course::new(Plan { seed: 0, rules: vec![rule] });
        let mut hit = |in_flight| course.next("GET", "/a", "/a", in_flight).status.is_some();
        assert_eq!([hit(1), hit(16), hit(17), hit(200)], [false, false, true, true]);
    }

    #[test]
    fn latencies_of_several_rules_add_up() {
        let rules = [20, 100].map(|milliseconds| Rule::every(Fault::Latency { milliseconds }));
        let mut course = Course::new(Plan { seed: 0, rules: rules.to_vec() });
        assert_eq!(course.next("GET", "/", "/", 1).latency, Duration::from_millis(120));
    }
}
