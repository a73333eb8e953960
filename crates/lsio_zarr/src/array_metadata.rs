//! What both formats say about an array, in one form, and the checks that hold for both.

use std::sync::Arc;

use lsio_array::{ChunkGrid, DataType};
use serde_json::{Map, Value};

use crate::chunk_key::ChunkKeyEncoding;
use crate::error::Refusal;

/// Most dimensions of an array. NumPy has the same limit.
pub(crate) const MAX_RANK: usize = 64;

/// Most bytes of one decoded chunk or shard: the most that a buffer can have. Whether the memory budget
/// allows it is asked when the chunk is read.
pub(crate) const MAX_CHUNK_BYTES: u64 = isize::MAX as u64;

/// What the metadata of an array says, whichever format it is in.
#[derive(Debug, Clone, PartialEq)]
pub struct ArrayMetadata {
    /// 2 or 3.
    pub zarr_format: u8,
    /// Elements per dimension.
    pub shape: Vec<u64>,
    /// Elements per dimension of the smallest unit that can be read: the chunk, or the innermost
    /// chunk of a shard. At least 1 each.
    pub chunk_shape: Vec<u64>,
    /// Elements per dimension of a stored object where that holds several chunks.
    pub shard_shape: Option<Vec<u64>>,
    /// All edges of the stored objects, where they vary: the shapes above are then those of the longest. Inner
    /// chunks of shards have one shape.
    pub stored_grid: Option<ChunkGrid>,
    /// Type of the elements.
    pub data_type: DataType,
    /// The element that missing chunks are full of, in native byte order; UTF-8 for strings.
    pub fill_value: Arc<[u8]>,
    /// The fill value as it is stored. `null` (v2 only) says that it is undefined, and
    /// `fill_value` is then zero.
    pub stored_fill_value: Value,
    /// How chunk objects are named.
    pub chunk_key_encoding: ChunkKeyEncoding,
    /// The codecs as they are stored: in v3 the list `codecs`, in v2 the filters and then the
    /// compressor.
    pub codecs: Vec<Value>,
    /// Names of the dimensions. In v2, those that xarray stores in `_ARRAY_DIMENSIONS`.
    pub dimension_names: Option<Vec<Option<String>>>,
    /// The user's attributes. Numbers keep their text, so integers of any length are exact; the words
    /// `NaN`, `Infinity` and `-Infinity` that Python writes are numbers with that text.
    pub attributes: Map<String, Value>,
}

/// Checks the shapes of an array and of its stored chunks (shards) against one another and against
/// what 64 bits can count.
pub(crate) fn check_shapes(
    shape: &[u64],
    chunk_shape: &[u64],
    data_type: &DataType,
) -> Result<(), Refusal> {
    if shape.len() > MAX_RANK {
        return Err(Refusal::invalid(format!(
            "an array can have {MAX_RANK} dimensions, this one has {}",
            shape.len()
        )));
    }
    if chunk_shape.len() != shape.len() {
        return Err(Refusal::invalid(format!(
            "the chunk shape {chunk_shape:?} must have as many dimensions as the shape {shape:?}"
        )));
    }
    if chunk_shape.contains(&0) {
        return Err(Refusal::invalid(format!(
            "the extents of the chunk shape {chunk_shape:?} must be at least 1"
        )));
    }
    if decoded_bytes(shape, data_type).is_none() {
        return Err(Refusal::invalid(format!(
            "an array of shape {shape:?} and type {data_type} has more than 2^64 bytes"
        )));
    }
    match decoded_bytes(chunk_shape, data_type) {
        Some(bytes) if bytes <= MAX_CHUNK_BYTES => Ok(()),
        _ => Err(Refusal::invalid(format!(
            "a chunk of shape {chunk_shape:?} and type {data_type} has more than {MAX_CHUNK_BYTES} bytes"
        ))),
    }
}

/// Bytes of all elements (for strings, of their offsets alone), dimensions of length 0 counted as 1,
/// so that products over some of the dimensions cannot overflow either.
fn decoded_bytes(shape: &[u64], data_type: &DataType) -> Option<u64> {
    let element = data_type.size().unwrap_or(size_of::<u64>()) as u64;
    shape.iter().try_fold(element, |bytes, &extent| bytes.checked_mul(extent.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_shapes_are_fine_as_long_as_64_bits_count_their_bytes() {
        let ok: [(&[u64], &[u64]); 6] = [
            (&[], &[]),
            (&[0], &[1]),
            (&[0, 1 << 60], &[1, 1]),
            (&[1 << 60], &[1 << 20]),
            (&[1 << 30, 1 << 30], &[1, 1]),
            (&[10], &[(1 << 60) - 1]),
        ];
        for (shape, chunk_shape) in ok {
            let checked = check_shapes(shape, chunk_shape, &DataType::Float64);
            assert!(checked.is_ok(), "{shape:?} {chunk_shape:?}");
        }
    }

    #[test]
    fn impossible_shapes_are_refused() {
        let refused: [(&[u64], &[u64]); 8] = [
            (&[10], &[]),
            (&[10], &[5, 5]),
            (&[10], &[0]),
            (&[1 << 61], &[1]),
            (&[1 << 32, 1 << 32], &[1, 1]),
            (&[0, 1 << 63, 1 << 63], &[1, 1, 1]),
            (&[10], &[1 << 60]),
            (&[10, 10], &[u64::MAX, u64::MAX]),
        ];
        for (shape, chunk_shape) in refused {
            let checked = check_shapes(shape, chunk_shape, &DataType::Float64);
            assert!(checked.is_err(), "{shape:?} {chunk_shape:?}");
        }
        assert!(check_shapes(&[1; 65], &[1; 65], &DataType::Int8).is_err());
        assert!(check_shapes(&[1 << 61], &[1], &DataType::String).is_err());
    }
}
