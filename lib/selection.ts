// Selections, in zarrita's words, and the form in which they cross into the core.

import { LsioError } from './errors.js';

/** `start` to `stop` by `step` along one dimension, as `slice()` makes it. */
export interface Slice {
  /** First element; absent or null: the first of the dimension, the last of it with a negative step. Negative: from the end. */
  readonly start?: number | null;
  /** One past the last element; absent or null: the end, with a negative step the beginning. Negative: from the end. */
  readonly stop?: number | null;
  /** Distance between elements, not 0; absent or null: 1. Negative: backwards. */
  readonly step?: number | null;
}

/**
 * Indices along one dimension, in any order, repeated ones too. Negative: from the end. A `Uint8Array` is
 * no list of indices but a mask: see {@link DimensionMask}.
 */
export type IndexArray =
  | readonly number[]
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/**
 * One flag for each element of a dimension: those with `true` or 1 are wanted. A `Uint8Array`, as elements
 * of bool arrays are read, holds nothing but 0 and 1.
 */
export type DimensionMask = readonly boolean[] | Uint8Array;

/**
 * What is wanted along one dimension: all of it, one element (drops the dimension), a slice, or the
 * elements that a list or a mask names. `'...'` stands for all dimensions that no other entry names.
 */
export type SelectionEntry = null | number | Slice | IndexArray | DimensionMask | '...';

/**
 * One entry for each dimension. Lists and masks are orthogonal: the result has every combination of what
 * they name, as `oindex` of zarr-python and `np.ix_` have it.
 */
export type Selection = readonly SelectionEntry[];

/** A selection as zarrita knows them: without lists. */
export type BasicSelection = readonly (null | number | Slice)[];

/** Entries for some dimensions, by their names. */
export interface NamedSelection {
  readonly [dimension: string]: Exclude<SelectionEntry, '...'>;
}

/** Coordinates of points: along each dimension one for each point, or one that all have. */
export type PointCoordinates = readonly (number | IndexArray)[];

/** Which blocks of the grid are wanted along each dimension; `'...'` as in a {@link Selection}. */
export type BlockSelection = readonly (null | number | Slice | '...')[];

/**
 * A flag for each element of an array in C order, as a flat list or as the elements of a bool array with
 * its shape.
 */
export type ArrayMask =
  DimensionMask | { readonly data: DimensionMask; readonly shape: readonly number[] };

/** A slice with all its members, as zarrita makes it. */
export interface FullSlice {
  readonly start: number | null;
  readonly stop: number | null;
  readonly step: number | null;
}

/**
 * A slice of one dimension, with Python's and zarrita's meaning: `slice(stop)`,
 * `slice(start, stop)`, `slice(start, stop, step)`; `slice(null)` is all of it.
 */
export function slice(stop?: number | null): FullSlice;
export function slice(start: number | null, stop: number | null, step?: number | null): FullSlice;
export function slice(
  start: number | null = null,
  stop?: number | null,
  step: number | null = null,
): FullSlice {
  return stop === undefined ? { start: null, stop: start, step } : { start, stop, step };
}

// Each dimension crosses as four numbers: its kind, start, stop, step. NaN: absent. The start of a list is
// its place among the lists of the call.
const KIND_ALL = 0;
const KIND_INDEX = 1;
const KIND_SLICE = 2;
const KIND_ELLIPSIS = 3;
const KIND_LIST = 4;
const ABSENT = Number.NaN;

/** How many dimensions a selection may name: those of the array and, beside them, those of a field. */
interface SelectedRanks {
  readonly rank: number;
  /** Dimensions of a field may be left out where there is no `'...'`: then all of them is meant. */
  readonly fieldRank: number;
}

/**
 * The form in which a selection crosses into the core, which checks it against the array. Its lists are
 * added to `lists`, to cross on their own.
 *
 * @throws {LsioError} `ERR_LSIO_SELECTION` for an entry that means nothing on any array.
 */
export function packSelection(
  selection: Selection | null | undefined,
  ranks: SelectedRanks,
  lists: SelectedList[],
): Float64Array {
  const packed: number[] = [];
  appendSelection(packed, selection, ranks, lists);
  return new Float64Array(packed);
}

/**
 * Several selections as one value, each behind the number of its entries: what Node-API takes for every
 * value that crosses is more than that of the numbers in it.
 *
 * @throws {LsioError} as {@link packSelection}.
 */
export function packSelections(
  selections: readonly (Selection | null | undefined)[],
  ranks: SelectedRanks,
  lists: SelectedList[],
): Float64Array {
  const packed: number[] = [];
  for (const selection of selections) {
    const head = packed.length;
    packed.push(0);
    packed[head] = appendSelection(packed, selection, ranks, lists);
  }
  return new Float64Array(packed);
}

/** Adds the numbers of each entry; returns how many entries there are. */
function appendSelection(
  packed: number[],
  selection: Selection | null | undefined,
  { rank, fieldRank }: SelectedRanks,
  lists: SelectedList[],
): number {
  const given = selection ?? nulls(rank);
  if (!Array.isArray(given)) {
    throw new LsioError(
      'ERR_LSIO_SELECTION',
      'a selection is an array with one entry per dimension: null, an integer, a slice or a list',
    );
  }
  const leavesOut = fieldRank > 0 && given.length === rank && !given.includes('...');
  const entries: Selection = leavesOut ? given.concat(nulls(fieldRank)) : given;
  for (const [dimension, entry] of entries.entries()) {
    if (entry === null) {
      packed.push(KIND_ALL, ABSENT, ABSENT, ABSENT);
    } else if (typeof entry === 'number') {
      packed.push(KIND_INDEX, integer(entry, dimension, 'index'), ABSENT, ABSENT);
    } else if (entry === '...') {
      packed.push(KIND_ELLIPSIS, ABSENT, ABSENT, ABSENT);
    } else if (Array.isArray(entry) || ArrayBuffer.isView(entry)) {
      packed.push(KIND_LIST, lists.length, ABSENT, ABSENT);
      lists.push(selectedList(entry as IndexArray | DimensionMask, dimension));
    } else if (typeof entry === 'object') {
      const { start, stop, step } = entry as Slice;
      packed.push(
        KIND_SLICE,
        bound(start, dimension, 'start'),
        bound(stop, dimension, 'stop'),
        bound(step, dimension, 'step'),
      );
    } else {
      const expected = "it must be null, an integer, a slice, a list or '...'";
      throw entryError(dimension, `is ${String(entry)}; ${expected}`);
    }
  }
  return entries.length;
}

function nulls(length: number): null[] {
  return Array.from<null>({ length }).fill(null);
}

/**
 * Coordinates of points as they cross into the core; their lists are added to `lists`.
 *
 * @throws {LsioError} `ERR_LSIO_SELECTION` for anything but integers and lists of them.
 */
export function packPoints(coordinates: PointCoordinates, lists: SelectedList[]): Float64Array {
  const packed = packSelection(coordinates, { rank: 0, fieldRank: 0 }, lists);
  for (const [dimension, entry] of coordinates.entries()) {
    const isList = ArrayBuffer.isView(entry) || Array.isArray(entry);
    if (typeof entry !== 'number' && !isList) {
      throw entryError(dimension, 'is no list of coordinates');
    }
  }
  for (const { dimension, isMask } of lists) {
    if (isMask) throw entryError(dimension ?? 0, 'is a mask; points have coordinates');
  }
  return packed;
}

/**
 * The flags of a mask of a whole array of this shape.
 *
 * @throws {LsioError} `ERR_LSIO_SELECTION` for anything else, or a mask of another shape.
 */
export function maskOf(mask: ArrayMask, shape: readonly number[]): SelectedList {
  const isFlat = ArrayBuffer.isView(mask) || Array.isArray(mask);
  const { data, shape: ofMask } = isFlat
    ? { data: mask as DimensionMask, shape }
    : (mask as Exclude<ArrayMask, DimensionMask>);
  if (ofMask.length !== shape.length || ofMask.some((length, axis) => length !== shape[axis])) {
    const shapes = `[${ofMask.join(', ')}], the array [${shape.join(', ')}]`;
    throw new LsioError('ERR_LSIO_SELECTION', `the mask has shape ${shapes}`);
  }
  const isMask = data instanceof Uint8Array || Array.isArray(data);
  if (!isMask) {
    throw new LsioError('ERR_LSIO_SELECTION', 'a mask is a Uint8Array or an array of booleans');
  }
  return { values: data, isMask: true, dimension: undefined };
}

/**
 * The selection that entries for named dimensions mean; dimensions without an entry are whole.
 *
 * @throws {LsioError} `ERR_LSIO_SELECTION` for a name that no dimension, or more than one, has.
 */
export function selectionByName(
  named: NamedSelection,
  dimensionNames: readonly (string | null)[] | undefined,
  rank: number,
): Selection {
  if (dimensionNames === undefined) {
    throw new LsioError('ERR_LSIO_SELECTION', 'the dimensions of this array have no names');
  }
  const selection = Array.from<SelectionEntry>({ length: rank }).fill(null);
  for (const [name, entry] of Object.entries(named)) {
    const dimension = dimensionNames.indexOf(name);
    if (dimension < 0 || dimensionNames.includes(name, dimension + 1)) {
      const how = dimension < 0 ? 'no dimension' : 'more than one dimension';
      const names = dimensionNames.map((known) => known ?? '(no name)').join(', ');
      throw new LsioError(
        'ERR_LSIO_SELECTION',
        `${how} is named '${name}'; the dimensions are ${names}`,
      );
    }
    const given: unknown = entry;
    if (given === '...' || given === undefined) {
      throw entryError(dimension, `is ${String(given)}, which names no elements`);
    }
    selection[dimension] = entry;
  }
  return selection;
}

/** A list or a mask that a selection refers to. */
export interface SelectedList {
  readonly values: IndexArray | DimensionMask;
  readonly isMask: boolean;
  /** Which entry of the selection it is; undefined for a mask of the whole array. */
  readonly dimension: number | undefined;
}

const INDEX_ARRAYS = [
  Int8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
];

function selectedList(values: IndexArray | DimensionMask, dimension: number): SelectedList {
  if (values instanceof Uint8Array) return { values, isMask: true, dimension };
  const isIndices = Array.isArray(values) || INDEX_ARRAYS.some((type) => values instanceof type);
  if (!isIndices) {
    const name = Object.getPrototypeOf(values).constructor.name as string;
    throw entryError(dimension, `is a ${name}; indices are integers, as in an Int32Array`);
  }
  return { values, isMask: typeof values[0] === 'boolean', dimension };
}

/** What is wrong with an element of a list. */
export function listError({ dimension, isMask }: SelectedList): LsioError {
  const expected = isMask ? 'booleans, or 0 and 1' : 'integers';
  if (dimension === undefined) {
    return new LsioError('ERR_LSIO_SELECTION', `the mask has something other than ${expected}`);
  }
  return entryError(dimension, `has something other than ${expected}`);
}

/** Grid coordinates as they cross into the core, which checks them against the chunk grid. */
export function packChunkCoords(coords: readonly number[]): Float64Array {
  if (!Array.isArray(coords)) {
    throw new LsioError(
      'ERR_LSIO_SELECTION',
      'chunk coordinates are an array with one integer per dimension',
    );
  }
  for (const [dimension, coordinate] of (coords as readonly number[]).entries()) {
    if (!Number.isSafeInteger(coordinate) || coordinate < 0) {
      throw entryError(dimension, `of the chunk coordinates is ${String(coordinate)}`);
    }
  }
  return Float64Array.from(coords as readonly number[]);
}

function bound(value: unknown, dimension: number, name: string): number {
  return value === undefined || value === null ? ABSENT : integer(value, dimension, name);
}

function integer(value: unknown, dimension: number, name: string): number {
  if (!Number.isSafeInteger(value)) {
    throw entryError(dimension, `has ${name} ${String(value)}, which is no integer`);
  }
  return value as number;
}

function entryError(dimension: number, what: string): LsioError {
  return new LsioError('ERR_LSIO_SELECTION', `entry ${dimension} of the selection ${what}`);
}
