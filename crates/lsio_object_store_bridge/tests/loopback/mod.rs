//! A web server on this machine that answers as a test says, and remembers what it was asked.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A request, its header names in lower case.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query as they were sent.
    pub(crate) target: String,
    pub(crate) headers: HashMap<String, String>,
}

impl Request {
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    /// First byte and the one after the last.
    pub(crate) fn range(&self, len: usize) -> Option<(usize, usize)> {
        let range = self.headers.get("range")?.strip_prefix("bytes=")?;
        let (start, end) = range.split_once('-')?;
        match (start.parse::<usize>(), end.parse::<usize>()) {
            (Ok(start), Ok(end)) => Some((start, len.min(end + 1))),
            (Err(_), Ok(suffix)) => Some((len.saturating_sub(suffix), len)),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn new(status: u16, body: &[u8]) -> Self {
        Self { status, headers: Vec::new(), body: body.to_vec() }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// An object, or the range of it that was asked for.
    pub(crate) fn object(request: &Request, bytes: &[u8]) -> Self {
        let response = match request.range(bytes.len()) {
            Some((start, end)) if start < end => Self::new(206, &bytes[start..end])
                .header("content-range", format!("bytes {start}-{}/{}", end - 1, bytes.len())),
            Some(_) => Self::new(416, b""),
            None => Self::new(200, bytes),
        };
        response.header("etag", "\"one\"").header("last-modified", "Mon, 23 Nov 2026 10:00:00 GMT")
    }
}

/// The server. It ends with the process.
pub(crate) struct Loopback {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Loopback {
    pub(crate) fn start(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        Self::start_over(|stream| stream, answer)
    }

    /// Speaks over what `wrap` makes of each connection.
    pub(crate) fn start_over<S: Read + Write>(
        wrap: impl Fn(TcpStream) -> S + Send + Sync + 'static,
        answer: impl Fn(&Request) -> Response + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let (seen, wrap, answer) = (requests.clone(), Arc::new(wrap), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, wrap, answer) = (seen.clone(), wrap.clone(), answer.clone());
                thread::spawn(move || serve(wrap(stream.unwrap()), &seen, &*answer));
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve<S: Read + Write>(
    stream: S,
    seen: &Mutex<Vec<Request>>,
    answer: &dyn Fn(&Request) -> Response,
) {
    let mut stream = BufReader::new(stream);
    while let Some(Ok(first)) = stream.by_ref().lines().next() {
        let mut words = first.split(' ').map(str::to_owned);
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let mut headers = HashMap::new();
        for line in stream.by_ref().lines() {
            let line = line.unwrap();
            let Some((name, value)) = line.split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let request = Request { method, target, headers };
        seen.lock().unwrap().push(request.clone());
        let response = answer(&request);
        let mut head = format!("HTTP/1.1 {} It\r\n", response.status);
        for (name, value) in &response.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        if !response.headers.iter().any(|(name, _)| *name == "transfer-encoding") {
            head.extend(["content-length: ", &response.body.len().to_string(), "\r\n"]);
        }
        head.push_str("\r\n");
        let writer = stream.get_mut();
        writer.write_all(head.as_bytes()).unwrap();
        if request.method != "HEAD" && writer.write_all(&response.body).is_err() {
            return;
        }
        writer.flush().unwrap();
    }
}
