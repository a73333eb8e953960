// One call into the core: an AbortSignal stops it, a timer polls how far it is.

import { native, type NativeCall } from './native-module.js';
import type { Progress } from './options.js';

// Often enough for a smooth bar, rare enough to cost nothing: one poll is below a microsecond.
const PROGRESS_INTERVAL_MS = 100;

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether an aborted call rejects only when the core has ended it: it writes to memory of the caller,
   * who may use that again afterwards.
   */
  readonly untilEnded?: boolean;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * Runs `start` with a native call that the signal cancels, where there is one to watch. Rejects with `signal.reason` as soon as
 * the signal is aborted, before anything is started where it was aborted already.
 */
export async function runCall<T>(
  { signal, onProgress, untilEnded = false }: CallOptions,
  start: (call: NativeCall | undefined) => Promise<T>,
): Promise<T> {
  if (signal === undefined && onProgress === undefined) return start(undefined);
  signal?.throwIfAborted();
  const { NativeCall } = native();
  const call = new NativeCall();
  const stopPolling = onProgress === undefined ? undefined : pollProgress(call, onProgress);
  try {
    if (signal === undefined) return await start(call);
    return await cancelOnAbort(signal, call, start(call), untilEnded);
  } finally {
    stopPolling?.();
  }
}

async function cancelOnAbort<T>(
  signal: AbortSignal,
  call: NativeCall,
  running: Promise<T>,
  untilEnded: boolean,
): Promise<T> {
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => {
      call.cancel();
      const rejectWithReason = (): void => {
        // Whatever the signal was aborted with is what the call rejects with.
        reject(signal.reason as Error);
      };
      if (untilEnded) running.then(rejectWithReason, rejectWithReason);
      else rejectWithReason();
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  // The end of a call that was aborted is no news: `aborted` says how it ends.
  const ended = running.then(
    (result) => (signal.aborted ? aborted : result),
    (error: unknown) => (signal.aborted ? aborted : Promise.reject(error as Error)),
  );
  try {
    return await Promise.race([ended, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}

/**
 * Calls `onProgress` now and then; the function that it returns calls it once more and ends that. If
 * it throws, the call is cancelled and the returned function throws the same.
 */
function pollProgress(call: NativeCall, onProgress: (progress: Progress) => void): () => void {
  let failure: { readonly error: unknown } | undefined;
  const report = (): void => {
    if (failure !== undefined) return;
    const { chunks, totalChunks, bytesRead, bytesDecoded } = call.progress();
    try {
      onProgress({ chunks, totalChunks, bytesRead, bytesDecoded });
    } catch (error) {
      failure = { error };
      call.cancel();
    }
  };
  const timer = setInterval(report, PROGRESS_INTERVAL_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    report();
    if (failure !== undefined) throw failure.error;
  };
}
