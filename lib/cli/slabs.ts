// Cuts a selection into slabs along its first dimension, for results that go to a file in C order.

import { subRange, type FittedEntry } from './selection-text.js';

/**
 * `entries` in pieces that, one after the other, give the same elements in the same order. A piece is
 * at most `maxElements` long where that can be, and ends where a chunk ends, so that no chunk is read
 * twice; `chunks` is the chunk shape.
 */
export function slabs(
  entries: readonly FittedEntry[],
  chunks: readonly number[],
  maxElements: number,
): (readonly FittedEntry[])[] {
  const dimension = entries.findIndex((entry) => entry.kind === 'range');
  const entry = entries[dimension];
  if (entry?.kind !== 'range') return [entries];
  const rowElements = entries.reduce(
    (product, other, index) =>
      other.kind === 'range' && index !== dimension ? product * other.length : product,
    1,
  );
  const chunk = Math.max(1, chunks[dimension] ?? 1);
  const pieces: (readonly FittedEntry[])[] = [];
  let from = 0;
  while (from < entry.length) {
    let to = endOfChunk(entry, chunk, from);
    // Whole chunks are added while they fit.
    while (to < entry.length) {
      const next = endOfChunk(entry, chunk, to);
      if ((next - from) * rowElements > maxElements) break;
      to = next;
    }
    pieces.push(entries.with(dimension, subRange(entry, from, to)));
    from = to;
  }
  return pieces.length === 0 ? [entries] : pieces;
}

/** The position of the range behind the last one that lies in the same chunk as `position`. */
function endOfChunk(
  entry: FittedEntry & { readonly kind: 'range' },
  chunk: number,
  position: number,
): number {
  const coordinate = entry.start + position * entry.step;
  const chunkEnd = (Math.floor(coordinate / chunk) + 1) * chunk;
  const end = position + Math.ceil((chunkEnd - coordinate) / entry.step);
  return Math.min(entry.length, end);
}
