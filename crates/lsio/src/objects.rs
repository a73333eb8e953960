//! Objects of a store as they are, for callers that decode them themselves.

use std::sync::{Arc, Mutex, PoisonError};

use lsio_io::blocking::read_range_unless;
use lsio_io::{ByteRange, CancelToken, Freshness, Key, Lease, Storage, StorageError};
use lsio_object_store_bridge::{StorageOptions, without_secrets};

use crate::location::Location;
use crate::{Engine, ErrorCode, LsioError};

/// The objects at and below a location.
#[derive(Debug)]
pub struct Objects {
    engine: Arc<Engine>,
    location: String,
    options: StorageOptions,
    /// The storage and where in it, since the first read.
    opened: Mutex<Option<(Arc<dyn Storage>, Key)>>,
}

impl Objects {
    /// The objects at and below `location`, which is looked at when the first of them is read.
    #[must_use]
    pub fn new(engine: &Arc<Engine>, location: &str, options: StorageOptions) -> Self {
        let (engine, location, opened) = (engine.clone(), location.to_owned(), Mutex::default());
        Self { engine, location, options, opened }
    }

    /// The location as it may be shown: without what is secret in a URL.
    #[must_use]
    pub fn location(&self) -> String {
        match Location::parse(&self.location) {
            Ok(Location::Folder(_) | Location::Memory { .. }) => self.location.clone(),
            // What is no address after all may have secrets in it too.
            Ok(Location::Store(_)) | Err(_) => without_secrets(&self.location),
        }
    }

    /// Reads a range of the object at `key`; `None` if there is no such object. The bytes are the
    /// caller's: they count as held. `done` is called once, on a thread of the engine.
    pub fn read(
        self: &Arc<Self>,
        key: &str,
        range: ByteRange,
        max_bytes: u64,
        cancel: CancelToken,
        done: impl FnOnce(Result<Option<Lease>, LsioError>) + Send + 'static,
    ) {
        let (objects, key) = (self.clone(), key.to_owned());
        let read = move || done(objects.read_blocking(&key, range, max_bytes, &cancel));
        self.engine.control.run(read);
    }

    /// [`read`](Self::read) that waits.
    ///
    /// # Errors
    /// [`ErrorCode::Truncated`] where the object ends before the range does, [`ErrorCode::Budget`] for
    /// more bytes than `max_bytes`, [`ErrorCode::Closed`] if it was cancelled,
    /// [`ErrorCode::Conflict`] if the object was replaced meanwhile, time and again; otherwise whatever
    /// the storage says.
    pub fn read_blocking(
        &self,
        key: &str,
        range: ByteRange,
        max_bytes: u64,
        cancel: &CancelToken,
    ) -> Result<Option<Lease>, LsioError> {
        let (storage, base) = self.open()?;
        let key = base.join(key)?;
        let named = |error: LsioError| error.at(format!("{}/{key}", storage.location()));
        // An object that is replaced between its length and its bytes is read anew, once.
        let mut result = self.read_version(&*storage, &key, range, max_bytes, cancel);
        if result.as_ref().is_err_and(LsioError::is_retryable) {
            result = self.read_version(&*storage, &key, range, max_bytes, cancel);
        }
        result.map_err(named)
    }

    /// Reads one version: its length first, so that memory is asked for only for bytes that there are.
    fn read_version(
        &self,
        storage: &dyn Storage,
        key: &Key,
        range: ByteRange,
        max_bytes: u64,
        cancel: &CancelToken,
    ) -> Result<Option<Lease>, LsioError> {
        let memory = &self.engine.memory;
        let read = |offset, len, freshness| {
            let range = ByteRange::Bounded { offset, len };
            read_range_unless(storage, memory, key, range, freshness, cancel.clone())
        };
        if cancel.is_cancelled() {
            return Err(StorageError::Cancelled { key: key.clone() }.into());
        }
        let head = match read(0, 0, Freshness::Current) {
            Err(StorageError::NotFound { .. }) => return Ok(None),
            head => head?,
        };
        let (offset, len) = range.resolve(key, head.object_len)?;
        if len > max_bytes {
            let message =
                format!("'{key}': {len} bytes were asked for, a buffer can have {max_bytes}");
            return Err(LsioError::new(ErrorCode::Budget, message));
        }
        let bytes = read(offset, len, Freshness::Pinned(head.identity))?.bytes;
        let lease = bytes.into_lease().or_else(|shared| {
            let mut copy = memory.hold(shared.len()).ok_or_else(|| {
                let message = format!("the system has no memory for {len} bytes of '{key}'");
                LsioError::new(ErrorCode::Budget, message)
            })?;
            copy.copy_from_slice(&shared);
            Ok::<_, LsioError>(copy)
        })?;
        Ok(Some(lease.into_held()))
    }

    fn open(&self) -> Result<(Arc<dyn Storage>, Key), LsioError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = &*opened {
            return Ok(opened.clone());
        }
        Ok(opened.insert(self.engine.storage(&self.location, &self.options)?).clone())
    }
}
