//! A read whose completion is still owed: it is answered exactly once, whatever happens.

use std::sync::Arc;
use std::time::Duration;

use lsio_io::{
    CancelToken, Completion, CompletionSink, Freshness, Identity, Key, Lease, Read, ReadAnswer,
    Requests, Reservation, Route, StorageError, class_size,
};

/// The part of a [`Read`] that its answer needs. Dropping it unanswered tells its sink that the store was closed.
#[derive(Debug)]
pub(crate) struct OwedRead {
    pub(crate) key: Key,
    freshness: Freshness,
    pub(crate) cancel: CancelToken,
    reservation: Option<Reservation>,
    tag: u64,
    sink: Option<Arc<dyn CompletionSink>>,
    location: Arc<str>,
}

impl OwedRead {
    pub(crate) fn new(read: Read, location: Arc<str>) -> Self {
        let Read { key, freshness, reservation, cancel, tag, sink, .. } = read;
        let (reservation, sink) = (Some(reservation), Some(sink));
        Self { key, freshness, cancel, reservation, tag, sink, location }
    }

    /// The version that the read accepts. `Err`: one of another kind of store.
    pub(crate) fn pinned(&self) -> Result<Option<Identity>, StorageError> {
        match &self.freshness {
            Freshness::Current => Ok(None),
            Freshness::Pinned(identity @ (Identity::Tag(_) | Identity::Weak { .. })) => {
                Ok(Some(identity.clone()))
            }
            Freshness::Pinned(_) => Err(StorageError::Conflict { key: self.key.clone() }),
        }
    }

    /// Bytes that are reserved for the read.
    pub(crate) fn reserved(&self) -> u64 {
        self.reservation.as_ref().map_or(0, Reservation::bytes)
    }

    /// Whether there is room for so many bytes.
    ///
    /// # Errors
    /// [`StorageError::TooLong`].
    pub(crate) fn check_room(&self, len: u64) -> Result<(), StorageError> {
        let reserved = self.reserved();
        // Nothing is kept where only the identity and the length are wanted.
        if len > 0 && class_size(len) > reserved {
            return Err(StorageError::TooLong { key: self.key.clone(), len, reserved });
        }
        Ok(())
    }

    /// A buffer of `len` bytes; gives back what the reservation has more.
    ///
    /// # Errors
    /// [`StorageError::TooLong`], or [`StorageError::Io`] if the system has no memory.
    pub(crate) fn lease(&mut self, len: u64) -> Result<Lease, StorageError> {
        self.check_room(len)?;
        let lease = self.reservation.as_mut().and_then(|all| all.lease_all(len as usize));
        lease.ok_or_else(|| StorageError::Io {
            operation: "get memory for",
            key: self.key.clone(),
            source: Arc::new(std::io::ErrorKind::OutOfMemory.into()),
        })
    }

    /// Answers the read. Memory that the answer does not hold is given back first.
    pub(crate) fn answer(
        mut self,
        result: Result<ReadAnswer, StorageError>,
        elapsed: Duration,
        requests: Requests,
    ) {
        self.send(result, elapsed, requests);
    }

    fn send(
        &mut self,
        result: Result<ReadAnswer, StorageError>,
        elapsed: Duration,
        requests: Requests,
    ) {
        let Some(sink) = self.sink.take() else { return };
        self.reservation = None;
        let (tag, route) = (self.tag, Route::ObjectStore);
        sink.complete(Completion { tag, result, route, elapsed, requests });
    }
}

impl Drop for OwedRead {
    fn drop(&mut self) {
        if self.sink.is_some() {
            let location = self.location.to_string();
            self.send(Err(StorageError::Closed { location }), Duration::ZERO, Requests::default());
        }
    }
}
