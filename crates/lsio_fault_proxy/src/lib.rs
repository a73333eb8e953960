//! A reverse proxy that makes an object store as bad as real ones are at times: for tests and benchmarks only.
//!
//! [`FaultProxy`] listens at a free port of the loopback address and passes each request on to one upstream. A
//! [`Plan`] says which requests suffer which [`Fault`]; what is drawn by lot follows from its seed, so that a
//! run can be repeated. A [`Log`] has every request, and how many were under way when it came.
//!
//! The `Host` header reaches the upstream as the client sent it, and so does everything else: requests that are
//! signed for the address of the proxy (`SigV4`) stay valid, if the upstream checks the `Host` that it is sent.
//!
//! Programs in other languages start the binary of the same name: see its first lines.
//!
//! ```no_run
//! use lsio_fault_proxy::{Fault, FaultProxy, Plan, Rule};
//!
//! # fn main() -> std::io::Result<()> {
//! let upstream = ([127, 0, 0, 1], 8080).into();
//! let proxy = FaultProxy::start(upstream)?;
//! proxy.set_plan(Plan {
//!     seed: 1,
//!     rules: vec![
//!         Rule::every(Fault::Latency { milliseconds: 20 }),
//!         Rule { fraction: 0.01, ..Rule::every(Fault::Status { status: 503 }) },
//!     ],
//! });
//! println!("ask http://{}", proxy.address());
//! println!("{} requests came", proxy.log().requests.len());
//! # Ok(())
//! # }
//! ```

mod body;
mod connection;
mod control;
mod forward;
mod log;
mod plan;
mod proxy;
mod suffered;

pub use log::{Connections, Log, LoggedRequest};
pub use plan::{Fault, Plan, Rule};
pub use proxy::FaultProxy;
