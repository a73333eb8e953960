//! One host with one set of credentials: who may ask it now, what it was asked and how fast it is.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::concurrency::{Concurrency, Falls};
use crate::lateness::{LOOK, Lateness};
use crate::stats::{Counters, Sum};
use crate::turn::{Place, Turns};
use crate::{RetryLimits, StoreStats};

/// Bounds of the gap between two ranges over which they are read as one, and the gap before anything was measured.
const GAPS: (u64, u64, u64) = (64 << 10, 1 << 20, 512 << 10);

/// How a host is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HostLimits {
    /// Most requests under way at once.
    pub most_requests: u32,
    /// How long a request is tried.
    pub retry: RetryLimits,
    /// Whether the same is asked for a second time where an answer is late: at most one request in twenty, none while
    /// the host says that there are too many, and only where more requests may be under way.
    pub hedge: bool,
}

impl Default for HostLimits {
    /// A connection keeps a buffer of up to 400 KiB (hyper's), so 128 stay within the 64 MiB by which resident
    /// memory may exceed the budget.
    fn default() -> Self {
        Self { most_requests: 128, retry: RetryLimits::default(), hedge: true }
    }
}

/// What all stores on one host share.
#[derive(Debug)]
pub struct Host {
    state: Mutex<State>,
    pub(crate) retry: RetryLimits,
    pub(crate) hedge: bool,
    pub(crate) counters: Counters,
    reads: AtomicU64,
    tasks: AtomicU64,
    randoms: AtomicU64,
    answered: AtomicBool,
}

#[derive(Debug)]
struct State {
    turns: Turns<oneshot::Sender<Permit>>,
    concurrency: Concurrency,
    lateness: Lateness,
    /// Bytes a second of one stream, averaged over some requests.
    stream_rate: Option<u64>,
}

impl Host {
    /// A host that nothing is known of yet.
    #[must_use]
    pub fn new(limits: HostLimits) -> Arc<Self> {
        let concurrency = Concurrency::new(limits.most_requests, Instant::now());
        let lateness = Lateness::default();
        let state = State { turns: Turns::default(), concurrency, lateness, stream_rate: None };
        Arc::new(Self {
            state: Mutex::new(state),
            retry: limits.retry,
            hedge: limits.hedge,
            counters: Counters::default(),
            reads: AtomicU64::new(0),
            tasks: AtomicU64::new(0),
            randoms: AtomicU64::new(0),
            answered: AtomicBool::new(false),
        })
    }

    /// What was done so far.
    #[must_use]
    pub fn stats(&self) -> StoreStats {
        let mut sum = Sum::default();
        self.add_to(&mut sum);
        sum.finish()
    }

    /// Adds what was done so far.
    pub(crate) fn add_to(&self, sum: &mut Sum) {
        self.counters.add_to(sum);
        sum.stats.tasks += self.tasks.load(Ordering::Relaxed);
        let state = self.state();
        sum.stats.under_way += u64::from(state.turns.under_way());
        let most = u64::from(state.turns.most_under_way());
        sum.stats.most_under_way = sum.stats.most_under_way.max(most);
    }

    /// Requests that may be under way now.
    #[must_use]
    pub fn concurrency(&self) -> u32 {
        self.state().concurrency.limit()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A task that asks the host begins.
    pub(crate) fn task(self: &Arc<Self>) -> Task {
        self.tasks.fetch_add(1, Ordering::Relaxed);
        Task(self.clone())
    }

    /// The number of the next read.
    pub(crate) fn next_read(&self) -> u64 {
        self.reads.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn random(&self) -> u64 {
        crate::retry::scramble(self.randoms.fetch_add(1, Ordering::Relaxed))
    }

    /// The host has answered something.
    fn answers(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    /// Bytes that arrive on a stream in the time until an answer begins: to read over a longer gap takes longer than
    /// to ask again.
    pub(crate) fn merge_gap(&self) -> u64 {
        let (least, most, unmeasured) = GAPS;
        let rate = self.state().stream_rate;
        match (rate, self.counters.median_first_byte()) {
            (Some(rate), Some(latency)) => {
                let meanwhile = u128::from(rate) * latency.as_micros() / 1_000_000;
                u64::try_from(meanwhile).unwrap_or(most).clamp(least, most)
            }
            _ => unmeasured,
        }
    }

    /// Waits until a request for about so many bytes may be made. Whoever waits no longer has no place either.
    pub(crate) async fn turn(self: &Arc<Self>, place: Place, bytes: u64) -> Option<Permit> {
        let (sender, receiver) = oneshot::channel();
        self.state().turns.wait(place, bytes, sender);
        let _waiter = Waiter { host: self, place };
        self.admit();
        receiver.await.ok()
    }

    /// A request is made that is not a second one beside another.
    pub(crate) fn asks(&self, is_retry: bool) {
        self.counters.request(is_retry);
        self.state().lateness.asked();
    }

    /// Leave for a second request for about so many bytes beside one whose answer was waited for so long. `Err`: how
    /// long until it should be asked for again.
    pub(crate) fn second(
        self: &Arc<Self>,
        waited: Duration,
        bytes: u64,
    ) -> Result<Permit, Duration> {
        let mut state = self.state();
        if let Some(look) = state.lateness.look_again(waited) {
            return Err(look);
        }
        let limit = state.concurrency.limit();
        if !state.turns.take_spare(limit, bytes) {
            return Err(LOOK);
        }
        state.lateness.hedged();
        Ok(self.permit(&state, bytes))
    }

    /// A request was given up after so long because a second one was answered.
    pub(crate) fn waited(&self, after: Duration) {
        self.counters.first_byte(after);
        self.state().lateness.answered(after);
    }

    fn permit(self: &Arc<Self>, state: &State, bytes: u64) -> Permit {
        let (host, falls) = (Some(self.clone()), state.concurrency.falls());
        Permit {
            host,
            falls,
            bytes,
            brought: 0,
            stream: None,
            is_answered: false,
            is_refused: false,
        }
    }

    /// Tells those whose turn it is.
    fn admit(self: &Arc<Self>) {
        loop {
            let mut state = self.state();
            let limit = state.concurrency.limit();
            let Some((bytes, waiter)) = state.turns.next(limit) else {
                if state.turns.is_awaited() {
                    state.concurrency.is_full();
                }
                return;
            };
            if state.turns.under_way() == 1 {
                state.concurrency.wakes(Instant::now());
            }
            let permit = self.permit(&state, bytes);
            drop(state);
            if let Err(mut unwanted) = waiter.send(permit) {
                // Whoever waited is gone.
                unwanted.host = None;
                self.state().turns.end(bytes);
            }
        }
    }
}

/// A task on the threads of the network: counted until what it fetches for has been answered and this is dropped.
#[derive(Debug)]
pub(crate) struct Task(Arc<Host>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.tasks.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Somebody who waits for a turn, as long as this is there.
struct Waiter<'a> {
    host: &'a Arc<Host>,
    place: Place,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let has_left = self.host.state().turns.leave(self.place);
        // There may be room for the next one, which wants less.
        if has_left {
            self.host.admit();
        }
    }
}

/// Leave to have one request under way.
#[derive(Debug)]
pub(crate) struct Permit {
    host: Option<Arc<Host>>,
    /// As it was when the request began.
    falls: Falls,
    bytes: u64,
    brought: u64,
    stream: Option<Instant>,
    /// With what was asked for or something else.
    is_answered: bool,
    /// Because there are too many.
    is_refused: bool,
}

/// Bytes from which on the rate of a stream says something about the network.
const TELLING_BYTES: u64 = 256 << 10;

impl Permit {
    /// The answer has begun, after so long, and has so many bytes.
    pub(crate) fn answered(&mut self, after: Duration, bytes: u64) {
        let Some(host) = &self.host else { return };
        host.answers();
        host.counters.first_byte(after);
        let mut state = host.state();
        state.turns.resize(self.bytes, bytes);
        state.concurrency.answered(after);
        state.lateness.answered(after);
        drop(state);
        self.bytes = bytes;
        self.stream = Some(Instant::now());
        self.is_answered = true;
        host.admit();
    }

    /// So many bytes have arrived.
    pub(crate) fn brought(&mut self, bytes: u64) {
        self.brought += bytes;
        if let Some(host) = &self.host {
            host.counters.received(bytes);
        }
    }

    /// The host answered, but not with what was asked for.
    pub(crate) fn refused(&mut self) {
        self.is_answered = true;
        if let Some(host) = &self.host {
            host.answers();
        }
    }

    /// The host said that there are too many requests.
    pub(crate) fn throttled(&mut self) {
        (self.is_answered, self.is_refused) = (true, true);
        if let Some(host) = &self.host {
            host.answers();
            host.counters.throttled();
            host.state().lateness.refused();
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(host) = self.host.take() else { return };
        let now = Instant::now();
        let mut state = host.state();
        state.turns.end(self.bytes);
        // One that was never made, or given up before its answer began, says nothing about the host.
        if self.is_answered {
            state.concurrency.ended(self.falls, self.brought, self.is_refused, now);
        }
        if let Some(began) = self.stream.filter(|_| self.brought >= TELLING_BYTES) {
            let took = now.saturating_duration_since(began).as_micros().max(1);
            let rate = u128::from(self.brought) * 1_000_000 / took;
            let before = u128::from(state.stream_rate.unwrap_or(0));
            let average = if before == 0 { rate } else { (7 * before + rate) / 8 };
            state.stream_rate = Some(u64::try_from(average).unwrap_or(u64::MAX));
        }
        drop(state);
        host.admit();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    /// The permit for a request that need not wait.
    fn at_once(host: &Arc<Host>, read: u64) -> Permit {
        let turn = pin!(host.turn(Place { read, part: 0 }, 10));
        let context = &mut Context::from_waker(Waker::noop());
        match turn.poll(context) {
            std::task::Poll::Ready(permit) => permit.unwrap(),
            std::task::Poll::Pending => panic!("it waits"),
        }
    }

    #[test]
    fn turns_that_nobody_wants_any_more_teach_nothing() {
        let host = Host::new(HostLimits { most_requests: 2, ..HostLimits::default() });
        let _under_way = at_once(&host, 0);
        let second_request_allowed = |host: &Host| {
            let mut state = host.state();
            // Enough answers to know which is late.
            (0..32).for_each(|_| state.lateness.answered(Duration::from_millis(1)));
            state.lateness.look_again(Duration::from_mins(1)).is_none()
        };
        let learned = |host: &Host| format!("{:?}", host.state().concurrency);
        host.state().concurrency.is_full();
        let before = learned(&host);
        for read in 1..200 {
            let first = at_once(&host, read);
            let mut given_up = Box::pin(host.turn(Place { read: 200 + read, part: 0 }, 10));
            let mut left = Box::pin(host.turn(Place { read: 400 + read, part: 0 }, 10));
            let context = &mut Context::from_waker(Waker::noop());
            assert!(given_up.as_mut().poll(context).is_pending());
            assert!(left.as_mut().poll(context).is_pending());
            drop(left);
            // The turn has come, but nobody looks.
            drop(first);
            drop(given_up);
        }
        assert_eq!(learned(&host), before);
        assert!(!second_request_allowed(&host));
        assert_eq!((host.stats().under_way, host.stats().requests), (1, 0));

        for _ in 0..20 {
            host.asks(false);
        }
        assert!(second_request_allowed(&host));
    }
}
