// Decoded regions: bytes from the core become typed arrays or strings, and their memory goes back.

import {
  elementView,
  hasForm,
  type DataType,
  type ElementData,
  type ElementForm,
  type ElementView,
  type ElementViewConstructor,
  type Utf8Data,
} from './data-type.js';
import { LsioError } from './errors.js';
import { HeldMemory } from './held-memory.js';
import type { NativeTexts } from './native-module.js';
import type { JsonValue } from './json.js';
import { buildStrings, buildValues, splitBytes } from './turns.js';

/**
 * Decoded elements of a region of an array.
 *
 * Their memory is the user's until it is garbage, or until {@link NdArray.release} (or the end of a
 * `using` block) gives it back: then the next read finds it at once, instead of taking new memory
 * until garbage is collected.
 */
export interface NdArray<
  D extends DataType = DataType,
  F extends ElementForm | undefined = undefined,
> extends Disposable {
  /** The elements. */
  readonly data: ElementData<D, F>;
  /** Elements per dimension; `[]` for a single element. */
  readonly shape: number[];
  /** Distance in elements between neighbours along each dimension. */
  readonly stride: number[];
  /**
   * Gives the memory back: `data` is empty from then on. Results that share a buffer give it back with
   * the last of them. Bytes of varying length become empty, one and all. Further calls do nothing, nor does
   * it touch memory of the caller's own (`out`) or strings and values of JSON.
   */
  release(): void;
}

/** What the elements are, in which form. */
export interface ElementKind {
  readonly dataType: DataType;
  readonly form: ElementForm | undefined;
  /** What holds them; `null` for elements of varying length. */
  readonly view: ElementViewConstructor | null;
}

/** Elements in memory of the core. `T` is what holds them. */
export class HeldArray<T> implements Disposable {
  data: T;
  readonly shape: number[];
  readonly stride: number[];
  #memory: HeldMemory | undefined;

  /** `memory`: what `data` is a view of, if it is the core's. */
  constructor(data: T, shape: number[], stride: number[], memory: HeldMemory | undefined) {
    this.data = data;
    this.shape = shape;
    this.stride = stride;
    this.#memory = memory;
  }

  release(): void {
    const memory = this.#memory;
    if (memory === undefined) return;
    this.#memory = undefined;
    memory.release();
    const { data } = this;
    // Others may still hold the buffer.
    if (ArrayBuffer.isView(data)) this.data = new (data.constructor as new (length: 0) => T)(0);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/**
 * The typed array over bytes of the core.
 *
 * @throws {LsioError} if there are none.
 */
export function viewOf(
  { view }: ElementKind,
  buffer: ArrayBuffer | undefined,
  byteOffset: number,
  byteLength: number,
): ElementView {
  if (view === null || buffer === undefined) {
    throw new LsioError('ERR_LSIO_INTERNAL', 'the core returned no elements');
  }
  return new view(buffer, byteOffset, byteLength / view.BYTES_PER_ELEMENT);
}

/** Elements of varying length in the form asked for, with what they are views of. */
export async function heldTexts(
  { dataType, form }: ElementKind,
  texts: NativeTexts,
  signal: AbortSignal | undefined,
): Promise<{
  data: Utf8Data | string[] | Uint8Array[] | JsonValue[];
  memory: HeldMemory | undefined;
}> {
  const buffers = [texts.offsets, texts.bytes];
  const offsets = new BigUint64Array(texts.offsets);
  const data: Utf8Data = { offsets, bytes: new Uint8Array(texts.bytes) };
  const memory = new HeldMemory(buffers, 1);
  if (form === 'utf8') return { data, memory };
  if (dataType === 'variable_length_bytes') {
    return { data: await splitBytes(data, signal), memory };
  }
  const built = await (dataType === 'json' ? buildValues : buildStrings)(data, signal);
  memory.release();
  return { data: built, memory: undefined };
}

/**
 * Checks that `out` holds the elements of this kind.
 *
 * @throws {TypeError} for another typed array.
 */
export function checkOut({ dataType, view }: ElementKind, out: ArrayBufferView): ElementView {
  if (view === null) {
    throw new TypeError(`option 'out' of get does not hold ${dataType} elements`);
  }
  if (!(out instanceof view)) {
    throw new TypeError(
      `option 'out' of get is a ${out.constructor.name}; ${dataType} needs a ${view.name}`,
    );
  }
  return out;
}

/**
 * What the elements of a call are.
 *
 * @throws {LsioError} `ERR_LSIO_UNSUPPORTED` for a form that the data type does not have.
 */
export function elementKind(dataType: DataType, form: ElementForm | undefined): ElementKind {
  if (form !== undefined && !hasForm(dataType, form)) {
    throw new LsioError('ERR_LSIO_UNSUPPORTED', `${dataType} cannot be read as '${form}'`);
  }
  return { dataType, form, view: elementView(dataType, form) };
}
