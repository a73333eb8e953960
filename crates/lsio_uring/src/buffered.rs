//! Reading through the page cache, on a pread thread.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use lsio_io::{Begun, Freshness, ReadAnswer, StorageError};

use crate::open_file::{Access, OpenFile};
use crate::owed_read::{Bounds, OwedRead, Window};
use crate::reader::Reader;
use crate::stats::Counters;
use crate::transfer::Refill;

/// Most bytes that one read(2) transfers on Linux: 2 GiB less one page (read(2), NOTES).
const MOST_BYTES_PER_CALL: usize = (2 << 30) - 4096;

/// Why a buffer could not be filled.
enum Unfilled {
    /// The file ended first.
    Ended,
    Failed(io::Error),
}

/// Serves one read through the page cache.
pub(crate) fn serve(reader: &Reader, mut read: OwedRead) {
    if let Some(refusal) = read.refusal() {
        return read.answer(Err(refusal), Duration::ZERO);
    }
    let started = Instant::now();
    let result = try_serve(reader, &mut read);
    read.answer(result, started.elapsed());
}

fn try_serve(reader: &Reader, read: &mut OwedRead) -> Result<ReadAnswer, StorageError> {
    let file = reader.open(&read.root, &read.key, &read.freshness, Access::Buffered)?;
    if let Some(begun) = read.begun.take() {
        if begun.identity == *file.identity() {
            return resume(reader, read, &file, begun);
        }
        if matches!(read.freshness, Freshness::Pinned(_)) {
            return Err(StorageError::Conflict { key: read.key.clone() });
        }
        // Replaced since the page cache was asked: start again with the new one.
    }
    let bounds = read.bounds(&file)?;
    let lease = read.lease(bounds.len)?;
    finish(reader, read, &file, bounds, Window { lease, head: 0, len: bounds.len }, 0)
}

/// Goes on where the page cache had no more.
fn resume(
    reader: &Reader,
    read: &OwedRead,
    file: &OpenFile,
    begun: Begun,
) -> Result<ReadAnswer, StorageError> {
    let (offset, len) = read.range.resolve(&read.key, file.len())?;
    let len = begun.lease.len().min(usize::try_from(len).unwrap_or(usize::MAX));
    let window = Window { lease: begun.lease, head: 0, len };
    finish(reader, read, file, Bounds { offset, len }, window, begun.filled.min(len))
}

/// Reads once more, from the start, into the buffer of a direct read that the file system refused.
pub(crate) fn refill(reader: &Reader, refill: Refill) {
    let Refill { read, file, bounds, window } = refill;
    let started = Instant::now();
    let result = finish(reader, &read, &file, bounds, window, 0);
    read.answer(result, started.elapsed());
}

/// Fills what is missing of `window` from byte `filled` on, and judges the result.
fn finish(
    reader: &Reader,
    read: &OwedRead,
    file: &OpenFile,
    bounds: Bounds,
    mut window: Window,
    filled: usize,
) -> Result<ReadAnswer, StorageError> {
    let opened = file.buffered().map_err(|error| read.failed(error))?;
    let missing = &mut window.lease[window.head + filled..window.head + window.len];
    let offset = bounds.offset.saturating_add(filled as u64);
    match fill(opened, missing, offset, &reader.counters) {
        // What the page cache had was read earlier than the rest.
        Ok(cut_short) => read.judge(file, window, cut_short || filled > 0),
        Err(Unfilled::Ended) => Err(read.truncated(file, bounds)),
        Err(Unfilled::Failed(error)) => Err(read.failed(error)),
    }
}

/// Fills `buffer` from `offset` on. `true` if it took more than one answer of the kernel.
fn fill(
    file: &File,
    mut buffer: &mut [u8],
    mut offset: u64,
    counters: &Counters,
) -> Result<bool, Unfilled> {
    let mut cut_short = false;
    while !buffer.is_empty() {
        let asked = buffer.len().min(MOST_BYTES_PER_CALL);
        match file.read_at(&mut buffer[..asked], offset) {
            Ok(0) => return Err(Unfilled::Ended),
            Ok(read) => {
                if read < asked {
                    counters.short_reads.add(1);
                }
                cut_short |= read < buffer.len();
                buffer = &mut buffer[read..];
                offset += read as u64;
            }
            Err(error) if is_temporary(&error) => counters.retries.add(1),
            Err(error) => return Err(Unfilled::Failed(error)),
        }
    }
    Ok(cut_short)
}

/// Whether the same request may well succeed if it is repeated.
pub(crate) fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock)
}
