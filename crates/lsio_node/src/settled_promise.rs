//! Promises that are settled from LSIO's own threads: each resolves with a tagged object, `{ ok }` or
//! `{ error }`. No runtime is started for them.

use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use lsio::{ErrorCode, LsioError, RunHandle};
use napi::bindgen_prelude::{Object, ToNapiValue};
use napi::{Env, Result};

use crate::environment_calls::promise_queue;
use crate::native_call::CallState;
use crate::native_error::NativeError;
use crate::unsafe_promise_queue::Deferral;

/// What a call results in.
#[derive(Debug)]
pub enum Tagged<T> {
    /// `{ ok: value }`
    Ok(T),
    /// `{ error: ... }`
    Err(NativeError),
}

impl<T> From<std::result::Result<T, LsioError>> for Tagged<T> {
    fn from(result: std::result::Result<T, LsioError>) -> Self {
        match result {
            Ok(value) => Self::Ok(value),
            Err(error) => Self::Err(error.into()),
        }
    }
}

struct Deferred<T: ToNapiValue + Send + 'static> {
    deferral: Mutex<Option<Deferral>>,
    value: PhantomData<fn(T)>,
}

/// Settles one promise, from any thread, once. If all clones are dropped before, it settles with an
/// internal error, so that no caller waits for ever.
pub(crate) struct Settle<T: ToNapiValue + Send + 'static>(Arc<Deferred<T>>);

impl<T: ToNapiValue + Send + 'static> Clone for Settle<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: ToNapiValue + Send + 'static> Settle<T> {
    /// A promise, and what settles it.
    pub(crate) fn promise(env: &Env) -> Result<(Self, Object<'_>)> {
        let (deferral, promise) = promise_queue(env)?.promise(env, true)?;
        Ok((Self::of(deferral), promise))
    }

    /// As [`Settle::promise`], for a promise that may stay unsettled for ever: the event loop does not stay for it.
    pub(crate) fn idle_promise(env: &Env) -> Result<(Self, Object<'_>)> {
        let (deferral, promise) = promise_queue(env)?.promise(env, false)?;
        Ok((Self::of(deferral), promise))
    }

    fn of(deferral: Deferral) -> Self {
        let deferral = Mutex::new(Some(deferral));
        Self(Arc::new(Deferred { deferral, value: PhantomData }))
    }

    /// Settles the promise. The value becomes a JavaScript value on the JavaScript thread; if the
    /// environment has ended meanwhile, it is dropped.
    pub(crate) fn with(&self, result: std::result::Result<T, LsioError>) {
        if let Some(deferral) = self.0.take() {
            deferral.resolve(Tagged::<T>::from(result));
        }
    }

    /// Ties the call to the run that was started for it, or settles the promise with the reason why
    /// none was.
    pub(crate) fn follow(&self, call: &CallState, run: std::result::Result<RunHandle, LsioError>) {
        match run {
            Ok(run) => call.attach(run),
            Err(error) => self.with(Err(error)),
        }
    }
}

impl<T: ToNapiValue + Send + 'static> Deferred<T> {
    fn take(&self) -> Option<Deferral> {
        self.deferral.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<T: ToNapiValue + Send + 'static> Drop for Deferred<T> {
    fn drop(&mut self) {
        if let Some(deferral) = self.take() {
            let error = LsioError::new(ErrorCode::Internal, "the call ended without a result");
            deferral.resolve(Tagged::<T>::Err(error.into()));
        }
    }
}
