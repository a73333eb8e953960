//! Copies selected elements into one buffer: the operation behind whole reads.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use lsio_array::{
    ChunkErrorKind, OutputBuffer, Picks, Placement, Region, StridedCopy, Task, TaskInput, TaskPlan,
    c_strides,
};
use lsio_io::{Lease, Reservation, class_size};

use crate::operation::{DecodedInput, InputMemory, Lent, Operation, Restart, Sources};
use crate::run::RunOptions;
use crate::stats::{Counters, add};
use crate::{Executor, RunError, RunHandle, SourceHandle};

/// Bytes of a chunk that is stored as it is that are read at a time, to be copied to their places while
/// they are in the processor's L2 cache (benches/findings.md, uncompressed chunks into the result).
const PIECE: u64 = 128 << 10;

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
    outputs: Vec<Output>,
    done: Mutex<Option<CopyDone>>,
}

/// One output, worked out.
struct Output {
    /// First byte in the buffer.
    offset: usize,
    /// Strides in elements.
    strides: Vec<u64>,
    /// Copies a whole chunk to the start of the output. Most chunks are copied whole, and those
    /// copies differ in nothing but the place that they start at.
    whole_chunk: Option<StridedCopy>,
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
        let element = source.element?;
        let whole = TaskInput::whole_chunk(0, Vec::new(), source.grid.chunk_shape());
        let outputs = outputs
            .iter()
            .map(|output| {
                let strides = c_strides(&output.shape)?;
                let whole_chunk = whole.placements[0]
                    .region()
                    .and_then(|whole| StridedCopy::new(whole, &source.strides, &strides, element));
                Some(Output { offset: output.offset, strides, whole_chunk })
            })
            .collect::<Option<Vec<_>>>()?;
        let operation = CopyInto { buffer, outputs, done: Mutex::new(Some(done)) };
        Some(self.start(vec![source], plan, Box::new(operation), options))
    }
}

impl CopyInto {
    /// How the elements of a region are copied, and how many bytes further on their targets are.
    fn copy_of(
        &self,
        region: &Region,
        source: &SourceHandle,
    ) -> Option<(Cow<'_, StridedCopy>, usize)> {
        let output = self.outputs.get(region.output)?;
        if let Some(copy) = &output.whole_chunk
            && region.covers(source.grid.chunk_shape())
        {
            let starts = region.dimensions.iter().zip(&output.strides);
            let mut first = 0u64;
            for (part, stride) in starts {
                first = first.checked_add(part.target_start.checked_mul(*stride)?)?;
            }
            let first = usize::try_from(first).ok()?.checked_mul(copy.element_size())?;
            return Some((Cow::Borrowed(copy), output.offset.checked_add(first)?));
        }
        let element = source.element?;
        let copy = StridedCopy::new(region, &source.strides, &output.strides, element)?;
        Some((Cow::Owned(copy), output.offset))
    }

    /// Puts the elements of a placement to where they go. `None` if that is outside of its output.
    fn put(
        &self,
        placement: &Placement,
        lent: Lent<'_>,
        source: &SourceHandle,
        counters: &Counters,
    ) -> Option<()> {
        let region = match placement {
            Placement::Region(region) => region,
            Placement::Picks(picks) => return self.put_picks(picks, lent, source, counters),
        };
        let (copy, shift) = self.copy_of(region, source)?;
        let written = match lent {
            Lent::Fixed(bytes) => {
                add(&counters.bytes_copied, copy.bytes());
                self.buffer.copy_from(bytes, &copy, shift)
            }
            Lent::Missing => self.buffer.fill(&source.source.info().fill_value, &copy, shift),
        };
        written.then_some(())
    }

    fn put_picks(
        &self,
        picks: &Picks,
        lent: Lent<'_>,
        source: &SourceHandle,
        counters: &Counters,
    ) -> Option<()> {
        let output = self.outputs.get(picks.output())?;
        let element = source.element?;
        let fill = &source.source.info().fill_value;
        let mut copied = 0;
        let written = picks.runs(source.layout(), &output.strides, &mut |runs| match lent {
            Lent::Fixed(bytes) => {
                copied += runs.iter().map(|run| run.len).sum::<u64>() * element as u64;
                self.buffer.copy_runs(bytes, runs, element, output.offset)
            }
            Lent::Missing => self.buffer.fill_runs(fill, runs, output.offset),
        });
        add(&counters.bytes_copied, copied);
        written.then_some(())
    }

    /// Where the whole chunk goes if it can be decoded there: `(offset, length)` in bytes.
    fn place_of(&self, task: &Task, source: &SourceHandle) -> Option<(usize, usize)> {
        let (copy, shift) = self.copy_of(whole_chunk(task, source)?, source)?;
        let (_, target, len) = copy.contiguous()?;
        let whole = len as u64 == source.source.info().decoded_len;
        whole.then_some((target.checked_add(shift)?, len))
    }
}

/// Where a task's chunk goes, if it is copied whole and to one place.
fn whole_chunk<'a>(task: &'a Task, source: &SourceHandle) -> Option<&'a Region> {
    let [input] = &task.inputs[..] else { return None };
    let [Placement::Region(region)] = &input.placements[..] else { return None };
    region.covers(source.grid.chunk_shape()).then_some(region)
}

impl Operation for CopyInto {
    fn needs(&self, task: &Task, sources: &Sources, memory: &[InputMemory]) -> u64 {
        let source = &sources[0];
        let decoded = || memory.iter().map(|input| input.decoded).fold(0, u64::saturating_add);
        if memory.iter().any(|input| input.shared) {
            return decoded();
        }
        if self.place_of(task, source).is_some() {
            return 0;
        }
        if source.source.info().stored_as_is.is_some() {
            return self.piece_len(task, sources).map_or(0, class_size);
        }
        decoded()
    }

    fn place(&self, task: &Task, _input: usize, sources: &Sources) -> Option<&mut [u8]> {
        let (offset, len) = self.place_of(task, &sources[0])?;
        self.buffer.region(offset, len)
    }

    fn takes_pieces(&self, task: &Task, sources: &Sources) -> bool {
        let copy =
            whole_chunk(task, &sources[0]).and_then(|region| self.copy_of(region, &sources[0]));
        copy.is_some_and(|(copy, _)| copy.is_dense())
    }

    fn piece_len(&self, task: &Task, sources: &Sources) -> Option<u64> {
        let info = sources[0].source.info();
        let in_pieces = info.stored_as_is.is_some() && self.takes_pieces(task, sources);
        in_pieces.then(|| PIECE.min(info.decoded_len))
    }

    fn take_piece(&self, task: &Task, sources: &Sources, from: usize, piece: &[u8]) -> bool {
        let copy =
            whole_chunk(task, &sources[0]).and_then(|region| self.copy_of(region, &sources[0]));
        copy.is_some_and(|(copy, shift)| self.buffer.copy_part(piece, from, &copy, shift))
    }

    fn takes_shared(&self) -> bool {
        true
    }

    fn consume(
        &self,
        task: &Task,
        inputs: &mut Vec<DecodedInput>,
        sources: &Sources,
        _reservation: Reservation,
        counters: &Counters,
    ) -> Result<(), ChunkErrorKind> {
        let [decoded] = &inputs[..] else {
            return Err(ChunkErrorKind::Panic("a copy has one input".to_owned()));
        };
        let lent = match decoded {
            DecodedInput::Fixed(bytes) => Lent::Fixed(bytes),
            DecodedInput::Shared(bytes) => Lent::Fixed(bytes),
            DecodedInput::Missing => Lent::Missing,
            DecodedInput::InPlace => return Ok(()),
            DecodedInput::Variable(_) => {
                let reason = "a copy takes elements of fixed size".to_owned();
                return Err(ChunkErrorKind::Panic(reason));
            }
        };
        self.borrow(task, lent, sources, counters)
    }

    fn borrows(&self) -> bool {
        true
    }

    fn borrow(
        &self,
        task: &Task,
        lent: Lent<'_>,
        sources: &Sources,
        counters: &Counters,
    ) -> Result<(), ChunkErrorKind> {
        let source = &sources[0];
        for placement in task.inputs.iter().flat_map(|input| &input.placements) {
            if self.put(placement, lent, source, counters).is_none() {
                let reason = "a placement lies outside its output".to_owned();
                return Err(ChunkErrorKind::Panic(reason));
            }
        }
        Ok(())
    }

    fn lends(&self) -> bool {
        self.buffer.is_leased()
    }

    fn in_place(&self, task: &Task, _input: usize, sources: &Sources) -> Option<&[u8]> {
        let (offset, len) = self.place_of(task, &sources[0])?;
        self.buffer.written(offset, len)
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
