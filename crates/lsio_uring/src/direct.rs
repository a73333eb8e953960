//! Reading with `O_DIRECT`: whole blocks around the wanted range, in pieces that run at the same time
//! on the ring or on the pread threads.

use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

use lsio_io::plan::{self, Span};
use lsio_io::{Lease, Route, StorageError};

use crate::open_file::{Access, Alignment, OpenFile};
use crate::owed_read::{Bounds, OwedRead};
use crate::reader::Reader;
use crate::transfer::{Next, Piece, Transfer};
use crate::{buffered, unsafe_lease_parts};

/// Longest request of a direct read, in bytes. The ring reaches device speed from 256 KiB on with a
/// few in flight; 1 MiB keeps the cost per request low and still gives one 64 MiB chunk enough
/// requests to fill the device's queue.
const PIECE_BYTES: u64 = 1 << 20;

/// Opens the file of `read` and starts reading it. Runs on a pread thread, since opening may wait.
pub(crate) fn serve(reader: &Reader, read: OwedRead) {
    if let Some(refusal) = read.refusal() {
        return read.answer(Err(refusal), Duration::ZERO);
    }
    let route = read.route;
    match begin(reader, read).map_err(|refused| *refused) {
        Ok(pieces) => reader.dispatch(route, pieces),
        Err((read, Some(error))) => read.answer(Err(error), Duration::ZERO),
        Err((mut read, None)) => {
            read.route = Route::Buffered;
            buffered::serve(reader, read);
        }
    }
}

/// The pieces of a read whose file is open already, for the caller to hand to the ring; the read itself
/// if a pread thread has to look at it. Answers nothing, so that it may run inside `submit`.
///
/// Whether the open file is the current one is asked here: the kernel has the names on the way to an
/// open file at hand. A thread more on the way of each read cost as much as the read itself.
pub(crate) fn pieces_at_once(
    reader: &Reader,
    mut read: OwedRead,
) -> Result<Vec<Piece>, Box<OwedRead>> {
    if read.refusal().is_some() {
        return Err(Box::new(read));
    }
    let Some(file) = reader.find_open(&read.root, &read.key, &read.freshness) else {
        return Err(Box::new(read));
    };
    match prepare(reader, &mut read, file) {
        Ok(Some(ready)) => Ok(pieces(read, ready)),
        // For the thread that may answer to find again.
        Ok(None) | Err(_) => Err(Box::new(read)),
    }
}

/// A direct read that is ready to go.
struct Ready {
    file: Arc<OpenFile>,
    bounds: Bounds,
    lease: Lease,
    head: usize,
    alignment: Alignment,
}

/// Opens the file, leases a buffer and cuts the read into pieces. The read itself comes back with the
/// reason if there are none; no reason means that it has to go through the page cache.
pub(crate) fn begin(
    reader: &Reader,
    mut read: OwedRead,
) -> Result<Vec<Piece>, Box<(OwedRead, Option<StorageError>)>> {
    let opened = reader.open(&read.root, &read.key, &read.freshness, Access::Direct);
    match opened.and_then(|file| prepare(reader, &mut read, file)) {
        Ok(Some(ready)) => Ok(pieces(read, ready)),
        Ok(None) => Err(Box::new((read, None))),
        Err(error) => Err(Box::new((read, Some(error)))),
    }
}

/// `None` if this read has to go through the page cache.
fn prepare(
    reader: &Reader,
    read: &mut OwedRead,
    file: Arc<OpenFile>,
) -> Result<Option<Ready>, StorageError> {
    let bounds = read.bounds(&file)?;
    if bounds.len == 0 {
        // Nothing to be read: only the answer is wanted.
        return Ok(None);
    }
    let Some(direct) = file.direct(&reader.counters) else { return Ok(None) };
    let alignment = direct.alignment;
    let head = bounds.offset % alignment.offset;
    let Some(widened) = (head + bounds.len as u64).checked_next_multiple_of(alignment.offset)
    else {
        return Ok(None);
    };
    let (Ok(head), Ok(widened)) = (usize::try_from(head), usize::try_from(widened)) else {
        return Ok(None);
    };
    let lease = read.lease(widened)?;
    Ok(Some(Ready { file, bounds, lease, head, alignment }))
}

/// Cuts a read into the requests that serve it.
fn pieces(read: OwedRead, ready: Ready) -> Vec<Piece> {
    let Ready { file, bounds, lease, head, alignment } = ready;
    let requests = Span::new(bounds.offset - head as u64, lease.len() as u64)
        .map(|span| plan::split(span, PIECE_BYTES, alignment.offset))
        .into_iter()
        .flatten()
        .map(|request| request.len() as usize);
    match unsafe_lease_parts::cut(lease, requests) {
        Ok(parts) => Transfer::pieces(read, file, bounds, head, alignment, parts),
        // An empty range never comes here.
        Err(_lease) => Vec::new(),
    }
}

/// Reads one piece on a pread thread.
pub(crate) fn read_piece(reader: &Reader, mut piece: Piece) {
    if piece.begin(&reader.closing) {
        let transfer = Arc::clone(&piece.transfer);
        match transfer.file.direct(&reader.counters) {
            None => transfer.refuse(),
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
