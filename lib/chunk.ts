// One chunk as a reader delivers it.

import type { DataType, ElementForm } from './data-type.js';
import type { HeldMemory } from './held-memory.js';
import { HeldArray, type NdArray } from './nd-array.js';

/**
 * One chunk, clipped to the selection.
 *
 * Its memory is the user's until it is garbage, or until {@link NdArray.release} (or the end of a
 * `using` block) gives it back: `data` is empty from then on. Small chunks share their memory with
 * their neighbours in the reading: it goes back with the last of them.
 */
export interface Chunk<
  D extends DataType = DataType,
  F extends ElementForm | undefined = undefined,
> extends NdArray<D, F> {
  /** Which chunk of the chunk grid it is. */
  readonly coords: number[];
  /** Where its first element is in the result: in what `get` with the same selection gives. */
  readonly origin: number[];
}

/** A chunk in memory of the core. */
export class HeldChunk<T> extends HeldArray<T> {
  readonly coords: number[];
  readonly origin: number[];

  constructor(
    coords: number[],
    origin: number[],
    data: T,
    shape: number[],
    stride: number[],
    memory: HeldMemory | undefined,
  ) {
    super(data, shape, stride, memory);
    this.coords = coords;
    this.origin = origin;
  }
}
