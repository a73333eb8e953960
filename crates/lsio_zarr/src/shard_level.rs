//! One level of shards: where its index is, what the index says, which entry a chunk has.

use std::sync::Arc;

use lsio_array::{
    ChunkErrorKind, Destination, DimensionPlacement, Region, StridedCopy, c_strides,
    strides_in_order,
};
use lsio_codecs::{BytesCodec, CodecChain, CodecError};
use lsio_io::ByteRange;

use crate::chunk_error::kind_of;
use crate::encoded_shard::ShardCodecs;
use crate::sharding::{IndexLocation, SHARDING, ShardingConfiguration};

/// Bytes of an entry: offset and length as uint64.
const ENTRY_LEN: usize = 16;

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

    /// Adds the codecs of the shards themselves. `chunk_bound`: most bytes of an encoded chunk; where it is a
    /// guess, shards may have up to `growth_limit` bytes.
    pub(crate) fn with_codecs(
        mut self,
        codecs: Vec<Arc<dyn BytesCodec>>,
        chunk_bound: u64,
        growth_limit: u64,
    ) -> Self {
        let decoded_bound = self.decoded_bound(chunk_bound);
        self.codecs = ShardCodecs::new(codecs, decoded_bound, growth_limit);
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

    /// Bytes of the encoded index. Exact: codecs whose length is not known are no index codecs.
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

    /// Whether the index stands before the chunks.
    pub(crate) fn index_is_first(&self) -> bool {
        self.index_location == IndexLocation::Start
    }

    /// Decodes an index.
    pub(crate) fn decode_index(&self, encoded: &[u8]) -> Result<ShardIndex, IndexError> {
        self.read_index(encoded).map_err(IndexError::from_codec)
    }

    /// As [`ShardLevel::decode_index`], with the error of the codec.
    pub(crate) fn read_index(&self, encoded: &[u8]) -> Result<ShardIndex, CodecError> {
        // Before anything is allocated for what the codecs claim.
        let (codec, expected, actual) = (SHARDING, self.index_len(), encoded.len() as u64);
        if actual < expected {
            return Err(CodecError::Truncated { codec, expected, actual });
        } else if actual > expected {
            return Err(CodecError::Length { codec, expected, actual });
        }
        let mut decoded = vec![0; self.entry_count() * ENTRY_LEN];
        let mut scratch = vec![0; self.index_chain.scratch_len() as usize];
        self.index_chain.decode(encoded, Destination::Fixed(&mut decoded), &mut scratch)?;
        if !self.index_chain.axis_order().is_sorted() {
            decoded = self.in_c_order(&decoded).ok_or_else(|| {
                let reason = "its axes cannot be put into their order".into();
                CodecError::Corrupt { codec: SHARDING, reason }
            })?;
        }
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

    /// The entries of a decoded index in C order, from the axis order that its codecs left them in.
    fn in_c_order(&self, stored: &[u8]) -> Option<Vec<u8>> {
        let shape = [self.grid.as_slice(), &[2]].concat();
        let dimensions = shape.iter().map(|&len| DimensionPlacement {
            source_start: 0,
            source_step: 1,
            target_start: 0,
            len,
        });
        let region = Region { output: 0, dimensions: dimensions.collect() };
        let strides = strides_in_order(&shape, self.index_chain.axis_order())?;
        let copy = StridedCopy::new(&region, &strides, &c_strides(&shape)?, ENTRY_LEN / 2)?;
        let mut entries = vec![0; stored.len()];
        copy.copy(stored, &mut entries).then_some(entries)
    }
}

/// Why an index, a shard or a chunk cannot be decoded.
#[derive(Debug)]
pub(crate) struct IndexError {
    /// The codec that failed.
    pub(crate) codec: Option<&'static str>,
    /// What happened.
    pub(crate) kind: ChunkErrorKind,
}

impl IndexError {
    /// Of no codec.
    pub(crate) fn plain(kind: ChunkErrorKind) -> Self {
        Self { codec: None, kind }
    }

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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    /// Shards of 4 x 6 with chunks of 2 x 3, of which each is an innermost chunk.
    fn level(index_location: &str) -> ShardLevel {
        let endian = json!({"name": "bytes", "configuration": {"endian": "big"}});
        level_with(&json!([endian, "crc32c"]), index_location)
    }

    fn level_with(index_codecs: &serde_json::Value, index_location: &str) -> ShardLevel {
        let configuration = json!({
            "chunk_shape": [2, 3],
            "codecs": ["bytes"],
            "index_codecs": index_codecs,
            "index_location": index_location,
        });
        let configuration =
            ShardingConfiguration::parse(configuration.as_object().unwrap(), &[4, 6]).unwrap();
        ShardLevel::new(configuration, vec![0, 1], [&[4, 6], &[2, 3], &[2, 3]])
    }

    #[test]
    fn chunks_have_entries_in_c_order() {
        let level = level("end");
        for (chunk, entry) in [([0, 0], 0), ([0, 1], 1), ([1, 0], 2), ([1, 1], 3), ([6, 9], 1)] {
            assert_eq!(level.entry_of(&chunk), entry, "{chunk:?}");
        }
        assert_eq!(level.shard_of(&[6, 9]), [3, 4]);
        assert_eq!(level.first_chunk_of(&[3, 4]), [6, 8]);
        assert_eq!(level.entry_count(), 4);
    }

    #[test]
    fn an_index_comes_back_as_it_was_written() {
        let level = level("end");
        let entries = [
            None,
            Some(Extent { offset: 10, len: 5 }),
            Some(Extent { offset: 0, len: 0 }),
            Some(Extent { offset: 15, len: 85 }),
        ];
        let mut encoded = Vec::new();
        level.encode_index(&entries, &mut encoded).unwrap();
        assert_eq!(encoded.len() as u64, level.index_len());
        let index = level.decode_index(&encoded).unwrap();
        let shard = Extent { offset: 1000, len: 100 };
        for (entry, expected) in entries.into_iter().enumerate() {
            let moved = expected.map(|extent| Extent { offset: extent.offset + 1000, ..extent });
            assert_eq!(index.locate(entry, shard).unwrap(), moved);
        }
        encoded[20] ^= 1;
        let error = level.decode_index(&encoded).unwrap_err();
        assert!(matches!(error.kind, ChunkErrorKind::Checksum { .. }), "{error:?}");
        assert_eq!(error.codec, Some("crc32c"));
        assert!(level.decode_index(&encoded[1..]).is_err());
        assert!(level.decode_index(&[]).is_err());
    }

    #[test]
    fn the_axes_of_an_index_may_stand_in_any_order() {
        let endian = json!({"name": "bytes", "configuration": {"endian": "little"}});
        let entries: Vec<_> = [(7, 1), (u64::MAX - 5, 2), (9, 3), (10, 4)]
            .map(|(offset, len)| Some(Extent { offset, len }))
            .into();
        for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let transpose = json!({"name": "transpose", "configuration": {"order": order}});
            let level = level_with(&json!([transpose, endian]), "end");
            let mut encoded = Vec::new();
            level.encode_index(&entries, &mut encoded).unwrap();
            assert_eq!(encoded.len() as u64, level.index_len());
            let index = level.decode_index(&encoded).unwrap();
            let found: Vec<_> = index.entries.into_iter().map(Some).collect();
            assert_eq!(found, entries, "{order:?}");
        }
        // Offsets first, then lengths, each in C order.
        let transpose = json!({"name": "transpose", "configuration": {"order": [2, 0, 1]}});
        let mut encoded = Vec::new();
        level_with(&json!([transpose, endian]), "end")
            .encode_index(&entries, &mut encoded)
            .unwrap();
        let lengths = [1u64, 2, 3, 4].map(u64::to_le_bytes).concat();
        assert_eq!(encoded[32..], lengths);
    }

    #[test]
    fn entries_outside_of_their_shard_are_truncation() {
        let shard = Extent { offset: 0, len: 100 };
        for (offset, len) in [
            (0, 101),
            (100, 1),
            (101, 0),
            (u64::MAX, 0),
            (0, u64::MAX),
            (1, u64::MAX),
            (u64::MAX - 1, u64::MAX),
        ] {
            let index = ShardIndex { entries: vec![Extent { offset, len }] };
            let error = index.locate(0, shard).unwrap_err();
            assert!(matches!(error, ChunkErrorKind::Truncated { actual: 100, .. }), "{error}");
        }
        let index = ShardIndex { entries: vec![Extent { offset: 100, len: 0 }] };
        assert!(index.locate(0, shard).unwrap().is_some());
    }

    #[test]
    fn the_index_is_looked_for_inside_of_its_shard() {
        let len = level("end").index_len();
        assert_eq!(level("end").index_range(), ByteRange::Suffix { len });
        assert_eq!(level("start").index_range(), ByteRange::Bounded { offset: 0, len });
        let shard = Extent { offset: 50, len: len + 7 };
        let within = |location| level(location).index_range_within(shard).unwrap();
        assert_eq!(within("start"), ByteRange::Bounded { offset: 50, len });
        assert_eq!(within("end"), ByteRange::Bounded { offset: 57, len });
        let short = Extent { offset: 50, len: len - 1 };
        assert!(level("end").index_range_within(short).is_err());
    }
}
