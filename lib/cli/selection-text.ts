// Selections as numpy users type them (`0,10:20,:`): parsed without I/O, then fitted to an array's
// shape.

import { UsageError } from './usage-error.js';

/** One entry as typed. A slice keeps what was left out as `null`. */
export type SelectionEntry =
  | { readonly kind: 'index'; readonly index: number }
  | {
      readonly kind: 'slice';
      readonly start: number | null;
      readonly stop: number | null;
      readonly step: number;
    }
  | { readonly kind: 'ellipsis' };

/** A fitted selection's part along a dimension that stays: `length` positions from `start` on. */
export interface FittedRange {
  readonly kind: 'range';
  readonly start: number;
  /** Negative: backwards. Never 0. */
  readonly step: number;
  readonly length: number;
}

/** One dimension's part of a fitted selection: an index drops the dimension, a range keeps `length` positions. */
export type FittedEntry = { readonly kind: 'index'; readonly index: number } | FittedRange;

/** Parses `0,10:20,:`, with or without brackets around it. Throws a {@link UsageError} that names the bad entry. */
export function parseSelection(text: string): readonly SelectionEntry[] {
  const inner = /^\s*\[(.*)\]\s*$/.exec(text)?.[1] ?? text;
  if (inner.trim() === '') return [];
  // numpy allows one comma at the end, as in `x[3,]`.
  const entries = inner.replace(/,\s*$/, '').split(',').map(parseEntry);
  if (entries.filter((entry) => entry.kind === 'ellipsis').length > 1) {
    throw new UsageError('expected `...` at most once');
  }
  return entries;
}

function parseEntry(text: string): SelectionEntry {
  const entry = text.trim();
  if (entry === '...') return { kind: 'ellipsis' };
  const parts = entry.split(':').map((part) => part.trim());
  if (parts.length === 1) return { kind: 'index', index: parseInteger(entry, entry) };
  if (parts.length > 3) throw badEntry(entry);
  const [start, stop, step] = parts.map((part) => (part === '' ? null : parseInteger(part, entry)));
  if (step === 0) throw new UsageError(`expected a step other than 0 in '${entry}'`);
  return { kind: 'slice', start: start ?? null, stop: stop ?? null, step: step ?? 1 };
}

function parseInteger(text: string, entry: string): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw badEntry(entry);
  return value;
}

function badEntry(entry: string): UsageError {
  return new UsageError(
    `expected an integer, start:stop, start:stop:step, : or ... for each dimension, not '${entry}'`,
  );
}

/**
 * Fits `entries` to `shape`: dimensions not mentioned are read whole, slice bounds are clipped as numpy does. An index
 * stays as typed, so that the library reports one that is out of bounds. Throws a {@link UsageError} for more entries
 * than dimensions.
 */
export function fitSelection(
  entries: readonly SelectionEntry[],
  shape: readonly number[],
): readonly FittedEntry[] {
  const given = entries.filter((entry) => entry.kind !== 'ellipsis').length;
  if (given > shape.length) {
    throw new UsageError(
      `--selection has ${given} ${given === 1 ? 'entry' : 'entries'}, but the array has ${shape.length} ` +
        `${shape.length === 1 ? 'dimension' : 'dimensions'}, of shape [${shape.join(', ')}]`,
    );
  }
  const all: SelectionEntry = { kind: 'slice', start: null, stop: null, step: 1 };
  const fill = Array.from({ length: shape.length - given }, () => all);
  const ellipsis = entries.findIndex((entry) => entry.kind === 'ellipsis');
  const complete =
    ellipsis < 0
      ? [...entries, ...fill]
      : [...entries.slice(0, ellipsis), ...fill, ...entries.slice(ellipsis + 1)];
  return shape.map((length, dimension) => fitEntry(complete[dimension] ?? all, length));
}

function fitEntry(entry: SelectionEntry, extent: number | bigint): FittedEntry {
  if (entry.kind === 'index') return entry;
  // A dimension beyond 2^53 is a bigint: ranges near its start are exact all the same.
  const length = Number(extent);
  if (entry.kind === 'ellipsis') {
    checkExact([length], extent);
    return { kind: 'range', start: 0, step: 1, length };
  }
  const { step } = entry;
  // Backwards, a range goes from the last position at most to just before the first.
  const [least, most] = step > 0 ? [0, length] : [-1, length - 1];
  const clip = (bound: number): number =>
    Math.min(Math.max(bound < 0 ? bound + length : bound, least), most);
  const start = entry.start === null ? (step > 0 ? least : most) : clip(entry.start);
  const stop = entry.stop === null ? (step > 0 ? most : least) : clip(entry.stop);
  checkExact([start, stop], extent);
  return { kind: 'range', start, step, length: Math.max(0, Math.ceil((stop - start) / step)) };
}

/** Refuses bounds of a range that a number may have rounded. */
export function checkExact(bounds: readonly number[], extent: number | bigint): void {
  if (bounds.every(Number.isSafeInteger)) return;
  throw new UsageError(
    `a dimension of ${extent} elements cannot be read as a whole: select elements before 2^53 with ` +
      '--selection START:STOP, or single ones',
  );
}

/** The shape of what a fitted selection reads. */
export function fittedShape(entries: readonly FittedEntry[]): number[] {
  return entries.flatMap((entry) => (entry.kind === 'range' ? [entry.length] : []));
}

/** The positions `from` to `to` (exclusive) of a range, as a range of its own. */
export function subRange(entry: FittedRange, from: number, to: number): FittedRange {
  return {
    kind: 'range',
    start: entry.start + from * entry.step,
    step: entry.step,
    length: to - from,
  };
}

/** The position in `whole` where `part` of it begins. */
export function positionIn(whole: FittedRange, part: FittedRange): number {
  return Math.abs(part.start - whole.start) / Math.abs(whole.step);
}

/** One entry of the library's selections. */
export type LibrarySelectionEntry = number | { start: number; stop: number | null; step: number };

/** A fitted selection in the library's words. */
export function librarySelection(entries: readonly FittedEntry[]): LibrarySelectionEntry[] {
  return entries.map((entry) => {
    if (entry.kind === 'index') return entry.index;
    const { start, step, length } = entry;
    if (length === 0) return { start: 0, stop: 0, step };
    const last = start + (length - 1) * step;
    if (step > 0) return { start, stop: last + 1, step };
    // Before the first position there is none: -1 would be the last.
    return { start, stop: last === 0 ? null : last - 1, step };
  });
}
