// Elements as the JSON that Zarr v3 gives fill values of their data type: exact, bits of NaNs included.

import { isBytes, isComplex, valuesPerElement, type DataTypeInfo } from '../data-type.js';

/** Some elements in C order. */
export interface FillValueElements {
  readonly dtype: string;
  readonly info: DataTypeInfo;
  /** The elements as the library gives them. */
  readonly data: ArrayLike<unknown>;
  /** Of floats below 32 bits and complex numbers of them: their bits; needed if one of `data` is NaN. */
  readonly bits?: ArrayLike<number> | undefined;
}

/** The number of a point in time that is none. */
const NO_TIME = -(2n ** 63n);

/** The bits that `"NaN"` stands for. Of smaller floats all NaNs are written as their bits. */
const CANONICAL_NAN: { readonly [dtype: string]: bigint } = {
  float16: 0x7e00n,
  bfloat16: 0x7fc0n,
  float32: 0x7fc0_0000n,
  float64: 0x7ff8_0000_0000_0000n,
};

/** The JSON of element `index`, on one line. */
export type ElementText = (index: number) => string;

/** What writes each of these elements. */
export function fillValueText(elements: FillValueElements): ElementText {
  const { dtype, info, data } = elements;
  const perElement = valuesPerElement(dtype, info);
  if (isBytes(dtype)) return bytesText(dtype, data as ArrayLike<number>, perElement);
  const valueText = valueTextOf(elements);
  if (!isComplex(dtype)) return valueText;
  return (index) => `[${valueText(2 * index)}, ${valueText(2 * index + 1)}]`;
}

/** Elements of bytes: numbers where they have no meaning; base64 of records, and of bytes before the zeros at the end. */
function bytesText(dtype: string, data: ArrayLike<number>, size: number): ElementText {
  return (index) => {
    const bytes = Array.from({ length: size }, (_, at) => data[index * size + at] ?? 0);
    if (dtype === 'struct') return base64(Uint8Array.from(bytes));
    if (dtype !== 'null_terminated_bytes') return `[${bytes.join(', ')}]`;
    const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
    return base64(Uint8Array.from(bytes.slice(0, end)));
  };
}

function base64(bytes: Uint8Array): string {
  return `"${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}"`;
}

/** What writes each value; of complex numbers each part. */
function valueTextOf(elements: FillValueElements): ElementText {
  const { dtype, data } = elements;
  if (dtype === 'json') return (index) => exactJson(data[index]);
  if (dtype === 'bool') return (index) => String(data[index] === 1);
  if (data instanceof BigInt64Array && dtype.startsWith('numpy.')) {
    return (index) => (data[index] === NO_TIME ? '"NaT"' : String(data[index]));
  }
  if (/float|complex/.test(dtype)) return floatTextOf(elements);
  return (index) => {
    const value = data[index];
    return value instanceof Uint8Array ? base64(value) : textOf(value);
  };
}

/** A value of JSON on one line, with integers in full; what JSON has no number for is its name. */
export function exactJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(exactJson).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(
      ([name, member]) => `${JSON.stringify(name)}: ${exactJson(member)}`,
    );
    return `{${members.join(', ')}}`;
  }
  if (typeof value === 'number' && !Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? '-0.0' : textOf(value);
}

function textOf(value: unknown): string {
  return typeof value === 'number' || typeof value === 'bigint'
    ? String(value)
    : JSON.stringify(value ?? null);
}

function floatTextOf({ dtype, info, data, bits }: FillValueElements): ElementText {
  const type = partOf(dtype);
  const partBytes = (info.itemBytes ?? 0) / (isComplex(dtype) ? 2 : 1);
  const bitsOf = bits === undefined ? ownBits(data) : (index: number) => BigInt(bits[index] ?? 0);
  return (index) => {
    const value = data[index] as number;
    if (!Number.isNaN(value)) return numberText(value);
    const pattern = bitsOf(index);
    if (pattern === CANONICAL_NAN[type]) return '"NaN"';
    return `"0x${pattern.toString(16).padStart(2 * partBytes, '0')}"`;
  };
}

/** The float that a data type is, or that complex numbers are two of. */
function partOf(dtype: string): string {
  if (dtype === 'complex64') return 'float32';
  return dtype === 'complex128' ? 'float64' : dtype.replace('complex_', '');
}

/** The bits of elements that are read as they are stored. */
function ownBits(data: ArrayLike<unknown>): (index: number) => bigint {
  if (data instanceof Float64Array) {
    const pattern = new BigUint64Array(data.buffer, data.byteOffset, data.length);
    return (index) => pattern[index] ?? 0n;
  }
  const { buffer, byteOffset, length } = data as Float32Array;
  const pattern = new Uint32Array(buffer, byteOffset, length);
  return (index) => BigInt(pattern[index] ?? 0);
}

/** A float that is a number or infinite: always told from an integer, and the sign of zero is there. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  if (Object.is(value, -0)) return '-0.0';
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}
