//! Selections as they cross from the facade: four numbers for each dimension, and the lists that they
//! refer to.

use lsio::{DimensionSelection, ErrorCode, LsioError, PointCoordinates};

use crate::native_list::{List, ListValues};

const KIND_ALL: f64 = 0.0;
const KIND_INDEX: f64 = 1.0;
const KIND_SLICE: f64 = 2.0;
const KIND_ELLIPSIS: f64 = 3.0;
const KIND_LIST: f64 = 4.0;

/// What the numbers `kind, start, stop, step` of each dimension mean; NaN is an absent bound. The start of
/// a list is its place in `lists`.
///
/// # Errors
/// [`ErrorCode::Internal`] for numbers that the facade does not write.
pub(crate) fn unpack(packed: &[f64], lists: &[List]) -> Result<Vec<DimensionSelection>, LsioError> {
    let (dimensions, rest) = packed.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(cut_on_its_way());
    }
    dimensions.iter().map(|numbers| unpack_dimension(numbers, lists)).collect()
}

/// Selections one after the other, each behind the number of its dimensions.
///
/// # Errors
/// As [`unpack`].
pub(crate) fn unpack_selections(
    mut packed: &[f64],
    lists: &[List],
) -> Result<Vec<Vec<DimensionSelection>>, LsioError> {
    let mut selections = Vec::new();
    while let [entries, rest @ ..] = packed {
        let numbers = (*entries as usize).saturating_mul(4);
        let (selection, rest) = rest.split_at_checked(numbers).ok_or_else(cut_on_its_way)?;
        selections.push(unpack(selection, lists)?);
        packed = rest;
    }
    Ok(selections)
}

fn cut_on_its_way() -> LsioError {
    LsioError::new(ErrorCode::Internal, "a selection was cut on its way")
}

fn unpack_dimension(
    &[kind, start, stop, step]: &[f64; 4],
    lists: &[List],
) -> Result<DimensionSelection, LsioError> {
    if kind == KIND_ALL {
        Ok(DimensionSelection::All)
    } else if kind == KIND_INDEX {
        Ok(DimensionSelection::Index(start as i64))
    } else if kind == KIND_SLICE {
        let bound = |value: f64| (!value.is_nan()).then_some(value as i64);
        Ok(DimensionSelection::Slice { start: bound(start), stop: bound(stop), step: bound(step) })
    } else if kind == KIND_ELLIPSIS {
        Ok(DimensionSelection::Ellipsis)
    } else if kind == KIND_LIST
        && let Some(list) = lists.get(start as usize)
    {
        Ok(match &list.values {
            ListValues::Indices(indices) => DimensionSelection::Indices(indices.clone()),
            ListValues::Mask(mask) => DimensionSelection::Mask(mask.clone()),
        })
    } else {
        Err(LsioError::new(ErrorCode::Internal, format!("{kind} is no kind of selection")))
    }
}

/// The coordinates of points: one entry for each dimension, an index or a list of them.
///
/// # Errors
/// [`ErrorCode::Internal`] for entries that the facade does not write.
pub(crate) fn unpack_points(
    packed: &[f64],
    lists: &[List],
) -> Result<Vec<PointCoordinates>, LsioError> {
    let entries = unpack(packed, lists)?.into_iter();
    entries
        .map(|entry| match entry {
            DimensionSelection::Index(index) => Ok(PointCoordinates::Same(index)),
            DimensionSelection::Indices(indices) => Ok(PointCoordinates::Each(indices)),
            _ => Err(LsioError::new(ErrorCode::Internal, "points have coordinates only")),
        })
        .collect()
}

/// Grid coordinates of a chunk.
pub(crate) fn unpack_coords(packed: &[f64]) -> Vec<u64> {
    packed.iter().map(|&coordinate| coordinate as u64).collect()
}
