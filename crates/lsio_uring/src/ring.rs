//! The ring: one thread with one `io_uring`, and long-lived slots that each keep one request in flight.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};

use tokio::sync::Mutex as AsyncMutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_uring::fs::File;

use crate::job_queue::JobQueue;
use crate::locking::lock;
use crate::open_file::OpenFile;
use crate::stats::Counters;
use crate::transfer::{Next, Piece};

/// Entries of the submission queue; the completion queue has twice as many (`io_uring_setup(2)`). The
/// number of slots is held below it, so that neither can overflow.
pub(crate) const RING_ENTRIES: u32 = 128;

/// Most descriptors that the ring's thread keeps duplicated. They are cheap to make again.
const MOST_DUPLICATES: usize = 64;

/// The running ring.
#[derive(Debug)]
pub(crate) struct Ring {
    /// `None` once closed.
    batches: Mutex<Option<UnboundedSender<Vec<Piece>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the ring's thread shares with the rest of the engine.
#[derive(Debug, Clone)]
pub(crate) struct RingShared {
    pub(crate) counters: Arc<Counters>,
    pub(crate) queue: Arc<JobQueue>,
    pub(crate) closing: Arc<AtomicBool>,
}

/// Makes a ring and its runtime on the calling thread.
///
/// # Errors
/// Why the kernel refused.
pub(crate) fn runtime() -> io::Result<tokio_uring::Runtime> {
    // A refusal is found before tokio-uring makes its runtime, which it would leak.
    drop(tokio_uring::uring_builder().build(RING_ENTRIES)?);
    let mut builder = tokio_uring::builder();
    builder.entries(RING_ENTRIES);
    tokio_uring::Runtime::new(&builder)
}

impl Ring {
    /// Starts the ring's thread with `slots` slots.
    ///
    /// # Errors
    /// Why thread or ring could not be made.
    pub(crate) fn start(slots: usize, shared: RingShared) -> io::Result<Self> {
        let slots = slots.clamp(1, RING_ENTRIES as usize);
        let (sender, receiver) = unbounded_channel();
        let (report, outcome) = mpsc::sync_channel(1);
        let thread = thread::Builder::new().name("lsio-ring".to_owned()).spawn(move || {
            match runtime() {
                // Should nobody listen any more, there is nobody to tell.
                Err(error) => report.send(Err(error)).unwrap_or_default(),
                Ok(runtime) => {
                    report.send(Ok(())).unwrap_or_default();
                    runtime.block_on(run(slots, receiver, shared));
                }
            }
        })?;
        match outcome.recv() {
            Ok(Ok(())) => {
                Ok(Self { batches: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })
            }
            Ok(Err(error)) => Err(error),
            Err(mpsc::RecvError) => Err(io::Error::other("the ring's thread panicked")),
        }
    }

    /// Hands `pieces` to the ring together. A closed ring drops them, which answers their reads.
    pub(crate) fn submit(&self, pieces: Vec<Piece>) {
        let sender = lock(&self.batches).clone();
        if let Some(Err(refused)) = sender.map(|sender| sender.send(pieces)) {
            drop(refused);
        }
    }

    /// Lets what the kernel has finish, and ends the thread.
    pub(crate) fn close(&self) -> Option<JoinHandle<()>> {
        drop(lock(&self.batches).take());
        lock(&self.thread).take()
    }
}

/// Runs `slots` slots until the queue is closed and empty. A slot that panics is replaced.
///
/// When this returns no request is in flight: a slot waits for the completion of its own. The ring
/// may be dropped only then, since tokio-uring frees the buffers of abandoned requests early.
async fn run(slots: usize, batches: UnboundedReceiver<Vec<Piece>>, shared: RingShared) {
    let ring = Rc::new(RingThread {
        queue: AsyncMutex::new(Queue { batches, pieces: VecDeque::new() }),
        shared,
        files: RefCell::default(),
        parks_at_last_request: Cell::new(None),
    });
    let supervisors: Vec<_> =
        (0..slots).map(|_| tokio_uring::spawn(supervise(Rc::clone(&ring)))).collect();
    for supervisor in supervisors {
        // It only waits for its slot, so it does not panic; if it did, its slot has ended too.
        supervisor.await.unwrap_or_default();
    }
}

async fn supervise(ring: Rc<RingThread>) {
    while tokio_uring::spawn(slot(Rc::clone(&ring))).await.is_err() {
        // The slot panicked (in a sink): the next one takes its place.
    }
}

/// Serves one piece after the other.
async fn slot(ring: Rc<RingThread>) {
    while let Some(piece) = ring.next().await {
        ring.serve(piece).await;
    }
}

/// Batches as they come, and the pieces of the last one that no slot has taken yet.
struct Queue {
    batches: UnboundedReceiver<Vec<Piece>>,
    pieces: VecDeque<Piece>,
}

/// What lives on the ring's thread.
struct RingThread {
    queue: AsyncMutex<Queue>,
    shared: RingShared,
    /// Duplicates of open files, by serial number: tokio-uring owns and closes what it reads from.
    files: RefCell<HashMap<u64, Rc<File>>>,
    /// How often the thread had parked when a request was last made. tokio-uring enters the ring to
    /// submit when its thread is about to park.
    parks_at_last_request: Cell<Option<u64>>,
}

impl RingThread {
    async fn next(&self) -> Option<Piece> {
        let mut queue = self.queue.lock().await;
        loop {
            if let Some(piece) = queue.pieces.pop_front() {
                return Some(piece);
            }
            queue.pieces = queue.batches.recv().await?.into();
        }
    }

    async fn serve(&self, mut piece: Piece) {
        let RingShared { counters, queue, closing } = &self.shared;
        if piece.begin(closing) {
            loop {
                let file = self.file(&piece.transfer.file);
                let answer;
                (answer, piece) = match file {
                    Ok(file) => {
                        self.count_request();
                        piece.read_from(&file).await
                    }
                    Err(error) => (Err(error), piece),
                };
                if piece.note(answer, counters) == Next::End {
                    break;
                }
            }
        }
        piece.end(counters, queue);
    }

    fn file(&self, file: &OpenFile) -> io::Result<Rc<File>> {
        let mut files = self.files.borrow_mut();
        if let Some(duplicate) = files.get(&file.serial()) {
            return Ok(Rc::clone(duplicate));
        }
        let direct = file
            .direct(&self.shared.counters)
            .ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))?;
        let duplicate = Rc::new(File::from_std(direct.file.try_clone()?));
        if files.len() >= MOST_DUPLICATES {
            files.clear();
        }
        files.insert(file.serial(), Rc::clone(&duplicate));
        Ok(duplicate)
    }

    fn count_request(&self) {
        self.shared.counters.ring_requests.add(1);
        let parks = tokio::runtime::Handle::current().metrics().worker_park_count(0);
        if self.parks_at_last_request.replace(Some(parks)) != Some(parks) {
            self.shared.counters.submissions.add(1);
        }
    }
}
