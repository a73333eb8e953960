//! How tasks and runs end: done, failed, planned again because an object was replaced, cancelled.

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, Weak};

use lsio_array::{ChunkErrorKind, Task};

use crate::RunError;
use crate::bundle::{Charge, PlannedTask};
use crate::executor::Shared;
use crate::operation::Restart;
use crate::panics::contain;
use crate::planning::chunk_error;
use crate::run::{Known, Run, RunState, Start};
use crate::stats::add;
use crate::task_job::{Ended, TaskJob};

impl Shared {
    /// Books the end of tasks of one run.
    pub(crate) fn end_tasks(self: &Arc<Self>, run: &Arc<Run>, tasks: Vec<(Box<TaskJob>, Ended)>) {
        let mut charged: Option<Charge> = None;
        let mut booked = Vec::with_capacity(tasks.len());
        for (job, ended) in tasks {
            let (planned, own) = job.into_planned();
            charged = Some(match charged.take() {
                Some(charged) => charged.join(own),
                None => own,
            });
            booked.push((planned, ended));
        }
        drop(charged);
        let mut state = run.state();
        for (planned, ended) in booked {
            self.end_task(run, &mut state, planned, ended);
        }
        self.settle(run, state);
        self.bell.ring();
    }

    fn end_task(&self, run: &Run, state: &mut RunState, planned: PlannedTask, ended: Ended) {
        state.admitted -= 1;
        match ended {
            Ended::Done => {
                add(&run.counters.tasks_done, 1);
                state.done += 1;
            }
            Ended::Again(attempt) if state.is_active() => {
                state.again.insert(planned.task.number, (planned.task, attempt));
            }
            Ended::Conflict(error) if state.is_active() => {
                self.replaced(run, state, planned, error);
            }
            // What goes wrong with an object that was replaced is no failure of a run that starts over.
            Ended::Failed(error) if !state.is_restarting() => state.fail(run, error),
            Ended::Again(_) | Ended::Conflict(_) | Ended::Failed(_) | Ended::Dropped => {}
        }
    }

    /// Books the end of a task that took its chunk from another run.
    pub(crate) fn end_shared(
        self: &Arc<Self>,
        run: &Arc<Run>,
        task: &Task,
        result: Result<(), ChunkErrorKind>,
    ) {
        let mut state = run.state();
        state.admitted -= 1;
        match result {
            Ok(()) => {
                add(&run.counters.tasks_done, 1);
                state.done += 1;
            }
            Err(kind) if !state.is_restarting() => {
                let error = chunk_error(run, &task.inputs[0], kind);
                state.fail(run, error.into());
            }
            Err(_) => {}
        }
        self.settle(run, state);
    }

    /// An object was replaced while chunks were being read from it: plan again, once.
    fn replaced(&self, run: &Run, state: &mut RunState, mut planned: PlannedTask, error: RunError) {
        for Known { key, .. } in planned.known.iter().map(Arc::as_ref) {
            self.cache.forget_answer(run.sources[key.0].id, &key.1);
        }
        if run.operation.restart() == Restart::Whole {
            if state.start == Start::Second {
                state.fail(run, error);
            } else {
                state.start_over(run);
            }
            return;
        }
        let mut shown = false;
        let again = if planned.known.is_empty() {
            // An object of its own, of which nothing was shown.
            !std::mem::replace(&mut planned.attempt.replaced, true)
        } else {
            // Only what was located with the present answers has met a new replacement.
            let mut present = false;
            for used in &planned.known {
                shown |= used.shown.load(Ordering::Acquire);
                if state.known.get(&used.key).is_some_and(|known| Arc::ptr_eq(known, used)) {
                    state.forget(&used.key);
                    present = true;
                }
            }
            !present || planned.known.iter().all(|used| state.replaced.insert(used.key.clone()))
        };
        if shown || !again {
            state.fail(run, error);
        } else {
            state.again.insert(planned.task.number, (planned.task, planned.attempt));
        }
    }

    /// Ends or restarts a run that has nothing in flight, if it is time.
    pub(crate) fn settle<'a>(
        self: &Arc<Self>,
        run: &'a Arc<Run>,
        mut state: MutexGuard<'a, RunState>,
    ) {
        if !state.is_active() {
            self.stop_waiting(run, &mut state);
            let suspended = std::mem::take(&mut state.suspended);
            if !suspended.is_empty() {
                drop(state);
                for resumer in suspended.iter().filter_map(Weak::upgrade) {
                    lsio_array::Resume::resume(resumer);
                }
                state = run.state();
            }
        }
        if state.finished || !state.is_quiet() {
            return;
        }
        if state.is_restarting() && state.failure.is_none() {
            run.operation.reset();
            state.reset(run);
            drop(state);
            self.bell.ring();
            return;
        }
        if state.failure.is_none() && state.done < run.plan.len() {
            return;
        }
        state.finished = true;
        let failure = state.failure.clone();
        drop(state);
        run.over.store(true, Ordering::Release);
        self.memory.withdraw(run.id);
        self.remove_run(run);
        run.counters.add_to(&self.totals);
        add(&self.runs_ended, 1);
        let told = contain(|| run.operation.finish(failure.map_or(Ok(()), Err)));
        if self.stop.load(Ordering::SeqCst) {
            self.bell.ring_all();
        }
        // The caller's function panicked: the panic hook has said so, and there is nobody else to tell.
        drop(told);
    }

    /// Ends a run early; its operation is told as soon as nothing is in flight.
    pub(crate) fn cancel(self: &Arc<Self>, run: &Arc<Run>) {
        self.fail(run, RunError::Cancelled);
    }

    /// Ends a run with `error`.
    pub(crate) fn fail(self: &Arc<Self>, run: &Arc<Run>, error: RunError) {
        let mut state = run.state();
        if !state.finished {
            state.fail(run, error);
        }
        self.settle(run, state);
        // Others may have passed over chunks that this run had on their way.
        self.bell.ring();
    }

    /// The run does not want the memory any more that it waits for.
    pub(crate) fn stop_waiting(&self, run: &Run, state: &mut RunState) {
        if std::mem::take(&mut state.waits_for_memory) {
            self.memory.withdraw(run.id);
        }
    }
}
