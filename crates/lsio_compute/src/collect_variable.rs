//! Brings selected elements of varying length together: whole reads of string arrays.

use std::sync::{Arc, Mutex, PoisonError};

use lsio_array::{ChunkErrorKind, Task, TaskPlan, VariableChunk, c_strides, checked_product};
use lsio_io::Reservation;

use crate::chunk_data::{ChunkValues, gather, gather_needs};
use crate::operation::{DecodedInput, Operation, Restart, Sources, Target};
use crate::run::RunOptions;
use crate::stats::Counters;
use crate::{ChunkData, Executor, RunError, RunHandle, SourceHandle};

/// Elements of varying length of one whole result, in C order, and the memory that they are charged.
#[derive(Debug)]
pub struct VariableValues {
    /// The elements.
    pub elements: VariableChunk,
    /// Counted as held by the user.
    pub held: Reservation,
}

/// Receives the end of a collection: one result for each output.
pub type CollectDone = Box<dyn FnOnce(Result<Vec<VariableValues>, RunError>) + Send>;

/// A part of an output: numbers of its elements there, and the elements.
struct Part {
    output: usize,
    numbers: Vec<u64>,
    chunk: Arc<ChunkData>,
    /// Numbers of the elements inside the chunk data.
    from: Vec<u64>,
}

struct Collect {
    /// Strides in elements and number of elements of each output.
    outputs: Vec<(Vec<u64>, u64)>,
    parts: Mutex<Vec<Part>>,
    memory: Arc<lsio_io::Memory>,
    done: Mutex<Option<CollectDone>>,
}

impl Executor {
    /// Collects the elements that `plan` places into outputs of these shapes (per dimension of the
    /// array, 1 for dropped dimensions). `None` if an output's size does not fit 64 bits or elements
    /// have a fixed size.
    ///
    /// `done` is called once, on a worker or on the thread that cancels.
    pub fn collect_variable(
        &self,
        source: Arc<SourceHandle>,
        plan: Arc<dyn TaskPlan>,
        shapes: &[Vec<u64>],
        options: RunOptions,
        done: CollectDone,
    ) -> Option<RunHandle> {
        if source.element.is_some() {
            return None;
        }
        let outputs = shapes
            .iter()
            .map(|shape| Some((c_strides(shape)?, checked_product(shape.iter().copied())?)))
            .collect::<Option<Vec<_>>>()?;
        let operation = Collect {
            outputs,
            parts: Mutex::default(),
            memory: self.memory().clone(),
            done: Mutex::new(Some(done)),
        };
        Some(self.start(vec![source], plan, Box::new(operation), options))
    }
}

impl Collect {
    fn assemble(&self) -> Result<Vec<VariableValues>, RunError> {
        let parts = std::mem::take(&mut *self.parts.lock().unwrap_or_else(PoisonError::into_inner));
        let outputs = self.outputs.iter().enumerate();
        outputs
            .map(|(output, (_, count))| {
                let of_output = parts.iter().filter(|part| part.output == output);
                self.assemble_output(of_output, *count)
            })
            .collect()
    }

    fn assemble_output<'a>(
        &self,
        parts: impl Iterator<Item = &'a Part> + Clone,
        count: u64,
    ) -> Result<VariableValues, RunError> {
        let count =
            usize::try_from(count).map_err(|_| RunError::OutOfMemory { bytes: u64::MAX })?;
        let total: usize = parts.clone().flat_map(Part::elements).map(|(_, text)| text.len()).sum();
        let bytes = (count as u64 + 1) * size_of::<u64>() as u64 + total as u64;
        let held = self.memory.reserve_unwaited(bytes).into_held();
        let mut offsets = vec![0u64; count + 1];
        for (number, text) in parts.clone().flat_map(Part::elements) {
            offsets[number as usize + 1] = text.len() as u64;
        }
        for index in 0..count {
            offsets[index + 1] += offsets[index];
        }
        let mut values = vec![0; total];
        for (number, text) in parts.flat_map(Part::elements) {
            let start = offsets[number as usize] as usize;
            values[start..start + text.len()].copy_from_slice(text);
        }
        let elements = VariableChunk { offsets, bytes: values, limit: bytes };
        Ok(VariableValues { elements, held })
    }
}

impl Part {
    /// Each element with its number in the output.
    fn elements(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let (offsets, bytes): (&[u64], &[u8]) = match &self.chunk.values {
            ChunkValues::Variable(chunk, _) => (&chunk.offsets, &chunk.bytes),
            ChunkValues::Fixed(_) => (&[], &[]),
        };
        self.numbers.iter().zip(&self.from).filter_map(move |(&number, &from)| {
            let start = *offsets.get(from as usize)? as usize;
            let end = *offsets.get(from as usize + 1)? as usize;
            Some((number, bytes.get(start..end)?))
        })
    }
}

impl Operation for Collect {
    fn needs(&self, task: &Task, sources: &Sources, decoded: &[u64]) -> u64 {
        let inputs = task.inputs.iter().zip(decoded);
        inputs.map(|(input, &bytes)| gather_needs(input, &sources[input.source], bytes)).sum()
    }

    fn target(&self, _task: &Task, _input: usize, _sources: &Sources) -> Target<'_> {
        Target::Buffer
    }

    fn consume(
        &self,
        task: &Task,
        mut inputs: Vec<DecodedInput>,
        sources: &Sources,
        mut reservation: Reservation,
        counters: &Counters,
    ) -> Result<(), ChunkErrorKind> {
        let source = &sources[0];
        let whole = task.inputs[0].whole_chunk(source.grid.chunk_shape());
        let decoded = inputs.pop().unwrap_or(DecodedInput::Missing);
        let chunk = gather(task.number, &whole, source, decoded, &mut reservation, counters)?;
        // Collected elements are part of the result: they never wait for anybody.
        let chunk = Arc::new(chunk.into_held());
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        for placement in &task.inputs[0].placements {
            let (strides, _) = self
                .outputs
                .get(placement.output)
                .ok_or_else(|| ChunkErrorKind::Panic("a placement has no output".to_owned()))?;
            parts.push(Part {
                output: placement.output,
                numbers: placement.target_numbers(strides),
                from: placement.source_numbers(&chunk.strides),
                chunk: chunk.clone(),
            });
        }
        Ok(())
    }

    fn restart(&self) -> Restart {
        Restart::Whole
    }

    fn reset(&self) {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn finish(&self, result: Result<(), RunError>) {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(done) = done {
            done(result.and_then(|()| self.assemble()));
        }
    }
}
