// Compares elements bit by bit: NaN payloads and the sign of zero count.

import type { NdArray } from 'light-speed-io';

/** The bytes of the elements; for strings a JSON text. */
export function bytesOf(data: NdArray['data']): Buffer {
  if (Array.isArray(data)) return Buffer.from(JSON.stringify(data));
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

/** The expected elements in the same form as {@link bytesOf}. */
export function expectedBytes(expected: Buffer | string[]): Buffer {
  return Array.isArray(expected) ? Buffer.from(JSON.stringify(expected)) : expected;
}

/** Strides of a C order array. */
export function stridesOf(shape: readonly number[]): number[] {
  let step = 1;
  const strides: number[] = [];
  for (const length of shape.toReversed()) {
    strides.unshift(step);
    step *= length;
  }
  return strides;
}
