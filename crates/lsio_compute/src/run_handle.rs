//! The caller's hold on a run.

use std::sync::Arc;

use crate::RunStats;
use crate::executor::Shared;
use crate::run::Run;

/// A run that was started. Dropping the handle does not end the run.
#[derive(Debug, Clone)]
pub struct RunHandle {
    pub(crate) shared: Arc<Shared>,
    pub(crate) run: Arc<Run>,
}

impl RunHandle {
    /// Ends the run early: nothing more is submitted, reads in flight finish and keep their buffers
    /// until then, and the run's end is [`RunError::Cancelled`](crate::RunError::Cancelled). Does
    /// nothing once the run has ended.
    pub fn cancel(&self) {
        self.shared.cancel(&self.run);
    }

    /// What the run has done so far.
    #[must_use]
    pub fn stats(&self) -> RunStats {
        self.run.stats()
    }

    /// Lets the workers look again whether this run can go on.
    pub(crate) fn wake(&self) {
        self.shared.bell.ring();
    }
}
