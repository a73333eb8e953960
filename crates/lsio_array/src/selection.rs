//! Basic selections: what a user asks for, and what it means on an array of a known shape.

/// What is wanted along one dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DimensionSelection {
    /// Every element.
    All,
    /// One element; the dimension is dropped from the result. Negative: from the end.
    Index(i64),
    /// `start..stop` by `step`, as in NumPy: absent bounds are the ends, negative ones count from the
    /// end, bounds outside are clamped. The step must be positive.
    Slice {
        /// First element.
        start: Option<i64>,
        /// One past the last element.
        stop: Option<i64>,
        /// Distance between elements; absent: 1.
        step: Option<i64>,
    },
}

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
    /// A step that is zero or negative.
    #[error("step {step} of dimension {dimension} is not positive")]
    Step {
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

/// The elements selected along one dimension: `start`, `start + step`, ... (`len` of them).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelectedDimension {
    /// First element.
    pub start: u64,
    /// Distance between elements, at least 1.
    pub step: u64,
    /// Number of elements.
    pub len: u64,
    /// Whether the dimension is absent from the result (it was selected by an integer).
    pub dropped: bool,
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
        let dimensions = shape
            .iter()
            .map(|&len| SelectedDimension { start: 0, step: 1, len, dropped: false })
            .collect();
        Self { dimensions }
    }

    /// What `selection` means on an array of this shape.
    ///
    /// # Errors
    /// [`SelectionError`] that names the dimension and the bound.
    pub fn resolve(
        selection: &[DimensionSelection],
        shape: &[u64],
    ) -> Result<Self, SelectionError> {
        if selection.len() != shape.len() {
            return Err(SelectionError::Rank { given: selection.len(), rank: shape.len() });
        }
        let dimensions = selection
            .iter()
            .zip(shape)
            .enumerate()
            .map(|(dimension, (wanted, &len))| resolve_dimension(dimension, *wanted, len))
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
        self.dimensions.iter().map(|dimension| dimension.len).collect()
    }

    /// Shape of the result: without the dropped dimensions.
    #[must_use]
    pub fn result_shape(&self) -> Vec<u64> {
        let kept = self.dimensions.iter().filter(|dimension| !dimension.dropped);
        kept.map(|dimension| dimension.len).collect()
    }

    /// Number of elements selected; `None` if that does not fit 64 bits.
    #[must_use]
    pub fn element_count(&self) -> Option<u64> {
        crate::checked_product(self.dimensions.iter().map(|dimension| dimension.len))
    }
}

fn resolve_dimension(
    dimension: usize,
    wanted: DimensionSelection,
    len: u64,
) -> Result<SelectedDimension, SelectionError> {
    match wanted {
        DimensionSelection::All => Ok(SelectedDimension { start: 0, step: 1, len, dropped: false }),
        DimensionSelection::Index(index) => {
            let position = if index < 0 {
                len.checked_sub(index.unsigned_abs())
            } else {
                Some(index.unsigned_abs())
            };
            match position {
                Some(start) if start < len => {
                    Ok(SelectedDimension { start, step: 1, len: 1, dropped: true })
                }
                _ => Err(SelectionError::OutOfBounds { dimension, index, len }),
            }
        }
        DimensionSelection::Slice { start, stop, step } => {
            let step = step.unwrap_or(1);
            if step <= 0 {
                return Err(SelectionError::Step { dimension, step });
            }
            let step = step.unsigned_abs();
            let start = start.map_or(0, |bound| clamp(bound, len));
            let stop = stop.map_or(len, |bound| clamp(bound, len));
            let span = stop.saturating_sub(start);
            Ok(SelectedDimension { start, step, len: span.div_ceil(step), dropped: false })
        }
    }
}

/// A slice bound as NumPy reads it: from the end if negative, never outside `0..=len`.
fn clamp(bound: i64, len: u64) -> u64 {
    if bound < 0 { len.saturating_sub(bound.unsigned_abs()) } else { bound.unsigned_abs().min(len) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn slice(start: Option<i64>, stop: Option<i64>, step: Option<i64>) -> DimensionSelection {
        DimensionSelection::Slice { start, stop, step }
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
            let resolved = ResolvedSelection::resolve(&[wanted], &[10]).unwrap();
            let dimension = resolved.dimensions()[0];
            assert_eq!((dimension.start, dimension.len), (start, len), "{wanted:?}");
        }
    }

    #[test]
    fn an_integer_drops_its_dimension() {
        let wanted = [DimensionSelection::Index(-1), DimensionSelection::All];
        let resolved = ResolvedSelection::resolve(&wanted, &[3, 4]).unwrap();
        assert_eq!(resolved.result_shape(), [4]);
        assert_eq!(resolved.full_shape(), [1, 4]);
        assert_eq!(resolved.dimensions()[0].start, 2);
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
        for step in [0, -1, i64::MIN] {
            assert_eq!(
                resolve(&[slice(None, None, Some(step))], &[3]),
                SelectionError::Step { dimension: 0, step }
            );
        }
    }
}
