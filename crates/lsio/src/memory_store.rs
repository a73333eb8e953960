//! Filling stores in memory.

use std::sync::Arc;

use lsio_io::{Key, WriteStorage};

use crate::{Engine, LsioError};

impl Engine {
    /// Puts an object into the store in memory with this name; the store is made if there is none, an
    /// object with this key is replaced. `done` is called once, on a thread of the engine.
    ///
    /// It fails with [`ErrorCode::Metadata`](crate::ErrorCode::Metadata) for a key that no store holds.
    pub fn put_in_memory(
        self: &Arc<Self>,
        store: &str,
        key: &str,
        bytes: Vec<u8>,
        done: impl FnOnce(Result<(), LsioError>) + Send + 'static,
    ) {
        let store = self.memory_store(store);
        let key = Key::new(key);
        self.control.run(move || {
            let put = key.and_then(|key| store.put(&key, &bytes));
            done(put.map_err(LsioError::from));
        });
    }
}
