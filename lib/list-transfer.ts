// Lists and masks on their way into the core: copied piece by piece, so that a long one does not keep the
// event loop waiting. The core has checked nothing of them yet.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { LsioError, unwrap } from './errors.js';
import type { NativeArray, NativeList } from './native-module.js';
import { listError, type SelectedList } from './selection.js';

// Copying and converting so many elements takes below a millisecond.
const MAX_ELEMENTS = 2 ** 17;

/** Hands lists over, so many elements in a turn of the event loop. Stops where `signal` aborts. */
export async function sendLists(
  array: NativeArray,
  lists: readonly SelectedList[],
  signal: AbortSignal | undefined,
): Promise<NativeList[]> {
  const sent: NativeList[] = [];
  let inTurn = 0;
  for (const list of lists) {
    const { length } = list.values;
    const target = startList(array, list);
    for (let start = 0; start < length;) {
      if (inTurn === MAX_ELEMENTS) {
        await nextTurn();
        signal?.throwIfAborted();
        inTurn = 0;
      }
      const end = Math.min(start + MAX_ELEMENTS - inTurn, length);
      sendPiece(target, list, start, end);
      inTurn += end - start;
      start = end;
    }
    sent.push(target);
  }
  return sent;
}

/**
 * Hands lists over at once.
 *
 * @throws {LsioError} `ERR_LSIO_UNSUPPORTED` if they are too long for that.
 */
export function sendListsAtOnce(array: NativeArray, lists: readonly SelectedList[]): NativeList[] {
  const elements = lists.reduce((sum, { values }) => sum + values.length, 0);
  if (elements > MAX_ELEMENTS) {
    const limit = `readChunks takes lists of up to ${MAX_ELEMENTS} elements together`;
    const hint = 'read them in parts, or all of it with get';
    throw new LsioError('ERR_LSIO_UNSUPPORTED', `${limit}, these have ${elements}: ${hint}`);
  }
  return lists.map((list) => {
    const target = startList(array, list);
    sendPiece(target, list, 0, list.values.length);
    return target;
  });
}

function startList(array: NativeArray, { values, isMask }: SelectedList): NativeList {
  return unwrap(isMask ? array.maskList(values.length) : array.indexList(values.length));
}

function sendPiece(target: NativeList, list: SelectedList, start: number, end: number): void {
  const taken = list.isMask
    ? sendFlags(target, list.values as readonly boolean[] | Uint8Array, start, end)
    : sendIndices(target, list, start, end);
  if (!taken) throw listError(list);
}

// Pieces are copies, since the caller's memory may be shared with other threads.

function sendFlags(
  target: NativeList,
  flags: readonly boolean[] | Uint8Array,
  start: number,
  end: number,
): boolean {
  // The `slice` of a Buffer is no copy.
  if (flags instanceof Uint8Array) {
    return target.appendFlags(new Uint8Array(flags.subarray(start, end)));
  }
  const piece = new Uint8Array(end - start);
  for (let index = start; index < end; index += 1) {
    const flag: unknown = flags[index];
    if (typeof flag !== 'boolean') return false;
    piece[index - start] = flag ? 1 : 0;
  }
  return target.appendFlags(piece);
}

function sendIndices(
  target: NativeList,
  { values }: SelectedList,
  start: number,
  end: number,
): boolean {
  if (values instanceof BigInt64Array) return target.appendBigInts(values.slice(start, end));
  if (values instanceof BigUint64Array) return target.appendUnsigned(values.slice(start, end));
  if (ArrayBuffer.isView(values)) {
    return target.appendNumbers(new Float64Array(values.subarray(start, end)));
  }
  const piece = new Float64Array(end - start);
  for (let index = start; index < end; index += 1) {
    const value: unknown = values[index];
    if (typeof value !== 'number') return false;
    piece[index - start] = value;
  }
  return target.appendNumbers(piece);
}
