//! Grids whose chunks vary in length against a naive model: the edges one by one.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use lsio_array::{ChunkEdges, ChunkGrid, DimensionSelection, ResolvedSelection, TouchedChunks};
use proptest::prelude::*;

/// The first element of each chunk that holds one, and where it ends.
fn model(len: u64, edges: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let edges = edges.iter().flat_map(|&(edge, times)| (0..times).map(move |_| edge));
    let chunks = edges.scan(0, |end, edge| {
        let start = *end;
        *end += edge;
        Some((start, *end))
    });
    chunks.take_while(|&(start, _)| start < len).collect()
}

fn edges() -> impl Strategy<Value = (u64, Vec<(u64, u64)>)> {
    (0u64..60, proptest::collection::vec((1u64..9, 1u64..6), 0..6)).prop_map(|(len, mut edges)| {
        let sum: u64 = edges.iter().map(|(edge, times)| edge * times).sum();
        if sum < len {
            edges.push((len - sum, 1));
        }
        (len, edges)
    })
}

proptest! {
    #[test]
    fn every_selected_element_is_in_one_part_of_its_chunk(
        (len, edges) in edges(),
        start in 0i64..60,
        stop in 0i64..61,
        step in 1i64..20,
    ) {
        let chunks = model(len, &edges);
        let grid = ChunkGrid::with_edges(&[len], vec![ChunkEdges::new(len, edges).unwrap()]).unwrap();
        prop_assert_eq!(grid.grid_shape(), [chunks.len() as u64]);
        let slice = DimensionSelection::Slice { start: Some(start), stop: Some(stop), step: Some(step) };
        let selection = ResolvedSelection::resolve(&[slice], &[len]).unwrap();
        let wanted: Vec<u64> =
            (start..stop.min(len.cast_signed())).step_by(usize::try_from(step).unwrap()).map(i64::cast_unsigned).collect();
        let touched = TouchedChunks::new(grid.clone(), selection).unwrap();
        let mut brought = Vec::new();
        let mut last = None;
        for number in 0..touched.len() {
            let (chunk, placement) = touched.chunk(number, 0);
            prop_assert!(last < Some(chunk[0]));
            last = Some(chunk[0]);
            grid.check(&chunk).unwrap();
            let (begin, end) = chunks[chunk[0] as usize];
            prop_assert_eq!(grid.shape_of(&chunk), [end - begin]);
            prop_assert_eq!(grid.chunk_origin(&chunk), [begin]);
            let part = placement.region().unwrap().dimensions[0];
            prop_assert!(part.len > 0);
            prop_assert_eq!(part.target_start, brought.len() as u64);
            for index in 0..part.len {
                let element = begin + part.source_start + index * part.source_step;
                prop_assert!((begin..end).contains(&element));
                prop_assert_eq!(grid.chunk_of(&[element]), &chunk[..]);
                brought.push(element);
            }
        }
        prop_assert_eq!(brought, wanted);
    }

    #[test]
    fn chunks_of_several_dimensions_are_numbered_in_c_order(
        dimensions in proptest::collection::vec(edges(), 1..4),
    ) {
        let shape: Vec<u64> = dimensions.iter().map(|(len, _)| *len).collect();
        let counts: Vec<u64> =
            dimensions.iter().map(|(len, edges)| model(*len, edges).len() as u64).collect();
        let edges = dimensions.into_iter().map(|(len, edges)| ChunkEdges::new(len, edges).unwrap());
        let grid = ChunkGrid::with_edges(&shape, edges.collect()).unwrap();
        let touched = TouchedChunks::new(grid.clone(), ResolvedSelection::all(&shape)).unwrap();
        prop_assert_eq!(touched.len(), counts.iter().product::<u64>());
        for number in 0..touched.len() {
            let (chunk, placement) = touched.chunk(number, 0);
            let back = chunk.iter().zip(&counts).fold(0, |back, (at, count)| back * count + at);
            prop_assert_eq!(back, number);
            prop_assert_eq!(placement.origin(), Some(grid.chunk_origin(&chunk)));
        }
    }
}
