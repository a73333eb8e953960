//! The promises of one environment, settled from any thread through one queue.
//!
//! One threadsafe function wakes the JavaScript thread for all of them. One for each promise, which is
//! what napi's own deferred makes, is an event-loop handle that is opened and closed for each call.
#![expect(unsafe_code, reason = "Node-API is a C interface")]

use std::ffi::c_void;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::{Object, ToNapiValue};
use napi::{Env, Error, JsError, Result, check_status, sys};

/// Makes the value of one promise, on the JavaScript thread.
type MakeValue = Box<dyn FnOnce(sys::napi_env) -> Result<sys::napi_value> + Send>;

/// Settles promises of one environment on its thread, until the environment ends.
pub(crate) struct PromiseQueue {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Wakes the JavaScript thread. `None`: the environment has ended.
    wake: Option<Wake>,
    waiting: Vec<(Handle, MakeValue)>,
    /// Promises that were made and not settled yet, but for idle ones. As long as there are any, the event loop stays.
    unsettled: usize,
}

struct Wake(sys::napi_threadsafe_function);

// SAFETY: Node-API allows calls of a threadsafe function from any thread, as long as its environment
// lives: `PromiseQueue::end` takes it away before.
unsafe impl Send for Wake {}

/// A promise of the environment that was not settled yet.
struct Handle {
    deferred: sys::napi_deferred,
    /// Whether the event loop stays for it.
    holds: bool,
}

// SAFETY: it is only passed on by other threads, and used by the JavaScript thread.
unsafe impl Send for Handle {}

/// The right to settle one promise, once.
#[derive(Debug)]
pub(crate) struct Deferral {
    queue: Arc<PromiseQueue>,
    handle: Handle,
}

impl fmt::Debug for PromiseQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("PromiseQueue").field("unsettled", &state.unsettled).finish_non_exhaustive()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").field(&self.deferred).finish()
    }
}

impl PromiseQueue {
    /// The queue of a new environment. Whoever makes it adds a clean-up hook afterwards that calls
    /// [`end`](Self::end): hooks run in reverse order, so it runs before that of the threadsafe function.
    pub(crate) fn new(env: &Env) -> Result<Arc<Self>> {
        let queue = Arc::new(Self { state: Mutex::default() });
        let env = env.raw();
        let context = Arc::into_raw(queue.clone()).cast_mut().cast::<c_void>();
        let name = "light-speed-io";
        let mut resource = ptr::null_mut();
        let mut function = ptr::null_mut();
        // SAFETY: `env` is live; the context is a counted reference that `finalize` gives back, which
        // Node-API calls after the last use of the context.
        let made = unsafe {
            let length = name.len().cast_signed();
            check_status!(sys::napi_create_string_utf8(
                env,
                name.as_ptr().cast(),
                length,
                &raw mut resource
            ))
            .and_then(|()| {
                check_status!(sys::napi_create_threadsafe_function(
                    env,
                    ptr::null_mut(),
                    ptr::null_mut(),
                    resource,
                    0,
                    1,
                    context,
                    Some(finalize),
                    context,
                    Some(settle_waiting),
                    &raw mut function,
                ))
            })
            // An environment does not stay for a queue in which nothing waits.
            .and_then(|()| check_status!(sys::napi_unref_threadsafe_function(env, function)))
        };
        if let Err(error) = made {
            if function.is_null() {
                // SAFETY: the reference from above, which nobody was given.
                drop(unsafe { Arc::from_raw(context.cast_const().cast::<Self>()) });
            }
            return Err(error);
        }
        queue.lock().wake = Some(Wake(function));
        Ok(queue)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A promise, and what settles it. On the JavaScript thread. `holds`: the event loop stays for it.
    pub(crate) fn promise<'env>(
        self: &Arc<Self>,
        env: &'env Env,
        holds: bool,
    ) -> Result<(Deferral, Object<'env>)> {
        let (mut deferred, mut promise) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: `env` is live, and both values are written by the call.
        check_status!(unsafe {
            sys::napi_create_promise(env.raw(), &raw mut deferred, &raw mut promise)
        })?;
        let mut state = self.lock();
        state.unsettled += usize::from(holds);
        if let (true, 1, Some(Wake(function))) = (holds, state.unsettled, &state.wake) {
            // SAFETY: on the JavaScript thread of a live environment.
            check_status!(unsafe { sys::napi_ref_threadsafe_function(env.raw(), *function) })?;
        }
        drop(state);
        let deferral = Deferral { queue: self.clone(), handle: Handle { deferred, holds } };
        Ok((deferral, Object::from_raw(env.raw(), promise)))
    }

    /// The environment ends: its promises stay as they are, values that wait are dropped.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.wake = None;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        drop(waiting);
    }

    /// Settles what waits. On the JavaScript thread.
    fn settle(&self, env: sys::napi_env) {
        let waiting = std::mem::take(&mut self.lock().waiting);
        let count = waiting.iter().filter(|(handle, _)| handle.holds).count();
        for (Handle { deferred, .. }, value) in waiting {
            settle_one(env, deferred, value);
        }
        let mut state = self.lock();
        state.unsettled -= count;
        if let (0, Some(Wake(function))) = (state.unsettled, &state.wake) {
            // SAFETY: on the JavaScript thread of a live environment. It cannot fail then.
            unsafe { sys::napi_unref_threadsafe_function(env, *function) };
        }
    }
}

impl Deferral {
    /// Settles the promise with `value`, which becomes a JavaScript value on the JavaScript thread; if
    /// the environment has ended, it is dropped. From any thread.
    pub(crate) fn resolve<T: ToNapiValue + Send + 'static>(self, value: T) {
        // SAFETY: called with the live environment of the promise.
        let value: MakeValue = Box::new(move |env| unsafe { T::to_napi_value(env, value) });
        let mut state = self.queue.lock();
        let Some(Wake(function)) = &state.wake else { return };
        if state.waiting.is_empty() {
            let mode = sys::ThreadsafeFunctionCallMode::nonblocking;
            // SAFETY: under the lock, so the environment has not ended: `end` needs the lock too.
            let status =
                unsafe { sys::napi_call_threadsafe_function(*function, ptr::null_mut(), mode) };
            if status != sys::Status::napi_ok {
                // It is closing, and must not be called again.
                state.wake = None;
                return;
            }
        }
        state.waiting.push((self.handle, value));
    }
}

fn settle_one(env: sys::napi_env, deferred: sys::napi_deferred, value: MakeValue) {
    let mut scope = ptr::null_mut();
    // SAFETY: `env` is live and this is its thread, as Node-API calls `settle_waiting`; `deferred` is a
    // promise of this environment that is settled here for the only time.
    unsafe {
        if sys::napi_open_handle_scope(env, &raw mut scope) != sys::Status::napi_ok {
            return;
        }
        let made = catch_unwind(AssertUnwindSafe(|| value(env)))
            .unwrap_or_else(|_| Err(Error::from_reason("a result could not be converted")));
        match made {
            Ok(value) => sys::napi_resolve_deferred(env, deferred, value),
            Err(error) => {
                let mut thrown = ptr::null_mut();
                let mut pending = false;
                sys::napi_is_exception_pending(env, &raw mut pending);
                if pending {
                    sys::napi_get_and_clear_last_exception(env, &raw mut thrown);
                } else {
                    thrown = JsError::from(error).into_value(env);
                }
                sys::napi_reject_deferred(env, deferred, thrown)
            }
        };
        sys::napi_close_handle_scope(env, scope);
    }
}

/// Node-API calls this on the JavaScript thread, without an environment if that is ending.
unsafe extern "C" fn settle_waiting(
    env: sys::napi_env,
    _function: sys::napi_value,
    context: *mut c_void,
    _data: *mut c_void,
) {
    // SAFETY: the context is the queue, of which the threadsafe function holds a reference.
    let queue = unsafe { &*context.cast_const().cast::<PromiseQueue>() };
    if env.is_null() { queue.end() } else { queue.settle(env) }
}

/// Node-API calls this when the threadsafe function is gone.
unsafe extern "C" fn finalize(_env: sys::napi_env, context: *mut c_void, _hint: *mut c_void) {
    // SAFETY: the reference that `PromiseQueue::new` handed out; this is its last use.
    drop(unsafe { Arc::from_raw(context.cast_const().cast::<PromiseQueue>()) });
}
