//! Chunks of varying lengths along one dimension, and which of them a range touches.

use std::sync::Arc;

use crate::chunk_grid::part_between;
use crate::{DimensionPlacement, SelectedRange};

/// The lengths of the chunks along one dimension. Chunks of one length that follow one another take the room of
/// one, so that what short metadata claims is short in memory too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkEdges {
    /// By their chunks, and so by their elements; neighbours differ in their edge.
    runs: Vec<EdgeRun>,
    /// Chunks that hold elements of the array.
    count: u64,
    longest: u64,
    shortest: u64,
}

/// Chunks of one length, up to the next run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct EdgeRun {
    /// Coordinate of the first chunk.
    chunk: u64,
    /// Its first element.
    start: u64,
    edge: u64,
}

/// Why lengths of chunks are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChunkEdgesError {
    /// A chunk without elements, or a length that is repeated zero times.
    #[error("the edges of chunks and their numbers must be at least 1")]
    Zero,
    /// The chunks have more elements than 64 bits can count.
    #[error("the edges of the chunks add up to more than 2^64 - 1")]
    TooLong,
    /// The chunks do not reach the end of the dimension.
    #[error("the edges of the chunks add up to {sum}, the dimension has {len} elements")]
    TooShort {
        /// Elements in all chunks.
        sum: u64,
        /// Elements of the dimension.
        len: u64,
    },
}

impl ChunkEdges {
    /// The chunks of a dimension of `len` elements: `(edge, how many chunks have it)`, one after the other. Chunks
    /// that lie wholly behind the end are left out.
    ///
    /// # Errors
    /// [`ChunkEdgesError`].
    pub fn new(
        len: u64,
        edges: impl IntoIterator<Item = (u64, u64)>,
    ) -> Result<Self, ChunkEdgesError> {
        let mut runs: Vec<EdgeRun> = Vec::new();
        let (mut chunk, mut start, mut count) = (0u64, 0u64, 0u64);
        for (edge, times) in edges {
            if edge == 0 || times == 0 {
                return Err(ChunkEdgesError::Zero);
            }
            if start < len {
                if runs.last().is_none_or(|last| last.edge != edge) {
                    runs.push(EdgeRun { chunk, start, edge });
                }
                count = chunk + (len - start).div_ceil(edge).min(times);
            }
            let elements = edge.checked_mul(times);
            let end = elements.and_then(|elements| start.checked_add(elements));
            start = end.ok_or(ChunkEdgesError::TooLong)?;
            // There are not more chunks than elements.
            chunk += times;
        }
        if start < len {
            return Err(ChunkEdgesError::TooShort { sum: start, len });
        }
        let lengths = || runs.iter().map(|run| run.edge);
        let (longest, shortest) = (lengths().max().unwrap_or(1), lengths().min().unwrap_or(1));
        Ok(Self { runs, count, longest, shortest })
    }

    /// The length of all chunks, if they have the same.
    #[must_use]
    pub fn as_regular(&self) -> Option<u64> {
        (self.runs.len() <= 1).then_some(self.longest)
    }

    /// Number of chunks that hold elements.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Elements of the longest chunk; 1 where there are no chunks.
    #[must_use]
    pub fn longest(&self) -> u64 {
        self.longest
    }

    /// Elements of the shortest chunk; 1 where there are no chunks.
    #[must_use]
    pub fn shortest(&self) -> u64 {
        self.shortest
    }

    /// `(edge, how many chunks have it)`, one after the other, up to the chunk that reaches the end.
    pub fn runs(&self) -> impl Iterator<Item = (u64, u64)> {
        let ends = self.runs.iter().skip(1).map(|run| run.chunk).chain([self.count]);
        self.runs.iter().zip(ends).map(|(run, end)| (run.edge, end - run.chunk))
    }

    /// Coordinate of the chunk that holds an element of the dimension.
    #[must_use]
    pub fn chunk_of(&self, element: u64) -> u64 {
        let run = self.run_at(|run| run.start <= element);
        run.chunk + (element - run.start) / run.edge
    }

    /// First element of a chunk, and number of its elements, those behind the end of the dimension included.
    #[must_use]
    pub fn extent(&self, chunk: u64) -> (u64, u64) {
        let run = self.run_at(|run| run.chunk <= chunk);
        (run.start + (chunk - run.chunk) * run.edge, run.edge)
    }

    /// The last run of which this is true; it is true of all runs before it.
    fn run_at(&self, is_before: impl Fn(&EdgeRun) -> bool) -> EdgeRun {
        let behind = self.runs.partition_point(is_before);
        let none = EdgeRun { chunk: 0, start: 0, edge: 1 };
        behind.checked_sub(1).and_then(|at| self.runs.get(at)).copied().unwrap_or(none)
    }
}

/// The chunks that hold elements of a range.
#[derive(Debug, Clone)]
pub(crate) struct TouchedEdges {
    edges: Arc<ChunkEdges>,
    selected: SelectedRange,
    /// Coordinate of the first of them.
    first: u64,
    len: u64,
    /// How many of them come before each run; empty where all chunks between the first and the last are touched.
    before: Vec<u64>,
}

impl TouchedEdges {
    pub(crate) fn new(edges: &Arc<ChunkEdges>, selected: SelectedRange) -> Self {
        let mut touched =
            Self { edges: Arc::clone(edges), selected, first: 0, len: 0, before: Vec::new() };
        let Some(steps) = selected.len.checked_sub(1) else { return touched };
        let last = edges.chunk_of(selected.start + steps * selected.step);
        touched.first = edges.chunk_of(selected.start);
        if selected.step <= edges.shortest {
            // No chunk in between is shorter than a step.
            touched.len = last - touched.first + 1;
            return touched;
        }
        let ends = edges.runs.iter().skip(1).map(|run| run.start).chain([u64::MAX]);
        for (run, end) in edges.runs.iter().zip(ends) {
            touched.before.push(touched.len);
            touched.len += touched.inside(run, end).0;
        }
        touched
    }

    /// How many chunks of a run that ends before element `end` are touched, and the first selected element in it,
    /// from its start.
    fn inside(&self, run: &EdgeRun, end: u64) -> (u64, u64) {
        let SelectedRange { start, step, len, .. } = self.selected;
        let number_from = |bound: u64| bound.saturating_sub(start).div_ceil(step).min(len);
        let (first, behind) = (number_from(run.start), number_from(end));
        let Some(steps) = (behind - first).checked_sub(1) else { return (0, 0) };
        let from = start + first * step - run.start;
        let chunks = if step >= run.edge {
            // Each element lies in a chunk of its own.
            steps + 1
        } else {
            (from + steps * step) / run.edge - from / run.edge + 1
        };
        (chunks, from)
    }

    /// The range.
    pub(crate) fn selected(&self) -> &SelectedRange {
        &self.selected
    }

    /// Number of touched chunks.
    pub(crate) fn touched(&self) -> u64 {
        self.len
    }

    /// How many of them have a coordinate below `bound`.
    pub(crate) fn touched_below(&self, bound: u64) -> u64 {
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.coordinate(middle) < bound {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Coordinate of the `nth` of them, and the part of the range that lies in it, forwards.
    pub(crate) fn part(&self, nth: u64) -> (u64, DimensionPlacement) {
        let chunk = self.coordinate(nth);
        let (begin, edge) = self.edges.extent(chunk);
        (chunk, part_between(self.selected, begin, begin.saturating_add(edge)))
    }

    /// Coordinate of the `nth` of them.
    pub(crate) fn coordinate(&self, nth: u64) -> u64 {
        let after = self.before.partition_point(|&before| before <= nth);
        let Some(at) = after.checked_sub(1) else { return self.first + nth };
        let (run, end) = (self.edges.runs[at], self.edges.runs.get(at + 1));
        let (_, from) = self.inside(&run, end.map_or(u64::MAX, |next| next.start));
        let within = nth - self.before[at];
        if self.selected.step >= run.edge {
            run.chunk + (from + within * self.selected.step) / run.edge
        } else {
            run.chunk + from / run.edge + within
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn edges_are_kept_as_runs_up_to_the_end() {
        let edges = ChunkEdges::new(10, [(1, 1), (1, 2), (3, 1), (2, 5), (7, 1)]).unwrap();
        assert_eq!(edges.runs().collect::<Vec<_>>(), [(1, 3), (3, 1), (2, 2)]);
        assert_eq!((edges.count(), edges.longest(), edges.as_regular()), (6, 3, None));
        let chunks: Vec<u64> = (0..10).map(|element| edges.chunk_of(element)).collect();
        assert_eq!(chunks, [0, 1, 2, 3, 3, 3, 4, 4, 5, 5]);
        let extents: Vec<_> = (0..6).map(|chunk| edges.extent(chunk)).collect();
        assert_eq!(extents, [(0, 1), (1, 1), (2, 1), (3, 3), (6, 2), (8, 2)]);
    }

    #[test]
    fn chunks_of_one_length_are_regular() {
        for (len, edges) in
            [(10, vec![(3, 4)]), (6, vec![(3, 1), (3, 1), (9, 1)]), (1, vec![(3, 7)])]
        {
            assert_eq!(ChunkEdges::new(len, edges).unwrap().as_regular(), Some(3));
        }
        let empty = ChunkEdges::new(0, []).unwrap();
        assert_eq!((empty.count(), empty.longest(), empty.as_regular()), (0, 1, Some(1)));
        assert_eq!(ChunkEdges::new(0, [(4, 2), (3, 1)]).unwrap().count(), 0);
    }

    #[test]
    fn impossible_edges_are_refused_whatever_they_claim() {
        let new = |len, edges: &[(u64, u64)]| ChunkEdges::new(len, edges.iter().copied());
        assert_eq!(new(4, &[(0, 1), (4, 1)]), Err(ChunkEdgesError::Zero));
        assert_eq!(new(4, &[(4, 1), (4, 0)]), Err(ChunkEdgesError::Zero));
        let short = ChunkEdgesError::TooShort { sum: 7, len: 8 };
        assert_eq!(new(8, &[(3, 2), (1, 1)]), Err(short));
        assert_eq!(new(8, &[]), Err(ChunkEdgesError::TooShort { sum: 0, len: 8 }));
        assert_eq!(new(8, &[(1 << 60, 1 << 60)]), Err(ChunkEdgesError::TooLong));
        assert_eq!(new(8, &[(u64::MAX, 1), (1, 1)]), Err(ChunkEdgesError::TooLong));
        // Many chunks, but no more than there are elements: they take no room.
        let edges = new(1 << 61, &[(1, 1 << 60), (2, 1 << 60)]).unwrap();
        assert_eq!((edges.count(), edges.runs.len()), ((1 << 60) + (1 << 59), 2));
        assert_eq!(edges.chunk_of((1 << 60) + 5), (1 << 60) + 2);
        assert_eq!(new(10, &[(1, 1 << 60)]).unwrap().count(), 10);
    }
}
