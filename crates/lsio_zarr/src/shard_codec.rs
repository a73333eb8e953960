//! Whole shards as one codec among others: behind codecs on elements that no part of a shard can be decoded
//! through, such as `delta` or `reshape`.
//!
//! The chunk of such an array is the shard. A chunk of the shard is decoded in scratch memory.

use lsio_array::{
    ChunkErrorKind, DataType, Destination, DimensionPlacement, Region, StridedCopy, c_strides,
    strides_in_order,
};
use lsio_codecs::{ArrayBytesCodec, ChunkContext, CodecChain, CodecError};
use lsio_io::ByteRange;

use crate::error::Refusal;
use crate::shard_level::{Extent, ShardLevel};
use crate::sharding::{SHARDING, ShardingConfiguration};

const NO_FILL: &str = "a chunk is missing, and writers do not agree on what stands for the fill value \
                       behind the codecs before the shard";

const NO_PLACE: &str = "its chunks do not fit into it";

/// `sharding_indexed` for shards that are decoded as a whole.
#[derive(Debug)]
pub(crate) struct ShardCodec {
    level: ShardLevel,
    chain: CodecChain,
    shard_shape: Vec<u64>,
    chunk_shape: Vec<u64>,
    /// Bytes of an element and of a chunk.
    size: usize,
    chunk_len: usize,
    /// The element that missing chunks are full of, as the codecs before the shard leave the fill value;
    /// `None` where writers do not agree on it.
    fill_value: Option<Vec<u8>>,
}

impl ShardCodec {
    /// The codec for shards of this context, with the codecs of its chunks.
    pub(crate) fn new(
        configuration: ShardingConfiguration,
        chain: CodecChain,
        shard: &ChunkContext,
        fill_value: Option<Vec<u8>>,
    ) -> Result<Self, Refusal> {
        let (Some(size), Some(len)) = (shard.data_type.size(), chain.decoded_len()) else {
            return Err(Refusal::unsupported(format!(
                "elements that vary in length in '{SHARDING}' behind a codec on elements"
            )));
        };
        // Their fill value has the byte order of the chunks in the shard.
        if matches!(shard.data_type, DataType::Struct(_)) {
            return Err(Refusal::unsupported(format!(
                "records in '{SHARDING}' behind a codec on elements"
            )));
        }
        if let Some(codec) = chain.suspends_for() {
            return Err(Refusal::unsupported(format!(
                "the codec '{codec}', which answers later, in a '{SHARDING}' behind a codec on elements"
            )));
        }
        let chunk_shape = configuration.chunk_shape.clone();
        let axes = (0..chunk_shape.len()).collect();
        let level =
            ShardLevel::new(configuration, axes, [&shard.shape, &chunk_shape, &chunk_shape]);
        // No longer than the shard, which memory can hold: the metadata was refused otherwise.
        let chunk_len = len as usize;
        let shard_shape = shard.shape.clone();
        Ok(Self { level, chain, shard_shape, chunk_shape, size, chunk_len, fill_value })
    }

    /// Coordinates in the shard of the chunk with this entry.
    fn chunk(&self, entry: usize) -> Vec<u64> {
        let mut rest = entry as u64;
        let mut chunk = vec![0; self.shard_shape.len()];
        for axis in (0..chunk.len()).rev() {
            let along = self.shard_shape[axis] / self.chunk_shape[axis];
            chunk[axis] = rest % along;
            rest /= along;
        }
        chunk
    }

    /// From the chunk with this entry, whose axes are in this order, to its place in the shard.
    fn to_shard(&self, entry: usize, axis_order: &[usize]) -> Option<StridedCopy> {
        let dimensions = self.chunk(entry).into_iter().zip(&self.chunk_shape);
        let dimensions = dimensions.map(|(at, &len)| DimensionPlacement {
            source_start: 0,
            source_step: 1,
            target_start: at * len,
            len,
        });
        let region = Region { output: 0, dimensions: dimensions.collect() };
        let strides = strides_in_order(&self.chunk_shape, axis_order)?;
        StridedCopy::new(&region, &strides, &c_strides(&self.shard_shape)?, self.size)
    }

    /// The elements of the chunk with this entry, in C order.
    fn chunk_elements(&self, entry: usize, shard: &[u8]) -> Option<Vec<u8>> {
        let dimensions = self.chunk(entry).into_iter().zip(&self.chunk_shape);
        let dimensions = dimensions.map(|(at, &len)| DimensionPlacement {
            source_start: at * len,
            source_step: 1,
            target_start: 0,
            len,
        });
        let region = Region { output: 0, dimensions: dimensions.collect() };
        let strides = [c_strides(&self.shard_shape)?, c_strides(&self.chunk_shape)?];
        let copy = StridedCopy::new(&region, &strides[0], &strides[1], self.size)?;
        let mut elements = vec![0; self.chunk_len];
        copy.copy(shard, &mut elements).then_some(elements)
    }

    /// Where the index is.
    fn index_range(&self, shard: Extent) -> Result<std::ops::Range<usize>, CodecError> {
        match self.level.index_range_within(shard).map_err(in_shard)? {
            ByteRange::Bounded { offset, len } => Ok(offset as usize..(offset + len) as usize),
            ByteRange::Whole | ByteRange::Suffix { .. } => Ok(0..shard.len as usize),
        }
    }
}

fn corrupt(reason: impl Into<std::borrow::Cow<'static, str>>) -> CodecError {
    CodecError::Corrupt { codec: SHARDING, reason: reason.into() }
}

/// What is wrong with a shard, as an error of a codec.
fn in_shard(kind: ChunkErrorKind) -> CodecError {
    match kind {
        ChunkErrorKind::Truncated { expected, actual } => {
            CodecError::Truncated { codec: SHARDING, expected, actual }
        }
        other => corrupt(other.to_string()),
    }
}

impl ArrayBytesCodec for ShardCodec {
    fn name(&self) -> &'static str {
        SHARDING
    }

    fn encoded_bound(&self, chunk: &ChunkContext) -> Result<u64, CodecError> {
        if chunk.shape == self.shard_shape {
            return Ok(self.level.encoded_bound(self.chain.encoded_bound()));
        }
        Err(corrupt(format!("it is for shards of {:?}, not {:?}", self.shard_shape, chunk.shape)))
    }

    fn scratch_len(&self) -> u64 {
        self.chain.scratch_len().saturating_add(self.chunk_len as u64)
    }

    fn decode(
        &self,
        encoded: &[u8],
        decoded: &mut [u8],
        scratch: &mut [u8],
    ) -> Result<(), CodecError> {
        let shard = Extent { offset: 0, len: encoded.len() as u64 };
        let index = self.level.read_index(&encoded[self.index_range(shard)?])?;
        let limit = scratch.len() as u64;
        let (chunk_bytes, scratch) =
            scratch.split_at_mut_checked(self.chunk_len).ok_or(CodecError::TooLarge {
                codec: SHARDING,
                needed: self.chunk_len as u64,
                limit,
            })?;
        for entry in 0..self.level.entry_count() {
            if let Some(Extent { offset, len }) = index.locate(entry, shard).map_err(in_shard)? {
                let part = &encoded[offset as usize..(offset + len) as usize];
                let destination = Destination::Fixed(chunk_bytes);
                self.chain.decode(part, destination, scratch)?;
            } else {
                let fill_value = self.fill_value.as_ref().ok_or_else(|| corrupt(NO_FILL))?;
                for element in chunk_bytes.chunks_exact_mut(self.size) {
                    element.copy_from_slice(fill_value);
                }
            }
            let copy = self.to_shard(entry, self.chain.axis_order());
            if !copy.is_some_and(|copy| copy.copy(chunk_bytes, decoded)) {
                return Err(corrupt(NO_PLACE));
            }
        }
        Ok(())
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        let start = encoded.len();
        let mut index = Vec::new();
        let index_len =
            if self.level.index_is_first() { self.level.index_len() as usize } else { 0 };
        encoded.resize(start + index_len, 0);
        let mut entries = Vec::with_capacity(self.level.entry_count());
        for entry in 0..self.level.entry_count() {
            let elements = self.chunk_elements(entry, decoded).ok_or_else(|| corrupt(NO_PLACE))?;
            let offset = (encoded.len() - start) as u64;
            self.chain.encode(&elements, encoded)?;
            entries.push(Some(Extent { offset, len: (encoded.len() - start) as u64 - offset }));
        }
        self.level.encode_index(&entries, &mut index)?;
        if self.level.index_is_first() {
            encoded[start..start + index.len()].copy_from_slice(&index);
        } else {
            encoded.extend_from_slice(&index);
        }
        Ok(())
    }
}
