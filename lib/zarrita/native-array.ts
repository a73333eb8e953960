// Arrays of zarrita whose chunks are read and decoded natively.

import * as zarrita from 'zarrita';
import type { LsioArray } from '../array.js';
import { LsioError } from '../errors.js';
import { openArray } from '../open.js';
import { elementsOf, isSameType, toZarrita, type DecodedData, type Elements } from './elements.js';
import { memoryOrder, stridesInOrder, type MemoryOrder } from './memory-layout.js';
import { storeLocation } from './store-location.js';

/** What reads a zarrita array, and how zarrita keeps its elements. */
export interface NativeReads {
  readonly source: LsioArray;
  readonly elements: Elements;
  readonly order: MemoryOrder;
}

/** What reads the arrays that were asked for before. */
const READS = new WeakMap<object, Promise<NativeReads>>();

/**
 * The same array, with its chunks read and decoded natively: `zarr.get` and functions of other packages
 * then put together what the engine decoded.
 *
 * @param array - An array over a `FileSystemStore`, a `FetchStore` or a {@link LsioStore}. The engine asks for the URL
 *   of a `FetchStore` itself: what that was given as `fetch` and `overrides` cannot be seen and is not used. Where they
 *   matter, as for headers, take a {@link LsioStore} with `storage`.
 * @throws {LsioError} `ERR_LSIO_UNSUPPORTED` for another store, or for what the engine cannot decode;
 *   `ERR_LSIO_CONFLICT` where the array in the store is not the one that zarrita opened.
 */
export async function withNativeReads<A extends zarrita.Array<zarrita.DataType>>(
  array: A,
): Promise<A> {
  const reads = await nativeReadsOf(array);
  const extend = zarrita.defineArrayExtension(() => ({
    getChunk: (
      coords: number[],
      options?: { readonly signal?: AbortSignal },
      sharing?: { readonly useSharedArrayBuffer?: boolean },
    ) => readChunk(reads, coords, options?.signal, sharing?.useSharedArrayBuffer === true),
  }));
  const extended: A = extend(array);
  READS.set(extended, Promise.resolve(reads));
  return extended;
}

/** What reads an array: opened when it is asked for first. */
export function nativeReadsOf(array: zarrita.Array<zarrita.DataType>): Promise<NativeReads> {
  const known = READS.get(array);
  if (known !== undefined) return known;
  const reads = openReads(array);
  READS.set(array, reads);
  // Whoever asked is told of a failure; the next one tries again.
  reads.catch(() => READS.delete(array));
  return reads;
}

async function openReads(array: zarrita.Array<zarrita.DataType>): Promise<NativeReads> {
  const elements = elementsOf(array.dtype);
  const path = array.path.replace(/^\/+/, '');
  const { location, storage } = storeLocation(array.store);
  const source = await openArray(location, { path, storage });
  if (
    !sameNumbers(source.shape, array.shape) ||
    !sameNumbers(source.chunks, array.chunks) ||
    !isSameType(elements, source.dtype, source.dtypeInfo.itemBytes)
  ) {
    throw new LsioError(
      'ERR_LSIO_CONFLICT',
      `'${source.path}' is ${described(source)}, but zarrita has opened ${described(array)}`,
      { path: source.path },
    );
  }
  return { source, elements, order: await memoryOrder(array) };
}

function sameNumbers(some: readonly number[], others: readonly number[]): boolean {
  return some.length === others.length && some.every((number, index) => number === others[index]);
}

function described(array: {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly chunks: readonly number[];
}): string {
  return `${array.dtype} [${array.shape.join(', ')}] in chunks of [${array.chunks.join(', ')}]`;
}

async function readChunk(
  { source, elements, order }: NativeReads,
  coords: readonly number[],
  signal: AbortSignal | undefined,
  shared: boolean,
): Promise<zarrita.Chunk<zarrita.DataType>> {
  const { data, shape } = await source.getChunk(coords, { signal });
  const decoded = data as unknown as DecodedData;
  return {
    data: await toZarrita(elements, decoded, { shape, order, shared, signal }),
    shape,
    stride: stridesInOrder(shape, order),
  };
}
