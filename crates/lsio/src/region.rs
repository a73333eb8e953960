//! What reads bring: elements, and how they are laid out.

use lsio_array::{ResolvedSelection, VariableChunk, c_strides};
use lsio_compute::{ChunkValues, VariableValues};
use lsio_io::{Lease, Reservation};

/// Shape and layout of a result, without the dimensions that an integer dropped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// Elements per dimension.
    pub shape: Vec<u64>,
    /// Distance in elements between neighbours, per dimension.
    pub strides: Vec<u64>,
}

/// Elements of varying length: element `i` is `bytes[offsets[i]..offsets[i + 1]]`.
#[derive(Debug)]
pub struct Strings {
    /// Offsets and bytes.
    pub elements: VariableChunk,
    /// What keeps the budget informed; dropping it says that the user has let go.
    pub held: Reservation,
}

/// Elements, in the memory of the engine.
#[derive(Debug)]
pub enum Values {
    /// Elements of one size in native byte order.
    Fixed(Lease),
    /// Text, UTF-8.
    Variable(Strings),
}

impl From<ChunkValues> for Values {
    fn from(values: ChunkValues) -> Self {
        match values {
            ChunkValues::Fixed(lease) => Self::Fixed(lease),
            ChunkValues::Variable(elements, held) => Self::Variable(Strings { elements, held }),
        }
    }
}

impl From<VariableValues> for Values {
    fn from(values: VariableValues) -> Self {
        Self::Variable(Strings { elements: values.elements, held: values.held })
    }
}

impl Layout {
    /// The C-order layout of a selection's result.
    pub(crate) fn of(selection: &ResolvedSelection) -> Option<Self> {
        let shape = selection.full_shape();
        let strides = c_strides(&shape)?;
        Some(Self::without_dropped(selection, shape, strides))
    }

    /// Leaves out the dimensions that the selection dropped.
    pub(crate) fn without_dropped(
        selection: &ResolvedSelection,
        shape: Vec<u64>,
        strides: Vec<u64>,
    ) -> Self {
        Self { shape: kept(selection, shape), strides: kept(selection, strides) }
    }
}

/// The entries of dimensions that the selection kept.
pub(crate) fn kept(selection: &ResolvedSelection, mut values: Vec<u64>) -> Vec<u64> {
    let mut dimensions = selection.dimensions().iter();
    values.retain(|_| dimensions.next().is_some_and(|entry| !entry.is_dropped()));
    values
}
