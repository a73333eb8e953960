//! A small writer of v3 arrays: new arrays, whole chunks, whole shards.

use std::fmt;
use std::sync::Arc;

use lsio_array::DataType;
use lsio_codecs::CodecError;
use lsio_io::{Key, StorageError, WriteStorage};
use serde_json::{Map, Value, json};

use crate::array_metadata::ArrayMetadata;
use crate::chunk_encoding::ChunkEncoding;
use crate::error::{Refusal, ZarrError};
use crate::shard_level::{Extent, ShardLevel};
use crate::sharding::SHARDING;
use crate::{data_type, metadata_v3};

/// What a new array is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct ArraySpec {
    /// Elements per dimension.
    pub shape: Vec<u64>,
    /// Elements per dimension of a chunk.
    pub chunk_shape: Vec<u64>,
    /// Elements per dimension of a shard, a multiple of `chunk_shape`; `None` for chunks in objects of
    /// their own.
    pub shard_shape: Option<Vec<u64>>,
    /// Type of the elements.
    pub data_type: DataType,
    /// Codecs of a chunk as name and configuration, in the order of encoding.
    pub codecs: Vec<(String, Value)>,
    /// The fill value in its JSON form.
    pub fill_value: Value,
    /// Names of the dimensions.
    pub dimension_names: Option<Vec<Option<String>>>,
    /// The user's attributes.
    pub attributes: Map<String, Value>,
}

impl ArraySpec {
    /// The `zarr.json` of this array.
    fn document(&self) -> Result<Map<String, Value>, Refusal> {
        let extension = |name: &str, configuration: &Value| match configuration {
            Value::Null => json!({ "name": name }),
            configuration => json!({ "name": name, "configuration": configuration }),
        };
        let codecs: Vec<Value> = self
            .codecs
            .iter()
            .map(|(name, configuration)| extension(name, configuration))
            .collect();
        let codecs = match self.shard_shape {
            None => codecs,
            Some(_) => vec![extension(
                SHARDING,
                &json!({
                    "chunk_shape": self.chunk_shape,
                    "codecs": codecs,
                    "index_codecs": [
                        {"name": "bytes", "configuration": {"endian": "little"}},
                        {"name": "crc32c"},
                    ],
                    "index_location": "end",
                }),
            )],
        };
        let stored_shape = self.shard_shape.as_ref().unwrap_or(&self.chunk_shape);
        let mut members = Map::new();
        let mut set = |name: &str, value: Value| members.insert(name.to_owned(), value);
        set("zarr_format", json!(3));
        set("node_type", json!("array"));
        set("shape", json!(self.shape));
        set("data_type", data_type::to_v3(&self.data_type)?);
        set("chunk_grid", extension("regular", &json!({ "chunk_shape": stored_shape })));
        set("chunk_key_encoding", extension("default", &json!({"separator": "/"})));
        set("fill_value", self.fill_value.clone());
        set("codecs", Value::Array(codecs));
        set("attributes", Value::Object(self.attributes.clone()));
        if let Some(names) = &self.dimension_names {
            set("dimension_names", json!(names));
        }
        Ok(members)
    }
}

/// Writes the chunks of a new array. Calls from several threads may overlap; of two writes of the same
/// chunk either may win.
pub struct ArrayWriter {
    store: Arc<dyn WriteStorage>,
    path: Key,
    metadata: ArrayMetadata,
    encoding: ChunkEncoding,
}

impl ArrayWriter {
    /// Writes the metadata of a new array at `path`. Whatever was there before is not looked at.
    ///
    /// # Errors
    /// [`ZarrError::Metadata`] and [`ZarrError::Unsupported`] for an array that could not be read
    /// back, [`ZarrError::Storage`] where it cannot be written.
    pub fn create(
        store: Arc<dyn WriteStorage>,
        path: Key,
        spec: &ArraySpec,
    ) -> Result<Self, ZarrError> {
        let read = |document: Map<String, Value>| {
            metadata_v3::array(&document).map(|read| (document, read))
        };
        let (document, (metadata, encoding)) =
            spec.document().and_then(read).map_err(|refusal| refusal.at(&path))?;
        write_document(store.as_ref(), &path, document)?;
        Ok(Self { store, path, metadata, encoding })
    }

    /// What the array's metadata says.
    #[must_use]
    pub fn metadata(&self) -> &ArrayMetadata {
        &self.metadata
    }

    /// Encodes and writes one chunk. `elements` has all of its elements, also where the chunk reaches
    /// over the edge of the array, in C order and native byte order.
    ///
    /// # Errors
    /// [`ZarrError::Write`] for elements that are no chunk, for coordinates outside of the grid and for
    /// an array with shards; [`ZarrError::Storage`] where the chunk cannot be written.
    pub fn write_chunk(&self, chunk: &[u64], elements: &[u8]) -> Result<(), ZarrError> {
        let mut encoded = Vec::new();
        self.unsharded()?;
        self.encoding
            .chain()
            .encode(elements, &mut encoded)
            .map_err(|error| self.not_encoded(chunk, error))?;
        self.put(chunk, &encoded)
    }

    /// As [`ArrayWriter::write_chunk`], for an array of strings.
    ///
    /// # Errors
    /// As [`ArrayWriter::write_chunk`].
    pub fn write_strings(&self, chunk: &[u64], elements: &[&str]) -> Result<(), ZarrError> {
        let mut encoded = Vec::new();
        self.unsharded()?;
        self.encoding
            .chain()
            .encode_variable(elements, &mut encoded)
            .map_err(|error| self.not_encoded(chunk, error))?;
        self.put(chunk, &encoded)
    }

    /// Encodes and writes one shard. `chunks` has the elements of each of its chunks, as
    /// [`ArrayWriter::write_chunk`] takes them, in C order over the shard's grid; `None` for chunks
    /// that are to be missing.
    ///
    /// # Errors
    /// [`ZarrError::Write`] for a wrong number of chunks, for elements that are no chunk, for
    /// coordinates outside of the grid and for an array without shards; [`ZarrError::Storage`] where
    /// the shard cannot be written.
    pub fn write_shard(&self, shard: &[u64], chunks: &[Option<&[u8]>]) -> Result<(), ZarrError> {
        let [level] = self.encoding.levels() else {
            return Err(self.refused("the array has no shards".to_owned()));
        };
        if chunks.len() != level.entry_count() {
            return Err(self.refused(format!(
                "a shard has {} chunks, {} were given",
                level.entry_count(),
                chunks.len()
            )));
        }
        let encoded =
            self.encode_shard(level, chunks).map_err(|error| self.not_encoded(shard, error))?;
        self.put(shard, &encoded)
    }

    /// The chunks one after the other, then the index.
    fn encode_shard(
        &self,
        level: &ShardLevel,
        chunks: &[Option<&[u8]>],
    ) -> Result<Vec<u8>, CodecError> {
        let mut encoded = Vec::new();
        let mut entries = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            let entry = match chunk {
                None => None,
                Some(elements) => {
                    let offset = encoded.len() as u64;
                    self.encoding.chain().encode(elements, &mut encoded)?;
                    Some(Extent { offset, len: encoded.len() as u64 - offset })
                }
            };
            entries.push(entry);
        }
        level.encode_index(&entries, &mut encoded)?;
        Ok(encoded)
    }

    fn put(&self, chunk: &[u64], encoded: &[u8]) -> Result<(), ZarrError> {
        let stored_shape = self.metadata.shard_shape.as_ref().unwrap_or(&self.metadata.chunk_shape);
        let grid: Vec<u64> = self
            .metadata
            .shape
            .iter()
            .zip(stored_shape)
            .map(|(length, along)| length.div_ceil(*along))
            .collect();
        if chunk.len() != grid.len() || chunk.iter().zip(&grid).any(|(c, along)| c >= along) {
            return Err(self.refused(format!("{chunk:?} is outside of the grid {grid:?}")));
        }
        let name = self.metadata.chunk_key_encoding.encode(chunk);
        let key = join(&self.path, &name)?;
        self.store.put(&key, encoded).map_err(|source| storage_error(&key, source))
    }

    fn unsharded(&self) -> Result<(), ZarrError> {
        if self.encoding.is_sharded() {
            return Err(self.refused("its chunks are written by whole shards".to_owned()));
        }
        Ok(())
    }

    fn refused(&self, reason: String) -> ZarrError {
        ZarrError::Write { path: self.path.to_string(), reason, source: None }
    }

    fn not_encoded(&self, chunk: &[u64], error: CodecError) -> ZarrError {
        ZarrError::Write {
            path: self.path.to_string(),
            reason: format!("chunk {chunk:?} cannot be encoded"),
            source: Some(Arc::new(error)),
        }
    }
}

impl fmt::Debug for ArrayWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArrayWriter")
            .field("path", &self.path)
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}

/// Writes the metadata of a new v3 group at `path`.
///
/// # Errors
/// [`ZarrError::Storage`] where it cannot be written.
pub fn create_group(
    store: &dyn WriteStorage,
    path: &Key,
    attributes: &Map<String, Value>,
) -> Result<(), ZarrError> {
    let mut document = Map::new();
    document.insert("zarr_format".to_owned(), json!(3));
    document.insert("node_type".to_owned(), json!("group"));
    document.insert("attributes".to_owned(), Value::Object(attributes.clone()));
    write_document(store, path, document)
}

fn write_document(
    store: &dyn WriteStorage,
    path: &Key,
    document: Map<String, Value>,
) -> Result<(), ZarrError> {
    let key = join(path, "zarr.json")?;
    let text = format!("{:#}\n", Value::Object(document));
    store.put(&key, text.as_bytes()).map_err(|source| storage_error(&key, source))
}

fn join(path: &Key, name: &str) -> Result<Key, ZarrError> {
    path.join(name).map_err(|source| storage_error(path, source))
}

fn storage_error(key: &Key, source: StorageError) -> ZarrError {
    ZarrError::Storage { path: key.to_string(), source }
}
