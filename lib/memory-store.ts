// Stores in memory: `memory://name` locations that JavaScript fills.

import { sendBytes } from './bytes-transfer.js';
import { LsioError, unwrap } from './errors.js';
import { native } from './native-module.js';
import { parseOptions } from './option-checks.js';
import { ABORT_OPTIONS, type AbortOptions } from './options.js';

/** A store in memory, or a place in it: `memory://name`, `memory://name/group/array`. */
export type MemoryLocation = `memory://${string}`;

/**
 * Puts objects into the store at `memory://name`, which is made if it does not exist; objects that
 * are there already are replaced. Every array, reader and worker thread of the process sees the same
 * store. Its bytes are copied, and they do not count as budget; {@link deleteMemoryStore} frees them.
 * Until the promise is settled, values must stay as they are; entries are taken one after the other.
 *
 * @param location - `memory://name`.
 * @param entries - Keys such as `'zarr.json'`, `'temperature/c/0/0'`, and their bytes.
 * @throws {LsioError} `ERR_LSIO_METADATA` for a key that escapes the store, `ERR_LSIO_UNSUPPORTED` for a
 *   location that is no store in memory, `ERR_LSIO_BUDGET` if the system has no memory for a value.
 * @throws {TypeError} for a value that is no `Uint8Array`, whose memory was taken away, or whose length changes
 *   while it is copied. Entries before it are in the store.
 */
export async function writeMemoryStore(
  location: MemoryLocation,
  entries: Iterable<readonly [key: string, value: Uint8Array]>,
  options?: AbortOptions,
): Promise<void> {
  const { signal } = parseOptions('writeMemoryStore', options, ABORT_OPTIONS);
  const name = storeName(location);
  for (const [key, value] of entries) {
    if (!(value instanceof Uint8Array)) {
      throw new TypeError(`the value of '${key}' is no Uint8Array`);
    }
    signal?.throwIfAborted();
    const copy = await sendBytes(value, `the value of '${key}'`, signal);
    unwrap(await copy.put(name, key));
  }
}

/**
 * Removes the store at `memory://name`; arrays that are open keep what they need.
 *
 * @returns Whether there was one.
 * @throws {LsioError} `ERR_LSIO_UNSUPPORTED` for a location that is no store in memory.
 */
export function deleteMemoryStore(location: MemoryLocation): boolean {
  return unwrap(native().deleteMemoryStore(storeName(location)));
}

function storeName(location: string): string {
  const name = /^memory:\/\/([^/]+)\/?$/.exec(location)?.[1];
  if (name === undefined) {
    throw new LsioError(
      'ERR_LSIO_UNSUPPORTED',
      `'${location}' is no store in memory; expected memory://name`,
    );
  }
  return name;
}
