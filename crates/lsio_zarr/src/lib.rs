//! Zarr v2 and v3 as a chunk source of light-speed-io.

mod array;
mod array_metadata;
mod chunk_encoding;
mod chunk_error;
mod chunk_key;
mod consolidated;
mod data_type;
mod documents;
mod encoded_shard;
mod error;
mod extension;
mod fill_value;
mod hierarchy;
mod json;
mod metadata_v2;
mod metadata_v3;
mod shard_search;
mod sharding;
mod stored_size;
mod writer;

pub use array::ZarrArray;
pub use array_metadata::ArrayMetadata;
pub use chunk_key::{ChunkKeyEncoding, Separator};
pub use error::ZarrError;
pub use hierarchy::{Group, Member, Node, open};
pub use writer::{ArraySpec, ArrayWriter, create_group};
