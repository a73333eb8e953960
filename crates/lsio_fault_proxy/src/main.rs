//! The proxy for tests in other languages:
//!
//! ```text
//! lsio_fault_proxy 127.0.0.1:8080
//! ```
//!
//! starts one for that upstream and prints `{"address": "127.0.0.1:P", "control": "127.0.0.1:Q"}`. The control
//! endpoint has `GET /log`, `DELETE /log` and `PUT /plan`. It ends when its standard input closes.

use std::error::Error;
use std::io::{Read, Write, stdin, stdout};

use lsio_fault_proxy::FaultProxy;

fn main() -> Result<(), Box<dyn Error>> {
    let upstream = std::env::args().nth(1).ok_or("usage: lsio_fault_proxy ADDRESS:PORT")?;
    let proxy = FaultProxy::start(upstream.parse()?)?;
    let (address, control) = (proxy.address(), proxy.control());
    writeln!(stdout(), r#"{{"address":"{address}","control":"{control}"}}"#)?;
    stdout().flush()?;
    // What it is sent does not matter, only its end.
    stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
