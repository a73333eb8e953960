//! The chunk grid in the metadata of v3.
//!
//! Specification: Zarr v3 core, "Regular grids"; zarr-extensions, chunk grid `rectilinear`; and ZEP 3
//! (`rectangular`), which zarrs had before that.

use lsio_array::{ChunkEdges, ChunkGrid};
use serde_json::{Map, Value};

use crate::error::{Refusal, excerpt};
use crate::extension::Extension;
use crate::json;

/// How stored objects split an array.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredGrid {
    /// Elements of an object per dimension, of the longest one where they vary. As the metadata says.
    pub(crate) shape: Vec<u64>,
    /// All edges, where they vary.
    pub(crate) varying: Option<ChunkGrid>,
}

impl StoredGrid {
    /// Reads the member `chunk_grid` of an array of this shape.
    pub(crate) fn parse(value: &Value, shape: &[u64]) -> Result<Self, Refusal> {
        let Extension { name, configuration } = Extension::parse(value, "chunk_grid")?;
        match name.as_str() {
            "regular" => {
                let chunk_shape = json::required(&configuration, "chunk_shape")?;
                Ok(Self { shape: json::lengths(chunk_shape, "chunk_shape")?, varying: None })
            }
            "rectilinear" => {
                let kind = json::required(&configuration, "kind")?;
                if kind.as_str() != Some("inline") {
                    let what = format!("a rectilinear chunk grid of the kind {}", excerpt(kind));
                    return Err(Refusal::unsupported(what));
                }
                Self::with_edges(&configuration, "chunk_shapes", shape)
            }
            "rectangular" => Self::with_edges(&configuration, "chunk_shape", shape),
            _ => Err(Refusal::unsupported(format!("the chunk grid '{name}'"))),
        }
    }

    fn with_edges(
        configuration: &Map<String, Value>,
        member: &str,
        shape: &[u64],
    ) -> Result<Self, Refusal> {
        let value = json::required(configuration, member)?;
        let dimensions = value.as_array().filter(|dimensions| dimensions.len() == shape.len());
        let dimensions = dimensions.ok_or_else(|| {
            let rank = shape.len();
            let found = excerpt(value);
            Refusal::invalid(format!(
                "'{member}' must have an entry for each of {rank} dimensions, found {found}"
            ))
        })?;
        let edges = dimensions.iter().zip(shape);
        let edges = edges.map(|(edges, &len)| edges_of(edges, len, member));
        let edges = edges.collect::<Result<Vec<_>, _>>()?;
        let grid = ChunkGrid::with_edges(shape, edges)
            .ok_or_else(|| Refusal::invalid(format!("'{member}' does not fit the shape")))?;
        let shape = grid.chunk_shape().to_vec();
        let varying = grid.edges().is_some();
        Ok(Self { shape, varying: varying.then_some(grid) })
    }
}

/// The edges along a dimension of `len` elements: one for all chunks, or a list of edges and `[edge, repeats]`.
fn edges_of(value: &Value, len: u64, member: &str) -> Result<ChunkEdges, Refusal> {
    let refused = || {
        Refusal::invalid(format!(
            "an entry of '{member}' must be an edge or a list of edges and [edge, repeats], found {}",
            excerpt(value)
        ))
    };
    let runs = match value {
        Value::Array(entries) => {
            let run = |entry: &Value| match entry {
                Value::Array(pair) => match &pair[..] {
                    [edge, times] => Some((edge.as_u64()?, times.as_u64()?)),
                    _ => None,
                },
                edge => Some((edge.as_u64()?, 1)),
            };
            entries.iter().map(run).collect::<Option<Vec<_>>>().ok_or_else(refused)?
        }
        edge => {
            let edge = edge.as_u64().ok_or_else(refused)?;
            vec![(edge, len.div_ceil(edge.max(1)).max(1))]
        }
    };
    let found = || format!("the chunk grid {} is impossible", excerpt(value));
    ChunkEdges::new(len, runs).map_err(|error| Refusal::caused(found(), error))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    fn rectilinear(chunk_shapes: &Value) -> Value {
        let configuration = json!({"kind": "inline", "chunk_shapes": chunk_shapes});
        json!({"name": "rectilinear", "configuration": configuration})
    }

    fn runs(grid: &StoredGrid) -> Vec<Vec<(u64, u64)>> {
        let edges = grid.varying.as_ref().unwrap().edges().unwrap();
        edges.iter().map(|edges| edges.runs().collect()).collect()
    }

    #[test]
    fn every_form_of_the_specification_is_read() {
        let value = rectilinear(&json!([4, [1, 2, 3], [[4, 2]], [[1, 3], 3], [4, 4, 4]]));
        let grid = StoredGrid::parse(&value, &[6; 5]).unwrap();
        assert_eq!(grid.shape, [4, 3, 4, 3, 4]);
        let expected = [
            vec![(4, 2)],
            vec![(1, 1), (2, 1), (3, 1)],
            vec![(4, 2)],
            vec![(1, 3), (3, 1)],
            vec![(4, 2)],
        ];
        assert_eq!(runs(&grid), expected);
        let rectangular =
            json!({"name": "rectangular", "configuration": {"chunk_shape": [[5, 2], 3]}});
        let grid = StoredGrid::parse(&rectangular, &[7, 7]).unwrap();
        assert_eq!(runs(&grid), [vec![(5, 1), (2, 1)], vec![(3, 3)]]);
    }

    #[test]
    fn edges_that_are_all_the_same_make_a_regular_grid() {
        for value in [
            rectilinear(&json!([3, [2, 2]])),
            rectilinear(&json!([[[3, 9]], [2, 2, 7]])),
            json!({"name": "regular", "configuration": {"chunk_shape": [3, 2]}}),
        ] {
            let grid = StoredGrid::parse(&value, &[8, 4]).unwrap();
            assert_eq!(grid, StoredGrid { shape: vec![3, 2], varying: None });
        }
        assert!(StoredGrid::parse(&rectilinear(&json!([3])), &[0]).unwrap().varying.is_none());
    }

    #[test]
    fn impossible_edges_are_invalid() {
        let large = 1_u64 << 60;
        for chunk_shapes in [
            json!([[1, 2], [0, 4]]),
            json!([[1, 2], 0]),
            json!([[1, 2], [[4, 0]]]),
            json!([[1, 2], [3]]),
            json!([[1, 2], []]),
            json!([[1, 2], [[4, 1, 1]]]),
            json!([[1, 2], [-4]]),
            json!([[1, 2], [1.5, 4]]),
            json!([[1, 2], "4"]),
            json!([[1, 2], [[large, large]]]),
            json!([[1, 2], [u64::MAX, 1]]),
            json!([[1, 2]]),
            json!([[1, 2], 4, 4]),
            json!(4),
        ] {
            let refusal = StoredGrid::parse(&rectilinear(&chunk_shapes), &[3, 4]).unwrap_err();
            assert!(matches!(refusal, Refusal::Invalid { .. }), "{chunk_shapes}: {refusal:?}");
        }
        let kind = json!({"name": "rectilinear", "configuration": {"kind": "elsewhere"}});
        let refusal = StoredGrid::parse(&kind, &[3]).unwrap_err();
        assert!(matches!(refusal, Refusal::Unsupported(what) if what.contains("elsewhere")));
    }
}
