//! The Rust front door of light-speed-io.
//!
//! An [`Engine`] owns the byte budget, the threads and the storages. [`Engine::open`] gives an
//! [`Array`] or a [`Group`]; [`Array::get`] reads selections into one buffer, [`Array::read_chunks`]
//! brings decoded chunks one batch after the other, and [`Engine::executor`] applies functions of
//! one's own. Calls do not block: they take a function that gets the result.

mod array;
mod chunk_reader;
mod control_threads;
mod engine;
mod error;
mod group;
mod location;
mod memory_store;
mod missing_values;
mod objects;
mod open_nodes;
mod packed_batch;
mod page_cache;
mod picked_read;
mod region;
mod sample;
mod summary;
mod unsafe_output;
mod whole_read;

pub use array::Array;
pub use chunk_reader::{Chunk, ChunkReader, ChunksDone, ReadOptions};
pub use engine::{Engine, EngineConfig, MIN_MEMORY, Node, OpenOptions};
pub use error::{ErrorCode, LsioError};
pub use group::{Group, Member};
pub use lsio_array::{
    BitMask, BitMaskBuilder, ChunkEdges, ChunkGrid, Conversion, DataType, DimensionSelection,
    OutputBuffer, PointCoordinates, SmallFloat, StructField, StructType, TimeStep, TimeUnit,
};
pub use lsio_codecs::{
    ArrayBytesCodec, ArrayCodec, BytesCodec, ChunkContext, Codec, CodecError, Configuration,
    DecodeAnswer, MakeCodec, Serializer, SuspendingCodec, VariableCodec, register_codec,
};
pub use lsio_compute::{
    ChunkData, ExecutorStats, MissingChunks, RunHandle, RunOptions, RunStats, SourceHandle,
};
pub use lsio_io::{ByteRange, CancelToken, IoMode, Lease, MemoryUsage, Reservation, Route};
pub use lsio_object_store_bridge::{Secret, StorageOptions, StoreStats};
pub use lsio_uring::{Engine as LocalEngineKind, EngineChoice, LocalStats};
pub use lsio_zarr::ArrayMetadata;
pub use objects::Objects;
pub use packed_batch::{PackedBatch, PackedChunk, PackedDone, PackedElements};
pub use region::{Layout, Strings, Values};
pub use sample::SampleProgress;
pub use summary::Summary;
pub use whole_read::{GetDone, GetOptions, ReadResult, ReadValues, Region};
