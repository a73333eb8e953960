//! Bytes of JavaScript on their way into the core, and into stores in memory.

use lsio::{ErrorCode, LsioError};
use napi::bindgen_prelude::{Object, Uint8ArraySlice};
use napi::{Env, Result};
use napi_derive::napi;

use crate::process_engine::engine;
use crate::settled_promise::{Settle, Tagged};
use crate::unsafe_js_values::Null;

/// A copy of bytes on its way into the core, made in parts so that none takes long.
#[napi]
#[derive(Debug)]
pub struct NativeMemoryValue {
    bytes: Vec<u8>,
    /// Bytes that it is to have.
    len: usize,
}

/// Room for a copy of exactly this many bytes.
#[napi(catch_unwind, ts_return_type = "NativeResult<NativeMemoryValue>")]
#[must_use]
pub fn memory_value(byte_length: f64) -> Tagged<NativeMemoryValue> {
    let len = byte_length as usize;
    let mut bytes = Vec::new();
    let reserved = bytes.try_reserve_exact(len).map_err(|_| {
        let message = format!("the system has no memory for a copy of {len} bytes");
        LsioError::new(ErrorCode::Budget, message)
    });
    reserved.map(|()| NativeMemoryValue { bytes, len }).into()
}

#[napi]
impl NativeMemoryValue {
    /// Copies the next part. One that is beyond the length is refused.
    #[napi(catch_unwind, ts_return_type = "NativeResult<null>")]
    pub fn append(&mut self, part: Uint8ArraySlice<'_>) -> Tagged<Null> {
        if part.len() > self.len - self.bytes.len() {
            return Tagged::Err(self.wrong(self.bytes.len() + part.len()).into());
        }
        self.bytes.extend_from_slice(&part);
        Tagged::Ok(Null)
    }

    /// Gives the memory back: nothing can be appended or put afterwards.
    #[napi(catch_unwind)]
    pub fn discard(&mut self) {
        self.len = 0;
        self.bytes = Vec::new();
    }

    /// Puts the copy into a store, if it is complete. It is empty afterwards.
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
        match self.take().and_then(|bytes| Ok((engine()?, bytes))) {
            Ok((engine, bytes)) => engine
                .put_in_memory(&store, &key, bytes, move |end| settle.with(end.map(|()| Null))),
            Err(error) => settle.with(Err(error)),
        }
        Ok(promise)
    }
}

impl NativeMemoryValue {
    /// The copy. It is empty afterwards.
    ///
    /// # Errors
    /// [`ErrorCode::Internal`] if parts of it are missing.
    pub(crate) fn take(&mut self) -> std::result::Result<Vec<u8>, LsioError> {
        if self.bytes.len() < self.len {
            return Err(self.wrong(self.bytes.len()));
        }
        self.len = 0;
        Ok(std::mem::take(&mut self.bytes))
    }

    fn wrong(&self, given: usize) -> LsioError {
        let message = format!("a copy of {} bytes was given {given}", self.len);
        LsioError::new(ErrorCode::Internal, message)
    }
}
