//! Selections against a naive model: every element by itself, by its coordinates.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::sync::Arc;

use lsio_array::{
    BitMask, ChunkEdges, ChunkGrid, ChunkLayout, DimensionSelection, ManySelections, MaskPlan,
    Placement, PointCoordinates, PointPlan, ResolvedSelection, StridedCopy, TaskPlan,
    TouchedChunks, c_strides, copy_runs, resolve_blocks, strides_in_order,
};
use proptest::prelude::*;

/// Lengths of the chunks along a dimension, over and over again.
type Edges = Vec<u64>;

fn edges(longest: u64) -> impl Strategy<Value = Edges> {
    proptest::collection::vec(1..=longest, 1..4)
}

fn grid_of(shape: &[u64], chunks: &[Edges]) -> ChunkGrid {
    let along = shape.iter().zip(chunks).map(|(&len, edges)| {
        let enough = edges.iter().cycle().take(usize::try_from(len).unwrap());
        ChunkEdges::new(len, enough.map(|&edge| (edge, 1))).unwrap()
    });
    ChunkGrid::with_edges(shape, along.collect()).unwrap()
}

/// The chunk that holds an element, found by counting.
fn chunk_at(edges: &[u64], element: u64) -> u64 {
    let mut end = 0;
    // Each chunk has an element at least.
    let most = usize::try_from(element).unwrap() + 1;
    let behind = edges.iter().cycle().take(most).position(|edge| {
        end += edge;
        element < end
    });
    behind.unwrap() as u64
}

/// One dimension: length, chunk lengths, what is wanted.
fn dimension() -> impl Strategy<Value = (u64, Edges, DimensionSelection)> {
    (0u64..12, edges(5)).prop_flat_map(|(len, chunk)| {
        let bound = || proptest::option::of(-15i64..15);
        let step = proptest::option::of((-8i64..9).prop_filter("no step", |&step| step != 0));
        let slice = (bound(), bound(), step)
            .prop_map(|(start, stop, step)| DimensionSelection::Slice { start, stop, step });
        let mask = proptest::collection::vec(any::<bool>(), usize::try_from(len).unwrap())
            .prop_map(|mask| DimensionSelection::Mask(Arc::new(mask.into_iter().collect())));
        let wanted = if len == 0 {
            let none = Just(DimensionSelection::Indices(Arc::default()));
            prop_oneof![Just(DimensionSelection::All), slice, mask, none].boxed()
        } else {
            let signed = i64::try_from(len).unwrap();
            let index = (-signed..signed).prop_map(DimensionSelection::Index);
            let indices = proptest::collection::vec(-signed..signed, 0..20)
                .prop_map(|indices| DimensionSelection::Indices(Arc::new(indices)));
            prop_oneof![Just(DimensionSelection::All), index, slice, mask, indices].boxed()
        };
        (Just(len), Just(chunk), wanted)
    })
}

/// Coordinates that NumPy would pick, found by counting.
fn model(len: u64, wanted: &DimensionSelection) -> Vec<u64> {
    let signed = i64::try_from(len).unwrap();
    let from_end = |bound: i64| if bound < 0 { bound + signed } else { bound };
    let position = |index: i64| u64::try_from(from_end(index)).unwrap();
    match wanted {
        DimensionSelection::All => (0..len).collect(),
        DimensionSelection::Ellipsis => panic!("an ellipsis is no dimension"),
        DimensionSelection::Index(index) => vec![position(*index)],
        DimensionSelection::Indices(indices) => indices.iter().copied().map(position).collect(),
        DimensionSelection::Mask(mask) => (0..len).filter(|&at| mask.any(at..at + 1)).collect(),
        DimensionSelection::Slice { start, stop, step } => {
            let step = step.unwrap_or(1);
            let ends = if step > 0 { (0, signed) } else { (-1, signed - 1) };
            let bound = |bound: Option<i64>, absent: i64| {
                bound.map_or(absent, |bound| from_end(bound).clamp(ends.0, ends.1))
            };
            let (first, last) = if step > 0 { ends } else { (ends.1, ends.0) };
            let (mut at, stop) = (bound(*start, first), bound(*stop, last));
            let mut picked = Vec::new();
            while (step > 0 && at < stop) || (step < 0 && at > stop) {
                picked.push(u64::try_from(at).unwrap());
                at += step;
            }
            picked
        }
    }
}

/// Linear numbers of the selected elements in C order.
fn expected(shape: &[u64], wanted: &[DimensionSelection]) -> Vec<u32> {
    let mut numbers = vec![0u64];
    for (&len, wanted) in shape.iter().zip(wanted) {
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
    let (shape, own_shape) = (grid.chunk_shape(), grid.shape_of(coordinates));
    let origin = grid.chunk_origin(coordinates);
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
            let global = origin[axis] + at;
            inside &= at < own_shape[axis] && global < grid.shape()[axis];
            number += global * array_strides[axis];
            offset += at * strides[axis];
        }
        let value = if inside { u32::try_from(number).unwrap() } else { u32::MAX };
        let offset = usize::try_from(offset * 4).unwrap();
        bytes[offset..offset + 4].copy_from_slice(&value.to_ne_bytes());
    }
    bytes
}

/// What a plan puts into outputs of these full shapes.
fn run(
    grid: &ChunkGrid,
    plan: &dyn TaskPlan,
    shapes: &[Vec<u64>],
    axis_order: &[usize],
) -> Vec<Vec<u32>> {
    let shape = grid.chunk_shape();
    let strides = strides_in_order(shape, axis_order).unwrap();
    let layout = ChunkLayout { shape, strides: &strides };
    let mut outputs: Vec<Vec<u8>> = shapes
        .iter()
        .map(|shape| vec![0xDD; usize::try_from(shape.iter().product::<u64>() * 4).unwrap()])
        .collect();
    let mut seen = std::collections::HashSet::new();
    for number in 0..plan.len() {
        let task = plan.task(number);
        let input = &task.inputs[0];
        assert!(seen.insert(input.chunk.clone()), "chunk {:?} twice", input.chunk);
        grid.check(&input.chunk).unwrap();
        let bytes = chunk_bytes(grid, &input.chunk, axis_order);
        for placement in &input.placements {
            let target_strides = c_strides(&shapes[placement.output()]).unwrap();
            let output = &mut outputs[placement.output()];
            match placement {
                Placement::Region(region) => {
                    let copy = StridedCopy::new(region, &strides, &target_strides, 4).unwrap();
                    assert!(copy.copy(&bytes, output));
                }
                Placement::Picks(picks) => {
                    let copied = picks.runs(layout, &target_strides, &mut |runs| {
                        copy_runs(&bytes, runs, 4, output)
                    });
                    assert!(copied);
                }
            }
        }
    }
    let words = |bytes: &Vec<u8>| {
        bytes.chunks_exact(4).map(|word| u32::from_ne_bytes(word.try_into().unwrap())).collect()
    };
    outputs.iter().map(words).collect()
}

/// A small array: its dimensions' lengths and chunk lengths, and the chunks per dimension of a shard.
fn array() -> impl Strategy<Value = (Vec<u64>, Vec<Edges>, Vec<u64>)> {
    let dimension = (0u64..9, edges(4), 1u64..4);
    proptest::collection::vec(dimension, 0..4).prop_map(|dimensions| {
        let each = |part: fn(&(u64, Edges, u64)) -> u64| dimensions.iter().map(part).collect();
        let chunks = dimensions.iter().map(|d| d.1.clone()).collect();
        (each(|d| d.0), chunks, each(|d| d.2))
    })
}

fn axis_order(rank: usize, fortran: bool) -> Vec<usize> {
    if fortran { (0..rank).rev().collect() } else { (0..rank).collect() }
}

/// The group of a chunk.
fn group_of(chunk: &[u64], group: &[u64]) -> Vec<u64> {
    chunk.iter().zip(group).map(|(at, len)| at / len).collect()
}

/// Whether a plan's tasks have the chunks of one group one after the other, in C order.
fn is_grouped(plan: &dyn TaskPlan, group: &[u64]) -> bool {
    (0..plan.len())
        .map(|number| plan.task(number).inputs[0].chunk.clone())
        .is_sorted_by_key(|chunk| (group_of(&chunk, group), chunk))
}

proptest! {
    #[test]
    fn a_selection_brings_what_numpy_would(
        dimensions in proptest::collection::vec(dimension(), 0..4),
        fortran in any::<bool>(),
    ) {
        let shape: Vec<u64> = dimensions.iter().map(|d| d.0).collect();
        let chunks: Vec<Edges> = dimensions.iter().map(|d| d.1.clone()).collect();
        let wanted: Vec<_> = dimensions.iter().map(|d| d.2.clone()).collect();
        let grid = grid_of(&shape, &chunks);
        let selection = ResolvedSelection::resolve(&wanted, &shape).unwrap();
        let plan = TouchedChunks::new(grid.clone(), selection.clone()).unwrap();
        let full_shape = selection.full_shape();
        let outputs = run(&grid, &plan, &[full_shape], &axis_order(shape.len(), fortran));
        prop_assert_eq!(&outputs[0], &expected(&shape, &wanted));
    }

    #[test]
    fn parts_of_sorted_selections_are_regions_of_the_result(
        dimensions in proptest::collection::vec(dimension(), 0..4),
    ) {
        let shape: Vec<u64> = dimensions.iter().map(|d| d.0).collect();
        let chunks: Vec<Edges> = dimensions.iter().map(|d| d.1.clone()).collect();
        let wanted: Vec<_> = dimensions.iter().map(|d| d.2.clone()).collect();
        let grid = grid_of(&shape, &chunks);
        let selection = ResolvedSelection::resolve(&wanted, &shape).unwrap();
        let plan = TouchedChunks::new(grid.clone(), selection.clone()).unwrap();
        let strides = c_strides(grid.chunk_shape()).unwrap();
        let layout = ChunkLayout { shape: grid.chunk_shape(), strides: &strides };
        let result = c_strides(&selection.full_shape()).unwrap();
        let is_sorted = selection.dimensions().iter().all(lsio_array::SelectedDimension::is_sorted);
        for number in 0..plan.len() {
            let (_, placement) = plan.chunk(number, 0);
            let Placement::Picks(picks) = &placement else { continue };
            let (Some(part), Some(origin)) = (placement.shape(), placement.origin()) else {
                prop_assert!(!is_sorted);
                continue;
            };
            prop_assert!(part.iter().product::<u64>() <= plan.largest_part().unwrap());
            // The same elements, at the origin and where they are in the result.
            let part_strides = c_strides(&part).unwrap();
            let mut inside = picks.at_origin().unwrap().numbers(layout, &part_strides);
            let mut placed = picks.numbers(layout, &result);
            for (_, target) in &mut inside {
                let (mut rest, mut moved) = (*target, 0);
                for (axis, stride) in part_strides.iter().enumerate() {
                    moved += (rest / stride + origin[axis]) * result[axis];
                    rest %= stride;
                }
                *target = moved;
            }
            inside.sort_unstable();
            placed.sort_unstable();
            prop_assert_eq!(inside, placed);
        }
    }

    #[test]
    fn points_bring_what_numpy_would(
        (shape, chunks, group) in array(),
        seeds in proptest::collection::vec(any::<[u32; 3]>(), 0..60),
        same in any::<[bool; 3]>(),
        fortran in any::<bool>(),
    ) {
        let rank = shape.len();
        prop_assume!(rank > 0 && !shape.contains(&0));
        let grid = grid_of(&shape, &chunks);
        // From the first element to the last, and as often from the end.
        let index = |seed: u32, len: u64| {
            let len = i64::try_from(len).unwrap();
            i64::from(seed) % (2 * len) - len
        };
        let coordinates: Vec<PointCoordinates> = (0..rank)
            .map(|axis| {
                let mut indices = seeds.iter().map(|seed| index(seed[axis], shape[axis]));
                match indices.next() {
                    Some(first) if same[axis] => PointCoordinates::Same(first),
                    first => {
                        PointCoordinates::Each(Arc::new(first.into_iter().chain(indices).collect()))
                    }
                }
            })
            .collect();
        let count = PointPlan::count(&coordinates, rank).unwrap();
        let strides = c_strides(&shape).unwrap();
        let element = |point: usize| -> u32 {
            let along = coordinates.iter().zip(&shape).zip(&strides);
            let along = along.map(|((along, &len), stride)| {
                let index = match along {
                    PointCoordinates::Same(index) => *index,
                    PointCoordinates::Each(indices) => indices[point],
                };
                index.rem_euclid(i64::try_from(len).unwrap()).cast_unsigned() * stride
            });
            u32::try_from(along.sum::<u64>()).unwrap()
        };
        let expected: Vec<u32> = (0..usize::try_from(count).unwrap()).map(element).collect();
        for group in [None, Some(&group[..])] {
            let plan = PointPlan::new(&grid, group, &coordinates).unwrap();
            let outputs = run(&grid, &plan, &[vec![count]], &axis_order(rank, fortran));
            prop_assert_eq!(&outputs[0], &expected);
            prop_assert!(is_grouped(&plan, group.unwrap_or(&vec![1; rank])));
        }
    }

    #[test]
    fn a_mask_brings_what_numpy_would(
        (shape, chunks, group) in array(),
        seed in any::<u64>(),
        density in 0..5u64,
        fortran in any::<bool>(),
    ) {
        let count: u64 = shape.iter().product();
        let set = |element: u64| {
            let mixed = (element + seed % 1000).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
            mixed % 4 < density
        };
        let mask: BitMask = (0..count).map(set).collect();
        let wanted: Vec<u32> =
            (0..count).filter(|&at| set(at)).map(|at| u32::try_from(at).unwrap()).collect();
        let grid = grid_of(&shape, &chunks);
        let mask = Arc::new(mask);
        for group in [None, Some(&group[..])] {
            let plan = MaskPlan::new(&grid, group, mask.clone()).unwrap();
            let order = axis_order(shape.len(), fortran);
            let outputs = run(&grid, &plan, &[vec![mask.count_ones()]], &order);
            prop_assert_eq!(&outputs[0], &wanted);
            prop_assert!(is_grouped(&plan, group.unwrap_or(&vec![1; shape.len()])));
        }
    }

    #[test]
    fn blocks_are_the_elements_of_their_chunks(
        (shape, chunks, _) in array(),
        wanted in proptest::collection::vec(
            (any::<bool>(), -4i64..4, proptest::option::of(-9i64..9)), 3,
        ),
    ) {
        let grid = grid_of(&shape, &chunks);
        let counts = grid.grid_shape();
        prop_assume!(!counts.contains(&0));
        let blocks: Vec<DimensionSelection> = counts
            .iter()
            .zip(&wanted)
            .map(|(&count, &(is_one, start, stop))| if is_one {
                DimensionSelection::Index(start.rem_euclid(i64::try_from(count).unwrap()))
            } else {
                DimensionSelection::Slice { start: Some(start), stop, step: None }
            })
            .collect();
        let selection = resolve_blocks(&blocks, &grid).unwrap();
        let resolved = ResolvedSelection::resolve(&selection, &shape).unwrap();
        let found: Vec<Vec<u64>> =
            shape.iter().zip(&selection).map(|(&len, wanted)| model(len, wanted)).collect();
        for (axis, positions) in found.iter().enumerate() {
            let blocks = model(counts[axis], &blocks[axis]);
            let inside: Vec<u64> =
                (0..shape[axis]).filter(|at| blocks.contains(&chunk_at(&chunks[axis], *at))).collect();
            prop_assert_eq!(positions, &inside);
        }
        prop_assert_eq!(resolved.result_shape().len(), shape.len());
    }

    #[test]
    fn groups_hold_the_same_chunks_one_group_after_the_other(
        dimensions in proptest::collection::vec((dimension(), 1u64..4), 0..4),
    ) {
        let shape: Vec<u64> = dimensions.iter().map(|d| d.0.0).collect();
        let chunks: Vec<Edges> = dimensions.iter().map(|d| d.0.1.clone()).collect();
        let wanted: Vec<_> = dimensions.iter().map(|d| d.0.2.clone()).collect();
        let group: Vec<u64> = dimensions.iter().map(|d| d.1).collect();
        let grid = grid_of(&shape, &chunks);
        let selection = ResolvedSelection::resolve(&wanted, &shape).unwrap();
        let plain = TouchedChunks::new(grid, selection).unwrap();
        let mut expected: Vec<_> = (0..plain.len()).map(|n| plain.chunk(n, 0)).collect();
        expected.sort_by_key(|(chunk, _)| (group_of(chunk, &group), chunk.clone()));
        let grouped = plain.grouped(&group).unwrap();
        let found: Vec<_> = (0..grouped.len()).map(|n| grouped.chunk(n, 0)).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn many_selections_bring_the_same_as_each_alone(
        bounds in proptest::collection::vec((0i64..20, 0i64..20, 1i64..4, 0i64..15), 1..6),
        list in proptest::collection::vec(-20i64..20, 0..30),
    ) {
        let shape = [20, 15];
        let grid = ChunkGrid::new(&shape, &[6, 4]).unwrap();
        let listed = vec![DimensionSelection::Indices(Arc::new(list)), DimensionSelection::All];
        let wanted: Vec<Vec<DimensionSelection>> = bounds
            .iter()
            .map(|&(start, stop, step, column)| vec![
                DimensionSelection::Slice { start: Some(start), stop: Some(stop), step: Some(step) },
                DimensionSelection::Index(column),
            ])
            .chain([listed])
            .collect();
        let selections: Vec<_> =
            wanted.iter().map(|w| ResolvedSelection::resolve(w, &shape).unwrap()).collect();
        let plan = ManySelections::new(&grid, selections.clone()).unwrap();
        let shapes: Vec<Vec<u64>> = selections.iter().map(ResolvedSelection::full_shape).collect();
        let outputs = run(&grid, &plan, &shapes, &[0, 1]);
        for (output, wanted) in outputs.iter().zip(&wanted) {
            prop_assert_eq!(output, &expected(&shape, wanted));
        }
    }
}
