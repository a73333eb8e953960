// Cuts a selection into tiles that fit in memory, and says where the rows of a tile lie in a file that
// holds the whole result in C order.

import { positionIn, subRange, type FittedEntry, type FittedRange } from './selection-text.js';

/** A part of a selection. */
export interface Tile {
  readonly entries: readonly FittedEntry[];
  /** Its first element in the result, per dimension of the result. */
  readonly origin: readonly number[];
  /** Its elements per dimension of the result. */
  readonly shape: readonly number[];
}

/**
 * `selection` in tiles that cover it once, in C order of their origins. A tile ends where a chunk ends,
 * so that no chunk is read twice, and has at most `maxElements` unless one chunk alone has more. Where
 * the result must be `sequential`, only the first dimension is cut: each tile follows the one before.
 */
export function tiles(
  selection: readonly FittedEntry[],
  chunks: readonly number[],
  maxElements: number,
  sequential: boolean,
): Tile[] {
  const dimensions = selection.flatMap((entry, dimension) =>
    entry.kind === 'range' ? [dimension] : [],
  );
  const found: Tile[] = [];
  const cut = (entries: readonly FittedEntry[], depth: number): void => {
    const dimension = dimensions[depth];
    const entry = dimension === undefined ? undefined : entries[dimension];
    if (dimension === undefined || entry?.kind !== 'range') {
      found.push(tileOf(entries, selection));
      return;
    }
    const rowElements = countElements(entries) / Math.max(1, entry.length);
    for (const piece of pieces(entry, chunks[dimension] ?? 1, rowElements, maxElements)) {
      const part = entries.with(dimension, piece);
      const fits = sequential || piece.length * rowElements <= maxElements;
      cut(part, fits ? dimensions.length : depth + 1);
    }
  };
  if (countElements(selection) > 0) cut(selection, 0);
  return found;
}

/** Ranges that follow each other: whole chunks, as many together as have at most `maxElements`. */
function pieces(
  entry: FittedRange,
  chunk: number,
  rowElements: number,
  maxElements: number,
): FittedRange[] {
  const found: FittedRange[] = [];
  let from = 0;
  while (from < entry.length) {
    let to = endOfChunk(entry, Math.max(1, chunk), from);
    while (to < entry.length) {
      const next = endOfChunk(entry, Math.max(1, chunk), to);
      if ((next - from) * rowElements > maxElements) break;
      to = next;
    }
    found.push(subRange(entry, from, to));
    from = to;
  }
  return found;
}

/** The position of the range behind the last one that lies in the same chunk as `position`. */
function endOfChunk(entry: FittedRange, chunk: number, position: number): number {
  const coordinate = entry.start + position * entry.step;
  const chunkStart = Math.floor(coordinate / chunk) * chunk;
  const left = entry.step > 0 ? chunkStart + chunk - coordinate : coordinate - chunkStart + 1;
  return Math.min(entry.length, position + Math.ceil(left / Math.abs(entry.step)));
}

function tileOf(entries: readonly FittedEntry[], selection: readonly FittedEntry[]): Tile {
  const origin: number[] = [];
  const shape: number[] = [];
  for (const [dimension, entry] of entries.entries()) {
    const whole = selection[dimension];
    if (entry.kind !== 'range' || whole?.kind !== 'range') continue;
    origin.push(positionIn(whole, entry));
    shape.push(entry.length);
  }
  return { entries, origin, shape };
}

/** How many elements a selection has. */
export function countElements(entries: readonly FittedEntry[]): number {
  return entries.reduce(
    (product, entry) => (entry.kind === 'range' ? product * entry.length : product),
    1,
  );
}

/** Elements that lie one after the other both in a tile and in the whole result. */
export interface Run {
  readonly tileOffset: number;
  readonly resultOffset: number;
  readonly length: number;
}

/** The runs of `tile` in a result of `shape`, in order; offsets and lengths are in elements. */
export function* runs({ origin, shape: size }: Tile, shape: readonly number[]): Generator<Run> {
  // Dimensions behind `split` are covered whole: they continue the run.
  let split = shape.length - 1;
  while (split > 0 && size[split] === shape[split]) split -= 1;
  const length = size.slice(Math.max(0, split)).reduce((product, other) => product * other, 1);
  const outer = size.slice(0, Math.max(0, split));
  const count = outer.reduce((product, other) => product * other, 1);
  for (let run = 0; run < count; run++) {
    let rest = run;
    const position = [...origin];
    for (let dimension = outer.length - 1; dimension >= 0; dimension--) {
      const along = outer[dimension] ?? 1;
      position[dimension] = (origin[dimension] ?? 0) + (rest % along);
      rest = Math.floor(rest / along);
    }
    const resultOffset = position.reduce(
      (offset, at, dimension) => offset * (shape[dimension] ?? 1) + at,
      0,
    );
    yield { tileOffset: run * length, resultOffset, length };
  }
}
