// Selections, in zarrita's words, and the form in which they cross into the core.

import { LsioError } from './errors.js';

/** `start` to `stop` by `step` along one dimension, as `slice()` makes it. */
export interface Slice {
  /** First element; absent or null: the first of the dimension. Negative: from the end. */
  readonly start?: number | null;
  /** One past the last element; absent or null: the end. Negative: from the end. */
  readonly stop?: number | null;
  /** Distance between elements, at least 1; absent or null: 1. */
  readonly step?: number | null;
}

/** What is wanted along one dimension: all of it, one element (drops the dimension), or a slice. */
export type SelectionEntry = null | number | Slice;

/** One entry for each dimension. */
export type Selection = readonly SelectionEntry[];

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

// Each dimension crosses as four numbers: its kind, start, stop, step. NaN: absent.
const KIND_ALL = 0;
const KIND_INDEX = 1;
const KIND_SLICE = 2;
const NUMBERS_PER_DIMENSION = 4;

/**
 * The form in which a selection crosses into the core, which checks it against the array. Dimensions
 * of a field, `fieldRank` beside those of the array, may be left out: then all of them is meant.
 *
 * @throws {LsioError} `ERR_LSIO_SELECTION` for an entry that means nothing on any array.
 */
export function packSelection(
  selection: Selection | null | undefined,
  { rank, fieldRank }: { readonly rank: number; readonly fieldRank: number },
): Float64Array {
  const given = selection ?? nulls(rank);
  if (!Array.isArray(given)) {
    throw new LsioError(
      'ERR_LSIO_SELECTION',
      'a selection is an array with one entry per dimension: null, an integer or a slice',
    );
  }
  const entries = given.length === rank ? given.concat(nulls(fieldRank)) : given;
  const packed = new Float64Array(entries.length * NUMBERS_PER_DIMENSION).fill(Number.NaN);
  for (const [dimension, entry] of (entries as Selection).entries()) {
    const at = dimension * NUMBERS_PER_DIMENSION;
    if (entry === null) {
      packed[at] = KIND_ALL;
    } else if (typeof entry === 'number') {
      packed[at] = KIND_INDEX;
      packed[at + 1] = integer(entry, dimension, 'index');
    } else if (typeof entry === 'object') {
      packed[at] = KIND_SLICE;
      packed[at + 1] = bound(entry.start, dimension, 'start');
      packed[at + 2] = bound(entry.stop, dimension, 'stop');
      packed[at + 3] = bound(entry.step, dimension, 'step');
    } else {
      throw entryError(dimension, `is ${String(entry)}; it must be null, an integer or a slice`);
    }
  }
  return packed;
}

function nulls(length: number): null[] {
  return Array.from<null>({ length }).fill(null);
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
  return value === undefined || value === null ? Number.NaN : integer(value, dimension, name);
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
