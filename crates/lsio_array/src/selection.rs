//! Orthogonal selections: what a user asks for along each dimension, and what it means on an array of a
//! known shape.

use std::borrow::Cow;
use std::sync::Arc;

use crate::{BitMask, SelectionError};

/// What is wanted along one dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DimensionSelection {
    /// Every element.
    All,
    /// Every element of as many dimensions as no other entry names, which may be none. At most one entry
    /// of a selection.
    Ellipsis,
    /// One element; the dimension is dropped from the result. Negative: from the end.
    Index(i64),
    /// `start..stop` by `step`, as in NumPy: absent bounds are the ends, negative ones count from the
    /// end, bounds outside are clamped. A negative step goes backwards from `start` to just after
    /// `stop`, and absent bounds are then the last and the first element.
    Slice {
        /// First element.
        start: Option<i64>,
        /// One past the last element.
        stop: Option<i64>,
        /// Distance between elements, not 0; absent: 1.
        step: Option<i64>,
    },
    /// The elements with these indices, in this order; repeated ones are repeated. Negative: from the
    /// end.
    Indices(Arc<Vec<i64>>),
    /// The elements whose bit is set. It has one bit for each element of the dimension.
    Mask(Arc<BitMask>),
}

/// The elements selected along one dimension of an array of known shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectedDimension {
    /// Elements at equal distances.
    Range(SelectedRange),
    /// The elements at these positions, in this order.
    List(Arc<Vec<u64>>),
}

/// The elements `start`, `start + step`, ... (`len` of them), in this order or backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelectedRange {
    /// The lowest element.
    pub start: u64,
    /// Distance between elements, at least 1.
    pub step: u64,
    /// Number of elements.
    pub len: u64,
    /// Whether the dimension is absent from the result (it was selected by an integer).
    pub dropped: bool,
    /// Whether the highest element comes first.
    pub backwards: bool,
}

impl SelectedRange {
    /// All of a dimension.
    fn all(len: u64) -> Self {
        Self { start: 0, step: 1, len, dropped: false, backwards: false }
    }
}

impl SelectedDimension {
    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Range(range) => range.len,
            Self::List(positions) => positions.len() as u64,
        }
    }

    /// Whether nothing is selected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the dimension is absent from the result (it was selected by an integer).
    #[must_use]
    pub fn is_dropped(&self) -> bool {
        matches!(self, Self::Range(range) if range.dropped)
    }

    /// Whether the positions rise or fall all along, so that the elements of any chunk lie next to one
    /// another in the result.
    #[must_use]
    pub fn is_sorted(&self) -> bool {
        match self {
            Self::Range(_) => true,
            Self::List(positions) => {
                positions.is_sorted() || positions.is_sorted_by(|one, next| one >= next)
            }
        }
    }
}

/// A selection on an array of known shape: every element it names exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedSelection {
    dimensions: Vec<SelectedDimension>,
}

impl ResolvedSelection {
    /// All of an array.
    #[must_use]
    pub fn all(shape: &[u64]) -> Self {
        let all = |&len: &u64| SelectedDimension::Range(SelectedRange::all(len));
        Self { dimensions: shape.iter().map(all).collect() }
    }

    /// What `selection` means on an array of this shape.
    ///
    /// # Errors
    /// [`SelectionError`] that names the dimension and the bound.
    pub fn resolve(
        selection: &[DimensionSelection],
        shape: &[u64],
    ) -> Result<Self, SelectionError> {
        let entries = expanded(selection, shape.len())?;
        let dimensions = entries.iter().zip(shape).enumerate();
        let dimensions = dimensions
            .map(|(dimension, (wanted, &len))| resolve_dimension(dimension, wanted, len))
            .collect::<Result<_, _>>()?;
        Ok(Self { dimensions })
    }

    /// One entry for each dimension of the array.
    #[must_use]
    pub fn dimensions(&self) -> &[SelectedDimension] {
        &self.dimensions
    }

    /// Elements selected per dimension of the array, dropped ones (1) included.
    #[must_use]
    pub fn full_shape(&self) -> Vec<u64> {
        self.dimensions.iter().map(SelectedDimension::len).collect()
    }

    /// Shape of the result: without the dropped dimensions.
    #[must_use]
    pub fn result_shape(&self) -> Vec<u64> {
        let kept = self.dimensions.iter().filter(|dimension| !dimension.is_dropped());
        kept.map(SelectedDimension::len).collect()
    }

    /// Number of elements selected; `None` if that does not fit 64 bits.
    #[must_use]
    pub fn element_count(&self) -> Option<u64> {
        crate::checked_product(self.dimensions.iter().map(SelectedDimension::len))
    }
}

/// One entry for each of `rank` dimensions.
///
/// # Errors
/// [`SelectionError`] for another number of entries, or several [`DimensionSelection::Ellipsis`].
pub(crate) fn expanded(
    selection: &[DimensionSelection],
    rank: usize,
) -> Result<Cow<'_, [DimensionSelection]>, SelectionError> {
    let is_ellipsis = |entry: &DimensionSelection| *entry == DimensionSelection::Ellipsis;
    let Some(at) = selection.iter().position(is_ellipsis) else {
        let fits = selection.len() == rank;
        let given = selection.len();
        return fits.then_some(selection.into()).ok_or(SelectionError::Rank { given, rank });
    };
    let (before, after) = (&selection[..at], &selection[at + 1..]);
    if let Some(second) = after.iter().position(is_ellipsis) {
        return Err(SelectionError::Ellipsis { dimension: at + 1 + second });
    }
    let given = before.len() + after.len();
    let open = rank.checked_sub(given).ok_or(SelectionError::Rank { given, rank })?;
    let open = std::iter::repeat_n(&DimensionSelection::All, open);
    Ok(before.iter().chain(open).chain(after).cloned().collect())
}

fn resolve_dimension(
    dimension: usize,
    wanted: &DimensionSelection,
    len: u64,
) -> Result<SelectedDimension, SelectionError> {
    let range = match wanted {
        DimensionSelection::All | DimensionSelection::Ellipsis => SelectedRange::all(len),
        &DimensionSelection::Index(index) => {
            let start = position(index, len).ok_or(SelectionError::OutOfBounds {
                dimension,
                index,
                len,
            })?;
            SelectedRange { start, step: 1, len: 1, dropped: true, backwards: false }
        }
        &DimensionSelection::Slice { start, stop, step } => {
            let step = step.unwrap_or(1);
            match step.signum() {
                1 => forward_slice(start, stop, step.unsigned_abs(), len),
                -1 => backward_slice(start, stop, step.unsigned_abs(), len),
                _ => return Err(SelectionError::Step { dimension }),
            }
        }
        DimensionSelection::Indices(indices) => {
            return Ok(SelectedDimension::List(Arc::new(positions(dimension, indices, len)?)));
        }
        DimensionSelection::Mask(mask) => {
            if mask.len() != len {
                return Err(SelectionError::MaskLength { dimension, given: mask.len(), len });
            }
            return Ok(SelectedDimension::List(Arc::new(mask.positions())));
        }
    };
    Ok(SelectedDimension::Range(range))
}

/// The positions that these indices of a dimension with `len` elements mean.
///
/// # Errors
/// [`SelectionError::OutOfBounds`] for the first that means none.
fn positions(dimension: usize, indices: &[i64], len: u64) -> Result<Vec<u64>, SelectionError> {
    let positions = indices.iter().map(|&index| {
        position(index, len).ok_or(SelectionError::OutOfBounds { dimension, index, len })
    });
    positions.collect()
}

/// The position that an index means, from the end if it is negative; `None` outside of `0..len`.
pub(crate) fn position(index: i64, len: u64) -> Option<u64> {
    let position =
        if index < 0 { len.checked_sub(index.unsigned_abs()) } else { Some(index.unsigned_abs()) };
    position.filter(|&position| position < len)
}

fn forward_slice(start: Option<i64>, stop: Option<i64>, step: u64, len: u64) -> SelectedRange {
    let start = start.map_or(0, |bound| clamp(bound, len));
    let stop = stop.map_or(len, |bound| clamp(bound, len));
    let len = stop.saturating_sub(start).div_ceil(step);
    SelectedRange { start, step, len, dropped: false, backwards: false }
}

fn backward_slice(start: Option<i64>, stop: Option<i64>, step: u64, len: u64) -> SelectedRange {
    // Elements from the low end on: all below `above` and from `from` on, counted from the highest.
    let past = |bound: i64| clamp(bound, len).saturating_add(u64::from(is_inside(bound, len)));
    let above = start.map_or(len, past);
    let from = stop.map_or(0, past);
    let count = above.saturating_sub(from).div_ceil(step);
    // The highest is `above - 1`; `count - 1` steps below it are not below `from`.
    let start = if count == 0 { 0 } else { above - 1 - (count - 1) * step };
    SelectedRange { start, step, len: count, dropped: false, backwards: true }
}

/// Whether a bound names an element.
fn is_inside(bound: i64, len: u64) -> bool {
    position(bound, len).is_some()
}

/// A slice bound as NumPy reads it: from the end if negative, never outside `0..=len`.
pub(crate) fn clamp(bound: i64, len: u64) -> u64 {
    if bound < 0 { len.saturating_sub(bound.unsigned_abs()) } else { bound.unsigned_abs().min(len) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn slice(start: Option<i64>, stop: Option<i64>, step: Option<i64>) -> DimensionSelection {
        DimensionSelection::Slice { start, stop, step }
    }

    fn range_of(dimension: &SelectedDimension) -> SelectedRange {
        match dimension {
            SelectedDimension::Range(range) => *range,
            SelectedDimension::List(list) => panic!("{list:?} is no range"),
        }
    }

    #[test]
    fn slices_follow_numpy() {
        // Each line as printed by len(range(10)[start:stop:step]) and its first element.
        let cases = [
            (slice(None, None, None), 0, 10),
            (slice(Some(2), Some(8), Some(3)), 2, 2),
            (slice(Some(-3), None, None), 7, 3),
            (slice(None, Some(-3), None), 0, 7),
            (slice(Some(-100), Some(100), None), 0, 10),
            (slice(Some(8), Some(2), None), 8, 0),
            (slice(Some(20), None, None), 10, 0),
            (slice(None, None, Some(100)), 0, 1),
            (slice(Some(i64::MIN), Some(i64::MAX), Some(i64::MAX)), 0, 1),
        ];
        for (wanted, start, len) in cases {
            let resolved =
                ResolvedSelection::resolve(std::slice::from_ref(&wanted), &[10]).unwrap();
            let range = range_of(&resolved.dimensions()[0]);
            assert_eq!((range.start, range.len), (start, len), "{wanted:?}");
        }
    }

    #[test]
    fn backward_slices_follow_numpy() {
        // Each line as printed by list(range(10)[start:stop:step]): first, last, number of elements.
        let cases = [
            (slice(None, None, Some(-1)), 9, 0, 10),
            (slice(Some(8), Some(2), Some(-3)), 8, 5, 2),
            (slice(Some(-3), None, Some(-2)), 7, 1, 4),
            (slice(None, Some(-3), Some(-1)), 9, 8, 2),
            (slice(Some(100), Some(-100), Some(-4)), 9, 1, 3),
            (slice(Some(0), None, Some(-1)), 0, 0, 1),
            (slice(Some(10), Some(9), Some(-1)), 0, 0, 0),
            (slice(Some(2), Some(8), Some(-1)), 0, 0, 0),
            (slice(Some(-11), None, Some(-1)), 0, 0, 0),
            (slice(None, None, Some(i64::MIN)), 9, 9, 1),
            (slice(Some(i64::MAX), Some(i64::MIN), Some(-9)), 9, 0, 2),
        ];
        for (wanted, first, last, len) in cases {
            let resolved =
                ResolvedSelection::resolve(std::slice::from_ref(&wanted), &[10]).unwrap();
            let range = range_of(&resolved.dimensions()[0]);
            assert!(range.backwards);
            assert_eq!(range.len, len, "{wanted:?}");
            if len > 0 {
                let highest = range.start + (range.len - 1) * range.step;
                assert_eq!((highest, range.start), (first, last), "{wanted:?}");
            }
        }
    }

    #[test]
    fn an_ellipsis_stands_for_the_dimensions_that_nothing_names() {
        let entries = [DimensionSelection::Index(1), DimensionSelection::Ellipsis];
        let shape = |entries: &[DimensionSelection], shape: &[u64]| {
            ResolvedSelection::resolve(entries, shape).unwrap().result_shape()
        };
        assert_eq!(shape(&entries, &[2, 3, 4]), [3, 4]);
        assert_eq!(shape(&entries, &[2]), Vec::<u64>::new());
        assert_eq!(shape(&entries[1..], &[]), Vec::<u64>::new());
        let last = [DimensionSelection::Ellipsis, DimensionSelection::Index(-1)];
        assert_eq!(shape(&last, &[2, 3, 4]), [2, 3]);
    }

    #[test]
    fn an_integer_drops_its_dimension() {
        let wanted = [DimensionSelection::Index(-1), DimensionSelection::All];
        let resolved = ResolvedSelection::resolve(&wanted, &[3, 4]).unwrap();
        assert_eq!(resolved.result_shape(), [4]);
        assert_eq!(resolved.full_shape(), [1, 4]);
        assert_eq!(range_of(&resolved.dimensions()[0]).start, 2);
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        let resolve = |wanted: &[DimensionSelection], shape: &[u64]| {
            ResolvedSelection::resolve(wanted, shape).unwrap_err()
        };
        assert_eq!(resolve(&[], &[3]), SelectionError::Rank { given: 0, rank: 1 });
        for index in [3, -4, i64::MIN, i64::MAX] {
            assert_eq!(
                resolve(&[DimensionSelection::Index(index)], &[3]),
                SelectionError::OutOfBounds { dimension: 0, index, len: 3 }
            );
        }
        let zero = slice(None, None, Some(0));
        assert_eq!(
            resolve(&[DimensionSelection::Ellipsis, zero], &[3, 3, 3]),
            SelectionError::Step { dimension: 2 }
        );
        let far = DimensionSelection::Indices(Arc::new(vec![0, -3, 3]));
        assert_eq!(
            resolve(&[DimensionSelection::All, far], &[9, 3]),
            SelectionError::OutOfBounds { dimension: 1, index: 3, len: 3 }
        );
        let mask = DimensionSelection::Mask(Arc::new(BitMask::from_iter([true; 4])));
        assert_eq!(
            resolve(&[mask], &[3]),
            SelectionError::MaskLength { dimension: 0, given: 4, len: 3 }
        );
        let ellipsis = DimensionSelection::Ellipsis;
        assert_eq!(
            resolve(&[ellipsis.clone(), DimensionSelection::All, ellipsis.clone()], &[3]),
            SelectionError::Ellipsis { dimension: 2 }
        );
        assert_eq!(
            resolve(&[ellipsis, DimensionSelection::All, DimensionSelection::All], &[3]),
            SelectionError::Rank { given: 2, rank: 1 }
        );
    }
}
