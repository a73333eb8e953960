//! Reads of deflated members that wait until memory for their stored bytes is free.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::member_read::MemberRead;

/// Lets only so many deflated bytes be under way. Nobody waits in it: who adds a read, and who gives bytes
/// back, then [serves](Self::begin_serving) those whose turn it is.
#[derive(Debug)]
pub(crate) struct DeflatedQueue {
    at_once: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    under_way: u64,
    waiting: VecDeque<Waiting>,
    is_served: bool,
}

#[derive(Debug)]
struct Waiting {
    read: MemberRead,
    bytes: u64,
}

/// A read that has left the queue.
#[derive(Debug)]
pub(crate) enum Turn {
    /// It goes on with so many bytes, which are under way until they are given back.
    Read(MemberRead, u64),
    /// It was cancelled meanwhile.
    Cancelled(MemberRead),
}

impl DeflatedQueue {
    /// At most `at_once` bytes are under way, or one read.
    pub(crate) fn new(at_once: u64) -> Self {
        Self { at_once, state: Mutex::default() }
    }

    /// Puts a read at the end, which needs `bytes`, at least one.
    pub(crate) fn add(&self, read: MemberRead, bytes: u64) {
        self.state().waiting.push_back(Waiting { read, bytes });
    }

    /// Lets a read pass that cannot wait, unless others do or there is no room: then so many bytes are under way until
    /// they are given back.
    pub(crate) fn pass(&self, bytes: u64) -> bool {
        let mut state = self.state();
        let passes = state.waiting.is_empty() && self.fits(&state, bytes);
        state.under_way += if passes { bytes } else { 0 };
        passes
    }

    /// Gives back what a [`Turn::Read`] came with, or what [passed](Self::pass).
    pub(crate) fn give_back(&self, bytes: u64) {
        self.state().under_way -= bytes;
    }

    /// Whether the caller is to take every [`next`](Self::next) until there is none. Otherwise somebody
    /// does so already and sees what changed; it may be a caller of the caller, where reads end at once:
    /// the stack would grow with each of them.
    pub(crate) fn begin_serving(&self) -> bool {
        !std::mem::replace(&mut self.state().is_served, true)
    }

    /// The next read whose turn it is; for who serves only. `None` ends the serving.
    pub(crate) fn next(&self) -> Option<Turn> {
        let mut state = self.state();
        let cancelled = state.waiting.iter().position(|waiting| waiting.read.is_cancelled());
        if let Some(Waiting { read, .. }) = cancelled.and_then(|at| state.waiting.remove(at)) {
            return Some(Turn::Cancelled(read));
        }
        let fits = state.waiting.front().is_some_and(|first| self.fits(&state, first.bytes));
        let first = if fits { state.waiting.pop_front() } else { None };
        let Some(Waiting { read, bytes }) = first else {
            state.is_served = false;
            return None;
        };
        state.under_way += bytes;
        Some(Turn::Read(read, bytes))
    }

    /// Whether there is room for so many bytes more.
    fn fits(&self, state: &State, bytes: u64) -> bool {
        state.under_way == 0 || state.under_way.saturating_add(bytes) <= self.at_once
    }

    /// No statement between a lock and its end can panic halfway through a change.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
