// Cuts an array into parts that follow each other in C order, whatever the shape of its chunks.

import type { Slice } from '../selection.js';
import { checkExact } from './selection-text.js';

/** A range along each dimension. */
export type Part = readonly Required<Slice>[];

/**
 * Parts that cover `shape` once; their elements, each in C order, are those of the array in C order. None
 * has more than `maxElements`. Parts end where chunks end, if they can be that long: so chunks are read once,
 * unless their rows through the whole array do not fit.
 */
export function* consecutiveParts(
  shape: readonly number[],
  chunks: readonly number[],
  maxElements: number,
): Generator<Part, void, undefined> {
  if (shape.includes(0)) return;
  // Lengths beyond 2^53 are bigint.
  for (const length of shape) checkExact([length], length);
  yield* partsBehind([], shape, chunks, maxElements);
}

function* partsBehind(
  fixed: Part,
  shape: readonly number[],
  chunks: readonly number[],
  maxElements: number,
): Generator<Part, void, undefined> {
  const dimension = fixed.length;
  const length = shape[dimension];
  if (length === undefined) {
    yield fixed;
    return;
  }
  const behind = shape.slice(dimension + 1);
  const rowElements = behind.reduce((product, other) => product * other, 1);
  const rows = Math.floor(maxElements / rowElements);
  if (rows === 0) {
    for (let at = 0; at < length; at += 1) {
      yield* partsBehind([...fixed, range(at, at + 1)], shape, chunks, maxElements);
    }
    return;
  }
  const chunk = Math.max(1, chunks[dimension] ?? 1);
  const step = rows > chunk ? rows - (rows % chunk) : rows;
  const whole = behind.map((other) => range(0, other));
  for (let at = 0; at < length; at += step) {
    yield [...fixed, range(at, Math.min(length, at + step)), ...whole];
  }
}

function range(start: number, stop: number): Required<Slice> {
  return { start, stop, step: 1 };
}
