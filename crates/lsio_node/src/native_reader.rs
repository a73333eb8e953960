//! Readers as the facade sees them: batches cross, not chunks.

use lsio::ChunkReader;
use napi::bindgen_prelude::Object;
use napi::{Env, Result};
use napi_derive::napi;

use crate::native_results::NativeBatch;
use crate::native_stats::NativeStats;
use crate::settled_promise::Settle;

/// Chunks of one selection. It ends when it is closed, garbage, or its environment ends.
#[napi]
#[derive(Debug)]
pub struct NativeReader {
    reader: ChunkReader,
}

impl NativeReader {
    pub(crate) fn new(reader: ChunkReader) -> Self {
        Self { reader }
    }
}

#[napi]
impl NativeReader {
    /// At least one chunk, and as many more as are ready and make a batch; none at the end.
    ///
    /// # Errors
    /// Where Node-API fails.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeResult<NativeBatch>>")]
    pub fn next_batch<'env>(&self, env: &'env Env) -> Result<Object<'env>> {
        let (settle, promise) = Settle::<NativeBatch>::promise(env)?;
        self.reader.next_packed(Box::new(move |batch| settle.with(batch.map(NativeBatch::from))));
        Ok(promise)
    }

    /// Ends the read; a pending batch ends.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.reader.close();
    }

    /// What was done so far.
    #[napi(catch_unwind)]
    #[must_use]
    pub fn stats(&self) -> NativeStats {
        self.reader.stats().into()
    }
}
