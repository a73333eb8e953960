//! The threads that wait for the network: their own, so that no worker and no event loop ever does.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::{Builder, Handle, Runtime};

/// Threads of a network. They copy what arrives and, for https, decrypt it: two, so that one slow step does not stop
/// all bodies, and no more, since the workers that decode need the processors.
const THREADS: usize = 2;

/// Tokio threads that all stores of an engine share. They start with the first request.
#[derive(Debug, Default)]
pub struct Network {
    runtime: Mutex<Option<Result<Runtime, Arc<io::Error>>>>,
}

impl Network {
    /// A network without threads yet.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The running threads.
    ///
    /// # Errors
    /// Why they could not be started.
    pub(crate) fn handle(&self) -> Result<Handle, Arc<io::Error>> {
        let mut runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        let started = runtime.get_or_insert_with(|| {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(THREADS).thread_name("lsio-net").enable_all();
            builder.build().map_err(Arc::new)
        });
        started.as_ref().map(|runtime| runtime.handle().clone()).map_err(Arc::clone)
    }
}

impl Drop for Network {
    /// Does not wait: the last store may be dropped by one of these threads. What is under way is dropped, which
    /// answers its reads.
    fn drop(&mut self) {
        let runtime = self.runtime.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Ok(runtime)) = runtime {
            runtime.shutdown_background();
        }
    }
}
