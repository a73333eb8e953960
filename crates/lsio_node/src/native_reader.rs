//! Readers as the facade sees them: batches cross, not chunks.

use lsio::ChunkReader;
use napi::bindgen_prelude::Object;
use napi::{Env, Result};
use napi_derive::napi;

use crate::native_results::NativeChunk;
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
    /// At least one and at most `max` chunks; none at the end.
    ///
    /// # Errors
    /// Where Node-API fails.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeResult<Array<NativeChunk>>>")]
    pub fn next_batch<'env>(&self, env: &'env Env, max: u32) -> Result<Object<'env>> {
        let (settle, promise) = Settle::<Vec<NativeChunk>>::promise(env)?;
        let done = move |batch: std::result::Result<Vec<_>, _>| {
            settle.with(batch.map(|batch| batch.into_iter().map(NativeChunk::from).collect()));
        };
        self.reader.next_batch(max as usize, Box::new(done));
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
