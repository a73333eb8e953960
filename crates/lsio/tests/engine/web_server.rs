//! A web server on this machine that tells little of its objects, and nothing when they change.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

type Objects = HashMap<String, Vec<u8>>;

/// How objects are answered, whatever becomes of them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Manner {
    /// When they were last modified.
    pub(crate) modified: Option<&'static str>,
    /// Whether they have a strong entity tag made of that, in an answer of the same second.
    pub(crate) tags: bool,
    /// As where addresses are signed for GET only.
    pub(crate) refuses_head: bool,
}

/// The server. It ends with the process.
pub(crate) struct WebServer {
    address: SocketAddr,
    objects: Arc<Mutex<Objects>>,
}

impl WebServer {
    pub(crate) fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let objects = Arc::new(Mutex::new(Objects::new()));
        let served = Arc::clone(&objects);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, objects) = (stream.unwrap(), Arc::clone(&served));
                // A client that goes away ends its connection.
                thread::spawn(move || serve(&stream, &objects, manner));
            }
        });
        Self { address, objects }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        self.objects.lock().unwrap().insert(format!("/{path}"), bytes.to_vec());
    }
}

fn serve(mut stream: &TcpStream, objects: &Mutex<Objects>, manner: Manner) -> io::Result<()> {
    let Manner { modified, tags, refuses_head } = manner;
    let mut lines = BufReader::new(stream).lines();
    while let Some(first) = lines.next().transpose()? {
        let mut range = None;
        for line in lines.by_ref() {
            let line = line?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            range = line.strip_prefix("range: bytes=").map(str::to_owned).or(range);
        }
        let mut words = first.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let object = objects.lock().unwrap().get(path).cloned();
        let (status, body, span) = match (object, range) {
            _ if refuses_head && method == "HEAD" => ("403 Forbidden", Vec::new(), None),
            (None, _) => ("404 Not Found", Vec::new(), None),
            (Some(bytes), None) => ("200 OK", bytes, None),
            (Some(bytes), Some(range)) => {
                let (from, end) = span(&range, bytes.len());
                let told = format!("content-range: bytes {from}-{}/{}\r\n", end - 1, bytes.len());
                ("206 Partial Content", bytes[from..end].to_vec(), Some(told))
            }
        };
        let tag = |time| format!("date: {time}\r\netag: \"{time}\"\r\n");
        let tag = modified.filter(|_| tags).map(tag).unwrap_or_default();
        let modified = modified.map(|time| format!("last-modified: {time}\r\n"));
        let (modified, span) = (modified.unwrap_or_default() + &tag, span.unwrap_or_default());
        let len = body.len();
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {len}\r\n{span}{modified}\r\n")?;
        if method != "HEAD" {
            stream.write_all(&body)?;
        }
    }
    Ok(())
}

/// First byte of a range, and the one after its last.
fn span(range: &str, len: usize) -> (usize, usize) {
    let (from, last) = range.split_once('-').unwrap();
    match (from.parse::<usize>(), last.parse::<usize>()) {
        (Ok(from), Ok(last)) => (from, len.min(last + 1)),
        (Ok(from), Err(_)) => (from, len),
        (Err(_), last) => (len - len.min(last.unwrap()), len),
    }
}
