// Data types, and which JavaScript values hold elements of each: every table from a data type to a
// type or a constructor is in this file.

/** Data type of the elements of an array, by its Zarr v3 name. */
export type DataType =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'float16'
  | 'float32'
  | 'float64'
  | 'complex64'
  | 'complex128'
  | 'string';

/** The data types whose elements are JavaScript numbers. */
export type NumberDataType =
  'int8' | 'int16' | 'int32' | 'uint8' | 'uint16' | 'uint32' | 'float16' | 'float32' | 'float64';

/** The data types whose elements are bigints. */
export type BigIntDataType = 'int64' | 'uint64';

/** A data type, or a family of them: what `LsioArray.is` can be asked. */
export type DataTypeQuery = DataType | 'number' | 'bigint';

/** The data types among `D` that a query names. */
export type MatchingDataType<D extends DataType, Q extends DataTypeQuery> = Q extends 'number'
  ? Extract<D, NumberDataType>
  : Q extends 'bigint'
    ? Extract<D, BigIntDataType>
    : Extract<D, Q>;

/**
 * Another form of the same elements, without loss: `'bits'` gives float16 as its 16 bits, `'utf8'`
 * gives strings as their UTF-8 bytes with offsets.
 */
export type ElementForm<D extends DataType = DataType> = D extends 'float16'
  ? 'bits'
  : D extends 'string'
    ? 'utf8'
    : never;

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

/**
 * What holds the elements of a data type: `bool` is 0 or 1, complex numbers are interleaved real and
 * imaginary parts, `float16` is a `Float16Array` where the runtime has one and else a `Float32Array`
 * with exactly the same values.
 */
export type ElementData<
  D extends DataType,
  F extends ElementForm | undefined = undefined,
> = D extends 'bool' | 'uint8'
  ? Uint8Array
  : D extends 'int8'
    ? Int8Array
    : D extends 'int16'
      ? Int16Array
      : D extends 'int32'
        ? Int32Array
        : D extends 'int64'
          ? BigInt64Array
          : D extends 'uint16'
            ? Uint16Array
            : D extends 'uint32'
              ? Uint32Array
              : D extends 'uint64'
                ? BigUint64Array
                : D extends 'float16'
                  ? F extends 'bits'
                    ? Uint16Array
                    : Float16Data
                  : D extends 'float32' | 'complex64'
                    ? Float32Array
                    : D extends 'float64' | 'complex128'
                      ? Float64Array
                      : D extends 'string'
                        ? F extends 'utf8'
                          ? Utf8Data
                          : string[]
                        : never;

/** One element as a JavaScript value. A complex number is its real and its imaginary part. */
export type Scalar<D extends DataType> = D extends 'bool'
  ? boolean
  : D extends BigIntDataType
    ? bigint
    : D extends 'string'
      ? string
      : D extends 'complex64' | 'complex128'
        ? readonly [re: number, im: number]
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

const VIEWS: { readonly [D in Exclude<DataType, 'string'>]: unknown } = {
  bool: Uint8Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  float16: runtimeFloat16 ?? Float32Array,
  float32: Float32Array,
  float64: Float64Array,
  complex64: Float32Array,
  complex128: Float64Array,
};

/** The view that holds elements of a data type in the form asked for; `null` for strings. */
export function elementView(
  dataType: DataType,
  form: ElementForm | undefined,
): ElementViewConstructor | null {
  if (dataType === 'string') return null;
  const view = dataType === 'float16' && form === 'bits' ? Uint16Array : VIEWS[dataType];
  // Typed arrays have no common type in TypeScript; what is declared above holds for all of them.
  return view as ElementViewConstructor;
}

/** Whether the core must widen these elements to float32, because the runtime has no such view. */
export function isWidened(dataType: DataType, form: ElementForm | undefined): boolean {
  return dataType === 'float16' && form !== 'bits' && runtimeFloat16 === undefined;
}

/** Whether elements of `dataType` can be had in `form`. */
export function hasForm(dataType: DataType, form: ElementForm): boolean {
  return form === 'bits' ? dataType === 'float16' : dataType === 'string';
}

const NUMBER_TYPES: ReadonlySet<DataType> = new Set<NumberDataType>([
  'int8',
  'int16',
  'int32',
  'uint8',
  'uint16',
  'uint32',
  'float16',
  'float32',
  'float64',
]);

/** Whether `dataType` is what the query names. */
export function matchesQuery(dataType: DataType, query: DataTypeQuery): boolean {
  if (query === 'number') return NUMBER_TYPES.has(dataType);
  if (query === 'bigint') return dataType === 'int64' || dataType === 'uint64';
  return dataType === query;
}
