//! What is wrong with a selection, or with the plan of one.

/// A selection that does not fit the array.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// Not one entry for each dimension.
    #[error("the selection has {given} entries, the array has {rank} dimensions")]
    Rank {
        /// Entries in the selection.
        given: usize,
        /// Dimensions of the array.
        rank: usize,
    },
    /// More than one [`DimensionSelection::Ellipsis`].
    #[error("entry {dimension} of the selection is a second '...'")]
    Ellipsis {
        /// Position of the second one.
        dimension: usize,
    },
    /// An index outside its dimension.
    #[error("index {index} is out of bounds for dimension {dimension} with {len} elements")]
    OutOfBounds {
        /// Position of the dimension.
        dimension: usize,
        /// As given.
        index: i64,
        /// Elements along the dimension.
        len: u64,
    },
    /// A step of zero.
    #[error("the step of dimension {dimension} is 0")]
    Step {
        /// Position of the dimension.
        dimension: usize,
    },
    /// A mask that does not fit its dimension.
    #[error("the mask of dimension {dimension} has {given} elements, the dimension has {len}")]
    MaskLength {
        /// Position of the dimension.
        dimension: usize,
        /// Elements of the mask.
        given: u64,
        /// Elements along the dimension.
        len: u64,
    },
    /// Lists of coordinates that are not of one length.
    #[error(
        "the points have {given} coordinates along dimension {dimension}, {expected} along those before"
    )]
    PointCount {
        /// Position of the dimension.
        dimension: usize,
        /// Coordinates along it.
        given: u64,
        /// Coordinates along the first dimension that has a list.
        expected: u64,
    },
    /// A mask that does not fit the array.
    #[error("the mask has {given} elements, the array has {expected}")]
    MaskSize {
        /// Elements of the mask.
        given: u64,
        /// Elements of the array.
        expected: u64,
    },
    /// A block outside the chunk grid.
    #[error("block {block} is out of bounds for dimension {dimension} with {len} chunks")]
    Block {
        /// Position of the dimension.
        dimension: usize,
        /// As given.
        block: i64,
        /// Chunks along the dimension.
        len: u64,
    },
    /// Blocks by a list or a mask.
    #[error(
        "entry {dimension} of the blocks is a list; blocks are selected by integers and slices"
    )]
    BlockList {
        /// Position of the dimension.
        dimension: usize,
    },
    /// Blocks that are not next to one another.
    #[error("the step of the blocks of dimension {dimension} is {step}, and can only be 1")]
    BlockStep {
        /// Position of the dimension.
        dimension: usize,
        /// As given.
        step: i64,
    },
    /// Grid coordinates outside the chunk grid.
    #[error("chunk {chunk:?} is outside the chunk grid {grid:?}")]
    Chunk {
        /// As given.
        chunk: Vec<u64>,
        /// Chunks per dimension.
        grid: Vec<u64>,
    },
}

/// A selection that cannot be planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// It does not fit the array.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// The system has no memory for the plan.
    #[error("the system has no memory for the {bytes} bytes of the plan of the selection")]
    OutOfMemory {
        /// Bytes asked for.
        bytes: u64,
    },
    /// The array, with its chunks in full, has more elements than 64 bits can count.
    #[error("the array has more elements than 64 bits can count")]
    TooManyElements,
}
