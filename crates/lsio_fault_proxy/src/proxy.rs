//! The proxy as a value: it runs on threads of its own until it is dropped.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};

use crate::connection::{listen, serve};
use crate::control::serve_control;
use crate::forward::Shared;
use crate::log::Log;
use crate::plan::Plan;

/// A running proxy. Dropping it ends its connections.
#[derive(Debug)]
pub struct FaultProxy {
    /// Taken when it is dropped.
    runtime: Option<Runtime>,
    shared: Arc<Shared>,
    address: SocketAddr,
    control: SocketAddr,
}

impl FaultProxy {
    /// Starts a proxy for the server at `upstream`, which is spoken to by HTTP/1.1 without TLS.
    ///
    /// # Errors
    ///
    /// If there is no port or no thread to be had.
    pub fn start(upstream: SocketAddr) -> io::Result<Self> {
        // One to read from the upstream while the other writes to clients.
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let shared = Arc::new(Shared::new(upstream).map_err(io::Error::other)?);
        let (listener, address) = runtime.block_on(listen())?;
        let (control_listener, control) = runtime.block_on(listen())?;
        runtime.spawn(serve(listener, Arc::clone(&shared)));
        runtime.spawn(serve_control(control_listener, Arc::clone(&shared)));
        Ok(Self { runtime: Some(runtime), shared, address, control })
    }

    /// Where clients find it.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where programs in other languages find `GET /log`, `DELETE /log` and `PUT /plan`, with JSON of [`Log`] and
    /// [`Plan`].
    #[must_use]
    pub fn control(&self) -> SocketAddr {
        self.control
    }

    /// Sets what goes wrong from the next request on; all counts start anew.
    pub fn set_plan(&self, plan: Plan) {
        self.shared.set_plan(plan);
    }

    /// The requests that came.
    #[must_use]
    pub fn log(&self) -> Log {
        self.shared.book.log()
    }

    /// Forgets the requests that came.
    pub fn clear_log(&self) {
        self.shared.book.clear();
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Not a wait for connections to end, which asynchronous tests must not do.
            runtime.shutdown_background();
        }
    }
}
