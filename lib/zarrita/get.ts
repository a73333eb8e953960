// zarrita's `get`, with the whole selection read and put together natively.

import * as zarrita from 'zarrita';
import type { GetOptions } from '../options.js';
import type { BasicSelection } from '../selection.js';
import { firstOf, sharedMemory, toZarrita, type DecodedData } from './elements.js';
import { isInC, orderOfKept, stridesInOrder } from './memory-layout.js';
import { nativeReadsOf, type NativeReads } from './native-array.js';

type AnyChunk = zarrita.Chunk<zarrita.DataType>;

/** What zarrita's selections are made of. */
type Entry = number | zarrita.Slice | null | undefined;

async function getNative(
  array: zarrita.Array<zarrita.DataType>,
  selection?: readonly Entry[] | null,
  options: zarrita.GetOptions = {},
): Promise<unknown> {
  const reads = await nativeReadsOf(array);
  const request = checkedSelection(selection ?? reads.source.shape.map(() => null), reads);
  const shared = options.useSharedArrayBuffer === true;
  const signal = signalOf(options);
  // As zarrita's read of a chunk: in the queue of the caller, where there is one.
  let result: AnyChunk | undefined;
  const read = async (): Promise<void> => {
    signal?.throwIfAborted();
    result = await readSelection(reads, request, shared, signal);
  };
  const queue = options.createQueue?.();
  if (queue === undefined) {
    await read();
  } else {
    queue.add(read);
    await queue.onIdle();
  }
  return result?.shape.length === 0 ? firstOf(result.data) : result;
}

/**
 * zarrita's `get`: the same result, read and put together by the engine in one call. Also for arrays that
 * zarrita itself has opened.
 *
 * @throws zarrita's `InvalidSelectionError`; a `LsioError` as {@link withNativeReads}, and what is
 *   wrong with a chunk.
 */
export const get: typeof zarrita.get = getNative as typeof zarrita.get;

/** Both signals that zarrita's options may have, as one. */
function signalOf({ signal, opts }: zarrita.GetOptions): AbortSignal | undefined {
  const older = opts?.signal;
  return signal !== undefined && older !== undefined
    ? AbortSignal.any([signal, older])
    : (signal ?? older);
}

/**
 * A selection of zarrita in the engine's words, with zarrita's meaning: integers lose their fraction.
 *
 * @throws zarrita's `InvalidSelectionError`.
 */
function checkedSelection(selection: readonly Entry[], { source }: NativeReads): BasicSelection {
  const { shape } = source;
  if (selection.length !== shape.length) {
    throw new zarrita.InvalidSelectionError(
      `the selection has ${selection.length} entries, the array has ${shape.length} dimensions`,
    );
  }
  return selection.map((entry, dimension) => {
    const length = shape[dimension] ?? 0;
    if (entry === null || entry === undefined) return null;
    if (typeof entry === 'number') {
      const index = Math.trunc(entry) < 0 ? Math.trunc(entry) + length : Math.trunc(entry);
      if (index >= 0 && index < length) return index;
      throw new zarrita.InvalidSelectionError(
        `index ${entry} is outside dimension ${dimension}, which has length ${length}`,
      );
    }
    if (typeof entry !== 'object') {
      throw new zarrita.InvalidSelectionError(
        `entry ${dimension} of the selection is ${String(entry)}; it must be null, an integer or a slice`,
      );
    }
    const [start, stop, step] = zarrita._zarrita_internal_sliceIndices(entry, length);
    if (step < 1) {
      throw new zarrita.InvalidSelectionError('only slices with step >= 1 are supported');
    }
    return { start, stop: Math.max(start, stop), step };
  });
}

async function readSelection(
  { source, elements, order: fullOrder }: NativeReads,
  selection: BasicSelection,
  shared: boolean,
  signal: AbortSignal | undefined,
): Promise<AnyChunk> {
  const kept = selection.flatMap((entry, axis) => (typeof entry === 'number' ? [] : [axis]));
  const order = orderOfKept(fullOrder, kept);
  if (shared && elements.kind === 'objects') {
    console.warn(
      'light-speed-io: useSharedArrayBuffer is not supported for elements that are JavaScript values.',
    );
  }
  const count = kept.reduce(
    (product, axis) => product * selectedLength(selection[axis] ?? null, source.shape[axis] ?? 0),
    1,
  );
  // Only what needs no further move is written by the engine to where it stays.
  const out = shared && isInC(order) ? sharedMemory(elements, source.dtype, count) : undefined;
  const options = { signal, out } as unknown as GetOptions;
  const { data, shape } = await source.get(selection, options);
  const decoded = data as unknown as DecodedData;
  return {
    data: await toZarrita(elements, decoded, { shape, order, shared, signal }),
    shape,
    stride: stridesInOrder(shape, order),
  };
}

function selectedLength(entry: BasicSelection[number], length: number): number {
  if (entry === null || typeof entry === 'number') return length;
  const { start, stop, step } = entry;
  return Math.ceil(((stop ?? length) - (start ?? 0)) / (step ?? 1));
}
