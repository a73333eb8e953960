//! An object store as a storage of the engine.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use lsio_io::{CancelToken, Key, ListDone, Read, ReadLimits, Requests, Storage, StorageError};
use object_store::ObjectStore;
use object_store::path::Path;
use tokio::runtime::Handle;

use crate::asked::Asked;
use crate::fetch::Fetch;
use crate::listing::{OwedListing, members, path_of};
use crate::look::Looks;
use crate::owed_read::OwedRead;
use crate::{Host, Network, object_read};

/// The objects below one path of a bucket, container or server.
///
/// "Does not exist" is a 404 on the object's own key. A bucket that does not exist is
/// [`StorageError::NoStore`]; refused access is [`StorageError::Access`], whatever the store means by it.
pub struct ObjectStorage {
    shared: Arc<Shared>,
    network: Arc<Network>,
    can_list: bool,
    is_plain: bool,
}

struct Shared {
    location: Arc<str>,
    store: Arc<dyn ObjectStore>,
    looks: Arc<Looks>,
    base: Path,
    host: Arc<Host>,
}

impl ObjectStorage {
    /// The objects of `store` below `base`. `location` is for messages and must be free of secrets. The store must
    /// not retry by itself.
    #[must_use]
    pub fn new(
        location: &str,
        store: Arc<dyn ObjectStore>,
        base: Path,
        host: &Arc<Host>,
        network: &Arc<Network>,
    ) -> Self {
        let (location, looks) = (location.into(), Arc::default());
        let shared = Shared { location, store, looks, base, host: host.clone() };
        let (shared, network) = (Arc::new(shared), network.clone());
        Self { shared, network, can_list: true, is_plain: false }
    }

    /// The same for a store that cannot be listed.
    #[must_use]
    pub fn without_listing(mut self) -> Self {
        self.can_list = false;
        self
    }

    /// The same for a plain web server. It cannot be listed; it may refuse HEAD of objects that it gives, whose length
    /// and version come with their first byte then; and its strong entity tags may be made of times in whole seconds.
    #[must_use]
    pub fn on_a_plain_server(self) -> Self {
        Self { is_plain: true, ..self.without_listing() }
    }

    /// The store underneath, for what is not reading.
    #[must_use]
    pub fn object_store(&self) -> &Arc<dyn ObjectStore> {
        &self.shared.store
    }

    fn fetch(&self, key: &Key, cancel: CancelToken) -> Result<Fetch, StorageError> {
        let invalid = |_| StorageError::InvalidKey {
            name: key.to_string(),
            reason: "no object store can hold such a name",
        };
        let shared = &*self.shared;
        Ok(Fetch {
            store: shared.store.clone(),
            looks: shared.looks.clone(),
            is_plain: self.is_plain,
            host: shared.host.clone(),
            path: path_of(&shared.base, key).map_err(invalid)?,
            cancel,
            read: shared.host.next_read(),
            began: OnceLock::new(),
            asked: Asked::default(),
            _task: shared.host.task(),
        })
    }

    fn threads(&self, key: &Key) -> Result<Handle, StorageError> {
        self.network.handle().map_err(|source| {
            let operation = "start threads for";
            StorageError::Io { operation, key: key.clone(), source }
        })
    }
}

impl Storage for ObjectStorage {
    fn location(&self) -> &str {
        &self.shared.location
    }

    fn limits(&self) -> ReadLimits {
        ReadLimits {
            merge_gap: self.shared.host.merge_gap(),
            max_merged: object_read::PART,
            max_request: object_read::WHOLE_UP_TO,
        }
    }

    /// As many as the host may be asked now, and as many again that wait for their turn: more would only hold memory.
    fn reads_at_once(&self) -> u32 {
        self.shared.host.concurrency().saturating_mul(2)
    }

    /// The host, by its place in memory, where no other is while this storage lives.
    fn device(&self) -> usize {
        Arc::as_ptr(&self.shared.host).addr()
    }

    fn submit(&self, batch: Vec<Read>) {
        for read in batch {
            let range = read.range;
            let mut owed = OwedRead::new(read, self.shared.location.clone());
            let started = self
                .threads(&owed.key)
                .and_then(|threads| Ok((threads, self.fetch(&owed.key, owed.cancel.clone())?)));
            match started {
                Ok((threads, fetch)) => {
                    let location = self.shared.location.clone();
                    threads.spawn(async move {
                        let result = fetch.bring(&mut owed, range, &location).await;
                        if let Ok(answer) = &result {
                            fetch.host.counters.delivered(answer.bytes.len() as u64);
                        }
                        owed.answer(result, fetch.elapsed(), fetch.asked.requests());
                    });
                }
                Err(error) => owed.answer(Err(error), Duration::ZERO, Requests::default()),
            }
        }
    }

    fn list(&self, prefix: &Key, done: ListDone) {
        let location = self.shared.location.clone();
        if !self.can_list {
            let (location, operation) = (location.to_string(), "listing");
            return done(Err(StorageError::Unsupported { location, operation }));
        }
        let started = self
            .threads(prefix)
            .and_then(|threads| Ok((threads, self.fetch(prefix, CancelToken::new())?)));
        let owed = OwedListing::new(done, location.clone());
        match started {
            Ok((threads, fetch)) => {
                let key = prefix.clone();
                threads.spawn(async move {
                    let listed = fetch.list().await;
                    let listed = listed.map(|listed| members(&fetch.path, &listed));
                    owed.answer(listed.map_err(|failure| failure.at("list", &key, &location)));
                });
            }
            Err(error) => owed.answer(Err(error)),
        }
    }
}

impl fmt::Debug for ObjectStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectStorage")
            .field("location", &self.shared.location)
            .finish_non_exhaustive()
    }
}
