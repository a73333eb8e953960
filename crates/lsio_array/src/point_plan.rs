//! Points: single elements by their coordinates, sorted by the chunks that hold them.

use std::ops::Range;
use std::sync::Arc;

use smallvec::smallvec;

use crate::chunk_order::ChunkOrder;
use crate::picks::Runs;
use crate::selection::position;
use crate::{
    ChunkGrid, ChunkLayout, Picks, Placement, PlanError, SelectionError, Task, TaskInput, TaskPlan,
    c_strides,
};

/// Where points lie along one dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PointCoordinates {
    /// All at this index. Negative: from the end.
    Same(i64),
    /// One index for each point.
    Each(Arc<Vec<i64>>),
}

/// Single elements of an array, each chunk that holds some of them is one task. The output has one
/// dimension.
#[derive(Debug)]
pub struct PointPlan {
    points: Arc<Points>,
}

#[derive(Debug, PartialEq, Eq)]
struct Points {
    order: ChunkOrder,
    /// Number of each point's element in `order`, rising, and number of the point.
    sorted: Vec<(u64, u64)>,
    /// Where each chunk starts in `sorted`.
    starts: Vec<usize>,
}

/// The points in one chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PointPart {
    points: Arc<Points>,
    range: Range<usize>,
}

/// Bytes of memory that a plan for so many points takes.
#[must_use]
pub fn point_plan_bytes(points: u64) -> u64 {
    // At most as many chunks as points.
    points.saturating_mul((size_of::<(u64, u64)>() + size_of::<usize>()) as u64)
}

impl PointPlan {
    /// How many points these coordinates are, one entry for each dimension of an array of this rank.
    ///
    /// # Errors
    /// [`SelectionError`] for another number of dimensions, or lists of different lengths.
    pub fn count(coordinates: &[PointCoordinates], rank: usize) -> Result<u64, SelectionError> {
        if coordinates.len() != rank {
            return Err(SelectionError::Rank { given: coordinates.len(), rank });
        }
        let mut count = None;
        for (dimension, along) in coordinates.iter().enumerate() {
            let PointCoordinates::Each(indices) = along else { continue };
            let given = indices.len() as u64;
            let expected = *count.get_or_insert(given);
            if given != expected {
                return Err(SelectionError::PointCount { dimension, given, expected });
            }
        }
        Ok(count.unwrap_or(1))
    }

    /// Plans the points with these coordinates, one entry for each dimension. `group` has the chunks per
    /// dimension that lie in one object and are read one after the other.
    ///
    /// # Errors
    /// [`PlanError`] for coordinates outside the array, or more than memory can hold.
    pub fn new(
        grid: &ChunkGrid,
        group: Option<&[u64]>,
        coordinates: &[PointCoordinates],
    ) -> Result<Self, PlanError> {
        let shape = grid.shape();
        let count = Self::count(coordinates, shape.len())?;
        let order = ChunkOrder::new(grid, group).ok_or(PlanError::TooManyElements)?;
        let memory = || PlanError::OutOfMemory { bytes: point_plan_bytes(count) };
        let mut sorted = Vec::new();
        let len = usize::try_from(count).map_err(|_| memory())?;
        sorted.try_reserve_exact(len).map_err(|_| memory())?;
        for point in 0..len {
            let mut outside = None;
            let along = coordinates.iter().zip(shape).enumerate();
            let along = along.map(|(dimension, (along, &len))| {
                let index = match along {
                    PointCoordinates::Same(index) => *index,
                    PointCoordinates::Each(indices) => indices[point],
                };
                position(index, len).unwrap_or_else(|| {
                    outside.get_or_insert(SelectionError::OutOfBounds { dimension, index, len });
                    0
                })
            });
            let element = order.element(along);
            if let Some(outside) = outside {
                return Err(outside.into());
            }
            sorted.push((element, point as u64));
        }
        sorted.sort_unstable();
        let in_chunk = order.elements_per_chunk();
        let mut starts = Vec::new();
        // Numbers of the elements of the last chunk end here.
        let mut end = 0;
        for (index, &(element, _)) in sorted.iter().enumerate() {
            if element >= end {
                end = (element / in_chunk).saturating_add(1).saturating_mul(in_chunk);
                starts.try_reserve(1).map_err(|_| memory())?;
                starts.push(index);
            }
        }
        Ok(Self { points: Arc::new(Points { order, sorted, starts }) })
    }
}

impl TaskPlan for PointPlan {
    fn len(&self) -> u64 {
        self.points.starts.len() as u64
    }

    fn task(&self, number: u64) -> Task {
        let Points { order, sorted, starts } = &*self.points;
        let nth = number as usize;
        let range = starts[nth]..starts.get(nth + 1).copied().unwrap_or(sorted.len());
        let chunk = order.coordinates(sorted[range.start].0 / order.elements_per_chunk());
        let part = PointPart { points: self.points.clone(), range };
        let placements = smallvec![Placement::Picks(Picks::points(0, part))];
        Task { number, inputs: smallvec![TaskInput { source: 0, chunk, placements }] }
    }
}

impl PointPart {
    pub(crate) fn runs(&self, chunk: ChunkLayout<'_>, runs: &mut Runs<'_>) {
        let in_c_order = c_strides(chunk.shape).is_some_and(|strides| strides == chunk.strides);
        let in_chunk = self.points.order.elements_per_chunk();
        for &(element, target) in &self.points.sorted[self.range.clone()] {
            if !runs.are_wanted() {
                return;
            }
            let inside = element % in_chunk;
            let source = if in_c_order { inside } else { in_memory(inside, chunk) };
            runs.push_element(source, target);
        }
    }
}

/// Where element `number` of a chunk, in C order, lies in its memory.
fn in_memory(number: u64, ChunkLayout { shape, strides }: ChunkLayout<'_>) -> u64 {
    let (mut rest, mut offset) = (number, 0);
    for (len, stride) in shape.iter().zip(strides).rev() {
        offset += rest % len * stride;
        rest /= len;
    }
    offset
}
