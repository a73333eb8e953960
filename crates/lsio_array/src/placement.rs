//! Where elements of a chunk go in an output.

use crate::Picks;

/// Elements of one dimension on their way from a chunk to an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DimensionPlacement {
    /// First element in the chunk.
    pub source_start: u64,
    /// Distance between elements in the chunk.
    pub source_step: u64,
    /// First element in the output.
    pub target_start: u64,
    /// Number of elements.
    pub len: u64,
}

/// Elements of a chunk and where they go in one of the outputs. Different placements of one request
/// never write the same element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// A region of the chunk becomes a region of the output, in the same order.
    Region(Region),
    /// Elements in any order.
    Picks(Picks),
}

/// A region of a chunk, with steps along each dimension, and the region of an output that it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Number of the output (of the selection, when there are several).
    pub output: usize,
    /// One entry for each dimension of the array, dropped dimensions included.
    pub dimensions: Vec<DimensionPlacement>,
}

impl Placement {
    /// Number of the output (of the selection, when there are several).
    #[must_use]
    pub fn output(&self) -> usize {
        match self {
            Self::Region(region) => region.output,
            Self::Picks(picks) => picks.output(),
        }
    }

    /// The region, if it is one.
    #[must_use]
    pub fn region(&self) -> Option<&Region> {
        match self {
            Self::Region(region) => Some(region),
            Self::Picks(_) => None,
        }
    }

    /// Elements per dimension of the region of the output that is filled; `None` if it is none.
    #[must_use]
    pub fn shape(&self) -> Option<Vec<u64>> {
        match self {
            Self::Region(region) => Some(region.shape()),
            Self::Picks(picks) => picks.shape(),
        }
    }

    /// First element in the output, per dimension of the array; `None` if no region is filled.
    #[must_use]
    pub fn origin(&self) -> Option<Vec<u64>> {
        match self {
            Self::Region(region) => Some(region.origin()),
            Self::Picks(picks) => picks.origin(),
        }
    }

    /// Whether it is the whole chunk, in its own order.
    #[must_use]
    pub fn covers(&self, chunk_shape: &[u64]) -> bool {
        self.region().is_some_and(|region| region.covers(chunk_shape))
    }
}

impl Region {
    /// Elements per dimension.
    #[must_use]
    pub fn shape(&self) -> Vec<u64> {
        self.dimensions.iter().map(|dimension| dimension.len).collect()
    }

    /// First element in the output, per dimension of the array.
    #[must_use]
    pub fn origin(&self) -> Vec<u64> {
        self.dimensions.iter().map(|dimension| dimension.target_start).collect()
    }

    /// The same region, put at the start of an output of its own shape.
    #[must_use]
    pub fn at_origin(&self) -> Self {
        let part =
            |dimension: &DimensionPlacement| DimensionPlacement { target_start: 0, ..*dimension };
        Self { output: self.output, dimensions: self.dimensions.iter().map(part).collect() }
    }

    /// Linear numbers of the region's elements in a chunk with these strides, in C order of the region.
    #[must_use]
    pub fn source_numbers(&self, strides: &[u64]) -> Vec<u64> {
        self.numbers(strides, |dimension, index| {
            dimension.source_start + index * dimension.source_step
        })
    }

    /// Linear numbers of the region's elements in an output with these strides, in C order of the
    /// region.
    #[must_use]
    pub fn target_numbers(&self, strides: &[u64]) -> Vec<u64> {
        self.numbers(strides, |dimension, index| dimension.target_start + index)
    }

    fn numbers(
        &self,
        strides: &[u64],
        position: impl Fn(&DimensionPlacement, u64) -> u64,
    ) -> Vec<u64> {
        let mut numbers = vec![0];
        for (dimension, stride) in self.dimensions.iter().zip(strides) {
            let mut longer = Vec::with_capacity(numbers.len() * dimension.len as usize);
            for number in numbers {
                let along = |index| number + position(dimension, index) * stride;
                longer.extend((0..dimension.len).map(along));
            }
            numbers = longer;
        }
        numbers
    }

    /// Whether the region is the whole chunk.
    #[must_use]
    pub fn covers(&self, chunk_shape: &[u64]) -> bool {
        self.dimensions.iter().zip(chunk_shape).all(|(dimension, &len)| {
            dimension.source_start == 0
                && dimension.len == len
                && (dimension.source_step == 1 || len == 1)
        })
    }
}
