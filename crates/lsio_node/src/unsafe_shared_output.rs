//! Memory that JavaScript shared with the engine: a view over a `SharedArrayBuffer`, written while
//! JavaScript can see it because the caller asked for that.
#![expect(unsafe_code, reason = "the memory belongs to JavaScript")]

use std::ptr::NonNull;

use lsio::OutputBuffer;
use napi::bindgen_prelude::Uint8Array;

use crate::environment_calls::RunningCall;

/// The memory of `view` as the destination of one read.
///
/// `running` must be a call that writes: the clean-up hook of its environment waits until the buffer
/// that is returned here has been dropped, and the facade refers to the view until the call's promise
/// has settled. So the memory outlives every write.
pub(crate) fn output(view: &mut Uint8Array, running: RunningCall) -> OutputBuffer {
    // SAFETY: only the address and the length are used; no reference to shared memory is kept.
    let bytes = unsafe { view.as_mut() };
    let (start, len) = (NonNull::from(&mut *bytes).cast::<u8>(), bytes.len());
    // SAFETY: initialised and writable, as typed arrays are, and alive as long as `running`, as said
    // above. One read's placements are disjoint.
    unsafe { OutputBuffer::from_foreign(start, len, Box::new(running)) }
}
