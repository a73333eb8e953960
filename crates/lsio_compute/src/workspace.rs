//! What a worker keeps from one task to the next of a batch: buffers that are still in the processor's
//! cache, and counts that are told to the run once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lsio_io::Lease;

use crate::executor::Shared;
use crate::operation::DecodedInput;
use crate::resumer::Resumer;
use crate::stats::Counters;

/// Lives for one batch of tasks of one run. The tasks keep their memory until the batch has ended, so a
/// buffer that one of them leased may serve those after it.
pub(crate) struct Workspace {
    scratch: Option<Lease>,
    buffer: Option<Lease>,
    inputs: Vec<DecodedInput>,
    resumer: Option<Arc<Resumer>>,
    /// What the batch did so far.
    pub(crate) counters: Counters,
    lap: Instant,
}

impl Workspace {
    pub(crate) fn new() -> Self {
        Self {
            scratch: None,
            buffer: None,
            inputs: Vec::new(),
            resumer: None,
            counters: Counters::default(),
            lap: Instant::now(),
        }
    }

    /// The scratch memory of an earlier task, if it has `len` bytes.
    pub(crate) fn take_scratch(&mut self, len: u64) -> Option<Lease> {
        self.scratch.take().filter(|lease| lease.len() as u64 == len)
    }

    /// The buffer of an earlier task, if it has `len` bytes.
    pub(crate) fn take_buffer(&mut self, len: u64) -> Option<Lease> {
        self.buffer.take().filter(|lease| lease.len() as u64 == len)
    }

    pub(crate) fn keep_scratch(&mut self, lease: Option<Lease>) {
        self.scratch = lease.or(self.scratch.take());
    }

    /// Room for the decoded inputs of a task.
    pub(crate) fn take_inputs(&mut self) -> Vec<DecodedInput> {
        std::mem::take(&mut self.inputs)
    }

    /// Keeps what the operation left of a task's inputs.
    pub(crate) fn keep_inputs(&mut self, mut inputs: Vec<DecodedInput>) {
        for left in inputs.drain(..) {
            if let DecodedInput::Fixed(lease) = left {
                self.buffer = Some(lease);
            }
        }
        self.inputs = inputs;
    }

    /// A resumer that no other task has.
    pub(crate) fn take_resumer(&mut self, shared: &Arc<Shared>) -> Arc<Resumer> {
        self.resumer.take().unwrap_or_else(|| Arc::new(Resumer::new(shared.clone())))
    }

    /// Keeps a resumer for the next task, unless somebody may still call it.
    pub(crate) fn keep_resumer(&mut self, mut resumer: Arc<Resumer>) {
        if Arc::get_mut(&mut resumer).is_some_and(Resumer::reset) {
            self.resumer = Some(resumer);
        }
    }

    /// Time since the last call.
    pub(crate) fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now - std::mem::replace(&mut self.lap, now)
    }
}
