//! Positions along one dimension in any order, sorted by the chunks that they lie in.

/// A selected position, and where it goes along the same dimension of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListedPosition {
    pub(crate) source: u64,
    pub(crate) target: u64,
}

/// The positions of one dimension, those of each chunk next to one another, in the order of the result.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ListedDimension {
    /// `source` is counted from the start of the chunk.
    positions: Vec<ListedPosition>,
    /// Coordinate of each touched chunk, rising, and where it starts in `positions`.
    chunks: Vec<(u64, usize)>,
}

impl ListedDimension {
    /// Sorts positions by chunks. `place` gives the coordinate of the chunk that holds a position, and where in
    /// that it is. 40 bytes for each position while it does so, 16 afterwards, and 16 for each chunk.
    pub(crate) fn new(positions: &[u64], place: impl Fn(u64) -> (u64, u64)) -> Self {
        let placed = |(&position, target): (&u64, u64)| {
            let (coordinate, source) = place(position);
            (coordinate, ListedPosition { source, target })
        };
        let mut sorted: Vec<(u64, ListedPosition)> =
            positions.iter().zip(0u64..).map(placed).collect();
        sorted.sort_unstable_by_key(|&(coordinate, position)| (coordinate, position.target));
        let mut chunks: Vec<(u64, usize)> = Vec::new();
        for (index, &(coordinate, _)) in sorted.iter().enumerate() {
            if chunks.last().is_none_or(|&(last, _)| last != coordinate) {
                chunks.push((coordinate, index));
            }
        }
        let positions = sorted.into_iter().map(|(_, position)| position).collect();
        Self { positions, chunks }
    }

    /// Number of chunks that hold positions.
    pub(crate) fn touched(&self) -> u64 {
        self.chunks.len() as u64
    }

    /// How many of these have a coordinate below `bound`.
    pub(crate) fn touched_below(&self, bound: u64) -> u64 {
        self.chunks.partition_point(|&(coordinate, _)| coordinate < bound) as u64
    }

    /// Coordinate of the `nth` of them.
    pub(crate) fn coordinate(&self, nth: u64) -> u64 {
        self.chunks[nth as usize].0
    }

    /// The positions in the `nth` of them.
    pub(crate) fn part(&self, nth: u64) -> &[ListedPosition] {
        let nth = nth as usize;
        let end = self.chunks.get(nth + 1).map_or(self.positions.len(), |&(_, start)| start);
        &self.positions[self.chunks[nth].1..end]
    }

    /// Most positions that lie in one chunk.
    pub(crate) fn longest_part(&self) -> u64 {
        (0..self.touched()).map(|nth| self.part(nth).len() as u64).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_sorted_by_chunk_and_keep_their_order_inside() {
        let place = |position: u64| (position / 3, position % 3);
        let list = ListedDimension::new(&[7, 1, 9, 0, 1, 8], place);
        assert_eq!(list.touched(), 3);
        assert_eq!((0..3).map(|nth| list.coordinate(nth)).collect::<Vec<_>>(), [0, 2, 3]);
        let part = |nth| -> Vec<(u64, u64)> {
            list.part(nth).iter().map(|position| (position.source, position.target)).collect()
        };
        assert_eq!(part(0), [(1, 1), (0, 3), (1, 4)]);
        assert_eq!(part(1), [(1, 0), (2, 5)]);
        assert_eq!(part(2), [(0, 2)]);
        assert_eq!(list.longest_part(), 3);
        assert_eq!([0, 1, 2, 3, 9].map(|bound| list.touched_below(bound)), [0, 1, 1, 2, 3]);
        assert_eq!(ListedDimension::new(&[], place).touched(), 0);
    }
}
