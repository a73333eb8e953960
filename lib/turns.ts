// Work on the JavaScript thread that is too long for one turn of the event loop, cut into slices.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ElementView, Utf8Data } from './data-type.js';
import { LsioError } from './errors.js';
import { parseStoredJson, type JsonValue } from './json.js';

// Copying 1 MiB takes about 0.1 ms from a warm cache and below 0.5 ms into untouched memory.
export const MAX_COPY_BYTES: number = 2 ** 20;

// Making a short string takes about 0.1 us, so a slice takes about 0.5 ms.
const MAX_STRINGS = 4096;

// Making an array of what the core says of it takes about 30 us, so a slice takes about 1 ms.
const MAX_NODES = 32;

/** Copies `source` to the start of `target`, at most 1 MiB in a turn. Stops where `signal` aborts. */
export async function copyInSlices(
  source: ElementView,
  target: ElementView,
  signal: AbortSignal | undefined,
): Promise<void> {
  const step = Math.floor(MAX_COPY_BYTES / source.BYTES_PER_ELEMENT);
  const { length } = source;
  for (let start = 0; start < length; start += step) {
    if (start > 0) await nextTurn();
    signal?.throwIfAborted();
    if (target.length < length) {
      throw new LsioError('ERR_LSIO_SELECTION', "the buffer of 'out' became shorter meanwhile");
    }
    target.set(source.subarray(start, Math.min(start + step, length)), start);
  }
}

/** The strings that `data` holds, made a few thousand in a turn. */
export async function buildStrings(
  data: Utf8Data,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const { buffer, byteOffset, byteLength } = data.bytes;
  const text = Buffer.from(buffer, byteOffset, byteLength);
  return buildElements(data, signal, (start, end) => text.toString('utf8', start, end));
}

/** The values whose JSON texts `data` holds, made a few thousand in a turn. */
export async function buildValues(
  data: Utf8Data,
  signal: AbortSignal | undefined,
): Promise<JsonValue[]> {
  const { buffer, byteOffset, byteLength } = data.bytes;
  const text = Buffer.from(buffer, byteOffset, byteLength);
  return buildElements(data, signal, (start, end) =>
    parseStoredJson(text.toString('utf8', start, end)),
  );
}

/** Views over the elements that `data` holds, made a few thousand in a turn. */
export async function splitBytes(
  data: Utf8Data,
  signal: AbortSignal | undefined,
): Promise<Uint8Array[]> {
  return buildElements(data, signal, (start, end) => data.bytes.subarray(start, end));
}

/** What `make` makes of each node of a group, a few in a turn. Stops where `signal` aborts. */
export async function makeNodes<N, T>(
  nodes: readonly N[],
  signal: AbortSignal | undefined,
  make: (node: N) => T,
): Promise<T[]> {
  const made: T[] = [];
  for (let start = 0; start < nodes.length; start += MAX_NODES) {
    if (start > 0) await nextTurn();
    signal?.throwIfAborted();
    made.push(...nodes.slice(start, start + MAX_NODES).map(make));
  }
  return made;
}

/** What `make` makes of the bytes of each element, a few thousand in a turn. */
async function buildElements<T>(
  { offsets }: Utf8Data,
  signal: AbortSignal | undefined,
  make: (start: number, end: number) => T,
): Promise<T[]> {
  const count = Math.max(offsets.length - 1, 0);
  const elements: T[] = [];
  let start = 0;
  let startOfTurn = 0;
  for (let index = 0; index < count; index += 1) {
    const end = Number(offsets[index + 1]);
    if (index % MAX_STRINGS === MAX_STRINGS - 1 || end - startOfTurn > MAX_COPY_BYTES) {
      await nextTurn();
      signal?.throwIfAborted();
      startOfTurn = start;
    }
    elements.push(make(start, end));
    start = end;
  }
  return elements;
}
