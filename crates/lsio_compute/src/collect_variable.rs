//! Brings selected elements of varying length together: whole reads of string arrays.

use std::sync::{Arc, Mutex, PoisonError};

use lsio_array::{
    ChunkErrorKind, ChunkLayout, Placement, Region, Task, TaskInput, TaskPlan, VariableChunk,
    c_strides, checked_product,
};
use lsio_io::Reservation;

use crate::chunk_data::{ChunkValues, gather, gather_variable};
use crate::operation::{DecodedInput, Operation, Restart, Sources};
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

/// A part of an output, and the elements that it takes.
enum Part {
    /// A region of a chunk in C order. All of the chunk is kept, since most are read whole.
    Region(Region, Arc<ChunkData>),
    /// Single elements, which are all that is kept of their chunk.
    Picked(PickedElements),
}

struct PickedElements {
    output: usize,
    /// Number of each in the output.
    targets: Vec<u64>,
    elements: VariableChunk,
    _held: Reservation,
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
            .map(|(output, (strides, count))| {
                let of_output = parts.iter().filter(|part| part.output() == output);
                self.assemble_output(&of_output, strides, *count)
            })
            .collect()
    }

    /// Keeps the elements with these numbers in a chunk and in an output.
    fn picked(
        &self,
        output: usize,
        numbers: &[(u64, u64)],
        chunk: &ChunkData,
    ) -> Result<PickedElements, ChunkErrorKind> {
        let ChunkValues::Variable(all, _) = &chunk.values else {
            return Err(ChunkErrorKind::Panic("a collection takes no fixed elements".to_owned()));
        };
        let (sources, targets): (Vec<u64>, Vec<u64>) = numbers.iter().copied().unzip();
        let elements = gather_variable(all, &sources)?;
        let words = targets.capacity() + elements.offsets.capacity();
        let bytes = words * size_of::<u64>() + elements.bytes.capacity();
        let held = self.memory.reserve_unwaited(bytes as u64).into_held();
        Ok(PickedElements { output, targets, elements, _held: held })
    }

    fn assemble_output<'a>(
        &self,
        parts: &(impl Iterator<Item = &'a Part> + Clone),
        strides: &[u64],
        count: u64,
    ) -> Result<VariableValues, RunError> {
        let elements = || parts.clone().flat_map(|part| part.elements(strides));
        let total: usize = elements().map(|(_, text)| text.len()).sum();
        let bytes = count.saturating_add(1).saturating_mul(size_of::<u64>() as u64);
        let bytes = bytes.saturating_add(total as u64);
        let held = self.memory.reserve_unwaited(bytes).into_held();
        let mut offsets: Vec<u64> = zeros(count.saturating_add(1))?;
        for (number, text) in elements() {
            offsets[number as usize + 1] = text.len() as u64;
        }
        for index in 1..offsets.len() {
            offsets[index] += offsets[index - 1];
        }
        let mut values = zeros(total as u64)?;
        for (number, text) in elements() {
            let start = offsets[number as usize] as usize;
            values[start..start + text.len()].copy_from_slice(text);
        }
        let elements = VariableChunk { offsets, bytes: values, limit: bytes };
        Ok(VariableValues { elements, held })
    }
}

/// So many zeros, or an error where there is no room for them.
fn zeros<T: Default + Clone>(len: u64) -> Result<Vec<T>, RunError> {
    let none = RunError::OutOfMemory { bytes: len.saturating_mul(size_of::<T>() as u64) };
    let mut zeros = Vec::new();
    let reserved = usize::try_from(len).is_ok_and(|len| zeros.try_reserve_exact(len).is_ok());
    if !reserved {
        return Err(none);
    }
    zeros.resize(len as usize, T::default());
    Ok(zeros)
}

impl Part {
    fn output(&self) -> usize {
        match self {
            Self::Region(region, _) => region.output,
            Self::Picked(picked) => picked.output,
        }
    }

    /// Each element with its number in an output with these strides.
    fn elements(&self, strides: &[u64]) -> Box<dyn Iterator<Item = (u64, &[u8])> + '_> {
        match self {
            Self::Region(region, chunk) => {
                let ChunkValues::Variable(elements, _) = &chunk.values else {
                    return Box::new(std::iter::empty());
                };
                let numbers = region.target_numbers(strides).into_iter();
                let from = region.source_numbers(&chunk.strides);
                Box::new(
                    numbers.zip(from).filter_map(|(number, from)| {
                        Some((number, elements.element(from as usize)?))
                    }),
                )
            }
            Self::Picked(PickedElements { targets, elements, .. }) => {
                let numbers = targets.iter().zip(0..);
                Box::new(
                    numbers.filter_map(|(&number, from)| Some((number, elements.element(from)?))),
                )
            }
        }
    }
}

impl Operation for Collect {
    fn consume(
        &self,
        task: &Task,
        inputs: &mut Vec<DecodedInput>,
        sources: &Sources,
        mut reservation: Reservation,
        counters: &Counters,
    ) -> Result<(), ChunkErrorKind> {
        let source = &sources[0];
        let [input] = &task.inputs[..] else {
            return Err(ChunkErrorKind::Panic("a collection has one input".to_owned()));
        };
        let chunk = input.chunk.clone();
        let whole = TaskInput::whole_chunk(0, chunk, source.grid.chunk_shape());
        let decoded = inputs.pop().unwrap_or(DecodedInput::Missing);
        let mut chunk = gather(task.number, &whole, source, decoded, &mut reservation, counters)?;
        // Collected elements are part of the result: they never wait for anybody.
        ChunkData::hold_all(std::slice::from_mut(&mut chunk));
        let chunk = Arc::new(chunk);
        for placement in &input.placements {
            if placement.output() >= self.outputs.len() {
                return Err(ChunkErrorKind::Panic("a placement has no output".to_owned()));
            }
            let part = match placement {
                Placement::Region(region) => Part::Region(region.clone(), chunk.clone()),
                Placement::Picks(picks) => {
                    let shape = source.grid.chunk_shape();
                    let layout = ChunkLayout { shape, strides: &chunk.strides };
                    let strides = &self.outputs[picks.output()].0;
                    let numbers = picks.numbers(layout, strides);
                    Part::Picked(self.picked(picks.output(), &numbers, &chunk)?)
                }
            };
            self.parts.lock().unwrap_or_else(PoisonError::into_inner).push(part);
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
