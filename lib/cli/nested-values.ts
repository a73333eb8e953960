// Elements as nested arrays, in the way of numpy's `tolist`.

import { isBytes, valuesPerElement, type DataTypeInfo } from '../data-type.js';

/** Elements in C order, as the library delivers them. */
export type ElementSequence = ArrayLike<unknown>;

/**
 * `data` of `shape` as nested arrays; a single value for shape `[]`. Booleans become true and false,
 * complex numbers become `[re, im]`, elements of bytes the list of these. Innermost arrays of other numbers are views over `data`.
 */
export function nestedValues(
  data: ElementSequence,
  shape: readonly number[],
  dtype: string,
  info: DataTypeInfo,
): unknown {
  const perElement = valuesPerElement(dtype, info);
  const isList = perElement > 1 || isBytes(dtype);
  const valueAt = (index: number): unknown => {
    if (isList) return Array.from({ length: perElement }, (_, at) => data[index * perElement + at]);
    const value = data[index];
    if (value instanceof Uint8Array) return Array.from(value);
    return dtype === 'bool' ? value === 1 : value;
  };
  const isView = !isList && dtype !== 'bool' && isTypedArray(data);
  const nest = (dimension: number, from: number): unknown => {
    const length = shape[dimension];
    if (length === undefined) return valueAt(from);
    const stride = shape.slice(dimension + 1).reduce((product, other) => product * other, 1);
    if (isView && dimension === shape.length - 1) return data.subarray(from, from + length);
    return Array.from({ length }, (_, index) => nest(dimension + 1, from + index * stride));
  };
  return nest(0, 0);
}

/** What typed arrays have, and other sequences have not. */
interface TypedElements extends ElementSequence {
  subarray(start: number, end: number): ElementSequence;
}

function isTypedArray(data: ElementSequence): data is TypedElements {
  return ArrayBuffer.isView(data) && 'subarray' in data;
}
