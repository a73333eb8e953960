// One chunk as a reader delivers it, and when its memory goes back.

import type { DataType, ElementData, ElementForm } from './data-type.js';
import { native, type NativeRegion } from './native-module.js';
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

/** Counts the chunks of a batch that share buffers, so that the last one to be released detaches. */
export class SharedBuffers {
  readonly #users = new Map<ArrayBufferLike, number>();

  /** Notes that the buffers of `region` have one more user; the function returned ends that. */
  use(region: NativeRegion): () => void {
    const buffers = [region.bytes?.buffer, region.offsets?.buffer].filter(
      (buffer) => buffer !== undefined,
    );
    for (const buffer of buffers) this.#users.set(buffer, (this.#users.get(buffer) ?? 0) + 1);
    return () => {
      for (const buffer of buffers.splice(0)) this.#leave(buffer);
    };
  }

  #leave(buffer: ArrayBufferLike): void {
    const users = (this.#users.get(buffer) ?? 0) - 1;
    this.#users.set(buffer, users);
    if (users === 0 && buffer instanceof ArrayBuffer) native().detach(buffer);
  }
}

/** A chunk whose elements are in `data`. */
export function createChunk<D extends DataType, F extends ElementForm | undefined>(
  data: ElementData<D, F>,
  place: { coords: number[]; origin: number[]; shape: number[]; stride: number[] },
  release: () => void,
): Chunk<D, F> {
  const { coords, origin, shape, stride } = place;
  return { coords, origin, data, shape, stride, release, [Symbol.dispose]: release };
}
