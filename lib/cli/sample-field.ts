// The sample data of the demonstration: written by the core, dropped from the page cache by the core.

import { unwrap } from '../errors.js';
import { native } from '../native-module.js';

// Fine enough for a bar.
const POLL_MS = 100;

/** What is to be written. */
export interface SampleField {
  /** An empty folder. */
  readonly directory: string;
  /** Decoded size, roughly. */
  readonly bytes: number;
  /** The same seed gives the same values. */
  readonly seed: number;
}

/**
 * Writes a made-up climate field as Zarr 3 into `directory`. Ends only when the core has stopped writing
 * there, also after an abort: then it rejects with `signal.reason`, and the folder can be removed.
 */
export async function writeSampleField(
  { directory, bytes, seed }: SampleField,
  signal: AbortSignal,
  onBytes: (decodedBytes: number) => void,
): Promise<void> {
  signal.throwIfAborted();
  const addon = native();
  const call = new addon.NativeCall();
  const cancel = (): void => {
    call.cancel();
  };
  const timer = setInterval(() => {
    onBytes(call.progress().bytesDecoded);
  }, POLL_MS);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const result = await addon.writeSampleField(call, directory, bytes, seed);
    signal.throwIfAborted();
    unwrap(result);
  } finally {
    signal.removeEventListener('abort', cancel);
    clearInterval(timer);
  }
}

/**
 * Writes the files below the folder `path` to the device and drops them from the page cache; for a path in a zip archive,
 * the archive.
 */
export async function dropCache(path: string): Promise<void> {
  unwrap(await native().dropCache(path));
}
