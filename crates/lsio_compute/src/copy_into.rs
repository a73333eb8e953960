//! Copies selected elements into one buffer: the operation behind whole reads.

use std::sync::{Arc, Mutex, PoisonError};

use lsio_array::{ChunkErrorKind, OutputBuffer, StridedCopy, Task, TaskPlan, c_strides};
use lsio_io::{Lease, Reservation};

use crate::operation::{DecodedInput, Operation, Restart, Sources, Target};
use crate::run::RunOptions;
use crate::stats::{Counters, add};
use crate::{Executor, RunError, RunHandle, SourceHandle};

/// One output inside the buffer of a copy.
#[derive(Debug, Clone)]
pub struct CopyOutput {
    /// First byte of the output in the buffer.
    pub offset: usize,
    /// Elements per dimension of the array (1 for dropped dimensions); laid out in C order.
    pub shape: Vec<u64>,
}

/// Receives the end of a copy: the buffer, unless somebody else owns it.
pub type CopyDone = Box<dyn FnOnce(Result<Option<Lease>, RunError>) + Send>;

struct CopyInto {
    buffer: OutputBuffer,
    /// Offset in bytes and strides in elements of each output.
    outputs: Vec<(usize, Vec<u64>)>,
    done: Mutex<Option<CopyDone>>,
}

impl Executor {
    /// Copies the elements that `plan` places into `buffer`. Outputs are numbered as in the plan's
    /// placements. `None` if an output's strides do not fit 64 bits or its elements vary in length.
    ///
    /// `done` is called once, on a worker or on the thread that cancels.
    pub fn copy_into(
        &self,
        source: Arc<SourceHandle>,
        plan: Arc<dyn TaskPlan>,
        outputs: &[CopyOutput],
        buffer: OutputBuffer,
        options: RunOptions,
        done: CopyDone,
    ) -> Option<RunHandle> {
        source.element?;
        let outputs = outputs
            .iter()
            .map(|output| Some((output.offset, c_strides(&output.shape)?)))
            .collect::<Option<Vec<_>>>()?;
        let operation = CopyInto { buffer, outputs, done: Mutex::new(Some(done)) };
        Some(self.start(vec![source], plan, Box::new(operation), options))
    }
}

impl CopyInto {
    /// The copies of a task's first input, each with the offset of its output.
    fn copies(
        &self,
        task: &Task,
        source: &SourceHandle,
    ) -> Result<Vec<StridedCopy>, ChunkErrorKind> {
        let element = source.element.unwrap_or_default();
        let copies = task.inputs.iter().flat_map(|input| &input.placements).map(|placement| {
            let (offset, strides) = self.outputs.get(placement.output)?;
            StridedCopy::new(placement, &source.strides, strides, element)?.shifted(*offset)
        });
        copies
            .collect::<Option<_>>()
            .ok_or_else(|| ChunkErrorKind::Panic("a placement has no output".to_owned()))
    }

    /// Where the whole chunk goes if it can be decoded there: `(offset, length)` in bytes.
    fn place(&self, task: &Task, source: &SourceHandle) -> Option<(usize, usize)> {
        let [input] = &task.inputs[..] else { return None };
        let [placement] = &input.placements[..] else { return None };
        if !placement.covers(source.grid.chunk_shape()) {
            return None;
        }
        let copies = self.copies(task, source).ok()?;
        let (_, target, len) = copies.first()?.contiguous()?;
        (len as u64 == source.source.info().decoded_len).then_some((target, len))
    }
}

impl Operation for CopyInto {
    fn needs(&self, task: &Task, sources: &Sources, decoded: &[u64]) -> u64 {
        match self.place(task, &sources[0]) {
            Some(_) => 0,
            None => decoded.iter().copied().fold(0, u64::saturating_add),
        }
    }

    fn target(&self, task: &Task, _input: usize, sources: &Sources) -> Target<'_> {
        self.place(task, &sources[0])
            .and_then(|(offset, len)| self.buffer.region(offset, len))
            .map_or(Target::Buffer, Target::InPlace)
    }

    fn consume(
        &self,
        task: &Task,
        inputs: Vec<DecodedInput>,
        sources: &Sources,
        _reservation: Reservation,
        counters: &Counters,
    ) -> Result<(), ChunkErrorKind> {
        let source = &sources[0];
        let fill = &source.source.info().fill_value;
        let [decoded] = &inputs[..] else {
            return Err(ChunkErrorKind::Panic("a copy has one input".to_owned()));
        };
        if matches!(decoded, DecodedInput::InPlace) {
            return Ok(());
        }
        for copy in self.copies(task, source)? {
            let written = match decoded {
                DecodedInput::Fixed(bytes) => {
                    add(&counters.bytes_copied, copy.bytes());
                    self.buffer.copy_from(bytes, &copy)
                }
                DecodedInput::Missing => self.buffer.fill(fill, &copy),
                DecodedInput::InPlace | DecodedInput::Variable(_) => false,
            };
            if !written {
                let reason = "a placement lies outside its output".to_owned();
                return Err(ChunkErrorKind::Panic(reason));
            }
        }
        Ok(())
    }

    fn restart(&self) -> Restart {
        Restart::Whole
    }

    fn finish(&self, result: Result<(), RunError>) {
        let lease = self.buffer.take();
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(done) = done {
            done(result.map(|()| lease));
        }
    }
}
