//! A read whose completion is still owed: it is answered exactly once, whatever happens.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use lsio_io::{
    Begun, ByteRange, CancelToken, Completion, CompletionSink, Freshness, Key, Lease, Read,
    ReadAnswer, Requests, Reservation, Route, StorageError,
};

use crate::open_file::OpenFile;
use crate::root::Root;
use crate::stats::Counters;

/// A [`Read`] on its way. Dropping it unanswered tells its sink that the storage was closed, or that
/// the thread that served it panicked.
#[derive(Debug)]
pub(crate) struct OwedRead {
    pub(crate) key: Key,
    pub(crate) range: ByteRange,
    pub(crate) freshness: Freshness,
    pub(crate) cancel: CancelToken,
    pub(crate) begun: Option<Begun>,
    pub(crate) root: Arc<Root>,
    reservation: Option<Reservation>,
    tag: u64,
    sink: Option<Arc<dyn CompletionSink>>,
    counters: Arc<Counters>,
    /// How the read is to be served.
    pub(crate) route: Route,
}

/// Where in its file a read lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) offset: u64,
    pub(crate) len: usize,
}

/// A buffer and the wanted bytes in it.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) lease: Lease,
    /// First wanted byte.
    pub(crate) head: usize,
    /// Number of wanted bytes.
    pub(crate) len: usize,
}

impl OwedRead {
    pub(crate) fn new(read: Read, root: Arc<Root>, counters: Arc<Counters>, route: Route) -> Self {
        let Read { key, range, freshness, reservation, cancel, tag, sink, begun, .. } = read;
        let (reservation, sink) = (Some(reservation), Some(sink));
        Self { key, range, freshness, cancel, begun, root, reservation, tag, sink, counters, route }
    }

    /// Answers the read. Memory that the answer does not hold is given back first.
    pub(crate) fn answer(mut self, result: Result<ReadAnswer, StorageError>, elapsed: Duration) {
        self.send(result, elapsed);
    }

    fn send(&mut self, result: Result<ReadAnswer, StorageError>, elapsed: Duration) {
        let Some(sink) = self.sink.take() else { return };
        self.begun = None;
        self.reservation = None;
        if let Ok(answer) = &result {
            self.counters.served(self.route, answer.bytes.len());
        }
        let (route, requests) = (self.route, Requests::default());
        sink.complete(Completion { tag: self.tag, result, route, elapsed, requests });
    }

    /// Where the read lies in `file`, if its reservation is large enough for it.
    ///
    /// # Errors
    /// [`StorageError::Truncated`] and [`StorageError::TooLong`].
    pub(crate) fn bounds(&self, file: &OpenFile) -> Result<Bounds, StorageError> {
        bounds(&self.key, self.range, self.reservation.as_ref(), file)
    }

    /// Leases a buffer of `len` bytes and gives back what the reservation has more.
    ///
    /// # Errors
    /// [`StorageError::TooLong`], or [`StorageError::Io`] if the system has no memory.
    pub(crate) fn lease(&mut self, len: usize) -> Result<Lease, StorageError> {
        lease(&self.key, self.reservation.as_mut(), len)
    }

    /// The answer with the bytes of `window`, read from `file`. `cut_short` says that the kernel
    /// answered part of it later than the rest.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] if somebody wrote to the file meanwhile and that could show.
    pub(crate) fn judge(
        &self,
        file: &OpenFile,
        window: Window,
        cut_short: bool,
    ) -> Result<ReadAnswer, StorageError> {
        judge(&self.key, &self.freshness, file, window, cut_short)
    }

    /// The error of a file that ended before the read did.
    pub(crate) fn truncated(&self, file: &OpenFile, bounds: Bounds) -> StorageError {
        match file.len_now() {
            Ok(actual) => StorageError::Truncated {
                key: self.key.clone(),
                expected: bounds.offset.saturating_add(bounds.len as u64),
                actual,
            },
            Err(error) => self.root.error("look at", &self.key, error),
        }
    }

    /// The error of a failed read(2).
    pub(crate) fn failed(&self, error: io::Error) -> StorageError {
        StorageError::Io { operation: "read", key: self.key.clone(), source: Arc::new(error) }
    }

    /// Why the read must not be started any more, if so.
    pub(crate) fn refusal(&self) -> Option<StorageError> {
        self.cancel.is_cancelled().then(|| StorageError::Cancelled { key: self.key.clone() })
    }
}

impl Drop for OwedRead {
    fn drop(&mut self) {
        if self.sink.is_none() {
            return;
        }
        let error = if std::thread::panicking() {
            self.failed(io::Error::other("the thread that was reading it panicked"))
        } else {
            self.root.closed()
        };
        self.send(Err(error), Duration::ZERO);
    }
}

/// Where `range` lies in `file`, if `reservation` is large enough for it.
pub(crate) fn bounds(
    key: &Key,
    range: ByteRange,
    reservation: Option<&Reservation>,
    file: &OpenFile,
) -> Result<Bounds, StorageError> {
    let (offset, len) = range.resolve(key, file.len())?;
    let reserved = reservation.map_or(0, Reservation::bytes);
    match usize::try_from(len) {
        // Only the identity and the length are wanted.
        Ok(0) => Ok(Bounds { offset, len: 0 }),
        Ok(bytes) if Read::reserve_for(len) <= reserved => Ok(Bounds { offset, len: bytes }),
        _ => Err(StorageError::TooLong { key: key.clone(), len, reserved }),
    }
}

/// Leases `len` bytes out of `reservation` and gives the rest back.
pub(crate) fn lease(
    key: &Key,
    reservation: Option<&mut Reservation>,
    len: usize,
) -> Result<Lease, StorageError> {
    let no_memory = || StorageError::Io {
        operation: "take memory for reading",
        key: key.clone(),
        source: Arc::new(io::ErrorKind::OutOfMemory.into()),
    };
    let reservation = reservation.ok_or_else(no_memory)?;
    let needed = lsio_io::class_size(len as u64);
    let reserved = reservation.bytes();
    if needed > reserved {
        return Err(StorageError::TooLong { key: key.clone(), len: len as u64, reserved });
    }
    reservation.lease_all(len).ok_or_else(no_memory)
}

/// Whether a file has to be looked at once more after reading: a read that pins a version would also
/// read through its open handle what somebody wrote over that version in place, and one that was cut
/// short may have bytes of two versions.
pub(crate) fn may_have_changed(freshness: &Freshness, cut_short: bool) -> bool {
    cut_short || matches!(freshness, Freshness::Pinned(_))
}

/// The answer with the bytes of `window`, if they belong to one version of the file.
pub(crate) fn judge(
    key: &Key,
    freshness: &Freshness,
    file: &OpenFile,
    window: Window,
    cut_short: bool,
) -> Result<ReadAnswer, StorageError> {
    if may_have_changed(freshness, cut_short) {
        let unchanged =
            file.is_unchanged().map_err(|error| StorageError::from_io("look at", key, error))?;
        if !unchanged {
            return Err(StorageError::Conflict { key: key.clone() });
        }
    }
    let Window { lease, head, len } = window;
    let bytes = lease.freeze().slice(head..head + len).ok_or_else(|| StorageError::Io {
        operation: "read",
        key: key.clone(),
        source: Arc::new(io::Error::other("the buffer is shorter than the range")),
    })?;
    Ok(ReadAnswer { bytes, object_len: file.len(), identity: file.identity().clone() })
}
