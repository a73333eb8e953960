//! A thread for each core, each with a worker of its own that lasts over rounds.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::Failure;

pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, |count| count.get())
}

/// Hands out numbers from zero.
#[derive(Default)]
pub(crate) struct Counter(AtomicUsize);

impl Counter {
    pub(crate) fn next(&self) -> usize {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn now(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs `work` with each worker on a thread of its own and gives what they return.
pub(crate) fn on_threads<W: Send, R: Send>(
    workers: &mut [W],
    work: impl Fn(&mut W) -> Result<R, Failure> + Sync,
) -> Result<Vec<R>, Failure> {
    thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> =
            workers.iter_mut().map(|worker| scope.spawn(move || work(worker))).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|_| Err("a thread panicked".into()))
        };
        running.into_iter().map(join).collect()
    })
}
