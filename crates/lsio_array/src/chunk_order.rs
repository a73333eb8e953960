//! Numbers for the chunks of a grid, and for their elements, in the order in which they are read: chunks
//! of one group (a shard) follow one another.

use crate::{ChunkGrid, checked_product};

/// Numbers chunks group by group: groups in C order, chunks in C order inside each. Elements are numbered
/// through all chunks in that order, in C order inside each, the places of chunks that reach over an edge
/// included. Where the lengths of chunks vary, all have the places of the longest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChunkOrder {
    grid: ChunkGrid,
    /// Groups per dimension.
    groups: Vec<u64>,
    /// Chunks per dimension of one group; `None`: one.
    group: Option<Vec<u64>>,
    chunks_per_group: u64,
    elements_per_chunk: u64,
}

impl ChunkOrder {
    /// The order of a grid. `None` if `group` has another rank or a zero, or if the elements do not fit
    /// 64 bits.
    pub(crate) fn new(grid: &ChunkGrid, group: Option<&[u64]>) -> Option<Self> {
        let mut groups = grid.grid_shape();
        if let Some(group) = group {
            if group.len() != groups.len() || group.contains(&0) {
                return None;
            }
            for (count, &len) in groups.iter_mut().zip(group) {
                *count = count.div_ceil(len);
            }
        }
        let chunks_per_group = checked_product(group.unwrap_or_default().iter().copied())?;
        let elements_per_chunk = checked_product(grid.chunk_shape().iter().copied())?;
        let in_all = checked_product(groups.iter().copied())?.checked_mul(chunks_per_group)?;
        in_all.checked_mul(elements_per_chunk)?;
        Some(Self {
            grid: grid.clone(),
            groups,
            group: group.map(<[u64]>::to_vec),
            chunks_per_group,
            elements_per_chunk,
        })
    }

    pub(crate) fn elements_per_chunk(&self) -> u64 {
        self.elements_per_chunk
    }

    /// Number of the element with these coordinates, which are inside the array.
    pub(crate) fn element(&self, coordinates: impl Iterator<Item = u64>) -> u64 {
        let (mut group, mut chunk, mut element) = (0, 0, 0);
        for (dimension, coordinate) in coordinates.enumerate() {
            let (along, inside) = self.grid.place_along(dimension, coordinate);
            element = element * self.grid.chunk_shape()[dimension] + inside;
            self.add_chunk(dimension, along, (&mut group, &mut chunk));
        }
        (group * self.chunks_per_group + chunk) * self.elements_per_chunk + element
    }

    /// Number of the chunk with these coordinates, which are inside the grid.
    pub(crate) fn chunk(&self, coordinates: &[u64]) -> u64 {
        let (mut group, mut chunk) = (0, 0);
        for (dimension, &coordinate) in coordinates.iter().enumerate() {
            self.add_chunk(dimension, coordinate, (&mut group, &mut chunk));
        }
        group * self.chunks_per_group + chunk
    }

    fn add_chunk(&self, dimension: usize, coordinate: u64, (group, chunk): (&mut u64, &mut u64)) {
        let groups = self.groups[dimension];
        match &self.group {
            None => *group = *group * groups + coordinate,
            Some(lens) => {
                let len = lens[dimension];
                *group = *group * groups + coordinate / len;
                *chunk = *chunk * len + coordinate % len;
            }
        }
    }

    /// Grid coordinates of the chunk with this number.
    pub(crate) fn coordinates(&self, number: u64) -> Vec<u64> {
        let mut group = number / self.chunks_per_group;
        let mut chunk = number % self.chunks_per_group;
        let mut coordinates = vec![0; self.groups.len()];
        for (dimension, coordinate) in coordinates.iter_mut().enumerate().rev() {
            let len = self.group.as_ref().map_or(1, |lens| lens[dimension]);
            *coordinate = group % self.groups[dimension] * len + chunk % len;
            group /= self.groups[dimension];
            chunk /= len;
        }
        coordinates
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn chunks_of_a_group_follow_one_another() {
        let grid = ChunkGrid::new(&[7, 10], &[2, 3]).unwrap();
        for group in [None, Some(&[1, 1][..]), Some(&[2, 3]), Some(&[3, 1])] {
            let order = ChunkOrder::new(&grid, group).unwrap();
            let len = |dimension: usize| group.map_or(1, |group| group[dimension]);
            let mut numbered = Vec::new();
            for row in 0..4 {
                for column in 0..4 {
                    let number = order.chunk(&[row, column]);
                    assert_eq!(order.coordinates(number), [row, column]);
                    let first = order.element([row * 2, column * 3].into_iter());
                    assert_eq!(first, number * 6);
                    numbered.push((number, (row / len(0), column / len(1)), (row, column)));
                }
            }
            numbered.sort_unstable();
            assert!(numbered.is_sorted_by_key(|&(_, group, chunk)| (group, chunk)), "{group:?}");
        }
        assert_eq!(ChunkOrder::new(&grid, None).unwrap().element([3, 4].into_iter()), 5 * 6 + 4);
        assert!(ChunkOrder::new(&grid, Some(&[1])).is_none());
        assert!(ChunkOrder::new(&grid, Some(&[1, 0])).is_none());
        let vast = ChunkGrid::new(&[1 << 40, 1 << 40], &[1, 1]).unwrap();
        assert!(ChunkOrder::new(&vast, None).is_none());
    }
}
