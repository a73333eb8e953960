//! Where a task waits whose decode was suspended.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use lsio_array::{Kept, Resume};

use crate::executor::Shared;
use crate::task_job::TaskJob;

/// Where a suspended task waits.
pub(crate) struct Resumer {
    shared: Arc<Shared>,
    state: Mutex<Suspension>,
    kept: Mutex<Option<Kept>>,
}

#[derive(Default)]
enum Suspension {
    #[default]
    Running,
    /// Resumed before the task was put here.
    Resumed,
    Parked(Box<TaskJob>),
}

impl fmt::Debug for Resumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resumer").finish_non_exhaustive()
    }
}

impl Resumer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, state: Mutex::default(), kept: Mutex::default() }
    }

    /// Forgets that it was called. `false`: a task waits in it.
    pub(crate) fn reset(&mut self) -> bool {
        *self.kept.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let free = !matches!(state, Suspension::Parked(_));
        if free {
            *state = Suspension::Running;
        }
        free
    }

    /// Keeps a suspended task until it is resumed. It comes back if that has happened already, or its run is
    /// over.
    pub(crate) fn park(&self, job: Box<TaskJob>) -> Option<Box<TaskJob>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, Suspension::Resumed) || job.run.over.load(Ordering::Acquire) {
            *state = Suspension::Running;
            return Some(job);
        }
        *state = Suspension::Parked(job);
        None
    }
}

impl Resume for Resumer {
    fn resume(self: Arc<Self>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, Suspension::Resumed) {
            Suspension::Parked(job) => {
                *state = Suspension::Running;
                drop(state);
                self.shared.queue_tasks(vec![job]);
            }
            Suspension::Running | Suspension::Resumed => {}
        }
    }

    fn kept(&self) -> &Mutex<Option<Kept>> {
        &self.kept
    }
}
