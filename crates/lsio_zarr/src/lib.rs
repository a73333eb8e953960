//! Zarr v2 and v3 as a chunk source of light-speed-io.
//!
//! [`open`] reads the metadata below a path of a [`lsio_io::Storage`] and gives a [`Node`]: a [`Group`]
//! with its members, or a [`ZarrArray`]. A `ZarrArray` is a [`lsio_array::ChunkSource`]: the executor
//! asks it where a chunk is, reads there, and has it decode what was read. Both formats become one
//! [`ArrayMetadata`]; whatever in them this crate does not understand is refused by its name.
//!
//! [`ArrayWriter`] writes new v3 arrays by whole chunks and whole shards. This crate starts no thread.
//! It reads metadata itself, blocking; chunks are read by the executor.
//!
//! | | v2 | v3 |
//! |---|---|---|
//! | documents | `.zarray`, `.zgroup`, `.zattrs`, `.zmetadata` | `zarr.json`, `consolidated_metadata` inline |
//! | chunk grid | regular | `regular`, `rectilinear`, `rectangular` |
//! | chunk keys | `1.2` and `1/2` | `default` and `v2`, with `/` and `.`; `suffix` and `zarrs.default_suffix` |
//! | data types | `b1`, `i1`-`i8`, `u1`-`u8`, `f2`-`f8`, `c8`, `c16`, `M8`, `m8`, `U`, `S`, `V`, `|O` behind `vlen-utf8`, `vlen-bytes`, `json2`, `msgpack2`, `json` or `msgpack`, lists of fields; the names by which TensorStore stores small numbers | all of [`lsio_array::DataType`] |
//! | order of axes | `C`, `F` | `transpose` |
//! | shards | none | `sharding_indexed`: index at either end, nested, behind `transpose`, before bytes-to-bytes codecs |
//! | storage transformers | none | refused |
//!
//! ```
//! use std::sync::Arc;
//!
//! use lsio_array::{ChunkSource, DataType};
//! use lsio_io::{Key, Memory, MemoryStorage, Storage};
//! use lsio_zarr::{ArraySpec, ArrayWriter, Node, open};
//! use serde_json::json;
//!
//! let store = Arc::new(MemoryStorage::new());
//! let spec = ArraySpec {
//!     shape: vec![3],
//!     chunk_shape: vec![2],
//!     shard_shape: None,
//!     data_type: DataType::UInt8,
//!     codecs: vec![("bytes".to_owned(), json!({}))],
//!     fill_value: json!(255),
//!     dimension_names: None,
//!     attributes: serde_json::Map::new(),
//! };
//! let writer = ArrayWriter::create(store.clone(), Key::new("a")?, &spec)?;
//! writer.write_chunk(&[0], &[1, 2])?;
//!
//! let storage: Arc<dyn Storage> = store;
//! let memory = Memory::new(1 << 20);
//! let Node::Array(array) = open(&storage, &memory, &Key::new("a")?, None)? else {
//!     return Err("a is an array".into());
//! };
//! assert_eq!(array.metadata().zarr_format, 3);
//! assert_eq!(array.info().shape, [3]);
//! assert_eq!(*array.info().fill_value, [255]);
//! assert_eq!(array.stored_bytes(&memory)?, 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod array;
mod array_metadata;
mod base64;
mod chunk_encoding;
mod chunk_error;
mod chunk_grid;
mod chunk_key;
mod consolidated;
mod data_type;
mod descendants;
mod documents;
mod encoded_shard;
mod error;
mod extension;
mod fill_value;
mod hierarchy;
mod json;
mod metadata_v2;
mod metadata_v3;
mod shard_codec;
mod shard_level;
mod shard_search;
mod sharding;
mod stored_size;
mod struct_metadata;
mod varying_chunks;
mod writer;

pub use array::ZarrArray;
pub use array_metadata::ArrayMetadata;
pub use base64::decode_base64;
pub use chunk_key::{ChunkKeyEncoding, Separator};
pub use error::ZarrError;
pub use hierarchy::{Group, Member, Node, open};
pub use writer::{ArraySpec, ArrayWriter, create_group};
