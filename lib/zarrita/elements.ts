// What zarrita holds the elements of each data type in, made of what the engine decodes.

import { setImmediate as nextTurn } from 'node:timers/promises';
import * as zarrita from 'zarrita';
import {
  elementView,
  isText,
  type DataType,
  type ElementView,
  type ElementViewConstructor,
} from '../data-type.js';
import { copyInSlices } from '../turns.js';
import { isInC, moveIntoOrder, type MemoryOrder, type Movable } from './memory-layout.js';

// Writing the code points of a short text takes about 0.1 us.
const TEXTS_PER_TURN = 4096;

/** What zarrita's elements are made of. */
export type Elements =
  | { readonly kind: 'numbers'; readonly dataType: string }
  | { readonly kind: 'bools' }
  /** Fixed length: `chars` bytes, or code points of four bytes. */
  | { readonly kind: 'bytes' | 'codePoints'; readonly chars: number }
  | { readonly kind: 'objects' };

/** The elements of a data type of zarrita. */
export function elementsOf(dataType: zarrita.DataType): Elements {
  if (dataType === 'bool') return { kind: 'bools' };
  if (dataType === 'string' || dataType === 'v2:object') return { kind: 'objects' };
  const fixed = /^v2:(?<letter>[SU])(?<chars>\d+)$/.exec(dataType)?.groups;
  if (fixed === undefined) return { kind: 'numbers', dataType };
  return {
    kind: fixed['letter'] === 'S' ? 'bytes' : 'codePoints',
    chars: Number(fixed['chars']),
  };
}

/** Whether the engine's data type is the one that zarrita means. */
export function isSameType(
  elements: Elements,
  dataType: string,
  itemBytes: number | null,
): boolean {
  switch (elements.kind) {
    case 'numbers':
      return dataType === elements.dataType;
    case 'bools':
      return dataType === 'bool';
    case 'bytes':
      return dataType === 'null_terminated_bytes' && itemBytes === elements.chars;
    case 'codePoints':
      return dataType === 'fixed_length_utf32' && itemBytes === 4 * elements.chars;
    default:
      return isText(dataType) || itemBytes === null;
  }
}

/** Elements as the engine gives them: a view over numbers or bytes, or JavaScript values. */
export type DecodedData = ElementView | readonly unknown[];

/** How elements are to be handed over. */
export interface Handover {
  readonly shape: readonly number[];
  readonly order: MemoryOrder;
  /** Whether their memory is to be a SharedArrayBuffer. */
  readonly shared: boolean;
  readonly signal: AbortSignal | undefined;
}

/** zarrita's elements for decoded ones in C order. */
export async function toZarrita(
  elements: Elements,
  decoded: DecodedData,
  { shape, order, shared, signal }: Handover,
): Promise<zarrita.TypedArray<zarrita.DataType>> {
  const held =
    elements.kind === 'codePoints'
      ? await codePoints(decoded as readonly string[], elements.chars, shared, signal)
      : decoded;
  const moves = !isInC(order);
  const needsMemory = moves || (shared && ArrayBuffer.isView(held) && !isShared(held));
  if (!needsMemory) return wrapped(elements, held);
  const target = emptyLike(held, shared);
  if (moves) {
    const [from, to] = [bitsOf(held), bitsOf(target)];
    const count = shape.reduce((product, extent) => product * extent, 1);
    await moveIntoOrder(from, to, shape, order, from.length / Math.max(count, 1), signal);
  } else {
    await copyInSlices(held as ElementView, target as ElementView, signal);
  }
  return wrapped(elements, target);
}

/** zarrita's scalar: the first element. */
export function firstOf(data: zarrita.TypedArray<zarrita.DataType>): unknown {
  return 'get' in data ? data.get(0) : data[0];
}

/** Memory that the engine can write `count` elements to and workers can see; undefined for JavaScript values. */
export function sharedMemory(
  elements: Elements,
  dataType: DataType,
  count: number,
): ElementView | undefined {
  if (elements.kind === 'codePoints' || elements.kind === 'objects') return undefined;
  const view = elementView(dataType, undefined);
  if (view === null) return undefined;
  const length = count * (elements.kind === 'bytes' ? elements.chars : 1);
  return new view(new SharedArrayBuffer(length * view.BYTES_PER_ELEMENT), 0, length);
}

/** Numbers as unsigned integers in the same memory: as a number, a NaN may lose its payload on the way. */
function bitsOf(data: DecodedData): Movable {
  if (!ArrayBuffer.isView(data)) return data;
  const { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT: size } = data;
  if (size === 1) return new Uint8Array(buffer, byteOffset, byteLength);
  if (size === 2) return new Uint16Array(buffer, byteOffset, byteLength / 2);
  return new Uint32Array(buffer, byteOffset, byteLength / 4);
}

function isShared(data: DecodedData): boolean {
  return ArrayBuffer.isView(data) && data.buffer instanceof SharedArrayBuffer;
}

/** Room for as many values of the same kind. */
function emptyLike(data: DecodedData, shared: boolean): DecodedData {
  const { length } = data;
  if (!ArrayBuffer.isView(data)) return Array.from({ length });
  const view = data.constructor as ElementViewConstructor;
  const bytes = length * view.BYTES_PER_ELEMENT;
  return new view(shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes), 0, length);
}

/** Texts as code points, each filled up with zeros. */
async function codePoints(
  texts: readonly string[],
  chars: number,
  shared: boolean,
  signal: AbortSignal | undefined,
): Promise<ElementView> {
  const bytes = 4 * chars * texts.length;
  const points = new Int32Array(shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));
  for (const [index, text] of texts.entries()) {
    if (index % TEXTS_PER_TURN === TEXTS_PER_TURN - 1) {
      await nextTurn();
      signal?.throwIfAborted();
    }
    let at = index * chars;
    for (const character of text) {
      points[at] = character.codePointAt(0) ?? 0;
      at += 1;
    }
  }
  return points as unknown as ElementView;
}

/** The class that zarrita has for elements in memory. */
function wrapped(elements: Elements, data: DecodedData): zarrita.TypedArray<zarrita.DataType> {
  if (ArrayBuffer.isView(data)) {
    const { buffer, byteOffset, length } = data;
    switch (elements.kind) {
      case 'bools':
        return new zarrita.BoolArray(buffer, byteOffset, length);
      case 'bytes':
        return new zarrita.ByteStringArray(
          elements.chars,
          buffer,
          byteOffset,
          length / elements.chars,
        );
      case 'codePoints':
        return new zarrita.UnicodeStringArray(
          elements.chars,
          buffer,
          byteOffset,
          length / elements.chars,
        );
      default:
    }
  }
  // Typed arrays and arrays: the same classes as the engine's.
  return data as unknown as zarrita.TypedArray<zarrita.DataType>;
}
