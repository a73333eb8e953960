//! What a chunked format owes the executor: a lazy, resumable planner and a decoder.
//!
//! The executor asks [`ChunkSource::locate`] where a chunk is. A source that must read something
//! first (a shard index, a B-tree node, a manifest) answers [`Location::After`]; the executor performs
//! that read once for all who need it, has it parsed by [`ChunkSource::parse`], keeps the parsed value
//! in a bounded cache, and asks again. Any number of such steps may follow one another. With
//! [`Location::At`] the executor reads the encoded bytes and calls [`ChunkSource::decode`] on a worker.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex};

use lsio_io::{ByteRange, Freshness, Identity, Key, SharedBytes, Storage, StorageError};

use crate::{ChunkGrid, DataType};

/// What the executor must know of an array.
#[derive(Debug, Clone)]
pub struct ArrayInfo {
    /// Name for messages: the location of the array.
    pub name: Arc<str>,
    /// Elements per dimension.
    pub shape: Vec<u64>,
    /// Elements per dimension of one chunk (the inner chunk where chunks are sharded), each at least
    /// 1. Chunks at the edge have the full shape too.
    pub chunk_shape: Vec<u64>,
    /// Type of the decoded elements.
    pub data_type: DataType,
    /// One element of fill, in memory representation; UTF-8 bytes for strings.
    pub fill_value: Arc<[u8]>,
    /// Order of the axes in a decoded chunk, slowest first: `[0, 1, 2]` is C order, `[2, 1, 0]` is F
    /// order. A decoded chunk is contiguous in this order.
    pub axis_order: Vec<usize>,
    /// Most bytes that the encoded form of a chunk should have; a longer object is read again with
    /// its true length, up to [`ArrayInfo::encoded_limit`].
    pub encoded_estimate: u64,
    /// Encoded chunks above this many bytes are refused.
    pub encoded_limit: u64,
    /// Bytes of scratch memory that [`ChunkSource::decode`] needs beside its destination.
    pub scratch_len: u64,
    /// Bytes that [`ChunkSource::decode`] allocates for a chunk that waits ([`Decoded::Suspended`]): reserved
    /// with the chunk, not handed over.
    pub suspended_len: u64,
    /// Bytes of one decoded chunk: exact for fixed-size elements, a first guess otherwise.
    pub decoded_len: u64,
    /// Decoded chunks above this many bytes are refused (elements of varying length).
    pub decoded_limit: u64,
    /// The codec, if the encoded form of a chunk is its decoded form, byte by byte: then
    /// [`ChunkSource::decode`] need not be called, and another length is an error in this codec.
    pub stored_as_is: Option<&'static str>,
    /// Whether [`ChunkSource::decode`] knows [`Destination::Pieces`].
    pub comes_in_pieces: bool,
}

/// Something a source must read before it can say where a chunk is. Equal specs are read once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReadSpec {
    /// Index into [`ChunkSource::stores`].
    pub store: usize,
    /// The object.
    pub key: Key,
    /// The bytes.
    pub range: ByteRange,
    /// Most bytes that the answer may have, and what [`ChunkSource::parse`] decodes of it.
    pub limit: u64,
    /// Where `limit` is only what is expected, the most that it may be raised to: what turns out as too
    /// large is then read again with as much as it needs. Else not above `limit`.
    pub growth_limit: u64,
    /// For the source's own use in [`ChunkSource::parse`]: which kind of thing this is.
    pub purpose: u32,
}

/// What [`ChunkSource::parse`] has made of a read.
#[derive(Clone)]
pub struct Parsed {
    /// For [`ChunkSource::locate`], which finds it in an [`Answer`].
    pub value: Arc<dyn Any + Send + Sync>,
    /// Bytes of memory that it holds, about: what keeping it costs.
    pub bytes: u64,
}

impl fmt::Debug for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parsed").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

/// A read that was performed and parsed.
#[derive(Clone)]
pub struct Answer {
    /// What [`ChunkSource::parse`] made of it.
    pub value: Arc<dyn Any + Send + Sync>,
    /// Version of the object that it was read from; `None` if there is no such object.
    pub identity: Option<Identity>,
    /// Length of the object in bytes, 0 if there is none.
    pub object_len: u64,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// Looks up reads that were already performed.
pub trait KnownReads {
    /// The answer to `spec`, if it is known.
    fn get(&self, spec: &ReadSpec) -> Option<Answer>;
}

/// Per-chunk parameters that a source hands from `locate` to `decode`.
pub type Params = Option<Arc<dyn Any + Send + Sync>>;

/// Where the encoded bytes of one chunk are inside their object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reads {
    /// The whole object. If it does not exist, the chunk is missing.
    Whole,
    /// These ranges, each handed to `decode` as a slice of its own. The object must exist.
    Ranges(Vec<ByteRange>),
}

/// Where a chunk is.
#[derive(Clone)]
pub enum Location {
    /// The store says that there is no such chunk: it is all fill value.
    Missing,
    /// The encoded bytes are at hand.
    Inline(SharedBytes, Params),
    /// The encoded bytes must be read.
    At {
        /// Index into [`ChunkSource::stores`].
        store: usize,
        /// The object.
        key: Key,
        /// Which bytes of it.
        reads: Reads,
        /// Which version of it.
        freshness: Freshness,
        /// Handed to `decode`.
        params: Params,
    },
    /// Unknown until this has been read.
    After(ReadSpec),
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("Missing"),
            Self::Inline(bytes, _) => write!(f, "Inline({} bytes)", bytes.len()),
            Self::At { store, key, reads, freshness, .. } => f
                .debug_struct("At")
                .field("store", store)
                .field("key", key)
                .field("reads", reads)
                .field("freshness", freshness)
                .finish_non_exhaustive(),
            Self::After(spec) => f.debug_tuple("After").field(spec).finish(),
        }
    }
}

/// The encoded bytes of one chunk: one slice for each range that `locate` named (one for `Whole` and
/// `Inline`).
pub type Encoded<'a> = &'a [&'a [u8]];

/// Elements of varying length: element `i` is `bytes[offsets[i]..offsets[i + 1]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableChunk {
    /// One more than there are elements; starts with 0 and never falls.
    pub offsets: Vec<u64>,
    /// All elements, one after the other.
    pub bytes: Vec<u8>,
    /// Most bytes that `offsets` and `bytes` may take together at this try.
    pub limit: u64,
}

impl VariableChunk {
    /// Element `number`; `None` if there is none or its offsets are wrong.
    #[must_use]
    pub fn element(&self, number: usize) -> Option<&[u8]> {
        let start = usize::try_from(*self.offsets.get(number)?).ok()?;
        let end = usize::try_from(*self.offsets.get(number.checked_add(1)?)?).ok()?;
        self.bytes.get(start..end)
    }
}

/// Where decoded elements go.
pub enum Destination<'a> {
    /// Exactly [`ArrayInfo::decoded_len`] bytes with arbitrary content: every one must be written.
    Fixed(&'a mut [u8]),
    /// Takes the same bytes piece by piece, in their order, each once. Only where
    /// [`ArrayInfo::comes_in_pieces`].
    Pieces(&'a mut dyn FnMut(&[u8])),
    /// Elements of varying length; empty at the start.
    Variable(&'a mut VariableChunk),
}

impl fmt::Debug for Destination<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(elements) => write!(f, "Fixed({} bytes)", elements.len()),
            Self::Pieces(_) => f.write_str("Pieces"),
            Self::Variable(chunk) => f.debug_tuple("Variable").field(chunk).finish(),
        }
    }
}

/// How a call of [`ChunkSource::decode`] ended without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded {
    /// The destination is complete.
    Complete,
    /// The variable destination needs this many bytes in all. It is called again with a larger limit.
    Outgrown {
        /// Bytes for offsets and elements together.
        needed: u64,
    },
    /// The source waits for something else; it calls [`Resume::resume`] when `decode` should be called
    /// again for this chunk. No thread waits meanwhile.
    Suspended,
}

/// Puts a suspended decode back into the executor's queue.
pub trait Resume: Send + Sync {
    /// The chunk can be decoded now. May be called before `decode` has returned; later calls do
    /// nothing.
    fn resume(self: Arc<Self>);

    /// Where the source keeps what it needs to go on. Empty at the first call for a chunk; goes with its task.
    fn kept(&self) -> &Mutex<Option<Kept>>;
}

/// What a source keeps while a decode is suspended.
pub type Kept = Box<dyn Any + Send>;

/// A chunked array in some format.
pub trait ChunkSource: Send + Sync + fmt::Debug {
    /// The array.
    fn info(&self) -> &ArrayInfo;

    /// How the array is split into chunks; `None` if the shapes do not fit one another. Where the edges of chunks
    /// vary, each is decoded to [`ArrayInfo::chunk_shape`], the longest of them: its elements come first along
    /// each dimension, what follows them has no meaning.
    fn grid(&self) -> Option<ChunkGrid> {
        let info = self.info();
        ChunkGrid::new(&info.shape, &info.chunk_shape)
    }

    /// The stores that locations refer to.
    fn stores(&self) -> &[Arc<dyn Storage>];

    /// Where the chunk with these grid coordinates is. Cheap, never blocks.
    ///
    /// # Errors
    /// [`ChunkError`] for a chunk that cannot be located, such as an index that points outside its
    /// object.
    fn locate(&self, chunk: &[u64], known: &dyn KnownReads) -> Result<Location, ChunkError>;

    /// Makes sense of a read that [`Location::After`] asked for. `None`: there is no such object. The limit of
    /// `spec` may have been raised.
    ///
    /// # Errors
    /// [`ChunkError`] for bytes that are not what they should be; [`ChunkErrorKind::TooLarge`] for what needs a
    /// higher limit.
    fn parse(
        &self,
        spec: &ReadSpec,
        bytes: Option<&[u8]>,
        object_len: u64,
    ) -> Result<Parsed, ChunkError>;

    /// Decodes one chunk into `destination`, in [`ArrayInfo::axis_order`] and native byte order.
    /// `scratch` has [`ArrayInfo::scratch_len`] bytes of arbitrary content.
    ///
    /// # Errors
    /// [`ChunkError`] for anything but exactly the expected elements.
    fn decode(
        &self,
        chunk: &[u64],
        params: &Params,
        encoded: Encoded<'_>,
        destination: Destination<'_>,
        scratch: &mut [u8],
        resume: &Arc<dyn Resume>,
    ) -> Result<Decoded, ChunkError>;
}

/// A chunk that could not be read, with what names it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot read chunk {chunk:?} of '{array}'{}", codec.map(|name| format!(" ({name} codec)")).unwrap_or_default())]
pub struct ChunkError {
    /// Name of the array.
    pub array: Arc<str>,
    /// Grid coordinates of the chunk.
    pub chunk: Vec<u64>,
    /// Codec in which it failed.
    pub codec: Option<&'static str>,
    /// What happened.
    #[source]
    pub kind: ChunkErrorKind,
}

/// What went wrong with a chunk.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ChunkErrorKind {
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// There is no such chunk, and the caller does not want the fill value instead.
    #[error("there is no such chunk in the store")]
    Missing,
    /// The bytes are not what the codec writes.
    #[error("the encoded bytes are not valid")]
    Codec(#[source] Arc<dyn Error + Send + Sync>),
    /// A codec of the user failed, whatever the bytes are.
    #[error("{0}")]
    CodecFunction(#[source] Arc<dyn Error + Send + Sync>),
    /// The stored checksum is not that of the bytes.
    #[error("the checksum does not match: stored {stored:#010x}, computed {computed:#010x}")]
    Checksum {
        /// As stored.
        stored: u32,
        /// Of the bytes that were read.
        computed: u32,
    },
    /// The chunk, or the object that it lies in, ends too early.
    #[error("it ends early: {actual} of {expected} bytes")]
    Truncated {
        /// Bytes that should be there.
        expected: u64,
        /// Bytes that are there.
        actual: u64,
    },
    /// The chunk decodes to another length than its shape and data type say.
    #[error("it decodes to {actual} bytes, {expected} expected")]
    Length {
        /// Bytes by shape and data type.
        expected: u64,
        /// Bytes in fact.
        actual: u64,
    },
    /// The chunk is larger than the array's limits or the memory budget allow.
    #[error("it needs {needed} bytes, {limit} are allowed")]
    TooLarge {
        /// Bytes needed.
        needed: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// The function that was applied to the chunk failed.
    #[error("the function applied to it failed")]
    Function(#[source] Arc<dyn Error + Send + Sync>),
    /// A defect of this library or of a user's function: it panicked.
    #[error("internal error: {0}")]
    Panic(String),
}
