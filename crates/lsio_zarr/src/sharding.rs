//! Shards: several chunks in one object, behind an index that says where each of them is.
//!
//! Specification: Zarr v3, "Sharding codec" 1.0 (`sharding_indexed`).

use std::sync::Arc;

use lsio_array::{ChunkErrorKind, DataType, Destination};
use lsio_codecs::{BytesCodec, ChunkContext, CodecChain, CodecError};
use lsio_io::ByteRange;
use serde_json::{Map, Value};

use crate::chunk_encoding::{codec_of, refusal};
use crate::chunk_error::kind_of;
use crate::encoded_shard::ShardCodecs;
use crate::error::{Refusal, excerpt};
use crate::extension::{Extension, refuse_unknown_members};
use crate::json;

/// Name of the codec.
pub(crate) const SHARDING: &str = "sharding_indexed";

/// Most chunks in one shard. Their index has 16 bytes each and is kept in memory while it is in use.
const MAX_CHUNKS_PER_SHARD: u64 = 1 << 24;

/// Codecs whose encoded length follows from the decoded one, which the index needs.
const INDEX_CODECS: [&str; 2] = ["bytes", "crc32c"];

/// Bytes of an entry: offset and length as uint64.
const ENTRY_LEN: usize = 16;

/// Where in the shard the index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IndexLocation {
    /// Before the chunks.
    Start,
    /// After the chunks.
    End,
}

/// The configuration of one sharding codec.
#[derive(Debug, Clone)]
pub(crate) struct ShardingConfiguration {
    /// Shape of the chunks in the shard, by the axes that the codec sees.
    pub(crate) chunk_shape: Vec<u64>,
    /// Codecs of these chunks.
    pub(crate) codecs: Vec<Value>,
    /// Chunks in the shard along each of these axes.
    grid: Vec<u64>,
    index_location: IndexLocation,
    index_chain: CodecChain,
}

impl ShardingConfiguration {
    /// Reads the configuration for shards of `shard_shape`.
    pub(crate) fn parse(
        configuration: &Map<String, Value>,
        shard_shape: &[u64],
    ) -> Result<Self, Refusal> {
        refuse_unknown_members(
            configuration,
            &["chunk_shape", "codecs", "index_codecs", "index_location"],
        )?;
        let chunk_shape =
            json::lengths(json::required(configuration, "chunk_shape")?, "chunk_shape")?;
        let divides = chunk_shape.len() == shard_shape.len()
            && chunk_shape.iter().zip(shard_shape).all(|(&c, &s)| c != 0 && s % c == 0);
        if !divides {
            return Err(Refusal::invalid(format!(
                "the chunk shape {chunk_shape:?} in '{SHARDING}' does not divide the shard shape \
                 {shard_shape:?}"
            )));
        }
        let grid: Vec<u64> = shard_shape.iter().zip(&chunk_shape).map(|(s, c)| s / c).collect();
        let count = grid.iter().try_fold(1u64, |count, &along| count.checked_mul(along));
        if count.is_none_or(|count| count > MAX_CHUNKS_PER_SHARD) {
            return Err(Refusal::invalid(format!(
                "a shard can have {MAX_CHUNKS_PER_SHARD} chunks, shards of {shard_shape:?} with \
                 chunks of {chunk_shape:?} have more"
            )));
        }
        let index_location = match configuration.get("index_location") {
            None => IndexLocation::End,
            Some(Value::String(end)) if end == "end" => IndexLocation::End,
            Some(Value::String(start)) if start == "start" => IndexLocation::Start,
            Some(other) => {
                return Err(Refusal::invalid(format!(
                    "'index_location' must be \"start\" or \"end\", found {}",
                    excerpt(other)
                )));
            }
        };
        Ok(Self {
            chunk_shape,
            codecs: codec_list(configuration, "codecs")?.clone(),
            index_chain: index_chain(codec_list(configuration, "index_codecs")?, &grid)?,
            grid,
            index_location,
        })
    }
}

fn codec_list<'a>(
    configuration: &'a Map<String, Value>,
    member: &str,
) -> Result<&'a Vec<Value>, Refusal> {
    let value = json::required(configuration, member)?;
    value.as_array().ok_or_else(|| {
        Refusal::invalid(format!("'{member}' must be a list, found {}", excerpt(value)))
    })
}

/// The codecs of an index over `grid`: an array of uint64 with a last dimension of offset and length.
fn index_chain(codecs: &[Value], grid: &[u64]) -> Result<CodecChain, Refusal> {
    let context = ChunkContext { data_type: DataType::UInt64, shape: [grid, &[2]].concat() };
    let mut chain = Vec::with_capacity(codecs.len());
    for codec in codecs {
        let extension = Extension::parse(codec, "index_codecs")?;
        if !INDEX_CODECS.contains(&extension.name.as_str()) {
            return Err(Refusal::unsupported(format!("the index codec '{}'", extension.name)));
        }
        chain.push(codec_of(&extension, &context)?);
    }
    CodecChain::new(chain, &context).map_err(refusal)
}

/// One level of shards of an array. All its arithmetic is in units of innermost chunks.
#[derive(Debug, Clone)]
pub(crate) struct ShardLevel {
    /// Axis of the array for each axis of the shard's grid.
    axes: Vec<usize>,
    /// Chunks of this level in the shard, by the shard's axes.
    grid: Vec<u64>,
    /// Innermost chunks in the shard, by the array's axes.
    shard_extents: Vec<u64>,
    /// Innermost chunks in a chunk of this level, by the array's axes.
    chunk_extents: Vec<u64>,
    index_location: IndexLocation,
    index_chain: CodecChain,
    /// For shards that are encoded as a whole.
    codecs: Option<ShardCodecs>,
}

impl ShardLevel {
    /// A level whose shards, chunks and innermost chunks have these shapes by the array's axes.
    pub(crate) fn new(
        configuration: ShardingConfiguration,
        axes: Vec<usize>,
        [shard, chunk, innermost]: [&[u64]; 3],
    ) -> Self {
        // Each shape divides the one before: the parser has checked it level by level.
        let in_innermost =
            |shape: &[u64]| shape.iter().zip(innermost).map(|(a, b)| a / b).collect();
        Self {
            axes,
            shard_extents: in_innermost(shard),
            chunk_extents: in_innermost(chunk),
            grid: configuration.grid,
            index_location: configuration.index_location,
            index_chain: configuration.index_chain,
            codecs: None,
        }
    }

    /// Adds the codecs of the shards themselves. `chunk_bound`: most bytes of an encoded chunk.
    pub(crate) fn with_codecs(
        mut self,
        codecs: Vec<Arc<dyn BytesCodec>>,
        chunk_bound: u64,
    ) -> Self {
        self.codecs = ShardCodecs::new(codecs, self.decoded_bound(chunk_bound));
        self
    }

    /// The codecs of the shards themselves, if they are encoded as a whole.
    pub(crate) fn codecs(&self) -> Option<&ShardCodecs> {
        self.codecs.as_ref()
    }

    /// Most bytes of a shard before its own codecs.
    fn decoded_bound(&self, chunk_bound: u64) -> u64 {
        (self.entry_count() as u64).saturating_mul(chunk_bound).saturating_add(self.index_len())
    }

    /// Most bytes of a stored shard.
    pub(crate) fn encoded_bound(&self, chunk_bound: u64) -> u64 {
        match &self.codecs {
            Some(codecs) => codecs.encoded_limit(),
            None => self.decoded_bound(chunk_bound),
        }
    }

    /// Grid coordinates of the shard that holds an innermost chunk.
    pub(crate) fn shard_of(&self, chunk: &[u64]) -> Vec<u64> {
        chunk.iter().zip(&self.shard_extents).map(|(c, extent)| c / extent).collect()
    }

    /// Grid coordinates of the first innermost chunk in a shard.
    pub(crate) fn first_chunk_of(&self, shard: &[u64]) -> Vec<u64> {
        shard.iter().zip(&self.shard_extents).map(|(s, extent)| s.saturating_mul(*extent)).collect()
    }

    /// Which entry of its shard's index an innermost chunk has: C order over the shard's axes.
    pub(crate) fn entry_of(&self, chunk: &[u64]) -> usize {
        let entry = self.axes.iter().zip(&self.grid).fold(0, |entry, (&axis, &along)| {
            entry * along + chunk[axis] % self.shard_extents[axis] / self.chunk_extents[axis]
        });
        entry as usize
    }

    /// Entries of the index.
    pub(crate) fn entry_count(&self) -> usize {
        // The parser has checked that the product is small.
        self.grid.iter().product::<u64>() as usize
    }

    /// Bytes of the encoded index. Exact: the index codecs allow no other length.
    pub(crate) fn index_len(&self) -> u64 {
        self.index_chain.encoded_bound()
    }

    /// Where the index of a shard is that is a whole object.
    pub(crate) fn index_range(&self) -> ByteRange {
        match self.index_location {
            IndexLocation::Start => ByteRange::Bounded { offset: 0, len: self.index_len() },
            IndexLocation::End => ByteRange::Suffix { len: self.index_len() },
        }
    }

    /// Where the index of a shard is that lies at `shard` in its object.
    pub(crate) fn index_range_within(&self, shard: Extent) -> Result<ByteRange, ChunkErrorKind> {
        let len = self.index_len();
        let before = shard
            .len
            .checked_sub(len)
            .ok_or(ChunkErrorKind::Truncated { expected: len, actual: shard.len })?;
        let offset = match self.index_location {
            IndexLocation::Start => shard.offset,
            // No overflow: the shard's end was checked against its object.
            IndexLocation::End => shard.offset + before,
        };
        Ok(ByteRange::Bounded { offset, len })
    }

    /// Encodes the index for these entries, for a writer.
    pub(crate) fn encode_index(
        &self,
        entries: &[Option<Extent>],
        out: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        let decoded: Vec<u8> = entries
            .iter()
            .flat_map(|entry| match entry {
                Some(extent) => [extent.offset, extent.len],
                None => [u64::MAX; 2],
            })
            .flat_map(u64::to_ne_bytes)
            .collect();
        self.index_chain.encode(&decoded, out)
    }

    /// Decodes an index.
    pub(crate) fn decode_index(&self, encoded: &[u8]) -> Result<ShardIndex, IndexError> {
        let mut decoded = vec![0; self.entry_count() * ENTRY_LEN];
        let mut scratch = vec![0; self.index_chain.scratch_len() as usize];
        self.index_chain
            .decode(encoded, Destination::Fixed(&mut decoded), &mut scratch)
            .map_err(IndexError::from_codec)?;
        let word = |bytes: &[u8]| {
            let mut word = [0; 8];
            word.copy_from_slice(bytes);
            u64::from_ne_bytes(word)
        };
        let entries = decoded
            .chunks_exact(ENTRY_LEN)
            .map(|entry| {
                let (offset, len) = entry.split_at(ENTRY_LEN / 2);
                Extent { offset: word(offset), len: word(len) }
            })
            .collect();
        Ok(ShardIndex { entries })
    }
}

/// Why an index cannot be decoded.
#[derive(Debug)]
pub(crate) struct IndexError {
    /// The codec that failed.
    pub(crate) codec: Option<&'static str>,
    /// What happened.
    pub(crate) kind: ChunkErrorKind,
}

impl IndexError {
    /// Of the sharding codec itself.
    pub(crate) fn from_kind(kind: ChunkErrorKind) -> Self {
        Self { codec: Some(SHARDING), kind }
    }

    /// Of a codec of the index or of the shard.
    pub(crate) fn from_codec(error: CodecError) -> Self {
        Self { codec: error.codec(), kind: kind_of(error) }
    }
}

/// A range of bytes that does not end behind `u64::MAX`, unless it stands for a missing chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    /// First byte.
    pub(crate) offset: u64,
    /// Number of bytes.
    pub(crate) len: u64,
}

/// A decoded index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShardIndex {
    entries: Vec<Extent>,
}

impl ShardIndex {
    /// Where chunk number `entry` of a shard is that lies at `shard` in its object; `None` if there is
    /// no such chunk.
    ///
    /// # Errors
    /// [`ChunkErrorKind::Truncated`] for a chunk that is not wholly inside its shard.
    pub(crate) fn locate(
        &self,
        entry: usize,
        shard: Extent,
    ) -> Result<Option<Extent>, ChunkErrorKind> {
        const MISSING: Extent = Extent { offset: u64::MAX, len: u64::MAX };
        let found = self.entries.get(entry).copied().unwrap_or(MISSING);
        if found == MISSING {
            return Ok(None);
        }
        let end = found.offset.checked_add(found.len).filter(|&end| end <= shard.len);
        let offset = end.and_then(|_| shard.offset.checked_add(found.offset));
        match offset {
            Some(offset) => Ok(Some(Extent { offset, len: found.len })),
            None => Err(ChunkErrorKind::Truncated {
                expected: found.offset.saturating_add(found.len),
                actual: shard.len,
            }),
        }
    }
}
