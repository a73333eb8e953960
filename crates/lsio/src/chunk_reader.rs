//! Reads chunk by chunk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use lsio_array::{ResolvedSelection, TaskPlan};
use lsio_compute::{ChunkData, ChunkStream, DeliverOptions, MissingChunks, RunOptions, RunStats};
use lsio_io::{IoMode, Memory};

use crate::packed_batch::{PackedBatch, PackedDone, SHARED_BUFFER, SHARED_CHUNK};
use crate::region::{Layout, Values, kept};
use crate::{Array, DimensionSelection, ErrorCode, LsioError};

/// Decoded bytes that make a batch. Handing one over costs about as much as decoding 64 KiB, so this
/// makes that a few hundredths; and what waits in a batch is memory that cannot be used again.
const BATCH_BYTES: u64 = 4 << 20;

/// Decoded bytes that a batch waits for, as long as more is under way: at 4 KiB a chunk, batches of one
/// cost more than decoding them; at 512 KiB, they cost Node 46 us of its thread each, and 25 us in fours.
const WORTH_A_BATCH: u64 = 2 << 20;

/// Most chunks of a batch: their consumer should not keep others waiting for longer than some
/// milliseconds.
const MAX_BATCH: u64 = 512;

/// How chunks are read.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Through the page cache or past it.
    pub mode: IoMode,
    /// Most bytes that the call may reserve.
    pub memory: Option<u64>,
    /// What becomes of chunks that do not exist.
    pub missing: MissingChunks,
    /// Most chunks in flight or waiting for the consumer; `None`: memory alone limits them.
    pub concurrency: Option<usize>,
    /// In the C order of the grid rather than of completion.
    pub grid_order: bool,
    /// Most bytes that one chunk may have; `None`: no limit.
    pub max_bytes: Option<u64>,
}

/// A decoded chunk, clipped to the selection.
#[derive(Debug)]
pub struct Chunk {
    /// Coordinates in the chunk grid.
    pub coordinates: Vec<u64>,
    /// Where it begins in the result of the selection, per kept dimension.
    pub origin: Vec<u64>,
    /// Shape and strides, per kept dimension.
    pub layout: Layout,
    /// The elements. They count as held by the user.
    pub values: Values,
}

/// Receives a batch of chunks; an empty one is the end.
pub type ChunksDone = Box<dyn FnOnce(Result<Vec<Chunk>, LsioError>) + Send>;

/// Chunks of one selection, one batch after the other. Dropping it ends the read.
#[derive(Debug)]
pub struct ChunkReader {
    stream: ChunkStream,
    selection: ResolvedSelection,
    memory: Arc<Memory>,
    /// Most chunks of a packed batch, and how many are worth one of any kind.
    batch_len: usize,
    worth_a_batch: usize,
    batches: AtomicU32,
}

impl Array {
    /// Starts to read the chunks that a selection touches; `None` is the whole array.
    ///
    /// # Errors
    /// [`ErrorCode::Selection`] for a selection that does not fit.
    pub fn read_chunks(
        &self,
        selection: Option<&[DimensionSelection]>,
        options: &ReadOptions,
    ) -> Result<ChunkReader, LsioError> {
        let selection = self.resolve(selection)?;
        let mut dimensions = selection.dimensions().iter();
        if let Some(dimension) = dimensions.position(|dimension| !dimension.is_sorted()) {
            let message = format!(
                "chunks of a list that is not sorted (dimension {dimension}) have no place in the result: \
                 sort it, or read all of it with `get`"
            );
            return Err(LsioError::new(ErrorCode::Unsupported, message).at(self.name()));
        }
        let touched = self.touched_chunks(selection.clone(), options.grid_order)?;
        let info = self.handle.source().info();
        let element = info.data_type.size().unwrap_or_default() as u64;
        // Repeated elements can make more of a chunk than it is.
        let part = touched.largest_part().and_then(|elements| elements.checked_mul(element));
        let bytes = part.unwrap_or(u64::MAX).max(info.decoded_len);
        if let Some(limit) = options.max_bytes.filter(|&limit| bytes > limit) {
            let message = format!("a chunk has {bytes} bytes, a buffer can have {limit}");
            return Err(LsioError::new(ErrorCode::Budget, message).at(self.name()));
        }
        let plan: Arc<dyn TaskPlan> = Arc::new(touched);
        let run =
            RunOptions { mode: options.mode, memory: options.memory, missing: options.missing };
        let deliver =
            DeliverOptions { run, concurrency: options.concurrency, in_order: options.grid_order };
        let stream = self.engine.executor.deliver(self.handle.clone(), plan, deliver);
        let memory = self.engine.memory.clone();
        let batch_bytes = if bytes <= SHARED_CHUNK { SHARED_BUFFER } else { BATCH_BYTES };
        let batch_len = (batch_bytes / bytes.max(1)).clamp(1, MAX_BATCH) as usize;
        let batch_len = batch_len.min(options.concurrency.unwrap_or(usize::MAX)).max(1);
        let worth_a_batch = (WORTH_A_BATCH / bytes.max(1)) as usize;
        Ok(ChunkReader {
            stream,
            selection,
            memory,
            batch_len,
            worth_a_batch: worth_a_batch.clamp(1, batch_len),
            batches: AtomicU32::new(0),
        })
    }
}

impl ChunkReader {
    /// Asks for at least one and at most `most` chunks. `done` is called once: with chunks, with none
    /// at the end, or with the error that ended the read. Calls may overlap and are served in order.
    ///
    /// The first chunk comes at once. Later calls wait for more short chunks, up to `most`, as long as
    /// others are under way: how many doubles each time until they are worth waking somebody.
    pub fn next_batch(&self, most: usize, done: ChunksDone) {
        let batches = self.batches.fetch_add(1, Ordering::Relaxed);
        let least = 1_usize.checked_shl(batches).unwrap_or(usize::MAX).min(self.worth_a_batch);
        let selection = self.selection.clone();
        self.stream.next_batch_of(
            least,
            most,
            Box::new(move |batch| {
                let chunks = batch.map_err(LsioError::from).map(|batch| {
                    batch.into_iter().map(|data| Chunk::new(data, &selection)).collect()
                });
                done(chunks);
            }),
        );
    }

    /// As [`next_batch`](Self::next_batch), for a consumer to whom each buffer costs something: small
    /// chunks share one, and a batch is as long as pays off.
    pub fn next_packed(&self, done: PackedDone) {
        let memory = self.memory.clone();
        let pack = move |chunks| PackedBatch::pack(chunks, &memory);
        self.next_batch(self.batch_len, Box::new(move |chunks| done(chunks.map(pack))));
    }

    /// Ends the read: what was not delivered is given back, later batches are empty or fail.
    pub fn close(&self) {
        self.stream.close();
    }

    /// What the read has done so far.
    #[must_use]
    pub fn stats(&self) -> RunStats {
        self.stream.stats()
    }
}

impl Chunk {
    fn new(data: ChunkData, selection: &ResolvedSelection) -> Self {
        let layout = Layout::without_dropped(selection, data.shape, data.strides);
        let origin = kept(selection, data.origin);
        Self { coordinates: data.chunk, origin, layout, values: data.values.into() }
    }
}
