//! Reads of elements that lists name: points, masks, blocks; and the memory that lists take.

use std::sync::Arc;

use lsio_array::{
    BitMask, ChunkGrid, MaskPlan, PlanError, PointCoordinates, PointPlan, TaskPlan,
    point_plan_bytes, resolve_blocks,
};
use lsio_compute::RunHandle;
use lsio_io::Reservation;

use crate::region::Layout;
use crate::whole_read::{GetDone, GetOptions};
use crate::{Array, ArrayMetadata, DimensionSelection, ErrorCode, LsioError};

/// Bytes for each element of a list along a dimension: its position, and where it lies and goes, sorted
/// by chunks.
const LISTED_BYTES: u64 = 24;

/// Bytes that the plan of these selections takes beyond a few words.
pub(crate) fn list_bytes(selections: &[Option<&[DimensionSelection]>]) -> u64 {
    let entries = selections.iter().flatten().flat_map(|entries| entries.iter());
    let elements = entries.map(|entry| match entry {
        DimensionSelection::Indices(indices) => indices.len() as u64,
        DimensionSelection::Mask(mask) => mask.count_ones(),
        DimensionSelection::All
        | DimensionSelection::Ellipsis
        | DimensionSelection::Index(_)
        | DimensionSelection::Slice { .. } => 0,
    });
    elements.fold(0, |sum, elements| sum.saturating_add(elements.saturating_mul(LISTED_BYTES)))
}

impl Array {
    /// Reads single elements by their coordinates, one entry for each dimension. The result has one
    /// dimension, in the order of the points. Each chunk is read and decoded once. 24 bytes for each point
    /// count as held until `done` is called.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_points(
        &self,
        coordinates: &[PointCoordinates],
        options: GetOptions,
        done: GetDone,
    ) -> Result<RunHandle, LsioError> {
        let count = PointPlan::count(coordinates, self.grid().shape().len())?;
        self.check_sizes(&[vec![count]], &options)?;
        let done = self.with_plan(point_plan_bytes(count), done)?;
        let group = self.chunks_per_shard();
        let plan = PointPlan::new(self.grid(), group.as_deref(), coordinates);
        self.read_line(Arc::new(plan.map_err(|error| self.no_plan(&error))?), count, options, done)
    }

    /// Reads the elements whose bit is set in a mask of the whole array in C order. The result has one
    /// dimension, in C order of the array. Each chunk is read and decoded once.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_mask(
        &self,
        mask: &Arc<BitMask>,
        options: GetOptions,
        done: GetDone,
    ) -> Result<RunHandle, LsioError> {
        let count = mask.count_ones();
        self.check_sizes(&[vec![count]], &options)?;
        let group = self.chunks_per_shard();
        let plan = MaskPlan::new(self.grid(), group.as_deref(), mask.clone());
        self.read_line(Arc::new(plan.map_err(|error| self.no_plan(&error))?), count, options, done)
    }

    /// Reads whole blocks: chunks, or shards where the array has any. The entries are positions in their
    /// grid, of which none drops its dimension.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_blocks(
        &self,
        blocks: &[DimensionSelection],
        options: GetOptions,
        done: GetDone,
    ) -> Result<RunHandle, LsioError> {
        let ArrayMetadata { shard_shape, stored_grid, .. } = self.metadata();
        let grid = shard_shape.as_ref().and_then(|shard| {
            stored_grid.clone().or_else(|| ChunkGrid::new(self.grid().shape(), shard))
        });
        let selection = resolve_blocks(blocks, grid.as_ref().unwrap_or(self.grid()))?;
        self.get(&[Some(&selection)], options, done)
    }

    /// Counts `bytes` of lists or plans as held by the user.
    ///
    /// # Errors
    /// [`ErrorCode::Budget`] for more than the whole budget.
    pub fn hold_lists(&self, bytes: u64) -> Result<Reservation, LsioError> {
        let limit = self.engine.memory.usage().limit;
        if bytes > limit {
            let message = format!(
                "the lists of the selection need {bytes} bytes, the memory budget has {limit}: \
                 select fewer elements at a time"
            );
            return Err(LsioError::new(ErrorCode::Budget, message).at(self.name()));
        }
        Ok(self.engine.memory.reserve_unwaited(bytes).into_held())
    }

    /// Runs `job`, which plans a read of many elements, on a thread that may take its time.
    pub fn in_background(&self, job: impl FnOnce() + Send + 'static) {
        self.engine.control.run(job);
    }

    /// `done` that gives `bytes` of a plan back first.
    pub(crate) fn with_plan(&self, bytes: u64, done: GetDone) -> Result<GetDone, LsioError> {
        if bytes == 0 {
            return Ok(done);
        }
        let held = self.hold_lists(bytes)?;
        Ok(Box::new(move |result| {
            drop(held);
            done(result);
        }))
    }

    /// Reads what a plan with one output of one dimension brings.
    fn read_line(
        &self,
        plan: Arc<dyn TaskPlan>,
        count: u64,
        options: GetOptions,
        done: GetDone,
    ) -> Result<RunHandle, LsioError> {
        let layout = Layout { shape: vec![count], strides: vec![1] };
        self.read_into(plan, &[vec![count]], vec![layout], options, done)
    }

    fn no_plan(&self, error: &PlanError) -> LsioError {
        let code = match error {
            PlanError::Selection(error) => return error.clone().into(),
            PlanError::OutOfMemory { .. } => ErrorCode::Budget,
            PlanError::TooManyElements => ErrorCode::Unsupported,
        };
        LsioError::new(code, error.to_string()).at(self.name())
    }
}
