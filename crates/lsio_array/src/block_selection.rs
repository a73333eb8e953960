//! Selections in whole blocks: the chunks of a grid.

use crate::selection::{clamp, expanded, position};
use crate::{ChunkGrid, DimensionSelection, SelectionError};

/// The elements of blocks, as far as they lie inside the array. The entries are positions in the grid:
/// integers, slices without a step, all of them. No dimension is dropped.
///
/// # Errors
/// [`SelectionError`] that names the dimension and the bound.
pub fn resolve_blocks(
    blocks: &[DimensionSelection],
    grid: &ChunkGrid,
) -> Result<Vec<DimensionSelection>, SelectionError> {
    let entries = expanded(blocks, grid.shape().len())?;
    let grid_shape = grid.grid_shape();
    let entries = entries.iter().zip(grid_shape).enumerate();
    entries
        .map(|(dimension, (wanted, count))| {
            let Some((first, end)) = blocks_of(dimension, wanted, count)? else {
                return Ok(DimensionSelection::All);
            };
            // Only dimensions that reach beyond what a bound can say have bounds that do not fit.
            let bound =
                |block: u64| i64::try_from(grid.start_along(dimension, block)).unwrap_or(i64::MAX);
            let (start, stop) = (Some(bound(first)), Some(bound(end)));
            Ok(DimensionSelection::Slice { start, stop, step: None })
        })
        .collect()
}

/// First block and one past the last, of `len`; `None` for all.
fn blocks_of(
    dimension: usize,
    wanted: &DimensionSelection,
    len: u64,
) -> Result<Option<(u64, u64)>, SelectionError> {
    match wanted {
        DimensionSelection::All | DimensionSelection::Ellipsis => Ok(None),
        &DimensionSelection::Index(block) => {
            let first = position(block, len);
            let first = first.ok_or(SelectionError::Block { dimension, block, len })?;
            Ok(Some((first, first + 1)))
        }
        &DimensionSelection::Slice { start, stop, step } => {
            if let Some(step) = step.filter(|&step| step != 1) {
                return Err(SelectionError::BlockStep { dimension, step });
            }
            let first = start.map_or(0, |bound| clamp(bound, len));
            Ok(Some((first, stop.map_or(len, |bound| clamp(bound, len)).max(first))))
        }
        DimensionSelection::Indices(_) | DimensionSelection::Mask(_) => {
            Err(SelectionError::BlockList { dimension })
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::ResolvedSelection;

    #[test]
    fn blocks_are_the_elements_of_their_chunks() {
        let grid = ChunkGrid::new(&[10, 7], &[4, 7]).unwrap();
        let slice = |start, stop| DimensionSelection::Slice { start, stop, step: None };
        // First element and number of elements along the first dimension.
        let cases = [
            (DimensionSelection::All, 0, 10),
            (DimensionSelection::Index(1), 4, 4),
            (DimensionSelection::Index(-1), 8, 2),
            (slice(Some(1), None), 4, 6),
            (slice(None, Some(-2)), 0, 4),
            (slice(Some(2), Some(1)), 8, 0),
            (slice(Some(9), Some(99)), 10, 0),
        ];
        for (block, start, len) in cases {
            let blocks = [block.clone(), DimensionSelection::Index(0)];
            let entries = resolve_blocks(&blocks, &grid).unwrap();
            let resolved = ResolvedSelection::resolve(&entries, grid.shape()).unwrap();
            assert_eq!(resolved.result_shape(), [len, 7], "{block:?}");
            let DimensionSelection::Slice { start: first, .. } = entries[0] else {
                assert_eq!((entries[0].clone(), start), (DimensionSelection::All, 0));
                continue;
            };
            assert_eq!(first, Some(start), "{block:?}");
        }
    }

    #[test]
    fn blocks_outside_the_grid_are_refused() {
        let grid = ChunkGrid::new(&[10], &[4]).unwrap();
        for block in [3, -4, i64::MIN, i64::MAX] {
            assert_eq!(
                resolve_blocks(&[DimensionSelection::Index(block)], &grid),
                Err(SelectionError::Block { dimension: 0, block, len: 3 })
            );
        }
        let backwards = DimensionSelection::Slice { start: None, stop: None, step: Some(-1) };
        assert_eq!(
            resolve_blocks(&[backwards], &grid),
            Err(SelectionError::BlockStep { dimension: 0, step: -1 })
        );
        assert_eq!(
            resolve_blocks(&[DimensionSelection::Indices(Arc::new(vec![0]))], &grid),
            Err(SelectionError::BlockList { dimension: 0 })
        );
        assert_eq!(resolve_blocks(&[], &grid), Err(SelectionError::Rank { given: 0, rank: 1 }));
    }
}
