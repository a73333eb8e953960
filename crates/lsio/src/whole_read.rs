//! Reads into one result: `get`, `get_many` and single chunks.

use std::sync::Arc;

use lsio_array::{ManySelections, OutputBuffer, ResolvedSelection, Task, TaskInput, TaskPlan};
use lsio_compute::{CopyOutput, MissingChunks, RunHandle, RunOptions};
use lsio_io::{IoMode, Lease};

use crate::picked_read::list_bytes;
use crate::region::{Layout, Values};
use crate::{Array, DimensionSelection, ErrorCode, LsioError};

/// Results start at multiples of this many bytes when several share a buffer: a cache line, enough for
/// any element.
const ALIGNMENT: u64 = 64;

/// How a result is read.
#[derive(Debug, Default)]
pub struct GetOptions {
    /// Through the page cache or past it.
    pub mode: IoMode,
    /// Most bytes that the call may reserve.
    pub memory: Option<u64>,
    /// What becomes of chunks that do not exist.
    pub missing: MissingChunks,
    /// Most bytes that one result may have; `None`: no limit.
    pub max_bytes: Option<u64>,
    /// Where the elements go instead of memory of the engine. Holds all results one after the other,
    /// without gaps.
    pub out: Option<OutputBuffer>,
    /// Bytes that the result is to have: any other number is an error.
    pub out_bytes: Option<u64>,
}

/// Elements of several results. All fixed-size results share one buffer.
#[derive(Debug)]
pub enum ReadValues {
    /// One buffer; the result numbered as the region starts at its `offset`.
    Shared(Lease),
    /// Written to the caller's memory.
    Written,
    /// Elements of varying length: one for each region.
    Each(Vec<Values>),
}

/// One result of a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// First byte in the shared buffer.
    pub offset: u64,
    /// Number of bytes; 0 for elements of varying length.
    pub len: u64,
    /// Shape and strides.
    pub layout: Layout,
}

/// What a read brings.
#[derive(Debug)]
pub struct ReadResult {
    /// The elements.
    pub values: ReadValues,
    /// One for each selection.
    pub regions: Vec<Region>,
}

/// Receives the end of a read.
pub type GetDone = Box<dyn FnOnce(Result<ReadResult, LsioError>) + Send>;

impl Array {
    /// Reads one or several selections; `None` is the whole array. A chunk that several of them touch
    /// is read and decoded once. `done` is called once, on a thread of the engine or on the one that
    /// cancels.
    ///
    /// # Errors
    /// [`ErrorCode::Selection`] for a selection that does not fit, [`ErrorCode::Budget`] for a result
    /// that is too large. `done` is not called then.
    pub fn get(
        &self,
        selections: &[Option<&[DimensionSelection]>],
        options: GetOptions,
        done: GetDone,
    ) -> Result<RunHandle, LsioError> {
        let done = self.with_plan(list_bytes(selections), done)?;
        let resolved = selections
            .iter()
            .map(|selection| self.resolve(*selection))
            .collect::<Result<Vec<_>, _>>()?;
        let layouts = resolved
            .iter()
            .map(|selection| {
                Layout::of(selection).ok_or_else(|| self.too_large(u64::MAX, u64::MAX))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let shapes = resolved.iter().map(ResolvedSelection::full_shape).collect::<Vec<_>>();
        self.check_sizes(&shapes, &options)?;
        let plan: Arc<dyn TaskPlan> = match <[ResolvedSelection; 1]>::try_from(resolved) {
            Ok([only]) => Arc::new(self.touched_chunks(only, false)?),
            Err(several) => {
                let plan = ManySelections::new(self.grid(), several);
                Arc::new(plan.ok_or_else(|| self.too_large(u64::MAX, u64::MAX))?)
            }
        };
        self.read_into(plan, &shapes, layouts, options, done)
    }

    /// Reads one whole chunk by its grid coordinates, the part of it that reaches over the edge of the
    /// array included.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_chunk(
        &self,
        coordinates: &[u64],
        options: GetOptions,
        done: GetDone,
    ) -> Result<RunHandle, LsioError> {
        self.grid().check(coordinates)?;
        let shape = self.grid().shape_of(coordinates);
        let layout = Layout::of(&ResolvedSelection::all(&shape));
        let layout = layout.ok_or_else(|| self.too_large(u64::MAX, u64::MAX))?;
        self.check_sizes(std::slice::from_ref(&shape), &options)?;
        let input = TaskInput::whole_chunk(0, coordinates.to_vec(), &shape);
        let plan = Arc::new(OneChunk(input));
        self.read_into(plan, &[shape], vec![layout], options, done)
    }

    /// Bytes of one element; 0 where elements vary in length.
    fn element_size(&self) -> u64 {
        self.metadata().data_type.size().unwrap_or_default() as u64
    }

    /// Refuses results that the caller cannot hold.
    pub(crate) fn check_sizes(
        &self,
        shapes: &[Vec<u64>],
        options: &GetOptions,
    ) -> Result<(), LsioError> {
        let limit = options.max_bytes.unwrap_or(u64::MAX);
        let endless = || self.too_large(u64::MAX, limit);
        // Strings take at least their offsets.
        let element = self.element_size().max(1);
        let mut total = 0u64;
        for shape in shapes {
            let bytes = lsio_array::checked_product(shape.iter().copied())
                .and_then(|count| count.checked_mul(element))
                .ok_or_else(endless)?;
            let end = bytes.checked_next_multiple_of(ALIGNMENT);
            total = end.and_then(|end| total.checked_add(end)).ok_or_else(endless)?;
            if bytes > limit {
                return Err(self.too_large(bytes, limit));
            }
        }
        if total > limit.saturating_add(ALIGNMENT) {
            Err(self.too_large(total, limit))
        } else {
            Ok(())
        }
    }

    pub(crate) fn too_large(&self, bytes: u64, limit: u64) -> LsioError {
        self.refused(&format!("the result has {bytes} bytes, a buffer can have {limit}"))
    }

    /// Says what to do instead of reading everything into one buffer.
    fn refused(&self, reason: &str) -> LsioError {
        let hint = "read it in parts with readChunks, or give memory of your own as `out`";
        LsioError::new(ErrorCode::Budget, format!("{reason}: {hint}")).at(self.name())
    }

    pub(crate) fn read_into(
        &self,
        plan: Arc<dyn TaskPlan>,
        shapes: &[Vec<u64>],
        layouts: Vec<Layout>,
        options: GetOptions,
        done: GetDone,
    ) -> Result<RunHandle, LsioError> {
        let run =
            RunOptions { mode: options.mode, memory: options.memory, missing: options.missing };
        let element = self.element_size();
        if element == 0 {
            return self.read_variable(plan, shapes, layouts, &options, run, done);
        }
        let gap = if options.out.is_some() { 1 } else { ALIGNMENT };
        let mut regions = Vec::with_capacity(layouts.len());
        let mut outputs = Vec::with_capacity(layouts.len());
        let mut end = 0u64;
        for (layout, shape) in layouts.into_iter().zip(shapes) {
            let endless = || self.too_large(u64::MAX, u64::MAX);
            let offset = end.checked_next_multiple_of(gap).ok_or_else(endless)?;
            let len = lsio_array::checked_product(shape.iter().copied())
                .and_then(|count| count.checked_mul(element))
                .ok_or_else(endless)?;
            end = offset.checked_add(len).ok_or_else(endless)?;
            regions.push(Region { offset, len, layout });
            outputs.push(CopyOutput { offset: offset as usize, shape: shape.clone() });
        }
        let out_bytes = options.out.as_ref().map(|out| out.len() as u64).or(options.out_bytes);
        if let Some(bytes) = out_bytes.filter(|&bytes| bytes != end) {
            let message = format!("`out` has {bytes} bytes, the result has {end}");
            return Err(LsioError::new(ErrorCode::Selection, message).at(self.name()));
        }
        let buffer = match options.out {
            Some(out) => out,
            None => self.output(end)?,
        };
        let finish = move |result: Result<Option<Lease>, _>| {
            let result = result.map_err(LsioError::from);
            done(result.map(|lease| {
                let values = lease.map_or(ReadValues::Written, ReadValues::Shared);
                ReadResult { values, regions }
            }));
        };
        let source = self.handle.clone();
        let handle =
            self.engine.executor.copy_into(source, plan, &outputs, buffer, run, Box::new(finish));
        handle.ok_or_else(|| self.too_large(u64::MAX, u64::MAX))
    }

    fn read_variable(
        &self,
        plan: Arc<dyn TaskPlan>,
        shapes: &[Vec<u64>],
        layouts: Vec<Layout>,
        options: &GetOptions,
        run: RunOptions,
        done: GetDone,
    ) -> Result<RunHandle, LsioError> {
        if options.out.is_some() {
            let message = "`out` cannot hold elements of varying length";
            return Err(LsioError::new(ErrorCode::Unsupported, message).at(self.name()));
        }
        let region = |layout| Region { offset: 0, len: 0, layout };
        let regions: Vec<Region> = layouts.into_iter().map(region).collect();
        let finish = move |result: Result<Vec<lsio_compute::VariableValues>, _>| {
            let values = result.map_err(LsioError::from);
            done(values.map(|values| {
                let each = values.into_iter().map(Values::from).collect();
                ReadResult { values: ReadValues::Each(each), regions }
            }));
        };
        let source = self.handle.clone();
        let handle =
            self.engine.executor.collect_variable(source, plan, shapes, run, Box::new(finish));
        handle.ok_or_else(|| self.too_large(u64::MAX, u64::MAX))
    }

    fn output(&self, bytes: u64) -> Result<OutputBuffer, LsioError> {
        let lease = usize::try_from(bytes).ok().and_then(|len| self.engine.memory.hold(len));
        let lease = lease.ok_or_else(|| {
            self.refused(&format!("the system has no memory for the {bytes} bytes of the result"))
        })?;
        Ok(crate::unsafe_output::for_plan(lease))
    }
}

/// One chunk, all of it.
#[derive(Debug)]
struct OneChunk(TaskInput);

impl TaskPlan for OneChunk {
    fn len(&self) -> u64 {
        1
    }

    fn task(&self, number: u64) -> Task {
        Task { number, inputs: [self.0.clone()].into() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::Arc;

    use lsio_io::{Key, WriteStorage};

    use super::GetOptions;
    use crate::{DimensionSelection, Engine, EngineConfig, ErrorCode, Node, OpenOptions};

    type Selection = Vec<DimensionSelection>;

    /// What is said to reading these parts of an array of float64 of this shape, whose only chunk does not exist,
    /// without a limit.
    fn refusal(shape: &[u64], selections: &[Option<Selection>]) -> String {
        let metadata = format!(
            r#"{{"zarr_format": 3, "node_type": "array", "shape": {shape:?}, "data_type": "float64",
            "fill_value": 0, "codecs": [{{"name": "bytes", "configuration": {{"endian": "little"}}}}],
            "chunk_grid": {{"name": "regular", "configuration": {{"chunk_shape": {shape:?}}}}},
            "chunk_key_encoding": {{"name": "default"}}}}"#
        );
        let config = EngineConfig { threads: Some(1), memory: Some(1 << 24), ..Default::default() };
        let engine = Engine::new(&config).unwrap();
        let store = engine.memory_store("huge");
        store.put(&Key::new("zarr.json").unwrap(), metadata.as_bytes()).unwrap();
        let node = engine.open_blocking("memory://huge", &OpenOptions::default()).unwrap();
        let Node::Array(array) = node else { return "a group".to_owned() };
        let selections: Vec<_> = selections.iter().map(Option::as_deref).collect();
        let error = array.get(&selections, GetOptions::default(), Box::new(drop)).unwrap_err();
        assert_eq!(error.code, ErrorCode::Budget, "{error}");
        error.message
    }

    #[test]
    fn a_result_of_more_bytes_than_numbers_reach_is_refused() {
        // The same element, 2^63 times.
        let repeated = DimensionSelection::Indices(Arc::new(vec![0; 1 << 9]));
        for (shape, selections) in [
            (vec![1; 7], vec![Some(vec![repeated; 7])]),
            // 2^60 bytes, sixteen times.
            (vec![1 << 29, 1 << 28], vec![None; 16]),
        ] {
            let message = refusal(&shape, &selections);
            assert!(message.starts_with("the result has"), "{shape:?}: {message}");
        }
    }
}
