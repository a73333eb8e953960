// Data types, and which JavaScript values hold elements of each: every table from a data type to a
// type or a constructor is in this file.

import type { JsonValue } from './json.js';

/** The floats of at most 16 bits that JavaScript has no typed array for. */
export type SmallFloatDataType =
  | 'bfloat16'
  | 'float8_e3m4'
  | 'float8_e4m3'
  | 'float8_e4m3b11fnuz'
  | 'float8_e4m3fn'
  | 'float8_e4m3fnuz'
  | 'float8_e5m2'
  | 'float8_e5m2fnuz'
  | 'float8_e8m0fnu'
  | 'float6_e2m3fn'
  | 'float6_e3m2fn'
  | 'float4_e2m1fn';

/** Complex numbers of two small floats. */
export type SmallComplexDataType = 'complex_float16' | `complex_${SmallFloatDataType}`;

/** Bytes without a meaning: `r` and their number of bits. */
export type RawDataType = `r${number}`;

/** Data type of the elements of an array, by its Zarr v3 name. */
export type DataType =
  | 'bool'
  | 'int2'
  | 'int4'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint2'
  | 'uint4'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'float16'
  | 'float32'
  | 'float64'
  | SmallFloatDataType
  | 'complex64'
  | 'complex128'
  | SmallComplexDataType
  | 'numpy.datetime64'
  | 'numpy.timedelta64'
  | 'fixed_length_utf32'
  | 'null_terminated_bytes'
  | RawDataType
  | 'struct'
  | 'variable_length_bytes'
  | 'json'
  | 'string';

/** The data types whose elements are JavaScript numbers. */
export type NumberDataType =
  | 'int2'
  | 'int4'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'uint2'
  | 'uint4'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'float16'
  | 'float32'
  | 'float64'
  | SmallFloatDataType;

/** Numbers of NumPy's steps of time; see {@link DataTypeInfo}. The smallest number is no time. */
export type TimeDataType = 'numpy.datetime64' | 'numpy.timedelta64';

/** The data types whose elements are bigints. */
export type BigIntDataType = 'int64' | 'uint64' | TimeDataType;

/** The data types whose elements are two numbers each. */
export type ComplexDataType = 'complex64' | 'complex128' | SmallComplexDataType;

/** The data types whose elements are strings. */
export type TextDataType = 'string' | 'fixed_length_utf32';

/** The data types whose elements are bytes of a fixed number; a record is those of its fields. */
export type BytesDataType = 'null_terminated_bytes' | RawDataType | 'struct';

/** The data types whose elements vary in length. */
export type VariableLengthDataType = 'string' | 'variable_length_bytes' | 'json';

/** A data type, or a family of them: what `LsioArray.is` can be asked. */
export type DataTypeQuery = DataType | 'number' | 'bigint';

/** The data types among `D` that a query names. */
export type MatchingDataType<D extends DataType, Q extends DataTypeQuery> = Q extends 'number'
  ? Extract<D, NumberDataType>
  : Q extends 'bigint'
    ? Extract<D, BigIntDataType>
    : Extract<D, Q>;

/** What the name of a data type leaves open. */
export interface DataTypeInfo {
  /** Bytes of a stored element; `null` where elements vary in length. */
  readonly itemBytes: number | null;
  /** Of times: the unit, by NumPy's name, such as `'ns'`; `'generic'` is none. */
  readonly unit?: string;
  /** Of times: how many units 1 stands for. */
  readonly scaleFactor?: number;
  /** Of records: their fields, in their order. */
  readonly fields?: readonly StructField[];
}

/** A field of a record: its numbers are in the byte order of the machine. */
export interface StructField extends DataTypeInfo {
  readonly name: string;
  readonly dtype: DataType;
  /** Where it begins in a record. */
  readonly byteOffset: number;
  /** Elements per dimension that it has in each record, in C order; `[]` for a single one. */
  readonly shape: readonly number[];
}

/** The path of a field, for arrays whose elements may be records. */
export type FieldPath<D extends DataType> = D extends 'struct' ? string : never;

/** Data types that numbers can be converted to. */
export type NumberForm =
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'float32'
  | 'float64';

/**
 * Another form of the same elements.
 *
 * - `'bits'`: floats of at most 16 bits as their bits, and the parts of complex numbers of them.
 * - `'utf8'`: strings as their UTF-8 bytes with offsets.
 * - a data type: the core converts. To `'float32'` and `'float64'` it rounds to the nearest value, of two
 *   the even one; too large numbers become infinite, no time becomes NaN. To integers it converts
 *   types of which every value fits, and refuses others with `ERR_LSIO_UNSUPPORTED`.
 */
export type ElementForm<D extends DataType = DataType> =
  | (D extends 'float16' | SmallFloatDataType | SmallComplexDataType ? 'bits' : never)
  | (D extends TextDataType ? 'utf8' : never)
  | (D extends NumberDataType | 'bool' | 'int64' | 'uint64' ? NumberForm : never)
  | (D extends TimeDataType ? 'float64' : never)
  | (D extends ComplexDataType ? 'complex64' | 'complex128' : never);

/** Every form that elements of some data type can be had in. */
export const ELEMENT_FORMS: readonly ElementForm[] = [
  'bits',
  'utf8',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'float32',
  'float64',
  'complex64',
  'complex128',
];

/** Strings as their UTF-8 bytes: string `i` is `bytes.subarray(offsets[i], offsets[i + 1])`. */
export interface Utf8Data {
  /** One more than there are strings; the first is 0. */
  readonly offsets: BigUint64Array;
  /** All strings, one after the other. */
  readonly bytes: Uint8Array;
}

/** `Float16Array | Float32Array` where the libraries of the project know both, else `Float32Array`. */
export type Float16Data = typeof globalThis extends { Float16Array: { prototype: infer F } }
  ? F | Float32Array
  : Float32Array;

/** The typed arrays that hold elements as they are, by data type. */
export interface ElementViews {
  readonly bool: Uint8Array;
  readonly int2: Int8Array;
  readonly int4: Int8Array;
  readonly int8: Int8Array;
  readonly int16: Int16Array;
  readonly int32: Int32Array;
  readonly int64: BigInt64Array;
  readonly uint2: Uint8Array;
  readonly uint4: Uint8Array;
  readonly uint8: Uint8Array;
  readonly uint16: Uint16Array;
  readonly uint32: Uint32Array;
  readonly uint64: BigUint64Array;
  readonly float16: Float16Data;
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly complex64: Float32Array;
  readonly complex128: Float64Array;
  readonly 'numpy.datetime64': BigInt64Array;
  readonly 'numpy.timedelta64': BigInt64Array;
}

/** What holds the elements of a data type where no other form is asked for. */
export type PlainElementData<D> = D extends keyof ElementViews
  ? ElementViews[D]
  : D extends SmallFloatDataType | SmallComplexDataType
    ? Float32Array
    : D extends BytesDataType
      ? Uint8Array
      : D extends TextDataType
        ? string[]
        : D extends 'variable_length_bytes'
          ? Uint8Array[]
          : D extends 'json'
            ? JsonValue[]
            : never;

/** What holds the bits of floats of at most 16 bits. */
export type ElementBits<D> = D extends
  'float16' | 'bfloat16' | 'complex_float16' | 'complex_bfloat16'
  ? Uint16Array
  : Uint8Array;

/**
 * What holds the elements of a data type: `bool` is 0 or 1, complex numbers are interleaved real and
 * imaginary parts. `float16` is a `Float16Array` where the runtime has one and else a `Float32Array`
 * with exactly the same values, as are smaller floats. Bytes and records are one element after the other,
 * each with `dtypeInfo.itemBytes` bytes; of records, `dtypeInfo.fields` says where their fields are. Bytes of
 * any number are views over one buffer. `json` is what objects of Zarr v2 are that were stored as JSON or as
 * MessagePack, and lists of numbers (`vlen-array`).
 */
export type ElementData<
  D extends DataType,
  F extends ElementForm | undefined = undefined,
> = D extends DataType
  ? F extends 'bits'
    ? ElementBits<D>
    : F extends 'utf8'
      ? Utf8Data
      : F extends NumberForm | 'complex64' | 'complex128'
        ? PlainElementData<F>
        : PlainElementData<D>
  : never;

/**
 * One element as a JavaScript value. A complex number is its real and its imaginary part; of the bytes
 * of an element none is left out.
 */
export type Scalar<D extends DataType> = D extends 'bool'
  ? boolean
  : D extends BigIntDataType
    ? bigint
    : D extends TextDataType
      ? string
      : D extends ComplexDataType
        ? readonly [re: number, im: number]
        : D extends BytesDataType | 'variable_length_bytes'
          ? Uint8Array
          : D extends 'json'
            ? JsonValue
            : number;

/** A view over bytes that holds elements of fixed size. */
export interface ElementView extends ArrayBufferView {
  readonly length: number;
  readonly BYTES_PER_ELEMENT: number;
  subarray(start: number, end: number): ElementView;
  set(source: ElementView, offset: number): void;
}

/** Makes a view over `length` elements. */
export interface ElementViewConstructor {
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): ElementView;
}

const runtimeFloat16 = (globalThis as { Float16Array?: unknown }).Float16Array;

const VIEWS: { readonly [D in keyof ElementViews]: unknown } = {
  bool: Uint8Array,
  int2: Int8Array,
  int4: Int8Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint2: Uint8Array,
  uint4: Uint8Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  float16: runtimeFloat16 ?? Float32Array,
  float32: Float32Array,
  float64: Float64Array,
  complex64: Float32Array,
  complex128: Float64Array,
  'numpy.datetime64': BigInt64Array,
  'numpy.timedelta64': BigInt64Array,
};

// The small floats, by the bytes of one.
const SMALL_FLOATS: { readonly [D in SmallFloatDataType]: 1 | 2 } = {
  bfloat16: 2,
  float8_e3m4: 1,
  float8_e4m3: 1,
  float8_e4m3b11fnuz: 1,
  float8_e4m3fn: 1,
  float8_e4m3fnuz: 1,
  float8_e5m2: 1,
  float8_e5m2fnuz: 1,
  float8_e8m0fnu: 1,
  float6_e2m3fn: 1,
  float6_e3m2fn: 1,
  float4_e2m1fn: 1,
};

/** Whether elements are two numbers each, real and imaginary part. */
export function isComplex(dataType: string): boolean {
  return dataType.startsWith('complex');
}

/** Whether elements are strings. */
export function isText(dataType: string): boolean {
  return dataType === 'string' || dataType === 'fixed_length_utf32';
}

/** Whether elements are bytes of a fixed number. */
export function isBytes(dataType: string): boolean {
  return /^(null_terminated_bytes|struct|r\d+)$/.test(dataType);
}

/** How many values of a view one element is: two of a complex number, its bytes of an element of bytes. */
export function valuesPerElement(dataType: string, { itemBytes }: DataTypeInfo): number {
  if (isBytes(dataType)) return itemBytes ?? 1;
  return isComplex(dataType) ? 2 : 1;
}

/** Bytes of the float itself, or of the parts of the complex number, where these have at most 16 bits. */
function smallFloatBytes(dataType: DataType): 1 | 2 | undefined {
  const part = dataType.replace(/^complex_/, '');
  if (part === 'float16') return 2;
  return Object.hasOwn(SMALL_FLOATS, part) ? SMALL_FLOATS[part as SmallFloatDataType] : undefined;
}

/** The data type that the core must convert elements to, to have them in the form asked for. */
export function convertedType(
  dataType: DataType,
  form: ElementForm | undefined,
): DataType | undefined {
  if (form === 'bits') return undefined;
  if (isText(dataType)) return dataType === 'string' ? undefined : 'string';
  if (form !== undefined && form !== 'utf8') return form === dataType ? undefined : form;
  if (dataType === 'float16') return runtimeFloat16 === undefined ? 'float32' : undefined;
  if (smallFloatBytes(dataType) === undefined) return undefined;
  return isComplex(dataType) ? 'complex64' : 'float32';
}

/** The view that holds elements of a data type in the form asked for; `null` for elements of varying length. */
export function elementView(
  dataType: DataType,
  form: ElementForm | undefined,
): ElementViewConstructor | null {
  if (isText(dataType) || ['variable_length_bytes', 'json'].includes(dataType)) return null;
  // Typed arrays have no common type in TypeScript; what is declared above holds for all of them.
  return viewOf(dataType, form) as ElementViewConstructor;
}

function viewOf(dataType: DataType, form: ElementForm | undefined): unknown {
  if (form === 'bits') return smallFloatBytes(dataType) === 2 ? Uint16Array : Uint8Array;
  if (isBytes(dataType)) return Uint8Array;
  return VIEWS[(convertedType(dataType, form) ?? dataType) as keyof ElementViews];
}

/** Whether elements of `dataType` can be asked for in `form`. The core may still refuse a conversion. */
export function hasForm(dataType: DataType, form: ElementForm): boolean {
  switch (form) {
    case 'bits':
      return smallFloatBytes(dataType) !== undefined;
    case 'utf8':
      return isText(dataType);
    case 'complex64':
    case 'complex128':
      return isComplex(dataType);
    default:
      return (
        dataType === 'bool' ||
        matchesQuery(dataType, 'number') ||
        (matchesQuery(dataType, 'bigint') && (form === 'float64' || !dataType.startsWith('numpy')))
      );
  }
}

const NUMBER_TYPES: ReadonlySet<DataType> = new Set<NumberDataType>([
  'int2',
  'int4',
  'int8',
  'int16',
  'int32',
  'uint2',
  'uint4',
  'uint8',
  'uint16',
  'uint32',
  'float16',
  'float32',
  'float64',
  ...(Object.keys(SMALL_FLOATS) as SmallFloatDataType[]),
]);

const BIGINT_TYPES: ReadonlySet<DataType> = new Set<BigIntDataType>([
  'int64',
  'uint64',
  'numpy.datetime64',
  'numpy.timedelta64',
]);

/** Whether `dataType` is what the query names. */
export function matchesQuery(dataType: DataType, query: DataTypeQuery): boolean {
  if (query === 'number') return NUMBER_TYPES.has(dataType);
  if (query === 'bigint') return BIGINT_TYPES.has(dataType);
  return dataType === query;
}
