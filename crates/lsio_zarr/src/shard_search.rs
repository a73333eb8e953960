//! The way from the object of a shard, through the levels of indexes, to one chunk in it.

use std::any::Any;
use std::sync::Arc;

use lsio_array::{Answer, ChunkErrorKind, KnownReads, Location, Parsed, ReadSpec, Reads};
use lsio_io::{ByteRange, Freshness, Identity, Key, SharedBytes, StorageError};

use crate::encoded_shard::{DecodedShard, ShardCodecs};
use crate::shard_level::{Extent, IndexError, ShardIndex, ShardLevel};

/// What a read on the way is for; its number is the [`ReadSpec::purpose`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// The index of a shard of this level.
    Index(usize),
    /// The whole of a shard of this level.
    Shard(usize),
}

impl Purpose {
    fn number(self) -> u32 {
        match self {
            Self::Index(level) => 2 * level as u32,
            Self::Shard(level) => 2 * level as u32 + 1,
        }
    }

    fn from_number(number: u32) -> Self {
        let level = (number / 2) as usize;
        if number.is_multiple_of(2) { Self::Index(level) } else { Self::Shard(level) }
    }
}

/// Where the search has got to.
enum Found {
    /// The whole object, not looked at yet.
    Object,
    /// A part of this version of the object.
    Part(Extent, Identity),
    /// Bytes at hand.
    Bytes(SharedBytes),
    /// There is no such object or no such chunk.
    Nothing,
}

/// What there is one level further down, or the read that will tell.
enum Step {
    Found(Found),
    After(ReadSpec),
}

/// What is made of a read of an object that does not exist.
struct NoObject;

/// The search for one chunk.
pub(crate) struct ShardSearch<'a> {
    /// Levels of shards, outermost first.
    pub(crate) levels: &'a [ShardLevel],
    /// The object that holds the outermost shard.
    pub(crate) object: Key,
    /// Reads that were already performed.
    pub(crate) known: &'a dyn KnownReads,
    /// Longest encoded chunk in bytes.
    pub(crate) encoded_limit: u64,
}

impl ShardSearch<'_> {
    /// Searches for an innermost chunk as far as is known.
    pub(crate) fn locate(&self, chunk: &[u64]) -> Result<Location, ChunkErrorKind> {
        let mut found = Found::Object;
        for (number, level) in self.levels.iter().enumerate() {
            let step = match level.codecs() {
                Some(codecs) => self.in_encoded_shard(chunk, number, codecs, &found)?,
                None => self.in_shard(chunk, number, &found)?,
            };
            found = match step {
                Step::After(spec) => return Ok(Location::After(spec)),
                Step::Found(found) => found,
            };
        }
        match found {
            Found::Part(Extent { len, .. }, _) if len > self.encoded_limit => {
                Err(ChunkErrorKind::TooLarge { needed: len, limit: self.encoded_limit })
            }
            Found::Part(Extent { offset, len }, identity) => Ok(Location::At {
                store: 0,
                key: self.object.clone(),
                reads: Reads::Ranges(vec![ByteRange::Bounded { offset, len }]),
                freshness: Freshness::Pinned(identity),
                params: None,
            }),
            Found::Bytes(bytes) => Ok(Location::Inline(bytes, None)),
            Found::Nothing | Found::Object => Ok(Location::Missing),
        }
    }

    /// Looks into the index of a shard whose bytes are what they were before it was stored.
    fn in_shard(
        &self,
        chunk: &[u64],
        number: usize,
        shard: &Found,
    ) -> Result<Step, ChunkErrorKind> {
        let level = &self.levels[number];
        let range = match shard {
            Found::Nothing => return Ok(Step::Found(Found::Nothing)),
            Found::Bytes(bytes) => return in_bytes(chunk, level, bytes).map(Step::Found),
            Found::Object => level.index_range(),
            Found::Part(extent, _) => level.index_range_within(*extent)?,
        };
        let spec = self.spec(range, level.index_len(), Purpose::Index(number));
        let Some(answer) = self.known.get(&spec) else { return Ok(Step::After(spec)) };
        let Some((identity, extent)) = self.version(&answer, shard)? else {
            return Ok(Step::Found(Found::Nothing));
        };
        let index = value::<ShardIndex>(&answer)?;
        let part = index.locate(level.entry_of(chunk), extent)?;
        Ok(Step::Found(part.map_or(Found::Nothing, |part| Found::Part(part, identity))))
    }

    /// Looks into a shard that was encoded as a whole.
    fn in_encoded_shard(
        &self,
        chunk: &[u64],
        number: usize,
        codecs: &ShardCodecs,
        shard: &Found,
    ) -> Result<Step, ChunkErrorKind> {
        let level = &self.levels[number];
        let (expected, limit) = (codecs.limit(), codecs.growth_limit());
        let whole = |range, expected| {
            let spec = self.spec(range, expected, Purpose::Shard(number));
            ReadSpec { growth_limit: limit, ..spec }
        };
        let spec = match shard {
            // Bytes at hand come from an encoded shard above, which metadata with two of them is
            // refused for.
            Found::Nothing | Found::Bytes(_) => return Ok(Step::Found(Found::Nothing)),
            Found::Object => whole(ByteRange::Whole, expected),
            Found::Part(Extent { len, .. }, _) if *len > limit => {
                return Err(ChunkErrorKind::TooLarge { needed: *len, limit });
            }
            Found::Part(Extent { offset, len }, _) => {
                let range = ByteRange::Bounded { offset: *offset, len: *len };
                whole(range, expected.max(*len))
            }
        };
        let Some(answer) = self.known.get(&spec) else { return Ok(Step::After(spec)) };
        if self.version(&answer, shard)?.is_none() {
            return Ok(Step::Found(Found::Nothing));
        }
        let decoded = value::<DecodedShard>(&answer)?;
        in_decoded(chunk, level, &decoded.bytes, &decoded.index).map(Step::Found)
    }

    fn spec(&self, range: ByteRange, limit: u64, purpose: Purpose) -> ReadSpec {
        let key = self.object.clone();
        let growth_limit = limit;
        ReadSpec { store: 0, key, range, limit, growth_limit, purpose: purpose.number() }
    }

    /// The version that an answer about `shard` comes from, and what the shard's extent is in it;
    /// `None` if there is no such object.
    fn version(
        &self,
        answer: &Answer,
        shard: &Found,
    ) -> Result<Option<(Identity, Extent)>, ChunkErrorKind> {
        let conflict = || StorageError::Conflict { key: self.object.clone() }.into();
        match (answer.identity.clone(), shard) {
            (Some(identity), Found::Part(extent, earlier)) if identity == *earlier => {
                Ok(Some((identity, *extent)))
            }
            (_, Found::Part(..)) => Err(conflict()),
            (None, _) => Ok(None),
            (Some(identity), _) => {
                Ok(Some((identity, Extent { offset: 0, len: answer.object_len })))
            }
        }
    }
}

/// Looks into a shard inside a decoded one. Its index is decoded each time.
fn in_bytes(
    chunk: &[u64],
    level: &ShardLevel,
    bytes: &SharedBytes,
) -> Result<Found, ChunkErrorKind> {
    let index = index_in(level, bytes).map_err(|error| error.kind)?;
    in_decoded(chunk, level, bytes, &index)
}

fn in_decoded(
    chunk: &[u64],
    level: &ShardLevel,
    bytes: &SharedBytes,
    index: &ShardIndex,
) -> Result<Found, ChunkErrorKind> {
    let whole = Extent { offset: 0, len: bytes.len() as u64 };
    let Some(Extent { offset, len }) = index.locate(level.entry_of(chunk), whole)? else {
        return Ok(Found::Nothing);
    };
    let part = bytes.slice(offset as usize..(offset + len) as usize);
    // The index has checked that the part is inside.
    Ok(part.map_or(Found::Nothing, Found::Bytes))
}

/// The index of a shard whose bytes are at hand.
fn index_in(level: &ShardLevel, shard: &[u8]) -> Result<ShardIndex, IndexError> {
    let whole = Extent { offset: 0, len: shard.len() as u64 };
    let range = level.index_range_within(whole).map_err(IndexError::from_kind)?;
    let (offset, len) = match range {
        ByteRange::Bounded { offset, len } => (offset as usize, len as usize),
        ByteRange::Whole | ByteRange::Suffix { .. } => (0, shard.len()),
    };
    level.decode_index(&shard[offset..offset + len])
}

fn value<T: Any>(answer: &Answer) -> Result<&T, ChunkErrorKind> {
    answer.value.downcast_ref().ok_or_else(|| {
        ChunkErrorKind::Panic("the answer to a read of a shard is of another kind".to_owned())
    })
}

/// Makes sense of a read that a search asked for.
pub(crate) fn parse(
    levels: &[ShardLevel],
    spec: &ReadSpec,
    bytes: Option<&[u8]>,
) -> Result<Parsed, IndexError> {
    let Some(bytes) = bytes else { return Ok(Parsed { value: Arc::new(NoObject), bytes: 0 }) };
    let purpose = spec.purpose;
    let no_level = || {
        let reason = format!("no read of a shard has the purpose {purpose}");
        IndexError::from_kind(ChunkErrorKind::Panic(reason))
    };
    match Purpose::from_number(purpose) {
        Purpose::Index(number) => {
            let level = levels.get(number).ok_or_else(no_level)?;
            let value = Arc::new(level.decode_index(bytes)?);
            // Entries have the same length in memory.
            Ok(Parsed { value, bytes: bytes.len() as u64 })
        }
        Purpose::Shard(number) => {
            let level = levels.get(number).ok_or_else(no_level)?;
            let codecs = level.codecs().ok_or_else(no_level)?;
            let decoded = codecs.decode(bytes, spec.limit).map_err(IndexError::from_codec)?;
            let index = index_in(level, &decoded)?;
            let (held, bytes) = (decoded.capacity() as u64, SharedBytes::from(decoded));
            let value = Arc::new(DecodedShard { bytes, index });
            Ok(Parsed { value, bytes: held.saturating_add(level.index_len()) })
        }
    }
}
