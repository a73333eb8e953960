//! Batches of chunks on their way to a consumer for whom a buffer of its own is dear.

use std::sync::Arc;

use lsio_io::{Lease, Memory};

use crate::region::{Layout, Strings, Values};
use crate::{Chunk, LsioError};

/// A chunk up to this size shares a buffer. Copying 16 KiB out of the cache takes 1 to 2 us, which is what
/// an array buffer, its finalizer and its lease cost.
pub(crate) const SHARED_CHUNK: u64 = 16 << 10;

/// Most bytes that are copied at a time: it may happen on the thread that asks.
pub(crate) const SHARED_BUFFER: u64 = 1 << 20;

/// Shared buffers have few sizes, powers of two from here on. The pool keeps memory for each size that was
/// ever asked for, at least a huge page: with one for each number of chunks a reader of 10^5 chunks of
/// 4 KiB left 70 to 80 MiB idle (benches/findings.md, memory of readers).
const LEAST_BUFFER: usize = 64 << 10;

/// Chunks of a reader; small ones share a buffer.
#[derive(Debug, Default)]
pub struct PackedBatch {
    /// Elements of fixed size.
    pub buffers: Vec<Lease>,
    /// The chunks.
    pub chunks: Vec<PackedChunk>,
}

/// A chunk of a batch.
#[derive(Debug)]
pub struct PackedChunk {
    /// Coordinates in the chunk grid.
    pub coordinates: Vec<u64>,
    /// Where it begins in the result of the selection, per kept dimension.
    pub origin: Vec<u64>,
    /// Shape and strides, per kept dimension.
    pub layout: Layout,
    /// Its elements.
    pub elements: PackedElements,
}

/// Where the elements of a chunk are.
#[derive(Debug)]
pub enum PackedElements {
    /// In a buffer of the batch.
    Bytes {
        /// Which one.
        buffer: usize,
        /// First byte.
        offset: usize,
        /// Number of bytes.
        len: usize,
    },
    /// Text, UTF-8.
    Texts(Strings),
}

/// Receives a batch of chunks; an empty one is the end.
pub type PackedDone = Box<dyn FnOnce(Result<PackedBatch, LsioError>) + Send>;

impl PackedBatch {
    /// Copies small chunks into one buffer, which counts as held.
    pub(crate) fn pack(chunks: Vec<Chunk>, memory: &Arc<Memory>) -> Self {
        let total: usize = chunks.iter().filter_map(|chunk| shared_len(&chunk.values)).sum();
        // A single one is its own buffer, as all are where the system has no more memory.
        let shared =
            (chunks.len() > 1 && total > 0).then(|| shared_buffer(memory, total)).flatten();
        let mut batch = Self { buffers: shared.into_iter().collect(), chunks: Vec::new() };
        batch.chunks.reserve_exact(chunks.len());
        let has_shared = !batch.buffers.is_empty();
        let mut used = 0;
        for Chunk { coordinates, origin, layout, values } in chunks {
            let share = shared_len(&values).filter(|_| has_shared);
            let elements = match (values, share) {
                (Values::Fixed(lease), Some(len)) => {
                    let offset = used;
                    used += len;
                    batch.buffers[0][offset..used].copy_from_slice(&lease);
                    PackedElements::Bytes { buffer: 0, offset, len }
                }
                (Values::Fixed(lease), None) => {
                    let len = lease.len();
                    batch.buffers.push(lease);
                    PackedElements::Bytes { buffer: batch.buffers.len() - 1, offset: 0, len }
                }
                (Values::Variable(strings), _) => PackedElements::Texts(strings),
            };
            batch.chunks.push(PackedChunk { coordinates, origin, layout, elements });
        }
        batch
    }
}

/// A buffer of `len` bytes for chunks that share it.
fn shared_buffer(memory: &Arc<Memory>, len: usize) -> Option<Lease> {
    let mut lease = memory.hold(len.checked_next_power_of_two()?.max(LEAST_BUFFER))?;
    lease.truncate(len);
    Some(lease)
}

/// Bytes of a chunk that shares a buffer with others.
fn shared_len(values: &Values) -> Option<usize> {
    match values {
        Values::Fixed(lease) if lease.len() as u64 <= SHARED_CHUNK => Some(lease.len()),
        Values::Fixed(_) | Values::Variable(_) => None,
    }
}
