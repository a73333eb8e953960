//! One call of the facade: what stops it, and how far it is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lsio::{CancelToken, RunHandle, RunStats, SampleProgress};
use napi_derive::napi;

use crate::native_stats::NativeStats;

/// What the facade and the engine share of one call.
#[derive(Debug, Default)]
pub(crate) struct CallState {
    cancelled: AtomicBool,
    progress: Mutex<Progress>,
}

#[derive(Debug, Default)]
enum Progress {
    #[default]
    NotStarted,
    Run(RunHandle),
    Sample(Arc<SampleProgress>),
    Object(CancelToken),
}

impl CallState {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the call early.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        let run = match &*self.lock() {
            Progress::NotStarted => None,
            Progress::Run(run) => Some(run.clone()),
            Progress::Sample(sample) => {
                sample.cancel.cancel();
                None
            }
            Progress::Object(token) => {
                token.cancel();
                None
            }
        };
        // Not under the lock: cancelling may end the run on this thread.
        if let Some(run) = run {
            run.cancel();
        }
    }

    /// Whether it was ended early.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// The run that the call waits for.
    pub(crate) fn attach(&self, run: RunHandle) {
        *self.lock() = Progress::Run(run.clone());
        if self.is_cancelled() {
            run.cancel();
        }
    }

    /// The sample data that the call writes.
    pub(crate) fn attach_sample(&self, sample: &Arc<SampleProgress>) {
        *self.lock() = Progress::Sample(sample.clone());
        if self.is_cancelled() {
            sample.cancel.cancel();
        }
    }

    /// The read of an object that the call waits for.
    pub(crate) fn attach_object(&self, token: &CancelToken) {
        *self.lock() = Progress::Object(token.clone());
        if self.is_cancelled() {
            token.cancel();
        }
    }

    fn stats(&self) -> RunStats {
        match &*self.lock() {
            Progress::NotStarted | Progress::Object(_) => RunStats::default(),
            Progress::Run(run) => run.stats(),
            Progress::Sample(sample) => RunStats {
                bytes_decoded: sample.bytes.load(Ordering::Relaxed),
                ..RunStats::default()
            },
        }
    }
}

/// One call of the facade: stops it, and says how far it is.
#[napi]
#[derive(Debug, Default)]
pub struct NativeCall {
    state: Arc<CallState>,
}

#[napi]
impl NativeCall {
    /// A call that has not started.
    #[napi(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the call early. Does nothing once it has ended.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        self.state.cancel();
    }

    /// What was done so far.
    #[napi(catch_unwind)]
    #[must_use]
    pub fn progress(&self) -> NativeStats {
        self.state.stats().into()
    }

    pub(crate) fn state(&self) -> &Arc<CallState> {
        &self.state
    }
}
