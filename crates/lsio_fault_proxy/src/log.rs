//! What came to the proxy, and what became of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Serialize;

/// The requests since the start of the proxy, or since the log was cleared.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Log {
    /// In the order in which they came.
    pub requests: Vec<LoggedRequest>,
    /// Requests that have not ended, also those from before the log was cleared.
    pub in_flight: u64,
    /// Connections of clients.
    pub connections: Connections,
}

/// A request.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggedRequest {
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub path: String,
    /// Its `Range` header.
    pub range: Option<String>,
    /// When its head had come, in milliseconds since the proxy started.
    pub start_ms: f64,
    /// When the body of the answer was handed over to the system, or the request ended otherwise; none as long as it
    /// is under way.
    pub end_ms: Option<f64>,
    /// The status that was answered; none where the connection was reset before.
    pub status: Option<u16>,
    /// Bytes of the body that went out.
    pub bytes: u64,
    /// Requests under way when it came, with itself.
    pub in_flight: u64,
}

/// Connections of clients.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Connections {
    /// All since the start of the proxy.
    pub accepted: u64,
    /// Those that are open.
    pub open: u64,
}

/// The log while it is written.
#[derive(Debug)]
pub(crate) struct LogBook {
    start: Instant,
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    log: Log,
    /// How often the log was cleared: entries of earlier ones are gone.
    cleared: u64,
}

impl LogBook {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), pages: Mutex::default() })
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn log(&self) -> Log {
        self.pages().log.clone()
    }

    pub(crate) fn clear(&self) {
        let mut pages = self.pages();
        pages.log.requests.clear();
        pages.cleared += 1;
    }

    fn now_ms(&self) -> f64 {
        self.start.elapsed().as_secs_f64() * 1e3
    }

    /// Notes a request; it is under way until the entry is dropped.
    pub(crate) fn open(
        self: &Arc<Self>,
        method: String,
        path: String,
        range: Option<String>,
    ) -> Entry {
        let start_ms = self.now_ms();
        let mut pages = self.pages();
        pages.log.in_flight += 1;
        let in_flight = pages.log.in_flight;
        let place = (pages.cleared, pages.log.requests.len());
        pages.log.requests.push(LoggedRequest {
            method,
            path,
            range,
            start_ms,
            end_ms: None,
            status: None,
            bytes: 0,
            in_flight,
        });
        drop(pages);
        Entry { book: Arc::clone(self), place, in_flight, status: None, bytes: 0 }
    }

    pub(crate) fn accepted(self: &Arc<Self>) -> OpenConnection {
        let mut pages = self.pages();
        pages.log.connections.accepted += 1;
        pages.log.connections.open += 1;
        drop(pages);
        OpenConnection(Arc::clone(self))
    }
}

/// A request under way.
#[derive(Debug)]
pub(crate) struct Entry {
    book: Arc<LogBook>,
    place: (u64, usize),
    /// Requests under way when it came, with itself.
    pub(crate) in_flight: u64,
    pub(crate) status: Option<u16>,
    pub(crate) bytes: u64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let end_ms = self.book.now_ms();
        let mut pages = self.book.pages();
        pages.log.in_flight -= 1;
        let (cleared, index) = self.place;
        if cleared == pages.cleared
            && let Some(request) = pages.log.requests.get_mut(index)
        {
            request.end_ms = Some(end_ms);
            request.status = self.status;
            request.bytes = self.bytes;
        }
    }
}

/// A connection, open until this is dropped.
#[derive(Debug)]
pub(crate) struct OpenConnection(Arc<LogBook>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.pages().log.connections.open -= 1;
    }
}
