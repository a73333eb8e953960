// In which order zarrita keeps the elements of an array, and how elements get into that order.

import { setImmediate as nextTurn } from 'node:timers/promises';
import * as zarrita from 'zarrita';
import { LsioError } from '../errors.js';

// Probing takes 2^rank elements for a moment.
const MAX_RANK = 16;

// Moving an element takes about 5 ns, so a slice takes about 0.3 ms.
const MOVES_PER_TURN = 2 ** 16;

/** The axes of an array, outermost in memory first. */
export type MemoryOrder = readonly number[];

/**
 * The order that zarrita gives chunks and results of an array: it is asked for the strides of a result.
 *
 * @throws {LsioError} `ERR_LSIO_UNSUPPORTED` for an array of more than 16 dimensions.
 */
export async function memoryOrder(array: zarrita.Array<zarrita.DataType>): Promise<MemoryOrder> {
  const rank = array.shape.length;
  // Of length 2 in each dimension, all strides are different.
  const lengths = Array.from<number>({ length: rank }).fill(2);
  const axes = lengths.map((_, axis) => axis);
  if (rank < 2) return axes;
  if (rank > MAX_RANK) {
    throw new LsioError('ERR_LSIO_UNSUPPORTED', `${rank} dimensions; at most ${MAX_RANK} are read`);
  }
  const small = new Proxy(array, {
    get: (target, name) =>
      name === 'shape' || name === 'chunks'
        ? lengths
        : (Reflect.get(target, name, target) as unknown),
  });
  let strides: readonly number[] = [];
  await zarrita._zarrita_internal_get(
    small,
    null,
    // A queue that runs nothing: only the strides of what the chunks would go into are wanted.
    { createQueue: () => ({ add: () => undefined, onIdle: () => Promise.resolve([]) }) },
    {
      prepare(data, shape, stride) {
        strides = stride;
        return { data, shape, stride };
      },
      setScalar: () => undefined,
      setFromChunk: () => undefined,
    },
  );
  return axes.toSorted((one, other) => (strides[other] ?? 0) - (strides[one] ?? 0));
}

/** The order of the axes that a selection keeps; `kept` are their numbers, ascending. */
export function orderOfKept(order: MemoryOrder, kept: readonly number[]): MemoryOrder {
  return order.filter((axis) => kept.includes(axis)).map((axis) => kept.indexOf(axis));
}

/** Distances between neighbours, in elements, of an array whose axes lie in memory in this order. */
export function stridesInOrder(shape: readonly number[], order: MemoryOrder): number[] {
  const strides = Array.from<number>({ length: shape.length });
  let step = 1;
  for (const axis of order.toReversed()) {
    strides[axis] = step;
    step *= shape[axis] ?? 0;
  }
  return strides;
}

/** Elements that can be moved one by one. */
export interface Movable {
  readonly length: number;
  [index: number]: unknown;
}

/**
 * Copies elements of an array from C order into another one, some thousands in a turn of the event loop.
 *
 * @param valuesPerElement - How many neighbours of `source` are one element.
 */
export async function moveIntoOrder(
  source: Movable,
  target: Movable,
  shape: readonly number[],
  order: MemoryOrder,
  valuesPerElement: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const inC = stridesInOrder(
    shape,
    shape.map((_, axis) => axis),
  );
  // The dimensions of the target from the outermost on, then the values of an element.
  const lengths = [...order.map((axis) => shape[axis] ?? 0), valuesPerElement];
  const steps = [...order.map((axis) => (inC[axis] ?? 0) * valuesPerElement), 1];
  const position = lengths.map(() => 0);
  let from = 0;
  for (let to = 0; to < target.length; to += 1) {
    if (to % MOVES_PER_TURN === MOVES_PER_TURN - 1) {
      await nextTurn();
      signal?.throwIfAborted();
    }
    target[to] = source[from];
    for (let depth = lengths.length - 1; depth >= 0; depth -= 1) {
      const step = steps[depth] as number;
      const next = (position[depth] as number) + 1;
      from += step;
      if (next < (lengths[depth] as number)) {
        position[depth] = next;
        break;
      }
      position[depth] = 0;
      from -= step * next;
    }
  }
}

/** Whether elements in this order are in C order. */
export function isInC(order: MemoryOrder): boolean {
  return order.every((axis, index) => axis === index);
}
