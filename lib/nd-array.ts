// Decoded regions: bytes from the core become typed arrays or strings.

import {
  elementView,
  hasForm,
  type DataType,
  type ElementData,
  type ElementForm,
  type ElementView,
  type Utf8Data,
} from './data-type.js';
import { LsioError } from './errors.js';
import { native, type NativeTexts } from './native-module.js';
import { buildStrings } from './turns.js';

/** Decoded elements of a region of an array. */
export interface NdArray<
  D extends DataType = DataType,
  F extends ElementForm | undefined = undefined,
> {
  /** The elements. */
  readonly data: ElementData<D, F>;
  /** Elements per dimension; `[]` for a single element. */
  readonly shape: number[];
  /** Distance in elements between neighbours along each dimension. */
  readonly stride: number[];
}

/** What the elements are, in which form. */
export interface ElementKind {
  readonly dataType: DataType;
  readonly form: ElementForm | undefined;
}

/** Elements as the core returns them: bytes for those of fixed size, else texts. */
interface NativeElements {
  readonly bytes?: Uint8Array;
  readonly texts?: NativeTexts;
}

/** The typed array or strings for elements that the core returned. */
export async function elementsOf(
  { dataType, form }: ElementKind,
  { bytes, texts }: NativeElements,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const view = elementView(dataType, form);
  if (view !== null && bytes !== undefined) {
    const { buffer, byteOffset, byteLength } = bytes;
    return new view(buffer, byteOffset, byteLength / view.BYTES_PER_ELEMENT);
  }
  if (texts === undefined) {
    throw new LsioError('ERR_LSIO_INTERNAL', 'the core returned no elements');
  }
  const { buffer, byteOffset, byteLength } = texts.offsets;
  const offsets = new BigUint64Array(
    buffer,
    byteOffset,
    byteLength / BigUint64Array.BYTES_PER_ELEMENT,
  );
  const data: Utf8Data = { offsets, bytes: texts.bytes };
  if (form === 'utf8') return data;
  const strings = await buildStrings(data, signal);
  for (const part of [offsets, data.bytes]) native().detach(part.buffer as ArrayBuffer);
  return strings;
}

/**
 * Checks that `out` holds the elements of this kind.
 *
 * @throws {TypeError} for another typed array.
 */
export function checkOut({ dataType, form }: ElementKind, out: ArrayBufferView): ElementView {
  const view = elementView(dataType, form);
  if (view === null) throw new TypeError("option 'out' of get does not hold strings");
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
  return { dataType, form };
}
