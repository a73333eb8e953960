//! An opened array: where its chunks are and how they are decoded.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use lsio_array::{
    ArrayInfo, ChunkError, ChunkErrorKind, ChunkGrid, ChunkSource, Decoded, Destination, Encoded,
    KnownReads, Location, Params, Parsed, ReadSpec, Reads, Resume,
};
use lsio_io::{Freshness, Key, Storage};
use serde_json::{Map, Value};

use crate::array_metadata::ArrayMetadata;
use crate::chunk_encoding::ChunkEncoding;
use crate::chunk_error::kind_of;
use crate::error::Refusal;
use crate::shard_search::{self, ShardSearch};
use crate::sharding::SHARDING;
use crate::varying_chunks::{InShard, VaryingChunks};

/// Encoded chunks up to this many bytes are read whatever their shape says: small chunks may carry a
/// codec's headers.
const ENCODED_LIMIT_FLOOR: u64 = 64 << 20;

/// Encoded chunks may be this many times as long as the worst case of their codecs.
const ENCODED_LIMIT_FACTOR: u64 = 4;

/// Most bytes of an encoded chunk of strings, or of a shard of them: the most that a 32-bit length can say.
pub(crate) const ENCODED_STRINGS_LIMIT: u64 = 4 << 30;

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
    /// Of all stored objects, or of the longest where their shapes vary.
    encoding: ChunkEncoding,
    varying: Option<VaryingChunks>,
    /// The document that the rest was made of.
    document: Map<String, Value>,
    info: ArrayInfo,
    /// The shard that was located last, and its object: chunks of one shard are located one after the
    /// other.
    last_shard: Mutex<Option<(Vec<u64>, Key)>>,
}

impl ZarrArray {
    /// The array at `path` with this metadata.
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        path: Key,
        (metadata, encoding): (ArrayMetadata, ChunkEncoding),
        document: Map<String, Value>,
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
        let varying = metadata.stored_grid.clone();
        let varying = varying.map(|grid| VaryingChunks::new(grid, &metadata, &encoding));
        let varying = varying.transpose()?;
        let is_uniform = varying.is_none() || encoding.is_sharded();
        // Chunks of other shapes are decoded beside the room that they go to.
        let beside = if is_uniform { 0 } else { fixed_len.unwrap_or(0) };
        let scratch_len = chain.scratch_len().saturating_add(beside);
        let info = ArrayInfo {
            name: crate::documents::full_path(storage.as_ref(), &path).into(),
            shape: metadata.shape.clone(),
            chunk_shape: metadata.chunk_shape.clone(),
            data_type: metadata.data_type.clone(),
            fill_value: Arc::clone(&metadata.fill_value),
            axis_order: encoding.axis_order().to_vec(),
            encoded_estimate: bound.min(encoded_limit),
            encoded_limit,
            scratch_len,
            suspended_len: chain.suspended_len(),
            decoded_len: fixed_len.unwrap_or_else(strings_guess),
            decoded_limit: fixed_len.unwrap_or(DECODED_STRINGS_LIMIT),
            stored_as_is: chain.identity().filter(|_| is_uniform),
            comes_in_pieces: chain.comes_in_pieces() && is_uniform,
        };
        check_keys(&path, &metadata)?;
        let last_shard = Mutex::default();
        let stores = [storage];
        Ok(Self { stores, path, metadata, encoding, varying, document, info, last_shard })
    }

    /// What the array's metadata says.
    #[must_use]
    pub fn metadata(&self) -> &ArrayMetadata {
        &self.metadata
    }

    /// Whether both were made of the same documents, with the same codecs.
    #[must_use]
    pub fn is_made_like(&self, other: &Self) -> bool {
        self.document == other.document
            && self.metadata == other.metadata
            && self.encoding.has_codecs_of(&other.encoding)
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

    /// The shard that holds a chunk; `None` where there are no shards.
    fn shard_of(&self, chunk: &[u64]) -> Option<InShard> {
        let level = self.encoding.levels().first()?;
        Some(match &self.varying {
            Some(varying) => varying.in_shard(chunk, self.encoding.chunk_shape()),
            None => InShard { shard: level.shard_of(chunk), chunk: None },
        })
    }

    /// The object of a chunk, or that of its outermost shard.
    fn object_of(&self, chunk: &[u64], shard: Option<Vec<u64>>) -> Result<Key, ChunkError> {
        let key_of = |coordinates: &[u64]| {
            let name = self.metadata.chunk_key_encoding.encode(coordinates);
            self.path.join(&name).map_err(|error| self.error(chunk, None, error.into()))
        };
        let Some(shard) = shard else { return key_of(chunk) };
        let mut last = self.last_shard.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((of, key)) if *of == shard => Ok(key.clone()),
            _ => {
                let key = key_of(&shard)?;
                *last = Some((shard, key.clone()));
                Ok(key)
            }
        }
    }

    /// Coordinates of an object in the grid of objects.
    fn coordinates_of(&self, object: &Key) -> Vec<u64> {
        let name = object.as_str().strip_prefix(self.path.as_str()).unwrap_or_default();
        let rank = self.metadata.shape.len();
        let name = name.trim_start_matches('/');
        self.metadata.chunk_key_encoding.decode(name, rank).unwrap_or_default()
    }

    /// Grid coordinates of the first chunk in an object, for messages.
    fn first_chunk_in(&self, object: &Key) -> Vec<u64> {
        let shard = self.coordinates_of(object);
        match (self.encoding.levels().first(), &self.varying) {
            (None, _) => shard,
            (Some(_), Some(varying)) => {
                let chunk_shape = self.encoding.chunk_shape();
                varying.first_chunk_of(&shard, chunk_shape).unwrap_or_default()
            }
            (Some(level), None) => level.first_chunk_of(&shard),
        }
    }
}

/// Chunk keys differ in their digits only, so if the first is a valid key, all are.
fn check_keys(path: &Key, metadata: &ArrayMetadata) -> Result<(), Refusal> {
    let first = metadata.chunk_key_encoding.encode(&vec![0; metadata.shape.len()]);
    path.join(&first)
        .map(|_| ())
        .map_err(|error| Refusal::caused(format!("no chunk can be named '{first}'"), error))
}

impl ChunkSource for ZarrArray {
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn grid(&self) -> Option<ChunkGrid> {
        match &self.varying {
            Some(varying) if !self.encoding.is_sharded() => Some(varying.grid().clone()),
            _ => ChunkGrid::new(&self.info.shape, &self.info.chunk_shape),
        }
    }

    fn stores(&self) -> &[Arc<dyn Storage>] {
        &self.stores
    }

    fn locate(&self, chunk: &[u64], known: &dyn KnownReads) -> Result<Location, ChunkError> {
        if let Some(InShard { shard, chunk: inside }) = self.shard_of(chunk) {
            let failed = |kind| self.error(chunk, Some(SHARDING), kind);
            let own = self.varying.as_ref().map(|varying| varying.encoding_of(&shard));
            let own = own.transpose().map_err(failed)?;
            let search = ShardSearch {
                levels: own.as_deref().unwrap_or(&self.encoding).levels(),
                object: self.object_of(chunk, Some(shard))?,
                known,
                encoded_limit: self.info.encoded_limit,
            };
            let inside = inside.as_deref().unwrap_or(chunk);
            return search.locate(inside).map_err(failed);
        }
        let object = self.object_of(chunk, None)?;
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
    ) -> Result<Parsed, ChunkError> {
        let own = match &self.varying {
            Some(varying) => {
                let shard = self.coordinates_of(&spec.key);
                let checked = varying.grid().check(&shard);
                let own = checked.map(|()| varying.encoding_of(&shard));
                own.ok().transpose().map_err(|kind| self.error(&[], None, kind))?
            }
            None => None,
        };
        let levels = own.as_deref().unwrap_or(&self.encoding).levels();
        shard_search::parse(levels, spec, bytes)
            .map_err(|error| self.error(&self.first_chunk_in(&spec.key), error.codec, error.kind))
    }

    fn decode(
        &self,
        chunk: &[u64],
        _params: &Params,
        encoded: Encoded<'_>,
        destination: Destination<'_>,
        scratch: &mut [u8],
        resume: &Arc<dyn Resume>,
    ) -> Result<Decoded, ChunkError> {
        let [encoded] = encoded else {
            let reason = format!("a chunk is one range of bytes, not {}", encoded.len());
            return Err(self.error(chunk, None, ChunkErrorKind::Panic(reason)));
        };
        if let Some(varying) = self.varying.as_ref().filter(|_| !self.encoding.is_sharded()) {
            return varying
                .decode(chunk, encoded, destination, scratch, resume, &self.info)
                .map_err(|error| self.error(chunk, error.codec, error.kind));
        }
        self.encoding
            .chain()
            .decode_resumable(encoded, destination, scratch, resume)
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
