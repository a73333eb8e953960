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
    runtime: Mutex<Option<Runtime>>,
}

impl Network {
    /// A network without threads yet.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The running threads. Where they could not be started, the next call tries again.
    ///
    /// # Errors
    /// Why they could not be started.
    pub(crate) fn handle(&self) -> Result<Handle, Arc<io::Error>> {
        self.started_by(|| {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(THREADS).thread_name("lsio-net").enable_all();
            builder.build()
        })
    }

    fn started_by(
        &self,
        start: impl FnOnce() -> io::Result<Runtime>,
    ) -> Result<Handle, Arc<io::Error>> {
        let mut runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        let started = match runtime.take() {
            Some(started) => started,
            None => start()?,
        };
        Ok(runtime.insert(started).handle().clone())
    }
}

impl Drop for Network {
    /// Does not wait: the last store may be dropped by one of these threads. What is under way is dropped, which
    /// answers its reads.
    fn drop(&mut self) {
        let runtime = self.runtime.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(runtime) = runtime {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn threads_that_could_not_be_started_are_started_later() {
        let network = Network::new();
        let failed = network.started_by(|| Err(io::Error::from(io::ErrorKind::WouldBlock)));
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(network.handle().is_ok());
        // Once they run, none are started again.
        assert!(network.started_by(|| unreachable!()).is_ok());
    }
}
