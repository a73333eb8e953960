//! What all threads of an engine share, and the choice of a read's way.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use lsio_io::{Freshness, IoMode, Key, Route, StorageError};

use crate::available_memory::RecentMemory;
use crate::handle_cache::{FoundFile, HandleCache};
use crate::job_queue::{Job, JobQueue};
use crate::listing::Listing;
use crate::open_file::{Access, OpenFile};
use crate::owed_read::OwedRead;
use crate::policy::{Engine, RoutePlan, route};
use crate::probe::Probe;
use crate::read_ahead::ReadAhead;
use crate::ring::{Ring, RingShared};
use crate::root::Root;
use crate::stats::Counters;
use crate::transfer::Piece;
use crate::{EngineChoice, LocalConfig, buffered, direct};

/// The part of an engine that its threads use.
#[derive(Debug)]
pub(crate) struct Reader {
    choice: EngineChoice,
    ring_slots: usize,
    memory: RecentMemory,
    handles: HandleCache,
    pub(crate) counters: Arc<Counters>,
    pub(crate) queue: Arc<JobQueue>,
    pub(crate) ahead: Arc<ReadAhead>,
    /// Set when the engine ends: what has not begun is not begun any more.
    pub(crate) closing: Arc<AtomicBool>,
    probe: OnceLock<Probe>,
    /// `None` inside: the kernel refused it after the probe.
    ring: OnceLock<Option<Ring>>,
}

impl Reader {
    pub(crate) fn new(choice: EngineChoice, config: &LocalConfig) -> Self {
        Self {
            choice,
            ring_slots: config.ring_slots,
            memory: RecentMemory::new(config.available_memory.clone()),
            handles: HandleCache::new(config.handles),
            counters: Arc::default(),
            queue: Arc::new(JobQueue::new(config.buffered_threads)),
            ahead: Arc::default(),
            closing: Arc::default(),
            probe: OnceLock::new(),
            ring: OnceLock::new(),
        }
    }

    /// Whether the ring works, found out once.
    pub(crate) fn probe(&self) -> &Probe {
        self.probe.get_or_init(Probe::run)
    }

    /// What serves direct reads.
    pub(crate) fn engine(&self) -> Engine {
        let ring_failed = matches!(self.ring.get(), Some(None));
        if self.choice != EngineChoice::Pread && !ring_failed && self.probe().is_usable() {
            Engine::Uring
        } else {
            Engine::Pread
        }
    }

    /// Which way a read goes.
    pub(crate) fn plan(&self, mode: IoMode, request_bytes: u64) -> RoutePlan {
        let available = if mode == IoMode::Auto { self.memory.bytes() } else { 0 };
        // The pread engine stands for both until a read is known to be direct: a process that never
        // reads directly makes no ring.
        match route(mode, request_bytes, available, Engine::Pread) {
            RoutePlan::Buffered => RoutePlan::Buffered,
            _ if self.engine() == Engine::Uring && self.ring().is_some() => RoutePlan::UringDirect,
            _ => RoutePlan::PreadDirect,
        }
    }

    /// The ring, started by its first use.
    fn ring(&self) -> Option<&Ring> {
        let start = || {
            let shared = RingShared {
                counters: Arc::clone(&self.counters),
                queue: Arc::clone(&self.queue),
                closing: Arc::clone(&self.closing),
            };
            // Granted to the probe and refused now: the pread pool does as well.
            Ring::start(self.ring_slots, shared).ok()
        };
        self.ring.get_or_init(start).as_ref()
    }

    /// The ring, if one was started.
    pub(crate) fn started_ring(&self) -> Option<&Ring> {
        self.ring.get().and_then(Option::as_ref)
    }

    /// Queues reads, each with the way that was chosen for it.
    pub(crate) fn submit(&self, batch: Vec<(RoutePlan, OwedRead)>) {
        let mut pieces = Vec::new();
        for (plan, read) in batch {
            match plan {
                RoutePlan::Buffered => {
                    // What finds a thread free is read at once; what has to wait is asked for
                    // meanwhile. Where the page cache was looked at, the kernel reads ahead since then,
                    // and better (benches/findings.md, read-ahead for cold buffered reads).
                    let helps = read.begun.is_none() && self.queue.is_backed_up();
                    let advice = helps.then(|| self.ahead.announce(&read));
                    self.queue.push(Job::Buffered(read, advice));
                }
                RoutePlan::PreadDirect => self.queue.push(Job::Direct(read)),
                RoutePlan::UringDirect => match direct::pieces_at_once(self, read) {
                    Ok(more) => pieces.extend(more),
                    Err(read) => self.queue.push(Job::Direct(*read)),
                },
            }
        }
        if let Some(ring) = self.started_ring().filter(|_| !pieces.is_empty()) {
            ring.submit(pieces);
        }
    }

    /// Queues a listing.
    pub(crate) fn list(&self, listing: Listing) {
        self.queue.push(Job::List(listing));
    }

    /// A pread thread: does one job after the other until the queue is closed.
    pub(crate) fn run(&self) {
        while let Some(mut turn) = self.queue.next() {
            let Some(job) = turn.take() else { continue };
            // A sink or a listing's callback may panic; the read itself is answered on the way out.
            let unwound =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.perform(job)));
            drop((turn, unwound));
        }
    }

    fn perform(&self, job: Job) {
        match job {
            Job::Buffered(read, advice) => {
                if let Some(advice) = &advice {
                    advice.begin();
                }
                buffered::serve(self, read);
                drop(advice);
            }
            Job::Refill(refill) => buffered::refill(self, refill),
            Job::Direct(read) => direct::serve(self, read),
            Job::Piece(piece) => direct::read_piece(self, piece),
            Job::List(listing) => listing.serve(&self.counters),
        }
    }

    /// Hands out the pieces of a direct read.
    pub(crate) fn dispatch(&self, route: Route, pieces: Vec<Piece>) {
        if route == Route::UringDirect
            && let Some(ring) = self.ring()
        {
            return ring.submit(pieces);
        }
        let mut pieces = pieces.into_iter();
        let first = pieces.next();
        for piece in pieces {
            self.queue.push(Job::Piece(piece));
        }
        if let Some(first) = first {
            direct::read_piece(self, first);
        }
    }

    /// Opens the version of `key` that is wanted. May wait for a device.
    ///
    /// # Errors
    /// As [`Root::error`]; [`StorageError::Conflict`] if a pinned version is gone.
    pub(crate) fn open(
        &self,
        root: &Root,
        key: &Key,
        freshness: &Freshness,
        access: Access,
    ) -> Result<Arc<OpenFile>, StorageError> {
        let open = |path| OpenFile::open(path, access, &self.counters);
        let found = self.find_or_open(root, key, freshness, open)?;
        if !found.is_kept {
            self.keep(&found.file);
        }
        found.of_version(key, freshness)
    }

    /// Keeps a file open that [`Reader::find_or_open`] found outside of the cache.
    pub(crate) fn keep(&self, file: &Arc<OpenFile>) {
        self.handles.keep(file);
    }

    /// The version of `key` that is wanted, if it is open.
    pub(crate) fn find_open(
        &self,
        root: &Root,
        key: &Key,
        freshness: &Freshness,
    ) -> Option<Arc<OpenFile>> {
        // A failed look at the path will fail again where it can be told.
        self.handles.find(&root.path(key), freshness, &self.counters).ok().flatten()
    }

    /// The file of `key` from the cache, or as `open` finds it: then its version is not checked.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub(crate) fn find_or_open(
        &self,
        root: &Root,
        key: &Key,
        freshness: &Freshness,
        open: impl FnOnce(PathBuf) -> io::Result<OpenFile>,
    ) -> Result<FoundFile, StorageError> {
        self.handles.find_or_open(root.path(key), freshness, &self.counters, open).map_err(
            |error| {
                match (root.error("open", key, error), freshness) {
                    // The object is gone, and the version with it.
                    (StorageError::NotFound { key }, Freshness::Pinned(_)) => {
                        StorageError::Conflict { key }
                    }
                    (other, _) => other,
                }
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_direct_reads_through_the_ring_make_one() {
        let reader = Reader::new(EngineChoice::Pread, &LocalConfig::default());
        assert_eq!(reader.plan(IoMode::Direct, 0), RoutePlan::PreadDirect);
        reader.dispatch(Route::PreadDirect, Vec::new());
        assert!(reader.ring.get().is_none() && reader.probe.get().is_none());
        let reader = Reader::new(EngineChoice::Auto, &LocalConfig::default());
        assert_eq!(reader.plan(IoMode::Buffered, u64::MAX), RoutePlan::Buffered);
        assert!(reader.ring.get().is_none() && reader.probe.get().is_none());
    }
}
