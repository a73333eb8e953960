//! Filling stores in memory from JavaScript.

use napi::bindgen_prelude::{Object, Uint8ArraySlice};
use napi::{Env, Result};
use napi_derive::napi;

use crate::process_engine::engine;
use crate::settled_promise::Settle;
use crate::unsafe_js_values::Null;

/// A copy of bytes on its way into a store in memory, made in parts so that none takes long.
#[napi]
#[derive(Debug)]
pub struct NativeMemoryValue {
    bytes: Vec<u8>,
}

#[napi]
impl NativeMemoryValue {
    /// Room for this many bytes.
    #[napi(constructor, catch_unwind)]
    #[must_use]
    pub fn new(byte_length: f64) -> Self {
        Self { bytes: Vec::with_capacity(byte_length as usize) }
    }

    /// Copies the next part.
    #[napi(catch_unwind)]
    pub fn append(&mut self, part: Uint8ArraySlice<'_>) {
        self.bytes.extend_from_slice(&part);
    }

    /// Puts the copy into a store. It is empty afterwards.
    ///
    /// # Errors
    /// Where Node-API fails.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeResult<null>>")]
    pub fn put<'env>(
        &mut self,
        env: &'env Env,
        store: String,
        key: String,
    ) -> Result<Object<'env>> {
        let (settle, promise) = Settle::promise(env)?;
        let bytes = self.take();
        match engine() {
            Ok(engine) => engine
                .put_in_memory(&store, &key, bytes, move |end| settle.with(end.map(|()| Null))),
            Err(error) => settle.with(Err(error)),
        }
        Ok(promise)
    }
}

impl NativeMemoryValue {
    /// The copy. It is empty afterwards.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}
