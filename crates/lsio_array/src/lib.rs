//! Data types, shapes, selections, chunk grids and strided copies, and the [`ChunkSource`] trait
//! that every chunked format implements.

mod data_type;
mod source;

pub use data_type::DataType;
pub use source::{
    Answer, ArrayInfo, ChunkError, ChunkErrorKind, ChunkSource, Decoded, Destination, Encoded,
    KnownReads, Location, Params, ReadSpec, Resume, Reads, VariableChunk,
};
