//! Selections as they cross from the facade: four numbers for each dimension.

use lsio::{DimensionSelection, ErrorCode, LsioError};

const KIND_ALL: f64 = 0.0;
const KIND_INDEX: f64 = 1.0;
const KIND_SLICE: f64 = 2.0;

/// What the numbers `kind, start, stop, step` of each dimension mean; NaN is an absent bound.
///
/// # Errors
/// [`ErrorCode::Internal`] for numbers that the facade does not write.
pub(crate) fn unpack(packed: &[f64]) -> Result<Vec<DimensionSelection>, LsioError> {
    let (dimensions, rest) = packed.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(LsioError::new(ErrorCode::Internal, "a selection was cut on its way"));
    }
    dimensions.iter().map(unpack_dimension).collect()
}

fn unpack_dimension(
    &[kind, start, stop, step]: &[f64; 4],
) -> Result<DimensionSelection, LsioError> {
    if kind == KIND_ALL {
        Ok(DimensionSelection::All)
    } else if kind == KIND_INDEX {
        Ok(DimensionSelection::Index(start as i64))
    } else if kind == KIND_SLICE {
        let bound = |value: f64| (!value.is_nan()).then_some(value as i64);
        Ok(DimensionSelection::Slice { start: bound(start), stop: bound(stop), step: bound(step) })
    } else {
        Err(LsioError::new(ErrorCode::Internal, format!("{kind} is no kind of selection")))
    }
}

/// Grid coordinates of a chunk.
pub(crate) fn unpack_coords(packed: &[f64]) -> Vec<u64> {
    packed.iter().map(|&coordinate| coordinate as u64).collect()
}
