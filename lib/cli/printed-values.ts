// What `lsio get` prints: values as numpy prints them, reading no more than what is shown.

import { valuesPerElement } from '../data-type.js';
import type { LsioArray } from '../index.js';
import {
  arrayText,
  elementTexts,
  scalarText,
  shownPositions,
  EDGE_ITEMS,
  SUMMARY_THRESHOLD,
} from './array-text.js';
import type { CommandContext } from './command-context.js';
import { formatCount } from './format.js';
import { getOptions } from './reading.js';
import {
  fittedShape,
  librarySelection,
  positionIn,
  subRange,
  type FittedEntry,
  type LibrarySelectionEntry,
} from './selection-text.js';
import { UsageError } from './usage-error.js';

/** A printed element takes some hundred bytes while the text is put together. */
const MOST_PRINTED = 2_000_000;

/** The selected values as text, or a {@link UsageError} for too many. Of more than {@link SUMMARY_THRESHOLD}, only the corners are read. */
export async function printedText(
  array: LsioArray,
  selection: readonly FittedEntry[],
  context: CommandContext,
): Promise<string> {
  const { dtype, dtypeInfo } = array;
  const shape = fittedShape(selection);
  const count = shape.reduce((product, length) => product * length, 1);
  if (context.options.full && count > MOST_PRINTED) {
    throw new UsageError(
      `--full would print ${formatCount(count)} values, and prints ${formatCount(MOST_PRINTED)} at ` +
        'most; write them to a file with --output, or select fewer with --selection',
    );
  }
  const shortened = count > SUMMARY_THRESHOLD && !context.options.full;
  const pieces = shortened ? corners(selection) : [selection];
  const selections: LibrarySelectionEntry[][] = pieces.map(librarySelection);
  const options = getOptions(context, array.nbytes);
  const results = await array.getMany(selections, options);
  if (shape.length === 0) {
    return scalarText(results[0]?.data as ArrayLike<unknown>, dtype, dtypeInfo);
  }

  const values: unknown[] = [];
  const places = new Map<string, number>();
  const perElement = valuesPerElement(dtype, dtypeInfo);
  for (const [index, piece] of pieces.entries()) {
    const data = results[index]?.data as ArrayLike<unknown>;
    for (const position of positionsOf(piece, selection)) {
      places.set(position.join(), places.size);
    }
    for (let element = 0; element < data.length; element++) values.push(data[element]);
  }
  if (values.length !== places.size * perElement) {
    throw new Error(`read ${values.length} values for ${places.size} places`);
  }
  const texts = elementTexts(values, dtype, dtypeInfo);
  return arrayText(shape, shortened, (position) => texts[places.get(position.join()) ?? -1] ?? '?');
}

/** The parts of a selection that a shortened text shows: the ends of its long dimensions, combined. */
export function corners(selection: readonly FittedEntry[]): (readonly FittedEntry[])[] {
  let parts: (readonly FittedEntry[])[] = [[]];
  for (const entry of selection) {
    const long = entry.kind === 'range' && shownPositions(entry.length, true).includes(null);
    const ends = long
      ? [subRange(entry, 0, EDGE_ITEMS), subRange(entry, entry.length - EDGE_ITEMS, entry.length)]
      : [entry];
    parts = parts.flatMap((part) => ends.map((end) => part.concat(end)));
  }
  return parts;
}

/** The positions in the result of `selection` that `piece` covers, in C order. */
function positionsOf(piece: readonly FittedEntry[], selection: readonly FittedEntry[]): number[][] {
  let positions: number[][] = [[]];
  for (const [dimension, entry] of piece.entries()) {
    const whole = selection[dimension];
    if (entry.kind !== 'range' || whole?.kind !== 'range') continue;
    const first = positionIn(whole, entry);
    const along = Array.from({ length: entry.length }, (_, index) => first + index);
    positions = positions.flatMap((position) => along.map((index) => position.concat(index)));
  }
  return positions;
}
