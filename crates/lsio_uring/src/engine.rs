//! The engine for local files: who owns the threads.

use std::fmt;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};

use crate::policy::Engine;
use crate::probe::Probe;
use crate::reader::Reader;
use crate::ring::Ring;
use crate::{EngineChoice, LocalConfig, LocalStats, read_ahead};

/// An engine that cannot do what was asked of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The ring was asked for and the kernel refuses it.
    #[error("io_uring cannot be used here ({reason}); choose the pread engine, or 'auto'")]
    NoRing {
        /// What the probe found.
        reason: String,
    },
}

/// The threads that read local files, shared by all [`LocalStorage`](crate::LocalStorage)s.
///
/// They start with the first read and are parked when there is nothing to do. Dropping the engine
/// answers what is queued with [`StorageError::Closed`](lsio_io::StorageError::Closed) and waits for
/// what the kernel has begun.
pub struct LocalEngine {
    reader: Arc<Reader>,
    config: LocalConfig,
    threads: OnceLock<Result<Vec<JoinHandle<()>>, Arc<io::Error>>>,
}

impl LocalEngine {
    /// An engine of the kind that `choice` says. No thread is started yet.
    ///
    /// # Errors
    /// [`EngineError::NoRing`] if the ring was asked for by name and does not work.
    pub fn new(choice: EngineChoice, config: LocalConfig) -> Result<Arc<Self>, EngineError> {
        let reader = Arc::new(Reader::new(choice, &config));
        if choice == EngineChoice::Uring
            && let Some(reason) = reader.probe().refusal()
        {
            return Err(EngineError::NoRing { reason: reason.to_owned() });
        }
        Ok(Arc::new(Self { reader, config, threads: OnceLock::new() }))
    }

    /// Whether `io_uring` works here, found out once by using it.
    #[must_use]
    pub fn probe(&self) -> &Probe {
        self.reader.probe()
    }

    /// What serves direct reads.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.reader.engine()
    }

    /// What was done so far.
    #[must_use]
    pub fn stats(&self) -> LocalStats {
        self.reader.counters.snapshot()
    }

    pub(crate) fn config(&self) -> &LocalConfig {
        &self.config
    }

    /// The running engine.
    ///
    /// # Errors
    /// Why not a single thread could be started.
    pub(crate) fn start(&self) -> Result<&Reader, Arc<io::Error>> {
        match self.threads.get_or_init(|| self.start_threads().map_err(Arc::new)) {
            Ok(_) => Ok(&self.reader),
            Err(error) => Err(Arc::clone(error)),
        }
    }

    /// The engine as it is, for what needs no threads.
    pub(crate) fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Starts the pool, or as much of it as the system allows, and the read-ahead thread.
    fn start_threads(&self) -> io::Result<Vec<JoinHandle<()>>> {
        let spawn = |name: String, work: fn(&Reader)| {
            let reader = Arc::clone(&self.reader);
            thread::Builder::new().name(name).spawn(move || work(&reader))
        };
        let mut threads = vec![spawn("lsio-pread-0".to_owned(), Reader::run)?];
        for number in 1..self.config.pread_threads {
            threads.extend(spawn(format!("lsio-pread-{number}"), Reader::run));
        }
        threads.extend(spawn("lsio-readahead".to_owned(), read_ahead::run));
        Ok(threads)
    }
}

impl Drop for LocalEngine {
    fn drop(&mut self) {
        self.reader.closing.store(true, Ordering::Release);
        self.reader.queue.close();
        self.reader.ahead.close();
        let threads = self.threads.take().and_then(Result::ok).unwrap_or_default();
        // The pool first: it may still have pieces for the ring.
        for thread in threads {
            join(thread);
        }
        if let Some(thread) = self.reader.started_ring().and_then(Ring::close) {
            join(thread);
        }
    }
}

/// Waits for the end of a thread, unless this is that thread: a sink may hold the last storage, and
/// then the engine is dropped by the thread that answered it. That thread ends by itself.
fn join(thread: JoinHandle<()>) {
    if thread.thread().id() != thread::current().id() {
        // Its panics were answered where they happened.
        thread.join().unwrap_or_default();
    }
}

impl fmt::Debug for LocalEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalEngine").field("config", &self.config).finish_non_exhaustive()
    }
}
