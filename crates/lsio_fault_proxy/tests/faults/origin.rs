//! A server to stand behind the proxy: one object, by range too, and an echo of what it was asked.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

/// The object: byte i is i modulo 251.
pub(crate) fn object() -> Vec<u8> {
    (0..10_000_u32).map(|index| (index % 251) as u8).collect()
}

pub(crate) const ETAG: &str = "\"one\"";

/// Starts the server; it ends with the test process.
pub(crate) fn start() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(&stream));
        }
    });
    address
}

/// Answers until the other side closes.
fn serve(mut stream: &TcpStream) {
    let mut lines = BufReader::new(stream).lines();
    loop {
        let head: Vec<String> =
            lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        if head.is_empty() {
            return;
        }
        if stream.write_all(&answer(&head)).is_err() {
            return;
        }
    }
}

fn answer(head: &[String]) -> Vec<u8> {
    let header = |name: &str| {
        head.iter().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    };
    let object = object();
    let (status, body) =
        match header("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-')) {
            Some((first, last)) => {
                ("206 Partial Content", &object[first.parse().unwrap()..=last.parse().unwrap()])
            }
            None => ("200 OK", &object[..]),
        };
    let mut answer = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nETag: {ETAG}\r\nX-Request: {}\r\nX-Host: {}\r\nX-If-Match: {}\r\n\r\n",
        body.len(),
        head[0],
        header("host").unwrap_or_default(),
        header("if-match").unwrap_or_default(),
    )
    .into_bytes();
    if !head[0].starts_with("HEAD") {
        answer.extend_from_slice(body);
    }
    answer
}
