//! Selections against a naive model: every element by itself, by its coordinates.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use lsio_array::{
    ChunkGrid, DimensionSelection, ManySelections, ResolvedSelection, StridedCopy, TaskPlan,
    TouchedChunks, c_strides, strides_in_order,
};
use proptest::prelude::*;

/// One dimension: length, chunk length, what is wanted.
fn dimension() -> impl Strategy<Value = (u64, u64, DimensionSelection)> {
    (0u64..12, 1u64..6).prop_flat_map(|(len, chunk)| {
        let bound = || proptest::option::of(-15i64..15);
        let slice = (bound(), bound(), proptest::option::of(1i64..9))
            .prop_map(|(start, stop, step)| DimensionSelection::Slice { start, stop, step });
        let wanted = if len == 0 {
            prop_oneof![Just(DimensionSelection::All), slice].boxed()
        } else {
            let signed = i64::try_from(len).unwrap();
            let index = (-signed..signed).prop_map(DimensionSelection::Index);
            prop_oneof![Just(DimensionSelection::All), index, slice].boxed()
        };
        (Just(len), Just(chunk), wanted)
    })
}

/// Coordinates that NumPy would pick, found by counting.
fn model(len: u64, wanted: DimensionSelection) -> Vec<u64> {
    let signed = i64::try_from(len).unwrap();
    let from_end = |bound: i64| if bound < 0 { bound + signed } else { bound };
    match wanted {
        DimensionSelection::All => (0..len).collect(),
        DimensionSelection::Index(index) => vec![u64::try_from(from_end(index)).unwrap()],
        DimensionSelection::Slice { start, stop, step } => {
            let start = start.map_or(0, from_end).clamp(0, signed);
            let stop = stop.map_or(signed, from_end).clamp(0, signed);
            let step = usize::try_from(step.unwrap_or(1)).unwrap();
            (start..stop).step_by(step).map(|at| u64::try_from(at).unwrap()).collect()
        }
    }
}

/// Linear numbers of the selected elements in C order.
fn expected(shape: &[u64], wanted: &[DimensionSelection]) -> Vec<u32> {
    let mut numbers = vec![0u64];
    for (&len, &wanted) in shape.iter().zip(wanted) {
        let picked = model(len, wanted);
        numbers = numbers
            .iter()
            .flat_map(|number| picked.iter().map(move |at| number * len + at))
            .collect();
    }
    numbers.into_iter().map(|number| u32::try_from(number).unwrap()).collect()
}

/// The chunk at `coordinates` of an array whose elements are their own linear numbers.
fn chunk_bytes(grid: &ChunkGrid, coordinates: &[u64], axis_order: &[usize]) -> Vec<u8> {
    let shape = grid.chunk_shape();
    let array_strides = c_strides(grid.shape()).unwrap();
    let strides = strides_in_order(shape, axis_order).unwrap();
    let count: u64 = shape.iter().product();
    let mut bytes = vec![0xEE; usize::try_from(count * 4).unwrap()];
    for linear in 0..count {
        let mut rest = linear;
        let (mut number, mut offset, mut inside) = (0, 0, true);
        for axis in (0..shape.len()).rev() {
            let at = rest % shape[axis];
            rest /= shape[axis];
            let global = coordinates[axis] * shape[axis] + at;
            inside &= global < grid.shape()[axis];
            number += global * array_strides[axis];
            offset += at * strides[axis];
        }
        let value = if inside { u32::try_from(number).unwrap() } else { u32::MAX };
        let offset = usize::try_from(offset * 4).unwrap();
        bytes[offset..offset + 4].copy_from_slice(&value.to_ne_bytes());
    }
    bytes
}

fn run(
    grid: &ChunkGrid,
    plan: &dyn TaskPlan,
    selections: &[ResolvedSelection],
    axis_order: &[usize],
) -> Vec<Vec<u32>> {
    let source_strides = strides_in_order(grid.chunk_shape(), axis_order).unwrap();
    let mut outputs: Vec<Vec<u8>> = selections
        .iter()
        .map(|selection| {
            vec![0xDD; usize::try_from(selection.element_count().unwrap() * 4).unwrap()]
        })
        .collect();
    let mut seen = std::collections::HashSet::new();
    for number in 0..plan.len() {
        let task = plan.task(number);
        let input = &task.inputs[0];
        assert!(seen.insert(input.chunk.clone()), "chunk {:?} twice", input.chunk);
        grid.check(&input.chunk).unwrap();
        let bytes = chunk_bytes(grid, &input.chunk, axis_order);
        for placement in &input.placements {
            let target_strides = c_strides(&selections[placement.output].full_shape()).unwrap();
            let copy = StridedCopy::new(placement, &source_strides, &target_strides, 4).unwrap();
            assert!(copy.copy(&bytes, &mut outputs[placement.output]));
        }
    }
    let words = |bytes: &Vec<u8>| {
        bytes.chunks_exact(4).map(|word| u32::from_ne_bytes(word.try_into().unwrap())).collect()
    };
    outputs.iter().map(words).collect()
}

proptest! {
    #[test]
    fn a_selection_brings_what_numpy_would(
        dimensions in proptest::collection::vec(dimension(), 0..4),
        fortran in any::<bool>(),
    ) {
        let shape: Vec<u64> = dimensions.iter().map(|d| d.0).collect();
        let chunks: Vec<u64> = dimensions.iter().map(|d| d.1).collect();
        let wanted: Vec<_> = dimensions.iter().map(|d| d.2).collect();
        let mut axis_order: Vec<usize> = (0..shape.len()).collect();
        if fortran {
            axis_order.reverse();
        }
        let grid = ChunkGrid::new(&shape, &chunks).unwrap();
        let selection = ResolvedSelection::resolve(&wanted, &shape).unwrap();
        let plan = TouchedChunks::new(grid.clone(), selection.clone()).unwrap();
        let outputs = run(&grid, &plan, &[selection], &axis_order);
        prop_assert_eq!(&outputs[0], &expected(&shape, &wanted));
    }

    #[test]
    fn groups_hold_the_same_chunks_one_group_after_the_other(
        dimensions in proptest::collection::vec((dimension(), 1u64..4), 0..4),
    ) {
        let shape: Vec<u64> = dimensions.iter().map(|d| d.0.0).collect();
        let chunks: Vec<u64> = dimensions.iter().map(|d| d.0.1).collect();
        let wanted: Vec<_> = dimensions.iter().map(|d| d.0.2).collect();
        let group: Vec<u64> = dimensions.iter().map(|d| d.1).collect();
        let grid = ChunkGrid::new(&shape, &chunks).unwrap();
        let selection = ResolvedSelection::resolve(&wanted, &shape).unwrap();
        let plain = TouchedChunks::new(grid, selection).unwrap();
        let mut expected: Vec<_> = (0..plain.len()).map(|n| plain.chunk(n, 0)).collect();
        let group_of = |chunk: &[u64]| -> Vec<u64> {
            chunk.iter().zip(&group).map(|(at, len)| at / len).collect()
        };
        expected.sort_by_key(|(chunk, _)| (group_of(chunk), chunk.clone()));
        let grouped = plain.grouped(&group).unwrap();
        let found: Vec<_> = (0..grouped.len()).map(|n| grouped.chunk(n, 0)).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn many_selections_bring_the_same_as_each_alone(
        bounds in proptest::collection::vec((0i64..20, 0i64..20, 1i64..4, 0i64..15), 1..6),
    ) {
        let shape = [20, 15];
        let grid = ChunkGrid::new(&shape, &[6, 4]).unwrap();
        let wanted: Vec<Vec<DimensionSelection>> = bounds
            .iter()
            .map(|&(start, stop, step, column)| vec![
                DimensionSelection::Slice { start: Some(start), stop: Some(stop), step: Some(step) },
                DimensionSelection::Index(column),
            ])
            .collect();
        let selections: Vec<_> =
            wanted.iter().map(|w| ResolvedSelection::resolve(w, &shape).unwrap()).collect();
        let plan = ManySelections::new(&grid, selections.clone()).unwrap();
        let outputs = run(&grid, &plan, &selections, &[0, 1]);
        for (output, wanted) in outputs.iter().zip(&wanted) {
            prop_assert_eq!(output, &expected(&shape, wanted));
        }
    }
}
