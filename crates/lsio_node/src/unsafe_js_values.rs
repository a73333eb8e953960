//! Rust values that become JavaScript values: tagged results, tables of numbers, and bytes without a copy.
#![expect(unsafe_code, reason = "Node-API is a C interface")]

use std::any::Any;
use std::ptr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use napi::bindgen_prelude::{ArrayBuffer, Float64ArraySlice, JsObjectValue, Object, ToNapiValue};
use napi::{Env, Result, sys};

use crate::settled_promise::Tagged;

impl<T: ToNapiValue> ToNapiValue for Tagged<T> {
    unsafe fn to_napi_value(env: sys::napi_env, value: Self) -> Result<sys::napi_value> {
        let mut object = Object::new(&Env::from_raw(env))?;
        match value {
            Self::Ok(value) => object.set_named_property("ok", value)?,
            Self::Err(error) => object.set_named_property("error", error)?,
        }
        // SAFETY: the caller's promise on `env` is passed on.
        unsafe { Object::to_napi_value(env, object) }
    }
}

/// Bytes that JavaScript is going to own: they become an `ArrayBuffer` of the same memory, which goes
/// back when that is garbage or detached.
pub(crate) struct OwnedBytes {
    start: *mut u8,
    len: usize,
    owner: Box<dyn Any + Send>,
}

// SAFETY: the memory is the owner's, which is Send, and nobody else has access to it.
unsafe impl Send for OwnedBytes {}

impl OwnedBytes {
    /// The bytes that `bytes` shows of `owner`. The closure must return memory inside `owner` that does
    /// not move with it: a heap allocation or a pool buffer.
    pub(crate) fn new<O: Any + Send>(mut owner: Box<O>, bytes: fn(&mut O) -> &mut [u8]) -> Self {
        let slice = bytes(&mut owner);
        let (start, len) = (slice.as_mut_ptr(), slice.len());
        Self { start, len, owner }
    }

    /// Numbers in native byte order.
    pub(crate) fn from_offsets(mut offsets: Vec<u64>) -> Self {
        let start = offsets.as_mut_ptr().cast();
        Self { start, len: size_of_val(offsets.as_slice()), owner: Box::new(offsets) }
    }
}

impl ToNapiValue for OwnedBytes {
    unsafe fn to_napi_value(env: sys::napi_env, value: Self) -> Result<sys::napi_value> {
        let env_handle = Env::from_raw(env);
        let OwnedBytes { start, len, owner } = value;
        let buffer = if len == 0 {
            drop(owner);
            ArrayBuffer::from_data(&env_handle, Vec::new())?
        } else if copies_results() {
            // SAFETY: the owner keeps these bytes alive, and nobody writes to them.
            let bytes = unsafe { std::slice::from_raw_parts(start, len) };
            let copy = ArrayBuffer::copy_from(&env_handle, bytes)?;
            drop(owner);
            copy
        } else {
            // Shared with the finalizer: napi forgets what it was given when an environment that is
            // ending refuses the buffer.
            let owner = Arc::new(Mutex::new(Some(owner)));
            let finalized = owner.clone();
            // SAFETY: the owner keeps these bytes alive until the finalizer drops it; they are
            // nobody else's. Where external buffers are forbidden, napi copies and finalizes at once.
            let made = unsafe {
                ArrayBuffer::from_external(&env_handle, start, len, finalized, |_, owner| {
                    drop(take(&owner));
                })
            };
            made.inspect_err(|_| drop(take(&owner)))?
        };
        // SAFETY: the caller's promise on `env` is passed on.
        unsafe { ArrayBuffer::to_napi_value(env, buffer) }
    }
}

/// Numbers that become a `Float64Array` of their own: one value for a whole table.
#[derive(Debug)]
pub(crate) struct NumberTable(pub(crate) Vec<f64>);

impl ToNapiValue for NumberTable {
    unsafe fn to_napi_value(env: sys::napi_env, value: Self) -> Result<sys::napi_value> {
        let table = Float64ArraySlice::copy_from(&Env::from_raw(env), &value.0)?;
        // SAFETY: the caller's promise on `env` is passed on.
        unsafe { Float64ArraySlice::to_napi_value(env, table) }
    }
}

/// What is left of the owner of some bytes.
fn take(owner: &Mutex<Option<Box<dyn Any + Send>>>) -> Option<Box<dyn Any + Send>> {
    owner.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Whether results are copied as if external buffers were forbidden: `LSIO_COPY_RESULTS=1`, for tests
/// of that way.
fn copies_results() -> bool {
    static COPIES: OnceLock<bool> = OnceLock::new();
    *COPIES.get_or_init(|| std::env::var_os("LSIO_COPY_RESULTS").is_some_and(|value| value == "1"))
}

/// `null`.
pub struct Null;

impl ToNapiValue for Null {
    unsafe fn to_napi_value(env: sys::napi_env, _value: Self) -> Result<sys::napi_value> {
        let mut null = ptr::null_mut();
        // SAFETY: `env` is live, as the caller promises, and `null` is written by the call.
        napi::check_status!(unsafe { sys::napi_get_null(env, &raw mut null) })?;
        Ok(null)
    }
}
