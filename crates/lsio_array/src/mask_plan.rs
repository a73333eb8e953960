//! A mask over a whole array: which chunks have elements that are wanted, and which these are.

use std::sync::Arc;

use smallvec::smallvec;

use crate::chunk_order::ChunkOrder;
use crate::picks::Runs;
use crate::{
    BitMask, ChunkGrid, ChunkLayout, Picks, Placement, PlanError, Run, SelectionError, Task,
    TaskInput, TaskPlan, c_strides, checked_product,
};

/// The elements of an array whose bit is set in a mask in C order; each chunk that holds some of them is
/// one task. The output has one dimension, in C order of the array.
#[derive(Debug)]
pub struct MaskPlan {
    masked: Arc<MaskedArray>,
    order: ChunkOrder,
    /// The chunks with wanted elements, by their numbers in `order`.
    chunks: Vec<u64>,
}

#[derive(Debug, PartialEq, Eq)]
struct MaskedArray {
    grid: ChunkGrid,
    /// Distance in elements between neighbours of the array.
    strides: Vec<u64>,
    mask: Arc<BitMask>,
}

/// The wanted elements in one chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MaskPart {
    masked: Arc<MaskedArray>,
    chunk: Vec<u64>,
}

impl MaskPlan {
    /// Plans a mask with one bit for each element of the array. `group` has the chunks per dimension that
    /// lie in one object and are read one after the other.
    ///
    /// # Errors
    /// [`PlanError`] for a mask of another size, or more chunks than memory can hold.
    pub fn new(
        grid: &ChunkGrid,
        group: Option<&[u64]>,
        mask: Arc<BitMask>,
    ) -> Result<Self, PlanError> {
        let expected = checked_product(grid.shape().iter().copied());
        let expected = expected.ok_or(PlanError::TooManyElements)?;
        if mask.len() != expected {
            return Err(SelectionError::MaskSize { given: mask.len(), expected }.into());
        }
        let order = ChunkOrder::new(grid, group).ok_or(PlanError::TooManyElements)?;
        let strides = c_strides(grid.shape()).ok_or(PlanError::TooManyElements)?;
        let masked = MaskedArray { grid: grid.clone(), strides, mask };
        let chunks = masked.touched(&order)?;
        Ok(Self { masked: Arc::new(masked), order, chunks })
    }
}

impl TaskPlan for MaskPlan {
    fn len(&self) -> u64 {
        self.chunks.len() as u64
    }

    fn task(&self, number: u64) -> Task {
        let chunk = self.order.coordinates(self.chunks[number as usize]);
        let part = MaskPart { masked: self.masked.clone(), chunk: chunk.clone() };
        let placements = smallvec![Placement::Picks(Picks::mask(0, part))];
        Task { number, inputs: smallvec![TaskInput { source: 0, chunk, placements }] }
    }
}

impl MaskedArray {
    /// Coordinate along the last dimension of the chunk that holds an element of a row.
    fn chunk_in_row(&self, element: u64) -> u64 {
        let last = self.grid.shape().len().checked_sub(1);
        last.map_or(0, |last| self.grid.place_along(last, element).0)
    }

    /// Numbers of the chunks that hold wanted elements, rising.
    fn touched(&self, order: &ChunkOrder) -> Result<Vec<u64>, PlanError> {
        let grid_shape = self.grid.grid_shape();
        let count = checked_product(grid_shape.iter().copied());
        let count = count.and_then(|count| usize::try_from(count).ok());
        let count = count.ok_or(PlanError::TooManyElements)?;
        let memory = |bytes: usize| PlanError::OutOfMemory { bytes: bytes as u64 };
        // One byte for each chunk, and there are no more chunks than elements in the mask.
        let mut is_touched: Vec<bool> = Vec::new();
        is_touched.try_reserve_exact(count).map_err(|_| memory(count))?;
        is_touched.resize(count, false);
        let last = |lens: &[u64]| lens.last().copied().unwrap_or(1);
        let (row_len, in_row) = (last(self.grid.shape()), last(&grid_shape));
        // The row that `first_chunk` is of.
        let (mut row, mut first_chunk) = (0, 0);
        self.mask.runs(0..self.mask.len(), |run| {
            let mut at = run.start;
            while at < run.end {
                if at / row_len != row {
                    row = at / row_len;
                    first_chunk = self.first_chunk(row, &grid_shape);
                }
                let begin = row * row_len;
                let end = run.end.min(begin + row_len);
                for chunk in self.chunk_in_row(at - begin)..=self.chunk_in_row(end - 1 - begin) {
                    is_touched[(first_chunk * in_row + chunk) as usize] = true;
                }
                at = end;
            }
        });
        let touched = is_touched.iter().filter(|&&is_touched| is_touched).count();
        let mut chunks = Vec::new();
        chunks.try_reserve_exact(touched).map_err(|_| memory(touched * size_of::<u64>()))?;
        for (number, _) in is_touched.iter().enumerate().filter(|(_, touched)| **touched) {
            chunks.push(order.chunk(&in_c_order(number as u64, &grid_shape)));
        }
        chunks.sort_unstable();
        Ok(chunks)
    }

    /// Number of the rows of chunks before that of this row of elements.
    fn first_chunk(&self, row: u64, grid_shape: &[u64]) -> u64 {
        let shape = self.grid.shape();
        let outer = shape.len().saturating_sub(1);
        let (mut rest, mut number, mut each) = (row, 0, 1);
        for dimension in (0..outer).rev() {
            number += self.grid.place_along(dimension, rest % shape[dimension]).0 * each;
            rest /= shape[dimension];
            each *= grid_shape[dimension];
        }
        number
    }
}

/// The coordinates of number `number` in C order of a shape.
fn in_c_order(number: u64, shape: &[u64]) -> Vec<u64> {
    let mut rest = number;
    let mut coordinates = vec![0; shape.len()];
    for (coordinate, len) in coordinates.iter_mut().zip(shape).rev() {
        *coordinate = rest % len;
        rest /= len;
    }
    coordinates
}

impl MaskPart {
    pub(crate) fn runs(&self, chunk: ChunkLayout<'_>, runs: &mut Runs<'_>) {
        let MaskedArray { grid, strides, .. } = &*self.masked;
        // The part of the chunk that lies inside the array, row by row.
        let (mut element, mut lens) = (0, Vec::with_capacity(self.chunk.len()));
        for (dimension, &coordinate) in self.chunk.iter().enumerate() {
            let begin = grid.start_along(dimension, coordinate);
            element += begin * strides[dimension];
            lens.push(grid.start_along(dimension, coordinate + 1) - begin);
        }
        self.rows(&lens, strides, chunk.strides, (element, 0), runs);
    }

    /// The rows of dimensions with these lengths in the chunk, from an element of the array on, which lies
    /// in the chunk's memory where the second number says.
    fn rows(
        &self,
        lens: &[u64],
        strides: &[u64],
        source_strides: &[u64],
        (element, source): (u64, u64),
        runs: &mut Runs<'_>,
    ) {
        if let ([len, inner @ ..], [stride, rest @ ..], [source_stride, source_rest @ ..]) =
            (lens, strides, source_strides)
            && !inner.is_empty()
        {
            for index in 0..*len {
                if !runs.are_wanted() {
                    return;
                }
                let first = (element + index * stride, source + index * source_stride);
                self.rows(inner, rest, source_rest, first, runs);
            }
            return;
        }
        let len = lens.first().copied().unwrap_or(1);
        let source_stride = source_strides.first().copied().unwrap_or(1);
        let mask = &self.masked.mask;
        let mut target = None;
        mask.runs(element..element + len, |run| {
            let first = *target.get_or_insert_with(|| mask.rank(run.start));
            let count = run.end - run.start;
            runs.push(Run {
                source: source + (run.start - element) * source_stride,
                source_step: source_stride.cast_signed(),
                target: first,
                len: count,
            });
            target = Some(first + count);
        });
    }
}
