//! Applies a function to each task's chunks in parallel and merges the results in a fixed tree.

use std::error::Error;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use lsio_array::{ChunkErrorKind, Task, TaskPlan};
use lsio_io::Reservation;

use crate::chunk_data::gather;
use crate::fold_tree::FoldTree;
use crate::operation::{DecodedInput, Operation, Restart, Sources};
use crate::run::RunOptions;
use crate::stats::Counters;
use crate::{ChunkData, ChunkValues, Executor, RunError, RunHandle, SourceHandle};

/// What a function applied to chunks may fail with.
pub type FunctionError = Arc<dyn Error + Send + Sync>;

type Done<S> = Box<dyn FnOnce(Result<Option<S>, RunError>) + Send>;

struct Fold<S, F, M> {
    tree: FoldTree<S>,
    map: F,
    merge: M,
    root: Mutex<Option<S>>,
    done: Mutex<Option<Done<S>>>,
}

impl Executor {
    /// Applies `map` to the chunks of each task and merges what it returns, always in the same tree:
    /// the result does not depend on the number of threads or on which chunk arrives first.
    ///
    /// `map` gets one [`ChunkData`] for each input of the task. `merge(left, right)` joins the results
    /// of neighbouring tasks. `done` gets `None` if the plan has no tasks; it is called once, on a
    /// worker or on the thread that cancels.
    pub fn fold<S, F, M>(
        &self,
        sources: Vec<Arc<SourceHandle>>,
        plan: Arc<dyn TaskPlan>,
        options: RunOptions,
        map: F,
        merge: M,
        done: impl FnOnce(Result<Option<S>, RunError>) + Send + 'static,
    ) -> RunHandle
    where
        S: Send + 'static,
        F: Fn(&[ChunkData]) -> Result<S, FunctionError> + Send + Sync + 'static,
        M: Fn(S, S) -> S + Send + Sync + 'static,
    {
        let operation = Fold {
            tree: FoldTree::new(plan.len()),
            map,
            merge,
            root: Mutex::default(),
            done: Mutex::new(Some(Box::new(done) as Done<S>)),
        };
        self.start(sources, plan, Box::new(operation), options)
    }

    /// [`fold`](Self::fold) that waits for the result. Must not be called on a worker.
    ///
    /// # Errors
    /// [`RunError`] of the first chunk that failed.
    pub fn fold_blocking<S, F, M>(
        &self,
        sources: Vec<Arc<SourceHandle>>,
        plan: Arc<dyn TaskPlan>,
        options: RunOptions,
        map: F,
        merge: M,
    ) -> Result<Option<S>, RunError>
    where
        S: Send + 'static,
        F: Fn(&[ChunkData]) -> Result<S, FunctionError> + Send + Sync + 'static,
        M: Fn(S, S) -> S + Send + Sync + 'static,
    {
        let slot = Arc::new((Mutex::new(None), Condvar::new()));
        let answer = slot.clone();
        let handle = self.fold(sources, plan, options, map, merge, move |result| {
            *answer.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            answer.1.notify_one();
        });
        let mut guard = slot.0.lock().unwrap_or_else(PoisonError::into_inner);
        let result = loop {
            match guard.take() {
                Some(result) => break result,
                None => guard = slot.1.wait(guard).unwrap_or_else(PoisonError::into_inner),
            }
        };
        drop(handle);
        result
    }
}

impl<S, F, M> Operation for Fold<S, F, M>
where
    S: Send,
    F: Fn(&[ChunkData]) -> Result<S, FunctionError> + Send + Sync,
    M: Fn(S, S) -> S + Send + Sync,
{
    fn consume(
        &self,
        task: &Task,
        inputs: &mut Vec<DecodedInput>,
        sources: &Sources,
        mut reservation: Reservation,
        counters: &Counters,
    ) -> Result<(), ChunkErrorKind> {
        let chunks = task
            .inputs
            .iter()
            .zip(inputs.drain(..))
            .map(|(input, decoded)| {
                let source = &sources[input.source];
                gather(task.number, input, source, decoded, &mut reservation, counters)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let state = (self.map)(&chunks).map_err(ChunkErrorKind::Function)?;
        inputs.extend(chunks.into_iter().filter_map(|chunk| match chunk.values {
            ChunkValues::Fixed(lease) => Some(DecodedInput::Fixed(lease)),
            ChunkValues::Variable(..) => None,
        }));
        if let Some(root) = self.tree.add(task.number, state, &self.merge) {
            *self.root.lock().unwrap_or_else(PoisonError::into_inner) = Some(root);
        }
        Ok(())
    }

    fn restart(&self) -> Restart {
        Restart::Whole
    }

    fn reset(&self) {
        self.tree.clear();
        *self.root.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn finish(&self, result: Result<(), RunError>) {
        self.tree.clear();
        let root = self.root.lock().unwrap_or_else(PoisonError::into_inner).take();
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(done) = done {
            done(result.map(|()| root));
        }
    }
}
