//! A few threads for what blocks on a store but is not hot: opening, listing, writing samples.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

/// Most threads. They only wait, and a queue behind eight of them is short.
const THREADS: usize = 8;

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    closed: bool,
}

/// Threads that start when there is a job and no idle thread, and wait for more afterwards.
#[derive(Clone, Default)]
pub(crate) struct ControlThreads {
    shared: Arc<(Mutex<Queue>, Condvar)>,
}

impl fmt::Debug for ControlThreads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlThreads").finish_non_exhaustive()
    }
}

impl ControlThreads {
    /// Runs `job` on one of the threads, or here if not even one can be started.
    pub(crate) fn run(&self, job: impl FnOnce() + Send + 'static) {
        let (lock, changed) = &*self.shared;
        let mut queue = lock.lock().unwrap_or_else(PoisonError::into_inner);
        queue.jobs.push_back(Box::new(job));
        if queue.idle >= queue.jobs.len() || queue.threads >= THREADS {
            drop(queue);
            changed.notify_one();
            return;
        }
        let shared = self.shared.clone();
        let started =
            thread::Builder::new().name("lsio-control".to_owned()).spawn(move || serve(&shared));
        if started.is_ok() {
            queue.threads += 1;
        } else if queue.threads == 0 {
            let job = queue.jobs.pop_back();
            drop(queue);
            if let Some(job) = job {
                finish(job);
            }
        }
    }

    /// Lets the threads end once the queue is empty.
    pub(crate) fn close(&self) {
        let (lock, changed) = &*self.shared;
        lock.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        changed.notify_all();
    }
}

/// Runs a job. A panic ends only the job, which drops what tells its caller; the thread goes on with the next one.
fn finish(job: Job) {
    drop(catch_unwind(AssertUnwindSafe(job)));
}

fn serve(shared: &(Mutex<Queue>, Condvar)) {
    let (lock, changed) = shared;
    let mut queue = lock.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(job) = queue.jobs.pop_front() {
            drop(queue);
            finish(job);
            queue = lock.lock().unwrap_or_else(PoisonError::into_inner);
        } else if queue.closed {
            queue.threads -= 1;
            return;
        } else {
            queue.idle += 1;
            queue = changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Barrier, mpsc};

    use super::{ControlThreads, THREADS};

    #[test]
    fn jobs_that_panic_take_no_thread_along() {
        let threads = ControlThreads::default();
        // Each begins when all have, so that each has a thread of its own.
        let together = Arc::new(Barrier::new(THREADS));
        for _ in 0..THREADS {
            let together = together.clone();
            threads.run(move || {
                together.wait();
                panic!("on purpose");
            });
        }
        let (sender, answers) = mpsc::channel();
        for number in 0..2 * THREADS {
            let sender = sender.clone();
            threads.run(move || sender.send(number).unwrap_or_default());
        }
        drop(sender);
        let mut answered: Vec<usize> = answers.iter().collect();
        answered.sort_unstable();
        assert_eq!(answered, (0..2 * THREADS).collect::<Vec<_>>());
        threads.close();
    }
}
