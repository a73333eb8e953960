//! The queue that the pread threads pull from.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

use crate::listing::Listing;
use crate::locking::lock;
use crate::owed_read::OwedRead;
use crate::read_ahead::Advice;
use crate::transfer::{Piece, Refill};

/// Something for a pread thread to do.
#[derive(Debug)]
pub(crate) enum Job {
    /// Read through the page cache.
    Buffered(OwedRead, Option<Advice>),
    /// Read through the page cache what turned out not to be readable with `O_DIRECT`.
    Refill(Refill),
    /// Open a file and start reading it with `O_DIRECT`.
    Direct(OwedRead),
    /// One request of a read with `O_DIRECT`.
    Piece(Piece),
    /// List a directory.
    List(Listing),
}

impl Job {
    fn is_buffered(&self) -> bool {
        matches!(self, Self::Buffered(..) | Self::Refill(_))
    }
}

/// Jobs in the order of their arrival, of which only some may read through the page cache at a time.
#[derive(Debug)]
pub(crate) struct JobQueue {
    state: Mutex<State>,
    arrived: Condvar,
    most_buffered: usize,
}

#[derive(Debug, Default)]
struct State {
    buffered: VecDeque<Job>,
    /// Pieces of direct reads come first: finishing what was started gives memory back.
    pieces: VecDeque<Job>,
    others: VecDeque<Job>,
    buffered_now: usize,
    /// Whose turn it is when both kinds wait, so that neither starves the other.
    buffered_next: bool,
    closed: bool,
}

/// A job to do now. Dropping it lets the next buffered job start.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    queue: &'a JobQueue,
    job: Option<Job>,
    buffered: bool,
}

impl JobQueue {
    /// A queue that lets `most_buffered` threads read through the page cache at once.
    pub(crate) fn new(most_buffered: usize) -> Self {
        let most_buffered = most_buffered.max(1);
        Self { state: Mutex::default(), arrived: Condvar::new(), most_buffered }
    }

    /// Adds a job. A closed queue drops it, which answers its read.
    pub(crate) fn push(&self, job: Job) {
        let mut state = lock(&self.state);
        if state.closed {
            drop(state);
            drop(job);
            return;
        }
        match job {
            job @ (Job::Buffered(..) | Job::Refill(_)) => state.buffered.push_back(job),
            job @ Job::Piece(_) => state.pieces.push_back(job),
            job @ (Job::Direct(_) | Job::List(_)) => state.others.push_back(job),
        }
        drop(state);
        self.arrived.notify_one();
    }

    /// Whether a buffered job that is added now has to wait for others.
    pub(crate) fn is_backed_up(&self) -> bool {
        let state = lock(&self.state);
        state.buffered_now + state.buffered.len() >= self.most_buffered
    }

    /// Waits for a job. `None` when the queue is closed.
    pub(crate) fn next(&self) -> Option<Turn<'_>> {
        let mut state = lock(&self.state);
        loop {
            if state.closed {
                return None;
            }
            if let Some(job) = state.take(self.most_buffered) {
                let buffered = job.is_buffered();
                return Some(Turn { queue: self, job: Some(job), buffered });
            }
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Wakes all threads for their end and drops the jobs that wait, which answers their reads.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        let State { buffered, pieces, others, .. } = std::mem::take(&mut *state);
        state.closed = true;
        drop(state);
        self.arrived.notify_all();
        drop((buffered, pieces, others));
    }
}

impl State {
    fn take(&mut self, most_buffered: usize) -> Option<Job> {
        let may_buffer = self.buffered_now < most_buffered && !self.buffered.is_empty();
        let may_other = !(self.pieces.is_empty() && self.others.is_empty());
        if may_buffer && (self.buffered_next || !may_other) {
            self.buffered_next = false;
            self.buffered_now += 1;
            return self.buffered.pop_front();
        }
        self.buffered_next = true;
        self.pieces.pop_front().or_else(|| self.others.pop_front())
    }
}

impl Turn<'_> {
    /// The job; `None` the second time.
    pub(crate) fn take(&mut self) -> Option<Job> {
        self.job.take()
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.buffered {
            return;
        }
        let mut state = lock(&self.queue.state);
        state.buffered_now = state.buffered_now.saturating_sub(1);
        let waiting = !state.buffered.is_empty();
        drop(state);
        if waiting {
            self.queue.arrived.notify_one();
        }
    }
}
