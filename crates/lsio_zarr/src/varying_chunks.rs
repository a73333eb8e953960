//! Stored objects whose shapes differ: what encodes each of them, and where in its grid a chunk is.
//!
//! A chunk of an array without shards is decoded to the room of the longest one, so that all decoded chunks are
//! laid out in the same way. Inner chunks of shards all have one shape, and a regular grid of their own: each edge
//! of a shard is a multiple of theirs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lsio_array::{
    ArrayInfo, ChunkErrorKind, ChunkGrid, DataType, Decoded, Destination, DimensionPlacement,
    Region, Resume, StridedCopy, VariableChunk, checked_product, strides_in_order,
};
use serde_json::Value;

use crate::array_metadata::ArrayMetadata;
use crate::chunk_encoding::ChunkEncoding;
use crate::error::Refusal;
use crate::fill_value;
use crate::shard_level::IndexError;
use crate::sharding::SHARDING;

/// Encodings that are kept at hand, of so many shapes. They have some hundred bytes each.
const KEPT: usize = 1024;

/// The stored objects of an array, where their edges vary.
#[derive(Debug)]
pub(crate) struct VaryingChunks {
    grid: ChunkGrid,
    codecs: Vec<Value>,
    data_type: DataType,
    /// One element, as codecs before a shard have it; see [`ChunkEncoding::from_v3`].
    fill_value: Option<Vec<u8>>,
    /// Whether each object is a shard of which parts are read.
    is_sharded: bool,
    encodings: Mutex<HashMap<Vec<u64>, Arc<ChunkEncoding>>>,
}

/// A chunk of a shard.
#[derive(Debug)]
pub(crate) struct InShard {
    /// Coordinates of the shard.
    pub(crate) shard: Vec<u64>,
    /// Coordinates of the chunk from the start of the shard, where shards are no regular grid.
    pub(crate) chunk: Option<Vec<u64>>,
}

impl VaryingChunks {
    /// The objects of this grid. `encoding` is that of the longest.
    ///
    /// # Errors
    /// For shards whose edges are no multiples of those of their chunks, and codecs that the shortest objects
    /// cannot have.
    pub(crate) fn new(
        grid: ChunkGrid,
        metadata: &ArrayMetadata,
        encoding: &ChunkEncoding,
    ) -> Result<Self, Refusal> {
        let edges = grid.edges().unwrap_or_default();
        if encoding.is_sharded() {
            for (edges, inner) in edges.iter().zip(encoding.chunk_shape()) {
                if let Some((edge, _)) = edges.runs().find(|(edge, _)| edge % inner != 0) {
                    return Err(Refusal::invalid(format!(
                        "shards of {edge} elements along a dimension cannot have chunks of {inner}"
                    )));
                }
            }
        }
        let shortest: Vec<u64> = edges.iter().map(|edges| edges.shortest()).collect();
        let data_type = metadata.data_type.clone();
        let chunks = Self {
            grid,
            codecs: metadata.codecs.clone(),
            fill_value: fill_value::before_codecs(&data_type, &metadata.stored_fill_value),
            data_type,
            is_sharded: encoding.is_sharded(),
            encodings: Mutex::default(),
        };
        chunks.encoding(&shortest)?;
        Ok(chunks)
    }

    /// The grid of the objects.
    pub(crate) fn grid(&self) -> &ChunkGrid {
        &self.grid
    }

    /// How an object of this shape is encoded.
    fn encoding(&self, shape: &[u64]) -> Result<Arc<ChunkEncoding>, Refusal> {
        let mut encodings = self.encodings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = encodings.get(shape) {
            return Ok(Arc::clone(known));
        }
        let fill_value = self.fill_value.clone();
        let made = ChunkEncoding::from_v3(&self.codecs, &self.data_type, shape, fill_value)?;
        // A codec such as `reshape` may leave chunks of some shapes as they are, and not those of others.
        if made.is_sharded() != self.is_sharded {
            return Err(Refusal::unsupported(format!(
                "'{SHARDING}' behind codecs that do nothing to chunks of some shapes only"
            )));
        }
        let made = Arc::new(made);
        if encodings.len() >= KEPT {
            encodings.clear();
        }
        encodings.insert(shape.to_vec(), Arc::clone(&made));
        Ok(made)
    }

    /// How the object at these coordinates is encoded.
    pub(crate) fn encoding_of(&self, object: &[u64]) -> Result<Arc<ChunkEncoding>, ChunkErrorKind> {
        self.encoding(&self.grid.shape_of(object)).map_err(|refusal| {
            ChunkErrorKind::Codec(Arc::new(refusal.at("the metadata of the array")))
        })
    }

    /// Which shard holds the chunk with these coordinates in the grid of all inner chunks, and where.
    pub(crate) fn in_shard(&self, chunk: &[u64], chunk_shape: &[u64]) -> InShard {
        let corner: Vec<u64> = chunk.iter().zip(chunk_shape).map(|(at, len)| at * len).collect();
        let shard = self.grid.chunk_of(&corner);
        let origin = self.grid.chunk_origin(&shard);
        let inside = corner.iter().zip(&origin).zip(chunk_shape);
        let chunk = inside.map(|((at, origin), len)| (at - origin) / len).collect();
        InShard { shard, chunk: Some(chunk) }
    }

    /// Coordinates of the first inner chunk of a shard; `None` if there is no such shard.
    pub(crate) fn first_chunk_of(&self, shard: &[u64], chunk_shape: &[u64]) -> Option<Vec<u64>> {
        self.grid.check(shard).ok()?;
        let origin = self.grid.chunk_origin(shard);
        Some(origin.iter().zip(chunk_shape).map(|(at, len)| at / len).collect())
    }

    /// Decodes the chunk at these coordinates into the room of the longest one; what is around it becomes zero.
    pub(crate) fn decode(
        &self,
        chunk: &[u64],
        encoded: &[u8],
        destination: Destination<'_>,
        scratch: &mut [u8],
        resume: &Arc<dyn Resume>,
        info: &ArrayInfo,
    ) -> Result<Decoded, IndexError> {
        let encoding = self.encoding_of(chunk).map_err(IndexError::plain)?;
        let chain = encoding.chain();
        let shape = self.grid.shape_of(chunk);
        if shape == info.chunk_shape {
            return chain
                .decode_resumable(encoded, destination, scratch, resume)
                .map_err(IndexError::from_codec);
        }
        match destination {
            Destination::Fixed(target) => {
                let limit = scratch.len() as u64;
                let needed = chain.decoded_len().unwrap_or(u64::MAX);
                let too_large = || IndexError::plain(ChunkErrorKind::TooLarge { needed, limit });
                let split = usize::try_from(needed).ok();
                let split = split.and_then(|len| scratch.split_at_mut_checked(len));
                let (own, rest) = split.ok_or_else(too_large)?;
                if (rest.len() as u64) < chain.scratch_len() {
                    return Err(too_large());
                }
                let decoded = chain
                    .decode_resumable(encoded, Destination::Fixed(&mut *own), rest, resume)
                    .map_err(IndexError::from_codec)?;
                if decoded == Decoded::Suspended {
                    return Ok(decoded);
                }
                target.fill(0);
                let copied = place(&shape, encoding.axis_order(), info)
                    .is_some_and(|copy| copy.copy(own, target));
                if !copied {
                    let reason = "a chunk is longer than the longest".to_owned();
                    return Err(IndexError::plain(ChunkErrorKind::Panic(reason)));
                }
                Ok(Decoded::Complete)
            }
            Destination::Variable(target) => {
                let decode = |target: &mut VariableChunk| {
                    let target = Destination::Variable(target);
                    let decoded = chain.decode_resumable(encoded, target, &mut [], resume);
                    decoded.map_err(IndexError::from_codec)
                };
                decode_variable(decode, target, encoding.axis_order(), &shape, info)
            }
            Destination::Pieces(_) => {
                let reason = "chunks of varying shape do not come in pieces".to_owned();
                Err(IndexError::plain(ChunkErrorKind::Panic(reason)))
            }
        }
    }
}

/// The copy of a chunk of `shape` into the room of the longest.
fn place(shape: &[u64], axis_order: &[usize], info: &ArrayInfo) -> Option<StridedCopy> {
    let part =
        |&len: &u64| DimensionPlacement { source_start: 0, source_step: 1, target_start: 0, len };
    let whole = Region { output: 0, dimensions: shape.iter().map(part).collect() };
    let from = strides_in_order(shape, axis_order)?;
    let to = strides_in_order(&info.chunk_shape, &info.axis_order)?;
    StridedCopy::new(&whole, &from, &to, info.data_type.size()?)
}

/// Elements of varying length, which `decode` makes: those around the chunk are empty.
fn decode_variable(
    decode: impl FnOnce(&mut VariableChunk) -> Result<Decoded, IndexError>,
    target: &mut VariableChunk,
    axis_order: &[usize],
    shape: &[u64],
    info: &ArrayInfo,
) -> Result<Decoded, IndexError> {
    let count = |shape: &[u64]| checked_product(shape.iter().copied()).unwrap_or(u64::MAX);
    // What the offsets of the places around the chunk take.
    let around = (count(&info.chunk_shape) - count(shape)).saturating_mul(8);
    let limit = target.limit;
    let Some(own_limit) = limit.checked_sub(around) else {
        let needed = around.saturating_add(count(shape).saturating_add(1).saturating_mul(8));
        return Ok(Decoded::Outgrown { needed });
    };
    target.limit = own_limit;
    let decoded = decode(target);
    target.limit = limit;
    match decoded? {
        Decoded::Complete => {}
        Decoded::Outgrown { needed } => {
            return Ok(Decoded::Outgrown { needed: needed.saturating_add(around) });
        }
        Decoded::Suspended => return Ok(Decoded::Suspended),
    }
    let own = std::mem::take(&mut target.offsets);
    let mut ends = own.iter().copied().skip(1);
    let mut offsets = Vec::with_capacity(own.len() + (around / 8) as usize);
    let mut last = 0;
    offsets.push(last);
    // Both lie in the same order of axes: the places inside come in the order of the elements.
    let lens: Vec<(u64, u64)> =
        axis_order.iter().map(|&axis| (shape[axis], info.chunk_shape[axis])).collect();
    for place in 0..count(&info.chunk_shape) {
        let mut rest = place;
        let is_inside = lens.iter().rev().all(|&(own, all)| {
            let at = rest % all;
            rest /= all;
            at < own
        });
        if is_inside {
            last = ends.next().unwrap_or(last);
        }
        offsets.push(last);
    }
    target.offsets = offsets;
    Ok(Decoded::Complete)
}
