// Bytes on their way into the core: copied piece by piece, so that long ones do not keep the event loop waiting.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { unwrap } from './errors.js';
import { native, type NativeMemoryValue } from './native-module.js';
import { MAX_COPY_BYTES } from './turns.js';

/** Of all copies together: many may be under way at once. */
let copiedInTurn = 0;

/**
 * A copy of exactly these bytes in memory of the core. All copies together take at most 1 MiB in a turn of the event
 * loop. Stops where `signal` aborts.
 *
 * @param what - What the bytes are, for messages.
 * @throws {TypeError} if their memory was taken away, or becomes another length meanwhile.
 */
export async function sendBytes(
  bytes: Uint8Array,
  what: string,
  signal?: AbortSignal,
): Promise<NativeMemoryValue> {
  const { byteLength } = bytes;
  checkMemory(bytes, what);
  const copy = unwrap(native().memoryValue(byteLength));
  try {
    for (let start = 0; start < byteLength; start += MAX_COPY_BYTES) {
      const length = Math.min(MAX_COPY_BYTES, byteLength - start);
      while (isTurnFull(length)) await nextTurn();
      signal?.throwIfAborted();
      if (bytes.byteLength !== byteLength) {
        throw new TypeError(
          `${what} had ${byteLength} bytes and became ${bytes.byteLength} while they were copied`,
        );
      }
      countCopied(length);
      unwrap(copy.append(piece(bytes, start, length)));
    }
  } catch (error) {
    // The garbage collector does not know how much it holds.
    copy.discard();
    throw error;
  }
  return copy;
}

/** A view whose memory is gone looks like an empty one, but for its methods. */
function checkMemory(bytes: Uint8Array, what: string): void {
  try {
    Uint8Array.prototype.at.call(bytes, 0);
  } catch (error) {
    throw new TypeError(`the memory of ${what} was taken away`, { cause: error });
  }
}

function piece({ buffer, byteOffset }: Uint8Array, start: number, length: number): Uint8Array {
  const view = new Uint8Array(buffer, byteOffset + start, length);
  // Others may write to shared memory while native code reads it.
  return buffer instanceof SharedArrayBuffer ? new Uint8Array(view) : view;
}

/** Whether so many bytes more are too many for this turn. */
function isTurnFull(length: number): boolean {
  return copiedInTurn > 0 && copiedInTurn + length > MAX_COPY_BYTES;
}

function countCopied(length: number): void {
  if (copiedInTurn === 0) void startTurn();
  copiedInTurn += length;
}

/** Not with the global `setImmediate`, which tests of others replace. */
async function startTurn(): Promise<void> {
  await nextTurn();
  copiedInTurn = 0;
}
