//! The ring: one thread with one `io_uring`, which keeps a number of requests in flight.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};

use crate::job_queue::JobQueue;
use crate::locking::lock;
use crate::stats::Counters;
use crate::transfer::{Next, Piece};
use crate::unsafe_kernel_queue::KernelQueue;
use crate::unsafe_syscalls;

/// With fewer requests in flight than one in this many slots, new ones wake the ring's thread; with
/// more, the device has enough to do until the next completion wakes it anyway.
const SLOTS_PER_REQUEST_IN_FLIGHT: usize = 2;

/// The running ring.
#[derive(Debug)]
pub(crate) struct Ring {
    inbox: Arc<Inbox>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the ring's thread shares with the rest of the engine.
#[derive(Debug, Clone)]
pub(crate) struct RingShared {
    pub(crate) counters: Arc<Counters>,
    pub(crate) queue: Arc<JobQueue>,
    pub(crate) closing: Arc<AtomicBool>,
}

/// Pieces on their way to the ring's thread.
#[derive(Debug)]
struct Inbox {
    waiting: Mutex<Waiting>,
    /// An eventfd that the ring's thread hears while it waits.
    bell: File,
}

#[derive(Debug, Default)]
struct Waiting {
    pieces: Vec<Piece>,
    closed: bool,
    /// The ring's thread waits and wants to be told of more.
    is_listening: bool,
}

impl Ring {
    /// Starts the ring's thread with `slots` slots.
    ///
    /// # Errors
    /// Why thread or ring could not be made.
    pub(crate) fn start(slots: usize, shared: RingShared) -> io::Result<Self> {
        let inbox =
            Arc::new(Inbox { waiting: Mutex::default(), bell: unsafe_syscalls::event_file()? });
        let (report, outcome) = mpsc::sync_channel(1);
        let for_thread = Arc::clone(&inbox);
        let thread = thread::Builder::new().name("lsio-ring".to_owned()).spawn(move || {
            // The ring belongs to the thread that makes it. Should nobody listen any more to how that
            // went, there is nobody to tell.
            match KernelQueue::new(slots) {
                Err(error) => report.send(Err(error)).unwrap_or_default(),
                Ok(kernel) => {
                    report.send(Ok(())).unwrap_or_default();
                    RingThread { kernel, inbox: for_thread, backlog: VecDeque::new(), shared }
                        .run();
                }
            }
        })?;
        match outcome.recv() {
            Ok(Ok(())) => Ok(Self { inbox, thread: Mutex::new(Some(thread)) }),
            Ok(Err(error)) => Err(error),
            Err(mpsc::RecvError) => Err(io::Error::other("the ring's thread panicked")),
        }
    }

    /// Hands `pieces` to the ring together. A closed ring drops them, which answers their reads.
    pub(crate) fn submit(&self, pieces: Vec<Piece>) {
        self.inbox.push(pieces);
    }

    /// Lets what the kernel has finish, and ends the thread.
    pub(crate) fn close(&self) -> Option<JoinHandle<()>> {
        self.inbox.close();
        lock(&self.thread).take()
    }
}

impl Inbox {
    fn push(&self, mut pieces: Vec<Piece>) {
        let mut waiting = lock(&self.waiting);
        if waiting.closed {
            drop(waiting);
            drop(pieces);
            return;
        }
        waiting.pieces.append(&mut pieces);
        let wake = std::mem::take(&mut waiting.is_listening);
        drop(waiting);
        if wake {
            self.ring_bell();
        }
    }

    fn close(&self) {
        lock(&self.waiting).closed = true;
        self.ring_bell();
    }

    fn ring_bell(&self) {
        // An eventfd takes eight bytes at any time, unless it was rung 2^64 times.
        (&self.bell).write_all(&1_u64.to_ne_bytes()).unwrap_or_default();
    }

    /// Moves what has come to `backlog`. Whether nothing more will come.
    fn take(&self, backlog: &mut VecDeque<Piece>) -> bool {
        let mut waiting = lock(&self.waiting);
        waiting.is_listening = false;
        backlog.extend(waiting.pieces.drain(..));
        waiting.closed
    }

    /// Whether the ring's thread may wait: nothing has come. `wants_more`: whatever comes from now on
    /// rings the bell.
    fn may_wait(&self, wants_more: bool) -> bool {
        let mut waiting = lock(&self.waiting);
        let is_empty = waiting.pieces.is_empty();
        waiting.is_listening = is_empty && wants_more;
        is_empty
    }
}

/// What lives on the ring's thread.
struct RingThread {
    kernel: KernelQueue,
    inbox: Arc<Inbox>,
    /// Pieces for which there was no slot yet.
    backlog: VecDeque<Piece>,
    shared: RingShared,
}

impl RingThread {
    fn run(mut self) {
        if let Err(error) = self.serve() {
            // Nothing can be asked of this ring any more. What is on its way is answered, what comes
            // is answered by being dropped.
            self.kernel.abandon(&error);
            lock(&self.inbox.waiting).closed = true;
            self.inbox.take(&mut self.backlog);
        }
    }

    /// Serves pieces until the inbox is closed and all have ended. Then the kernel has no request.
    fn serve(&mut self) -> io::Result<()> {
        let low = self.kernel.slots().div_ceil(SLOTS_PER_REQUEST_IN_FLIGHT);
        let mut ended = Vec::new();
        loop {
            let closed = self.inbox.take(&mut self.backlog);
            self.start_backlog(&mut ended);
            let with_kernel = self.kernel.in_flight() - self.kernel.noted();
            if with_kernel < low && !ended.is_empty() && self.kernel.noted() > 0 {
                // Answering takes a while, and the device has too little to do meanwhile.
                let submitted = self.kernel.submit()?;
                self.count(submitted);
            }
            self.end_all(&mut ended);
            let is_idle = self.kernel.in_flight() == 0 && self.backlog.is_empty();
            if closed && is_idle && !self.kernel.hears_bell() {
                return Ok(());
            }
            if !closed {
                self.kernel.listen(&self.inbox.bell);
            }
            if self.inbox.may_wait(self.kernel.in_flight() < low) {
                let submitted = self.kernel.wait()?;
                self.count(submitted);
            }
            while let Some((mut piece, answer)) = self.kernel.next_answer() {
                match piece.note(answer, &self.shared.counters) {
                    Next::Again => self.start(piece, &mut ended),
                    Next::End => ended.push(piece),
                }
            }
        }
    }

    fn start_backlog(&mut self, ended: &mut Vec<Piece>) {
        while self.kernel.has_room()
            && let Some(piece) = self.backlog.pop_front()
        {
            if piece.begin(&self.shared.closing) {
                self.start(piece, ended);
            } else {
                ended.push(piece);
            }
        }
    }

    fn start(&mut self, piece: Piece, ended: &mut Vec<Piece>) {
        let transfer = Arc::clone(&piece.transfer);
        let Some(direct) = transfer.file.direct(&self.shared.counters) else {
            transfer.refuse();
            ended.push(piece);
            return;
        };
        self.shared.counters.ring_requests.add(1);
        if let Err(piece) = self.kernel.start(piece, direct.file) {
            self.backlog.push_front(piece);
        }
    }

    fn count(&self, submitted: bool) {
        self.shared.counters.submissions.add(u64::from(submitted));
    }

    /// Ends pieces. A sink that panics has still been told, and is not the ring's affair.
    fn end_all(&self, ended: &mut Vec<Piece>) {
        let RingShared { counters, queue, .. } = &self.shared;
        for piece in ended.drain(..) {
            let unwound = catch_unwind(AssertUnwindSafe(|| piece.end(counters, queue)));
            drop(unwound);
        }
    }
}
