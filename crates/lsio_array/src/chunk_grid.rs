//! The regular chunk grid: which chunks a selection touches, and which part of each.

use std::sync::Arc;

use crate::listed_dimension::ListedDimension;
use crate::picks::Axis;
use crate::{
    DimensionPlacement, Picks, Placement, Region, ResolvedSelection, SelectedDimension,
    SelectedRange, SelectionError,
};

/// Product of dimension lengths; `None` if it does not fit 64 bits.
#[must_use]
pub fn checked_product(lengths: impl IntoIterator<Item = u64>) -> Option<u64> {
    let mut product = 1u64;
    let mut overflow = false;
    for len in lengths {
        if len == 0 {
            return Some(0);
        }
        match product.checked_mul(len) {
            Some(next) => product = next,
            None => overflow = true,
        }
    }
    (!overflow).then_some(product)
}

/// Splits an array into chunks of one shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkGrid {
    shape: Vec<u64>,
    chunk_shape: Vec<u64>,
}

impl ChunkGrid {
    /// The grid of an array. `None` if the ranks differ or a chunk dimension is zero.
    #[must_use]
    pub fn new(shape: &[u64], chunk_shape: &[u64]) -> Option<Self> {
        let fits = shape.len() == chunk_shape.len() && chunk_shape.iter().all(|&len| len > 0);
        fits.then(|| Self { shape: shape.to_vec(), chunk_shape: chunk_shape.to_vec() })
    }

    /// Elements of the array per dimension.
    #[must_use]
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// Elements of a chunk per dimension.
    #[must_use]
    pub fn chunk_shape(&self) -> &[u64] {
        &self.chunk_shape
    }

    /// Chunks per dimension.
    #[must_use]
    pub fn grid_shape(&self) -> Vec<u64> {
        self.shape.iter().zip(&self.chunk_shape).map(|(&len, &chunk)| len.div_ceil(chunk)).collect()
    }

    /// Refuses coordinates outside the grid.
    ///
    /// # Errors
    /// [`SelectionError::Chunk`], or [`SelectionError::Rank`] for a wrong number of coordinates.
    pub fn check(&self, chunk: &[u64]) -> Result<(), SelectionError> {
        if chunk.len() != self.shape.len() {
            return Err(SelectionError::Rank { given: chunk.len(), rank: self.shape.len() });
        }
        let grid = self.grid_shape();
        if chunk.iter().zip(&grid).all(|(coordinate, len)| coordinate < len) {
            Ok(())
        } else {
            Err(SelectionError::Chunk { chunk: chunk.to_vec(), grid })
        }
    }

    /// How many chunks along `dimension` hold elements of the selection.
    fn touched(&self, dimension: usize, selected: SelectedRange) -> u64 {
        let chunk = self.chunk_shape[dimension];
        if selected.len == 0 {
            0
        } else if selected.step >= chunk {
            // Each element lies in a chunk of its own.
            selected.len
        } else {
            let last = selected.start + (selected.len - 1) * selected.step;
            last / chunk - selected.start / chunk + 1
        }
    }

    /// How many touched chunks along `dimension` have a coordinate below `bound`.
    fn touched_below(&self, dimension: usize, selected: SelectedRange, bound: u64) -> u64 {
        if selected.len == 0 {
            return 0;
        }
        let chunk = self.chunk_shape[dimension];
        let below = if selected.step >= chunk {
            // Each element lies in a chunk of its own: count the elements.
            let end = bound.saturating_mul(chunk);
            end.saturating_sub(selected.start).div_ceil(selected.step)
        } else {
            bound.saturating_sub(selected.start / chunk)
        };
        below.min(self.touched(dimension, selected))
    }

    /// The part of the selection in its `nth` touched chunk along `dimension`: the chunk's coordinate
    /// and the elements, forwards.
    fn part(
        &self,
        dimension: usize,
        selected: SelectedRange,
        nth: u64,
    ) -> (u64, DimensionPlacement) {
        let chunk = self.chunk_shape[dimension];
        let coordinate = if selected.step >= chunk {
            (selected.start + nth * selected.step) / chunk
        } else {
            selected.start / chunk + nth
        };
        let begin = coordinate * chunk;
        let end = begin.saturating_add(chunk);
        // Numbers of the first selected element at or after `begin`, and at or after `end`.
        let number_from = |bound: u64| bound.saturating_sub(selected.start).div_ceil(selected.step);
        let first = number_from(begin);
        let behind = number_from(end).min(selected.len);
        let placement = DimensionPlacement {
            source_start: selected.start + first * selected.step - begin,
            source_step: selected.step,
            target_start: first,
            len: behind - first,
        };
        (coordinate, placement)
    }
}

/// The chunks that one selection touches, numbered in C order of the grid, or group by group. Any of them can be worked
/// out at any time: nothing is kept for each chunk, and what is kept for lists of positions is shared by all clones.
#[derive(Debug, Clone)]
pub struct TouchedChunks {
    grid: ChunkGrid,
    selection: ResolvedSelection,
    dimensions: Vec<TouchedDimension>,
    /// Whether every dimension is a range that runs forwards.
    is_regular: bool,
    touched: Vec<u64>,
    /// Chunks per dimension that stay together.
    group: Option<Vec<u64>>,
    len: u64,
}

/// The selected elements of one dimension, by chunks.
#[derive(Debug, Clone)]
enum TouchedDimension {
    Range(SelectedRange),
    List(Arc<ListedDimension>),
}

impl TouchedChunks {
    /// The chunks of `grid` that hold elements of `selection`. `None` if the ranks differ or their
    /// number does not fit 64 bits.
    ///
    /// Ranges cost nothing here; lists of positions are sorted.
    #[must_use]
    pub fn new(grid: ChunkGrid, selection: ResolvedSelection) -> Option<Self> {
        if grid.shape.len() != selection.dimensions().len() {
            return None;
        }
        let by_chunks = |(selected, &chunk): (&SelectedDimension, &u64)| match selected {
            SelectedDimension::Range(range) => TouchedDimension::Range(*range),
            SelectedDimension::List(positions) => {
                TouchedDimension::List(Arc::new(ListedDimension::new(positions, chunk)))
            }
        };
        let selected = selection.dimensions().iter().zip(&grid.chunk_shape);
        let dimensions: Vec<TouchedDimension> = selected.map(by_chunks).collect();
        let touched: Vec<u64> = dimensions
            .iter()
            .enumerate()
            .map(|(dimension, selected)| match selected {
                TouchedDimension::Range(range) => grid.touched(dimension, *range),
                TouchedDimension::List(list) => list.touched(),
            })
            .collect();
        let len = checked_product(touched.iter().copied())?;
        let is_regular = dimensions
            .iter()
            .all(|it| matches!(it, TouchedDimension::Range(range) if !range.backwards));
        Some(Self { grid, selection, dimensions, is_regular, touched, group: None, len })
    }

    /// The same chunks, numbered so that those of one group (a shard) follow one another: groups in C
    /// order, chunks in C order inside each. `group` has the chunks per dimension; `None` if its rank
    /// differs or an entry is zero.
    #[must_use]
    pub fn grouped(self, group: &[u64]) -> Option<Self> {
        let fits = group.len() == self.touched.len() && group.iter().all(|&len| len > 0);
        fits.then(|| Self { group: Some(group.to_vec()), ..self })
    }

    /// Number of chunks.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing is selected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The selection.
    #[must_use]
    pub fn selection(&self) -> &ResolvedSelection {
        &self.selection
    }

    /// The grid.
    #[must_use]
    pub fn grid(&self) -> &ChunkGrid {
        &self.grid
    }

    /// Grid coordinates of chunk `number` (below [`len`](Self::len)), and where its selected elements
    /// go in output `output`.
    #[must_use]
    pub fn chunk(&self, number: u64, output: usize) -> (Vec<u64>, Placement) {
        let mut coordinates = match &self.group {
            None => {
                let mut numbers = vec![0; self.touched.len()];
                add_digits(number, &self.touched, &mut numbers);
                numbers
            }
            Some(group) => self.numbers_by_group(number, group),
        };
        let selected = self.dimensions.iter().enumerate();
        if !self.is_regular {
            let axis = |(nth, (dimension, selected))| self.axis(dimension, selected, nth);
            let axes = coordinates.iter_mut().zip(selected).map(axis).collect();
            return (coordinates, Placement::Picks(Picks::product(output, axes)));
        }
        let part = |(nth, (dimension, selected)): (&mut u64, (usize, &TouchedDimension))| {
            let TouchedDimension::Range(range) = selected else {
                return DimensionPlacement::default();
            };
            let (coordinate, placement) = self.grid.part(dimension, *range, *nth);
            *nth = coordinate;
            placement
        };
        let dimensions = coordinates.iter_mut().zip(selected).map(part).collect();
        (coordinates, Placement::Region(Region { output, dimensions }))
    }

    /// What is picked of the touched chunk `nth` along a dimension; `nth` becomes its coordinate.
    fn axis(&self, dimension: usize, selected: &TouchedDimension, nth: &mut u64) -> Axis {
        match selected {
            TouchedDimension::Range(range) => {
                let (coordinate, part) = self.grid.part(dimension, *range, *nth);
                *nth = coordinate;
                if !range.backwards {
                    return Axis::Forwards(part);
                }
                let target_start = range.len - part.target_start - part.len;
                Axis::Backwards(DimensionPlacement { target_start, ..part })
            }
            TouchedDimension::List(list) => {
                let number = std::mem::replace(nth, list.coordinate(*nth));
                Axis::Listed { list: list.clone(), nth: number, origin: 0 }
            }
        }
    }

    /// Most elements that any chunk has in the result; `None` if that does not fit 64 bits.
    #[must_use]
    pub fn largest_part(&self) -> Option<u64> {
        let parts = self.dimensions.iter().zip(&self.grid.chunk_shape);
        checked_product(parts.map(|(selected, &chunk)| match selected {
            TouchedDimension::Range(range) => range.len.min(chunk),
            TouchedDimension::List(list) => list.longest_part(),
        }))
    }

    /// Coordinate of the `nth` touched chunk along a dimension.
    fn coordinate(&self, dimension: usize, nth: u64) -> u64 {
        match &self.dimensions[dimension] {
            TouchedDimension::Range(range) => self.grid.part(dimension, *range, nth).0,
            TouchedDimension::List(list) => list.coordinate(nth),
        }
    }

    /// How many touched chunks along a dimension have a coordinate below `bound`.
    fn touched_below(&self, dimension: usize, bound: u64) -> u64 {
        match &self.dimensions[dimension] {
            TouchedDimension::Range(range) => self.grid.touched_below(dimension, *range, bound),
            TouchedDimension::List(list) => list.touched_below(bound),
        }
    }

    /// For each dimension: which of its touched chunks `number` is, with groups kept together.
    ///
    /// Along each dimension the touched chunks fall into groups. All chunks before the group wanted
    /// are: whole slabs of groups along the first dimension, then along the second inside that slab,
    /// and so on.
    fn numbers_by_group(&self, number: u64, group: &[u64]) -> Vec<u64> {
        let rank = self.touched.len();
        let mut rest = number;
        // Of the group that holds the chunk: first touched chunk and number of them, per dimension.
        let mut first = vec![0; rank];
        let mut inside = vec![1; rank];
        for dimension in 0..rank {
            // Chunks for each one along this dimension: in the groups chosen so far, and in all of
            // the dimensions that follow.
            let each = inside[..dimension].iter().product::<u64>()
                * self.touched[dimension + 1..].iter().product::<u64>();
            let coordinate = self.coordinate(dimension, rest / each);
            let begin = coordinate / group[dimension] * group[dimension];
            let below = |bound| self.touched_below(dimension, bound);
            first[dimension] = below(begin);
            inside[dimension] = below(begin.saturating_add(group[dimension])) - first[dimension];
            rest -= first[dimension] * each;
        }
        add_digits(rest, &inside, &mut first);
        first
    }
}

/// Adds `number` in the mixed radix of `lengths`, last digit fastest, to `digits`.
fn add_digits(number: u64, lengths: &[u64], digits: &mut [u64]) {
    let mut rest = number;
    for (digit, &len) in digits.iter_mut().zip(lengths).rev() {
        *digit += rest % len;
        rest /= len;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::DimensionSelection;

    #[test]
    fn products_know_zero_and_overflow() {
        assert_eq!(checked_product([]), Some(1));
        assert_eq!(checked_product([u64::MAX, 2, 0]), Some(0));
        assert_eq!(checked_product([u64::MAX, 2]), None);
    }

    #[test]
    fn a_zero_rank_array_has_one_chunk() {
        let grid = ChunkGrid::new(&[], &[]).unwrap();
        let touched = TouchedChunks::new(grid, ResolvedSelection::all(&[])).unwrap();
        assert_eq!(touched.len(), 1);
        assert_eq!(touched.chunk(0, 0).0, Vec::<u64>::new());
    }

    #[test]
    fn steps_longer_than_a_chunk_skip_chunks() {
        let grid = ChunkGrid::new(&[100], &[10]).unwrap();
        let wanted = DimensionSelection::Slice { start: Some(5), stop: None, step: Some(25) };
        let selection = ResolvedSelection::resolve(&[wanted], &[100]).unwrap();
        let touched = TouchedChunks::new(grid, selection).unwrap();
        let chunks: Vec<u64> = (0..touched.len()).map(|n| touched.chunk(n, 0).0[0]).collect();
        assert_eq!(chunks, [0, 3, 5, 8]);
    }

    #[test]
    fn coordinates_outside_the_grid_are_refused() {
        let grid = ChunkGrid::new(&[10, 0], &[4, 4]).unwrap();
        assert_eq!(grid.grid_shape(), [3, 0]);
        assert!(matches!(grid.check(&[0, 0]), Err(SelectionError::Chunk { .. })));
        assert!(matches!(grid.check(&[0]), Err(SelectionError::Rank { .. })));
        assert!(ChunkGrid::new(&[1], &[0]).is_none());
    }
}
