//! A client that shows what is on the wire: one request on a connection of its own, and all that comes back.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// What came back until the connection ended.
pub(crate) struct Seen {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
    /// How the connection ended: by FIN, or by this error.
    pub(crate) end: io::Result<()>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// Asks for `target` with these headers, each a line.
pub(crate) fn ask(address: SocketAddr, method: &str, target: &str, headers: &[&str]) -> Seen {
    let mut stream = TcpStream::connect(address).unwrap();
    let headers: String = headers.iter().flat_map(|line| [line, "\r\n"]).collect();
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n"
    )
    .unwrap();
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).map(|_| ());
    let split = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let (head, body) = match split {
        Some(split) => {
            (String::from_utf8(bytes[..split].to_vec()).unwrap(), bytes[split + 4..].to_vec())
        }
        None => (String::new(), bytes),
    };
    let status = head.split(' ').nth(1).map_or(0, |status| status.parse().unwrap());
    Seen { status, head, body, end }
}

/// Asks for `target`.
pub(crate) fn get(address: SocketAddr, target: &str) -> Seen {
    ask(address, "GET", target, &[])
}
