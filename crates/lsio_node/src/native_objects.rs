//! Objects of a store as the facade sees them.

use std::sync::Arc;

use lsio::{ByteRange, CancelToken, Objects};
use napi::bindgen_prelude::Object;
use napi::{Env, Result};
use napi_derive::napi;

use crate::environment_calls::RunningCall;
use crate::native_array::state_of;
use crate::native_call::NativeCall;
use crate::native_results::owned;
use crate::native_storage::NativeStorageOptions;
use crate::process_engine::engine;
use crate::settled_promise::{Settle, Tagged};
use crate::unsafe_js_values::OwnedBytes;

/// The objects at and below a location.
#[napi]
#[derive(Debug)]
pub struct NativeObjects {
    objects: Arc<Objects>,
}

/// The objects at and below a location, which is looked at when the first of them is read.
#[napi(catch_unwind, ts_return_type = "NativeResult<NativeObjects>")]
#[must_use]
pub fn objects(location: String, storage: Option<NativeStorageOptions>) -> Tagged<NativeObjects> {
    let storage = storage.map(Into::into).unwrap_or_default();
    let objects = engine().map(|engine| Arc::new(Objects::new(&engine, &location, storage)));
    objects.map(|objects| NativeObjects { objects }).into()
}

#[napi]
impl NativeObjects {
    /// The location as it may be shown: without what is secret in a URL.
    #[napi(catch_unwind)]
    #[must_use]
    pub fn location(&self) -> String {
        self.objects.location()
    }

    /// Reads `length` bytes of an object from `offset` on, its last `length` bytes without an `offset`, all
    /// of it without a `length`. `null`: there is no such object.
    ///
    /// # Errors
    /// Where Node-API fails.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeResult<ArrayBuffer | null>>")]
    pub fn read<'env>(
        &self,
        env: &'env Env,
        call: Option<&NativeCall>,
        key: String,
        max_bytes: f64,
        offset: Option<f64>,
        length: Option<f64>,
    ) -> Result<Object<'env>> {
        let call = state_of(call);
        let (settle, promise) = Settle::<Option<OwnedBytes>>::promise(env)?;
        let running = RunningCall::begin(env, &call, false)?;
        let range = match (offset, length) {
            (Some(offset), Some(len)) => {
                ByteRange::Bounded { offset: offset as u64, len: len as u64 }
            }
            (None, Some(len)) => ByteRange::Suffix { len: len as u64 },
            (_, None) => ByteRange::Whole,
        };
        let cancel = CancelToken::new();
        call.attach_object(&cancel);
        self.objects.read(&key, range, max_bytes as u64, cancel, move |bytes| {
            drop(running);
            settle.with(bytes.map(|bytes| bytes.map(owned)));
        });
        Ok(promise)
    }
}
