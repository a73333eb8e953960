//! Unsafe: the requests that the kernel's ring works on, each with the buffer that it fills.
//!
//! Who owns the bytes: a piece is moved in here before the kernel learns of its buffer, nobody looks at
//! it meanwhile, and it comes out with its completion. If the queue ends first, its pieces are leaked.
#![expect(unsafe_code, reason = "hands addresses of buffers to the kernel")]

use std::fs::File;
use std::io;
use std::mem;
use std::os::fd::AsRawFd;

use io_uring::{IoUring, opcode, types};

use crate::transfer::Piece;

/// Entries of the submission queue; the completion queue has twice as many (`io_uring_setup(2)`). The
/// number of slots is held below it, so that neither can overflow.
pub(crate) const RING_ENTRIES: u32 = 128;

/// What the completion of the bell carries; slots have small numbers.
const BELL: u64 = u64::MAX;

/// A ring that belongs to one thread, and what it works on.
pub(crate) struct KernelQueue {
    ring: IoUring,
    /// What the kernel fills or is about to, by slot.
    pieces: Vec<Option<Piece>>,
    free: Vec<usize>,
    /// Pieces that the kernel has not been told of.
    noted: usize,
    /// Where the kernel puts the bell's count.
    rings: Box<u64>,
    hears_bell: bool,
}

/// Makes a ring for the calling thread: completions are worked on when it waits, and not before.
///
/// # Errors
/// Why the kernel refused.
fn make_ring(entries: u32) -> io::Result<IoUring> {
    let mut deferred = IoUring::builder();
    deferred.setup_single_issuer().setup_defer_taskrun();
    match deferred.build(entries) {
        // Linux before 6.1.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => IoUring::new(entries),
        made => made,
    }
}

/// Makes a ring and runs one request on it that does nothing.
///
/// # Errors
/// Why that does not work.
pub(crate) fn try_ring() -> io::Result<()> {
    let mut ring = make_ring(RING_ENTRIES)?;
    // SAFETY: the request has no buffer.
    unsafe { ring.submission().push(&opcode::Nop::new().build()) }.map_err(io::Error::other)?;
    ring.submit_and_wait(1)?;
    let answer = ring.completion().next().map_or(-libc::EIO, |entry| entry.result());
    if answer < 0 { Err(io::Error::from_raw_os_error(-answer)) } else { Ok(()) }
}

impl KernelQueue {
    /// A queue that works on up to `slots` pieces.
    ///
    /// # Errors
    /// Why the kernel refused the ring.
    pub(crate) fn new(slots: usize) -> io::Result<Self> {
        let slots = slots.clamp(1, RING_ENTRIES as usize - 1);
        Ok(Self {
            ring: make_ring(RING_ENTRIES)?,
            pieces: (0..slots).map(|_| None).collect(),
            free: (0..slots).collect(),
            noted: 0,
            rings: Box::new(0),
            hears_bell: false,
        })
    }

    /// Most pieces in flight at once.
    pub(crate) fn slots(&self) -> usize {
        self.pieces.len()
    }

    /// Pieces that the kernel has or is about to get.
    pub(crate) fn in_flight(&self) -> usize {
        self.pieces.len() - self.free.len()
    }

    /// Pieces of those that it is about to get.
    pub(crate) fn noted(&self) -> usize {
        self.noted
    }

    /// Whether another piece can start.
    pub(crate) fn has_room(&self) -> bool {
        !self.free.is_empty()
    }

    /// Lets a ring of `bell` (an eventfd, which must stay open until then) end the next wait.
    pub(crate) fn listen(&mut self, bell: &File) {
        if self.hears_bell {
            return;
        }
        let rings: *mut u64 = &raw mut *self.rings;
        let request = opcode::Read::new(types::Fd(bell.as_raw_fd()), rings.cast(), 8).build();
        // SAFETY: the eight bytes belong to this queue, are used for nothing else, and are leaked if
        // it ends before the completion.
        self.hears_bell = unsafe { self.ring.submission().push(&request.user_data(BELL)) }.is_ok();
    }

    /// Notes a request to fill the rest of `piece` from `file`, for the next [`KernelQueue::submit`]
    /// or [`KernelQueue::wait`]. The piece comes back if there is no room.
    pub(crate) fn start(&mut self, mut piece: Piece, file: &File) -> Result<(), Piece> {
        let Some(slot) = self.free.pop() else { return Err(piece) };
        let position = piece.position();
        let buffer = piece.part.unfilled();
        let len = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
        let request = opcode::Read::new(types::Fd(file.as_raw_fd()), buffer.as_mut_ptr(), len)
            .offset(position)
            .build()
            .user_data(slot as u64);
        // SAFETY: the buffer is the part's, which is moved into `pieces` here and stays there, looked
        // at by nobody, until the completion (or is leaked). The caller's `file` is the one that the
        // piece's transfer keeps open.
        if unsafe { self.ring.submission().push(&request) }.is_err() {
            self.free.push(slot);
            return Err(piece);
        }
        self.pieces[slot] = Some(piece);
        self.noted += 1;
        Ok(())
    }

    /// Gives the noted requests to the kernel. Whether it took any piece.
    ///
    /// # Errors
    /// What `io_uring_enter(2)` says, if it will not say otherwise the next time.
    pub(crate) fn submit(&mut self) -> io::Result<bool> {
        self.enter(0)
    }

    /// As [`KernelQueue::submit`], and waits for a completion or for the bell.
    ///
    /// # Errors
    /// As [`KernelQueue::submit`].
    pub(crate) fn wait(&mut self) -> io::Result<bool> {
        self.enter(1)
    }

    fn enter(&mut self, completions: usize) -> io::Result<bool> {
        match self.ring.submit_and_wait(completions) {
            Ok(_) => Ok(mem::take(&mut self.noted) > 0),
            Err(error) => match error.raw_os_error() {
                // Interrupted, or short of memory or room: what was not taken stays in the queue.
                Some(libc::EINTR | libc::EAGAIN | libc::EBUSY) => Ok(false),
                _ => Err(error),
            },
        }
    }

    /// The next piece that the kernel is done with, and its answer.
    pub(crate) fn next_answer(&mut self) -> Option<(Piece, io::Result<usize>)> {
        loop {
            let entry = self.ring.completion().next()?;
            if entry.user_data() == BELL {
                self.hears_bell = false;
                continue;
            }
            let slot = entry.user_data() as usize;
            let Some(piece) = self.pieces.get_mut(slot).and_then(Option::take) else { continue };
            self.free.push(slot);
            let answer = usize::try_from(entry.result())
                .map_err(|_| io::Error::from_raw_os_error(-entry.result()));
            return Some((piece, answer));
        }
    }

    /// Whether a ring of the bell is still waited for.
    pub(crate) fn hears_bell(&self) -> bool {
        self.hears_bell
    }

    /// Answers with `error` what the kernel has, since it cannot be asked any more. The memory is lost.
    pub(crate) fn abandon(&mut self, error: &io::Error) {
        for piece in self.pieces.iter_mut().filter_map(Option::take) {
            piece.transfer.abandon(error);
            mem::forget(piece);
        }
    }
}

impl Drop for KernelQueue {
    fn drop(&mut self) {
        self.abandon(&io::Error::other("the ring has ended"));
        if self.hears_bell {
            mem::forget(mem::take(&mut self.rings));
        }
    }
}
