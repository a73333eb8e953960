//! The chunk grid: which chunks a selection touches, and which part of each.

use std::sync::Arc;

use crate::chunk_edges::{ChunkEdges, TouchedEdges};
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

/// Splits an array into chunks: of one shape, or with edges that vary along some dimensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkGrid {
    shape: Vec<u64>,
    chunk_shape: Vec<u64>,
    /// One entry for each dimension; `None` where all chunks have the same shape.
    edges: Option<Arc<[Arc<ChunkEdges>]>>,
}

impl ChunkGrid {
    /// The grid of an array. `None` if the ranks differ or a chunk dimension is zero.
    #[must_use]
    pub fn new(shape: &[u64], chunk_shape: &[u64]) -> Option<Self> {
        let fits = shape.len() == chunk_shape.len() && chunk_shape.iter().all(|&len| len > 0);
        fits.then(|| Self { shape: shape.to_vec(), chunk_shape: chunk_shape.to_vec(), edges: None })
    }

    /// The grid of an array whose chunks have these edges along each of its dimensions. `None` if the ranks differ.
    #[must_use]
    pub fn with_edges(shape: &[u64], edges: Vec<ChunkEdges>) -> Option<Self> {
        let chunk_shape: Vec<u64> = edges.iter().map(ChunkEdges::longest).collect();
        let is_regular = edges.iter().all(|edges| edges.as_regular().is_some());
        let regular = Self::new(shape, &chunk_shape)?;
        let edges = (!is_regular).then(|| edges.into_iter().map(Arc::new).collect());
        Some(Self { edges, ..regular })
    }

    /// The same grid with dimensions of these lengths behind its own; each chunk has all of them. `None` if one is
    /// zero.
    #[must_use]
    pub fn followed_by(&self, lens: &[u64]) -> Option<Self> {
        let shape = [self.shape.as_slice(), lens].concat();
        let Some(edges) = &self.edges else {
            return Self::new(&shape, &[self.chunk_shape.as_slice(), lens].concat());
        };
        let whole = lens.iter().map(|&len| ChunkEdges::new(len, [(len, 1)]).ok());
        let edges = edges.iter().map(|edges| Some(ChunkEdges::clone(edges))).chain(whole);
        Self::with_edges(&shape, edges.collect::<Option<Vec<_>>>()?)
    }

    /// The edges of the chunks along each dimension, where they are not the same everywhere.
    #[must_use]
    pub fn edges(&self) -> Option<&[Arc<ChunkEdges>]> {
        self.edges.as_deref()
    }

    /// Elements of the array per dimension.
    #[must_use]
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// Elements of a chunk per dimension; of the longest one along each, where edges vary.
    #[must_use]
    pub fn chunk_shape(&self) -> &[u64] {
        &self.chunk_shape
    }

    /// Chunks per dimension.
    #[must_use]
    pub fn grid_shape(&self) -> Vec<u64> {
        if let Some(edges) = &self.edges {
            return edges.iter().map(|edges| edges.count()).collect();
        }
        self.shape.iter().zip(&self.chunk_shape).map(|(&len, &chunk)| len.div_ceil(chunk)).collect()
    }

    /// First element of a chunk along each dimension.
    #[must_use]
    pub fn chunk_origin(&self, chunk: &[u64]) -> Vec<u64> {
        match &self.edges {
            Some(edges) => {
                chunk.iter().zip(&**edges).map(|(&at, edges)| edges.extent(at).0).collect()
            }
            None => chunk.iter().zip(&self.chunk_shape).map(|(at, len)| at * len).collect(),
        }
    }

    /// Elements of one chunk per dimension, those behind the edge of the array included.
    #[must_use]
    pub fn shape_of(&self, chunk: &[u64]) -> Vec<u64> {
        match &self.edges {
            Some(edges) => {
                chunk.iter().zip(&**edges).map(|(&at, edges)| edges.extent(at).1).collect()
            }
            None => self.chunk_shape.clone(),
        }
    }

    /// Coordinates of the chunk that holds an element of the array.
    #[must_use]
    pub fn chunk_of(&self, element: &[u64]) -> Vec<u64> {
        match &self.edges {
            Some(edges) => {
                element.iter().zip(&**edges).map(|(&at, edges)| edges.chunk_of(at)).collect()
            }
            None => element.iter().zip(&self.chunk_shape).map(|(at, len)| at / len).collect(),
        }
    }

    /// The edges of the chunks along a dimension, if they vary there.
    fn varying(&self, dimension: usize) -> Option<&Arc<ChunkEdges>> {
        let edges = self.edges.as_ref()?.get(dimension)?;
        edges.as_regular().is_none().then_some(edges)
    }

    /// Coordinate along a dimension of the chunk that holds an element, and where in that chunk it is.
    pub(crate) fn place_along(&self, dimension: usize, element: u64) -> (u64, u64) {
        let Some(edges) = self.varying(dimension) else {
            let len = self.chunk_shape[dimension];
            return (element / len, element % len);
        };
        let coordinate = edges.chunk_of(element);
        (coordinate, element - edges.extent(coordinate).0)
    }

    /// First element along a dimension of the chunk with this coordinate; where there is no such chunk, the end of the
    /// array.
    pub(crate) fn start_along(&self, dimension: usize, coordinate: u64) -> u64 {
        let start = match self.varying(dimension) {
            Some(edges) if coordinate >= edges.count() => u64::MAX,
            Some(edges) => edges.extent(coordinate).0,
            None => coordinate.saturating_mul(self.chunk_shape[dimension]),
        };
        start.min(self.shape[dimension])
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
        (coordinate, part_between(selected, begin, begin.saturating_add(chunk)))
    }
}

/// The selected elements of a chunk that has the elements from `begin` to before `end`.
pub(crate) fn part_between(selected: SelectedRange, begin: u64, end: u64) -> DimensionPlacement {
    // Numbers of the first selected element at or after `begin`, and at or after `end`.
    let number_from = |bound: u64| bound.saturating_sub(selected.start).div_ceil(selected.step);
    let first = number_from(begin);
    let behind = number_from(end).min(selected.len);
    DimensionPlacement {
        source_start: selected.start + first * selected.step - begin,
        source_step: selected.step,
        target_start: first,
        len: behind - first,
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
    /// Of chunks of one length.
    Range(SelectedRange),
    /// A range of chunks whose lengths vary.
    Varying(TouchedEdges),
    List(Arc<ListedDimension>),
}

impl TouchedDimension {
    /// The range, if it is one.
    fn range(&self) -> Option<&SelectedRange> {
        match self {
            Self::Range(range) => Some(range),
            Self::Varying(range) => Some(range.selected()),
            Self::List(_) => None,
        }
    }
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
        let by_chunks = |(dimension, selected): (usize, &SelectedDimension)| match selected {
            SelectedDimension::Range(range) => match grid.varying(dimension) {
                Some(edges) => TouchedDimension::Varying(TouchedEdges::new(edges, *range)),
                None => TouchedDimension::Range(*range),
            },
            SelectedDimension::List(positions) => {
                let place = |position| grid.place_along(dimension, position);
                TouchedDimension::List(Arc::new(ListedDimension::new(positions, place)))
            }
        };
        let selected = selection.dimensions().iter().enumerate();
        let dimensions: Vec<TouchedDimension> = selected.map(by_chunks).collect();
        let touched: Vec<u64> = dimensions
            .iter()
            .enumerate()
            .map(|(dimension, selected)| match selected {
                TouchedDimension::Range(range) => grid.touched(dimension, *range),
                TouchedDimension::Varying(range) => range.touched(),
                TouchedDimension::List(list) => list.touched(),
            })
            .collect();
        let len = checked_product(touched.iter().copied())?;
        let is_forwards = |it: &TouchedDimension| it.range().is_some_and(|range| !range.backwards);
        let is_regular = dimensions.iter().all(is_forwards);
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
            let (coordinate, placement) = match selected {
                TouchedDimension::Range(range) => self.grid.part(dimension, *range, *nth),
                TouchedDimension::Varying(range) => range.part(*nth),
                TouchedDimension::List(_) => return DimensionPlacement::default(),
            };
            *nth = coordinate;
            placement
        };
        let dimensions = coordinates.iter_mut().zip(selected).map(part).collect();
        (coordinates, Placement::Region(Region { output, dimensions }))
    }

    /// What is picked of the touched chunk `nth` along a dimension; `nth` becomes its coordinate.
    fn axis(&self, dimension: usize, selected: &TouchedDimension, nth: &mut u64) -> Axis {
        let (range, (coordinate, part)) = match selected {
            TouchedDimension::Range(range) => (range, self.grid.part(dimension, *range, *nth)),
            TouchedDimension::Varying(range) => (range.selected(), range.part(*nth)),
            TouchedDimension::List(list) => {
                let number = std::mem::replace(nth, list.coordinate(*nth));
                return Axis::Listed { list: list.clone(), nth: number, origin: 0 };
            }
        };
        *nth = coordinate;
        if !range.backwards {
            return Axis::Forwards(part);
        }
        let target_start = range.len - part.target_start - part.len;
        Axis::Backwards(DimensionPlacement { target_start, ..part })
    }

    /// Most elements that any chunk has in the result; `None` if that does not fit 64 bits.
    #[must_use]
    pub fn largest_part(&self) -> Option<u64> {
        let parts = self.dimensions.iter().zip(&self.grid.chunk_shape);
        checked_product(parts.map(|(selected, &chunk)| match selected {
            TouchedDimension::Range(range) => range.len.min(chunk),
            TouchedDimension::Varying(range) => range.selected().len.min(chunk),
            TouchedDimension::List(list) => list.longest_part(),
        }))
    }

    /// Coordinate of the `nth` touched chunk along a dimension.
    fn coordinate(&self, dimension: usize, nth: u64) -> u64 {
        match &self.dimensions[dimension] {
            TouchedDimension::Range(range) => self.grid.part(dimension, *range, nth).0,
            TouchedDimension::Varying(range) => range.coordinate(nth),
            TouchedDimension::List(list) => list.coordinate(nth),
        }
    }

    /// How many touched chunks along a dimension have a coordinate below `bound`.
    fn touched_below(&self, dimension: usize, bound: u64) -> u64 {
        match &self.dimensions[dimension] {
            TouchedDimension::Range(range) => self.grid.touched_below(dimension, *range, bound),
            TouchedDimension::Varying(range) => range.touched_below(bound),
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
