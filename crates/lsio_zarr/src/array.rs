//! An opened array: where its chunks are and how they are decoded.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use lsio_array::{
    Answer, ArrayInfo, ChunkError, ChunkErrorKind, ChunkSource, Decoded, Destination, Encoded,
    KnownReads, Location, Params, ReadSpec, Reads, Resume,
};
use lsio_io::{ByteRange, Freshness, Key, Storage, StorageError};

use crate::array_metadata::ArrayMetadata;
use crate::chunk_encoding::ChunkEncoding;
use crate::chunk_error::kind_of;
use crate::error::Refusal;
use crate::sharding::{Extent, SHARDING, ShardIndex, ShardLevel};

/// Encoded chunks up to this many bytes are read whatever their shape says: small chunks may carry a
/// codec's headers.
const ENCODED_LIMIT_FLOOR: u64 = 64 << 20;

/// Encoded chunks may be this many times as long as the worst case of their codecs.
const ENCODED_LIMIT_FACTOR: u64 = 4;

/// Most bytes of an encoded chunk of strings: the most that a 32-bit length can say.
const ENCODED_STRINGS_LIMIT: u64 = 4 << 30;

/// Most bytes of a decoded chunk of strings, offsets included.
const DECODED_STRINGS_LIMIT: u64 = 4 << 30;

/// Bytes that a string and its offset are expected to take. A chunk that needs more is decoded again
/// with what it needs.
const BYTES_PER_STRING: u64 = 40;

/// A Zarr array. As a [`ChunkSource`] its chunks are those of the innermost level of shards.
pub struct ZarrArray {
    stores: [Arc<dyn Storage>; 1],
    path: Key,
    metadata: ArrayMetadata,
    encoding: ChunkEncoding,
    info: ArrayInfo,
}

impl ZarrArray {
    /// The array at `path` with this metadata.
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        path: Key,
        (metadata, encoding): (ArrayMetadata, ChunkEncoding),
    ) -> Result<Self, Refusal> {
        let chain = encoding.chain();
        let bound = chain.encoded_bound();
        let fixed_len = chain.decoded_len();
        let strings_guess = || {
            let count = metadata.chunk_shape.iter().product::<u64>();
            count.saturating_mul(BYTES_PER_STRING).saturating_add(64).min(DECODED_STRINGS_LIMIT)
        };
        let encoded_limit = match fixed_len {
            Some(_) => bound.saturating_mul(ENCODED_LIMIT_FACTOR).max(ENCODED_LIMIT_FLOOR),
            None => ENCODED_STRINGS_LIMIT,
        };
        let info = ArrayInfo {
            name: crate::documents::full_path(storage.as_ref(), &path).into(),
            shape: metadata.shape.clone(),
            chunk_shape: metadata.chunk_shape.clone(),
            data_type: metadata.data_type,
            fill_value: Arc::clone(&metadata.fill_value),
            axis_order: encoding.axis_order().to_vec(),
            encoded_estimate: bound.min(encoded_limit),
            encoded_limit,
            scratch_len: chain.scratch_len(),
            decoded_len: fixed_len.unwrap_or_else(strings_guess),
            decoded_limit: fixed_len.unwrap_or(DECODED_STRINGS_LIMIT),
        };
        check_keys(&path, &metadata)?;
        Ok(Self { stores: [storage], path, metadata, encoding, info })
    }

    /// What the array's metadata says.
    #[must_use]
    pub fn metadata(&self) -> &ArrayMetadata {
        &self.metadata
    }

    /// Where the array is in its store.
    #[must_use]
    pub fn path(&self) -> &Key {
        &self.path
    }

    /// The store that the array is in.
    #[must_use]
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.stores[0]
    }

    /// Bytes of all elements without compression; for strings, of their offsets alone.
    #[must_use]
    pub fn decoded_bytes(&self) -> u64 {
        let size = self.metadata.data_type.size().unwrap_or(size_of::<u64>()) as u64;
        // Cannot overflow: the metadata was refused otherwise.
        self.metadata.shape.iter().product::<u64>() * size
    }

    fn error(
        &self,
        chunk: &[u64],
        codec: Option<&'static str>,
        kind: ChunkErrorKind,
    ) -> ChunkError {
        ChunkError { array: Arc::clone(&self.info.name), chunk: chunk.to_vec(), codec, kind }
    }

    /// The object of a chunk: of its outermost shard, where it is sharded.
    fn object_of(&self, chunk: &[u64]) -> Result<Key, ChunkError> {
        let encoding = self.metadata.chunk_key_encoding;
        let name = match self.encoding.levels().first() {
            None => encoding.encode(chunk),
            Some(level) => encoding.encode(&level.shard_of(chunk)),
        };
        self.path.join(&name).map_err(|error| self.error(chunk, None, error.into()))
    }

    /// Grid coordinates of the first chunk in an object, for messages.
    fn first_chunk_in(&self, object: &Key) -> Vec<u64> {
        let name = object.as_str().strip_prefix(self.path.as_str()).unwrap_or_default();
        let rank = self.metadata.shape.len();
        let name = name.trim_start_matches('/');
        let shard = self.metadata.chunk_key_encoding.decode(name, rank).unwrap_or_default();
        match self.encoding.levels().first() {
            Some(level) => level.first_chunk_of(&shard),
            None => shard,
        }
    }

    /// Descends the levels of shards as far as their indexes are known.
    fn locate_in_shards(
        &self,
        chunk: &[u64],
        object: Key,
        known: &dyn KnownReads,
    ) -> Result<Location, ChunkError> {
        let sharding_error = |kind| self.error(chunk, Some(SHARDING), kind);
        // What of the object is being looked into, and which version of it.
        let mut within: Option<(Extent, lsio_io::Identity)> = None;
        for (number, level) in self.encoding.levels().iter().enumerate() {
            let range = match &within {
                None => level.index_range(),
                Some((shard, _)) => level.index_range_within(*shard).map_err(sharding_error)?,
            };
            let spec = index_spec(object.clone(), range, number, level);
            let Some(answer) = known.get(&spec) else { return Ok(Location::After(spec)) };
            let Some((index, identity)) = index_in(&answer) else {
                return match within {
                    // The store says that there is no such shard.
                    None if answer.identity.is_none() => Ok(Location::Missing),
                    _ => Err(sharding_error(StorageError::Conflict { key: object }.into())),
                };
            };
            let shard = match within {
                None => Extent { offset: 0, len: answer.object_len },
                Some((shard, earlier)) if earlier == identity => shard,
                Some(_) => {
                    return Err(sharding_error(StorageError::Conflict { key: object }.into()));
                }
            };
            match index.locate(level.entry_of(chunk), shard).map_err(sharding_error)? {
                None => return Ok(Location::Missing),
                Some(extent) => within = Some((extent, identity)),
            }
        }
        let Some((Extent { offset, len }, identity)) = within else { return Ok(Location::Missing) };
        if len > self.info.encoded_limit {
            let limit = self.info.encoded_limit;
            return Err(sharding_error(ChunkErrorKind::TooLarge { needed: len, limit }));
        }
        Ok(Location::At {
            store: 0,
            key: object,
            reads: Reads::Ranges(vec![ByteRange::Bounded { offset, len }]),
            freshness: Freshness::Pinned(identity),
            params: None,
        })
    }
}

/// The read of the index of a shard of level `number`.
fn index_spec(key: Key, range: ByteRange, number: usize, level: &ShardLevel) -> ReadSpec {
    ReadSpec { store: 0, key, range, limit: level.index_len(), purpose: number as u32 }
}

fn index_in(answer: &Answer) -> Option<(&ShardIndex, lsio_io::Identity)> {
    let index = answer.value.downcast_ref::<ShardIndex>()?;
    Some((index, answer.identity.clone()?))
}

/// Chunk keys are digits and separators behind the path, so if the first is a valid key, all are.
fn check_keys(path: &Key, metadata: &ArrayMetadata) -> Result<(), Refusal> {
    let first = metadata.chunk_key_encoding.encode(&vec![0; metadata.shape.len()]);
    path.join(&first)
        .map(|_| ())
        .map_err(|error| Refusal::caused(format!("no chunk can be named '{first}'"), error))
}

/// What [`ChunkSource::parse`] makes of an object that does not exist.
struct NoShard;

impl ChunkSource for ZarrArray {
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn stores(&self) -> &[Arc<dyn Storage>] {
        &self.stores
    }

    fn locate(&self, chunk: &[u64], known: &dyn KnownReads) -> Result<Location, ChunkError> {
        let object = self.object_of(chunk)?;
        if self.encoding.is_sharded() {
            return self.locate_in_shards(chunk, object, known);
        }
        Ok(Location::At {
            store: 0,
            key: object,
            reads: Reads::Whole,
            freshness: Freshness::Current,
            params: None,
        })
    }

    fn parse(
        &self,
        spec: &ReadSpec,
        bytes: Option<&[u8]>,
        _object_len: u64,
    ) -> Result<Arc<dyn Any + Send + Sync>, ChunkError> {
        let Some(bytes) = bytes else { return Ok(Arc::new(NoShard)) };
        let refused = |codec, kind| self.error(&self.first_chunk_in(&spec.key), codec, kind);
        let level = self.encoding.levels().get(spec.purpose as usize).ok_or_else(|| {
            let reason = format!("no level of shards has the number {}", spec.purpose);
            refused(Some(SHARDING), ChunkErrorKind::Panic(reason))
        })?;
        match level.decode_index(bytes) {
            Ok(index) => Ok(Arc::new(index)),
            Err(error) => Err(refused(error.codec.or(Some(SHARDING)), error.kind)),
        }
    }

    fn decode(
        &self,
        chunk: &[u64],
        _params: &Params,
        encoded: Encoded<'_>,
        destination: Destination<'_>,
        scratch: &mut [u8],
        _resume: &Arc<dyn Resume>,
    ) -> Result<Decoded, ChunkError> {
        let [encoded] = encoded else {
            let reason = format!("a chunk is one range of bytes, not {}", encoded.len());
            return Err(self.error(chunk, None, ChunkErrorKind::Panic(reason)));
        };
        self.encoding
            .chain()
            .decode(encoded, destination, scratch)
            .map_err(|error| self.error(chunk, error.codec(), kind_of(error)))
    }
}

impl fmt::Debug for ZarrArray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZarrArray")
            .field("name", &self.info.name)
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}
