//! What reads bring: elements, and how they are laid out.

use half::slice::HalfFloatSliceExt;
use lsio_array::{DataType, ResolvedSelection, VariableChunk, c_strides};
use lsio_compute::{ChunkValues, VariableValues};
use lsio_io::{Lease, Memory, Reservation};
use std::sync::Arc;

use crate::{ErrorCode, LsioError};

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
    values.retain(|_| dimensions.next().is_some_and(|entry| !entry.dropped));
    values
}

/// Whether elements are to be widened, and to how many bytes.
pub(crate) fn widened_size(data_type: &DataType, widen: bool) -> Option<usize> {
    (widen && *data_type == DataType::Float16).then_some(size_of::<f32>())
}

/// The same float16 elements as float32, exactly, in a buffer that belongs to the user.
pub(crate) fn widen(memory: &Arc<Memory>, halves: &Lease) -> Result<Lease, LsioError> {
    let count = halves.len() / size_of::<half::f16>();
    let len = count * size_of::<f32>();
    let mut wide = memory.hold(len).ok_or_else(|| out_of_memory(len as u64))?;
    // Blocks that fit the first-level cache.
    let mut from = [half::f16::ZERO; 1024];
    let mut into = [0f32; 1024];
    let blocks = halves.chunks(2 * from.len()).zip(wide.chunks_mut(4 * into.len()));
    for (source, target) in blocks {
        let count = source.len() / 2;
        for (value, bytes) in from.iter_mut().zip(source.chunks_exact(2)) {
            *value = half::f16::from_ne_bytes([bytes[0], bytes[1]]);
        }
        from[..count].convert_to_f32_slice(&mut into[..count]);
        for (value, bytes) in into.iter().zip(target.chunks_exact_mut(4)) {
            bytes.copy_from_slice(&value.to_ne_bytes());
        }
    }
    Ok(wide)
}

pub(crate) fn out_of_memory(bytes: u64) -> LsioError {
    LsioError::new(ErrorCode::Budget, format!("the system has no memory for {bytes} bytes"))
}
