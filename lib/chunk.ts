// One chunk as a reader delivers it, and when its memory goes back.

import type { DataType, ElementData, ElementForm } from './data-type.js';
import { native, type NativeChunk } from './native-module.js';
import type { NdArray } from './nd-array.js';

/**
 * One chunk, clipped to the selection.
 *
 * Its memory is the user's until it is garbage, or until {@link Chunk.release} (or the end of a
 * `using` block) gives it back at once: `data` has length 0 from then on.
 */
export interface Chunk<D extends DataType = DataType, F extends ElementForm | undefined = undefined>
  extends NdArray<D, F>, Disposable {
  /** Which chunk of the chunk grid it is. */
  readonly coords: number[];
  /** Where its first element is in the result: in what `get` with the same selection gives. */
  readonly origin: number[];
  /** Gives the memory back. Further calls do nothing. */
  release(): void;
}

/** A chunk whose elements are in `data`. */
export function createChunk<D extends DataType, F extends ElementForm | undefined>(
  data: ElementData<D, F>,
  chunk: NativeChunk,
): Chunk<D, F> {
  const { coords, origin, shape, stride } = chunk;
  let release = (): void => {
    releaseChunk(chunk);
    release = () => undefined;
  };
  return {
    coords,
    origin,
    data,
    shape,
    stride,
    release: () => {
      release();
    },
    [Symbol.dispose]: () => {
      release();
    },
  };
}

/** Gives the memory of a chunk back that nobody uses. */
export function releaseChunk({ bytes, texts }: NativeChunk): void {
  for (const view of [bytes, texts?.offsets, texts?.bytes]) {
    // Texts that became strings were given back then.
    if (view !== undefined && view.byteLength > 0) native().detach(view.buffer as ArrayBuffer);
  }
}
