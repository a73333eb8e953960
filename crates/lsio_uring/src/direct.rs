//! Reading with `O_DIRECT`: whole blocks around the wanted range, in pieces that run at the same time
//! on the ring or on the pread threads.

use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use lsio_io::plan::{self, Span};
use lsio_io::{Lease, Route, StorageError};

use crate::buffered::{self, is_temporary};
use crate::job_queue::{Job, JobQueue};
use crate::locking::lock;
use crate::open_file::{self, Access, OpenFile};
use crate::owed_read::{Bounds, OwedRead, Window};
use crate::reader::Reader;
use crate::stats::Counters;
use crate::unsafe_lease_parts::{self, LeasePart};

/// Longest request of a direct read, in bytes. The ring reaches device speed from 256 KiB on with a
/// few in flight; 1 MiB keeps the cost per request low and still gives one 64 MiB chunk enough
/// requests to fill the device's queue.
const PIECE_BYTES: u64 = 1 << 20;

/// A read with `O_DIRECT` under way, shared by its pieces. The last piece answers it.
#[derive(Debug)]
pub(crate) struct Transfer {
    read: Mutex<Option<OwedRead>>,
    pub(crate) file: Arc<OpenFile>,
    bounds: Bounds,
    /// Bytes before the wanted ones in the buffer.
    head: usize,
    /// Alignment of offsets, in bytes.
    alignment: u64,
    /// Number of pieces, and how many of them have all their bytes.
    pieces: usize,
    complete: AtomicUsize,
    begun: AtomicBool,
    started: OnceLock<Instant>,
    outcome: Mutex<Outcome>,
}

#[derive(Debug, Default)]
struct Outcome {
    failure: Option<Failure>,
    cut_short: bool,
}

#[derive(Debug)]
enum Failure {
    /// The file system does not do this with `O_DIRECT`.
    Refused,
    /// The file ended before the range did.
    Ended,
    Failed(io::Error),
    /// Not started any more.
    Withdrawn(StorageError),
}

/// One request of a direct read.
#[derive(Debug)]
pub(crate) struct Piece {
    /// Where the bytes go.
    pub(crate) part: LeasePart,
    pub(crate) transfer: Arc<Transfer>,
    /// Offset of the part's first byte in the file.
    offset: u64,
    /// Bytes of the part that the file has; the last block of a file may be incomplete.
    wanted: usize,
}

/// What is to be done after an answer of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Ask for the rest.
    Again,
    /// Call [`Piece::end`].
    End,
}

/// A direct read that has to be done through the page cache, into the buffer that it has already.
#[derive(Debug)]
pub(crate) struct Refill {
    pub(crate) read: OwedRead,
    pub(crate) file: Arc<OpenFile>,
    pub(crate) bounds: Bounds,
    pub(crate) window: Window,
}

/// Opens the file of `read` and starts reading it. Runs on a pread thread, since opening may wait.
pub(crate) fn serve(reader: &Reader, mut read: OwedRead) {
    if let Some(refusal) = read.refusal() {
        return read.answer(Err(refusal), Duration::ZERO);
    }
    match prepare(reader, &mut read) {
        Err(error) => read.answer(Err(error), Duration::ZERO),
        Ok(None) => {
            read.route = Route::Buffered;
            buffered::serve(reader, read);
        }
        Ok(Some(ready)) => start(reader, read, ready),
    }
}

/// A direct read that is ready to go.
struct Ready {
    file: Arc<OpenFile>,
    bounds: Bounds,
    lease: Lease,
    head: usize,
    alignment: u64,
}

/// `None` if this read has to go through the page cache.
fn prepare(reader: &Reader, read: &mut OwedRead) -> Result<Option<Ready>, StorageError> {
    let file = reader.open(&read.root, &read.key, &read.freshness, Access::Direct)?;
    let bounds = read.bounds(&file)?;
    if bounds.len == 0 {
        // Nothing to be read: only the answer is wanted.
        return Ok(None);
    }
    let Some(direct) = file.direct(&reader.counters) else { return Ok(None) };
    let alignment = direct.alignment.offset;
    let head = bounds.offset % alignment;
    let Some(widened) = (head + bounds.len as u64).checked_next_multiple_of(alignment) else {
        return Ok(None);
    };
    let (Ok(head), Ok(widened)) = (usize::try_from(head), usize::try_from(widened)) else {
        return Ok(None);
    };
    let lease = read.lease(widened)?;
    Ok(Some(Ready { file, bounds, lease, head, alignment }))
}

fn start(reader: &Reader, read: OwedRead, ready: Ready) {
    let Ready { file, bounds, lease, head, alignment } = ready;
    let memory_alignment =
        file.direct(&reader.counters).map_or(usize::MAX, |direct| direct.alignment.memory);
    let route = read.route;
    let file_len = file.len();
    let start = bounds.offset - head as u64;
    let requests = Span::new(start, lease.len() as u64)
        .map(|span| plan::split(span, PIECE_BYTES, alignment))
        .into_iter()
        .flatten()
        .map(|request| request.len() as usize);
    let parts = match unsafe_lease_parts::cut(lease, requests) {
        Ok(parts) => parts,
        // An empty range never comes here.
        Err(_lease) => return drop(read),
    };
    let is_aligned = parts.first().is_some_and(|part| part.is_aligned_to(memory_alignment));
    let transfer = Arc::new(Transfer {
        read: Mutex::new(Some(read)),
        file,
        bounds,
        head,
        alignment,
        pieces: parts.len(),
        complete: AtomicUsize::new(0),
        begun: AtomicBool::new(false),
        started: OnceLock::new(),
        outcome: Mutex::default(),
    });
    if !is_aligned {
        transfer.fail(Failure::Refused);
    }
    let mut offset = start;
    let mut pieces = Vec::with_capacity(parts.len());
    for part in parts {
        let len = part.len() as u64;
        let wanted = file_len.saturating_sub(offset).min(len) as usize;
        pieces.push(Piece { part, transfer: Arc::clone(&transfer), offset, wanted });
        offset += len;
    }
    drop(transfer);
    reader.dispatch(route, pieces);
}

impl Transfer {
    fn fail(&self, failure: Failure) {
        lock(&self.outcome).failure.get_or_insert(failure);
    }

    /// Answers the read, whose buffer all pieces have let go of.
    fn conclude(&self, lease: Lease, counters: &Counters, queue: &JobQueue) {
        let Some(mut read) = lock(&self.read).take() else { return };
        let elapsed = self.started.get().map_or(Duration::ZERO, Instant::elapsed);
        let outcome = std::mem::take(&mut *lock(&self.outcome));
        let over_read = (lease.len() - self.bounds.len) as u64;
        let window = Window { lease, head: self.head, len: self.bounds.len };
        let failure = match outcome.failure {
            // A piece was dropped on the way: its queue was closed.
            None if self.complete.load(Ordering::Acquire) < self.pieces => read.root.closed(),
            None => {
                counters.over_read_bytes.add(over_read);
                let result = read.judge(&self.file, window, outcome.cut_short);
                return read.answer(result, elapsed);
            }
            Some(Failure::Refused) => {
                self.file.refuse_direct(counters);
                read.route = Route::Buffered;
                let (file, bounds) = (Arc::clone(&self.file), self.bounds);
                return queue.push(Job::Refill(Refill { read, file, bounds, window }));
            }
            Some(Failure::Ended) => read.truncated(&self.file, self.bounds),
            Some(Failure::Failed(error)) => read.failed(error),
            Some(Failure::Withdrawn(error)) => error,
        };
        // Memory comes back before the answer goes out.
        drop(window);
        read.answer(Err(failure), elapsed);
    }
}

impl Piece {
    /// Whether the piece is to be read. If not, [`Piece::end`] it at once.
    ///
    /// A read is withdrawn before its first piece only: once the kernel has a part of it, it finishes.
    pub(crate) fn begin(&self, closing: &AtomicBool) -> bool {
        let transfer = &self.transfer;
        if !transfer.begun.swap(true, Ordering::AcqRel) {
            let refusal = lock(&transfer.read).as_ref().and_then(|read| {
                let closed = closing.load(Ordering::Acquire).then(|| read.root.closed());
                closed.or_else(|| read.refusal())
            });
            if let Some(refusal) = refusal {
                transfer.fail(Failure::Withdrawn(refusal));
            }
        }
        transfer.started.get_or_init(Instant::now);
        lock(&transfer.outcome).failure.is_none()
    }

    /// Offset in the file of the first byte that is not there yet.
    pub(crate) fn position(&self) -> u64 {
        self.offset + self.part.filled() as u64
    }

    /// Reads what is not there yet through the ring whose thread this is.
    pub(crate) async fn read_from(self, file: &tokio_uring::fs::File) -> (io::Result<usize>, Self) {
        let position = self.position();
        let Self { part, transfer, offset, wanted } = self;
        let (answer, part) = file.read_at(part, position).await;
        (answer, Self { part, transfer, offset, wanted })
    }

    /// Takes note of the kernel's answer to a read at [`Piece::position`].
    pub(crate) fn note(&mut self, answer: io::Result<usize>, counters: &Counters) -> Next {
        match answer {
            Ok(0) if self.part.filled() < self.wanted => self.transfer.fail(Failure::Ended),
            Ok(read) => {
                self.part.advance(read);
                if self.part.filled() < self.wanted {
                    counters.short_reads.add(1);
                    lock(&self.transfer.outcome).cut_short = true;
                    if (self.part.filled() as u64).is_multiple_of(self.transfer.alignment) {
                        return Next::Again;
                    }
                    // The rest does not start at a block: let the page cache sort it out.
                    self.transfer.fail(Failure::Refused);
                }
            }
            Err(error) if is_temporary(&error) => {
                counters.retries.add(1);
                return Next::Again;
            }
            Err(error) if open_file::refuses_direct(&error) => self.transfer.fail(Failure::Refused),
            Err(error) => self.transfer.fail(Failure::Failed(error)),
        }
        Next::End
    }

    /// Ends this piece; the last one of its read answers it.
    pub(crate) fn end(self, counters: &Counters, queue: &JobQueue) {
        let Self { part, transfer, wanted, .. } = self;
        if part.filled() >= wanted {
            transfer.complete.fetch_add(1, Ordering::AcqRel);
        }
        if let Some(lease) = part.finish() {
            transfer.conclude(lease, counters, queue);
        }
    }
}

/// Reads one piece on a pread thread.
pub(crate) fn read_piece(reader: &Reader, mut piece: Piece) {
    if piece.begin(&reader.closing) {
        let transfer = Arc::clone(&piece.transfer);
        match transfer.file.direct(&reader.counters) {
            None => transfer.fail(Failure::Refused),
            Some(direct) => loop {
                let position = piece.position();
                let answer = direct.file.read_at(piece.part.unfilled(), position);
                if piece.note(answer, &reader.counters) == Next::End {
                    break;
                }
            },
        }
    }
    piece.end(&reader.counters, &reader.queue);
}
