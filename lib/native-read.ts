// What crosses between a read and the core: what is asked for, and the results as arrays.

import { constants } from 'node:buffer';
import { convertedType, type ElementView } from './data-type.js';
import { HeldMemory } from './held-memory.js';
import type { NativeRead, NativeReadOptions, NativeTexts } from './native-module.js';
import { HeldArray, heldTexts, viewOf, type ElementKind } from './nd-array.js';
import type { IoMode, ReadMissing } from './options.js';
import { unpackRegions } from './read-region.js';

/** What the options of all reads have in common, after the checks. */
export interface ParsedRead {
  readonly io?: IoMode | undefined;
  readonly memory?: number | undefined;
  readonly readMissing?: ReadMissing | undefined;
}

/** A read as the core takes it. */
export function nativeReadOptions(
  { dataType, form }: ElementKind,
  { io, memory, readMissing }: ParsedRead,
  outBytes?: number,
): NativeReadOptions {
  const asType = convertedType(dataType, form);
  return {
    ...(asType === undefined ? {} : { asType }),
    maxBytes: constants.MAX_LENGTH,
    ...(io === undefined ? {} : { io }),
    ...(memory === undefined ? {} : { memory }),
    ...(readMissing === undefined ? {} : { readMissing }),
    ...(outBytes === undefined ? {} : { outBytes }),
  };
}

/** The results of a read: those of fixed-size elements share one buffer. */
export async function heldArrays(
  kind: ElementKind,
  { buffer, texts, layouts }: NativeRead,
  signal: AbortSignal | undefined,
): Promise<HeldArray<unknown>[]> {
  const regions = unpackRegions(layouts);
  const arrays: HeldArray<unknown>[] = [];
  if (texts === undefined) {
    const memory = buffer && new HeldMemory([buffer], regions.length);
    for (const { offset, length, shape, stride } of regions) {
      arrays.push(new HeldArray(viewOf(kind, buffer, offset, length), shape, stride, memory));
    }
    return arrays;
  }
  for (const [index, { shape, stride }] of regions.entries()) {
    const { data, memory } = await heldTexts(kind, texts[index] as NativeTexts, signal);
    arrays.push(new HeldArray<unknown>(data, shape, stride, memory));
  }
  return arrays;
}

/** The bytes of a view over shared memory, which the core may write to; else undefined. */
export function sharedBytes({
  buffer,
  byteOffset,
  byteLength,
}: ElementView): Uint8Array | undefined {
  return buffer instanceof SharedArrayBuffer
    ? new Uint8Array(buffer, byteOffset, byteLength)
    : undefined;
}
