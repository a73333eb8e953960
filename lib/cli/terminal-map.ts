// Draws a two-dimensional field in the terminal: two rows of pixels per line of text, in colour
// where there is any.

import { colourAt, colourOf256At, type Colour } from './colour-map.js';
import type { ColourDepth } from './colour-depth.js';

/** A field in C order, first row at the top of the map. */
export interface Field {
  readonly data: ArrayLike<number>;
  readonly rows: number;
  readonly columns: number;
}

/** Darkest to brightest, for terminals without colour. */
const ASCII_RAMP = ' .:-=+*#%@';

/** Drawn where every value of a pixel is NaN. */
const MISSING: Colour = [96, 96, 96];
const MISSING_OF_256 = 241;

/** The smallest and largest number in `field`; `null` when all are missing. */
export function fieldRange(field: Field): readonly [low: number, high: number] | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < field.data.length; index++) {
    const value = field.data[index] ?? Number.NaN;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : null;
}

/** The field scaled to `rows` x `columns` by the mean of the values under each pixel; NaN where there is none. */
export function resample(field: Field, rows: number, columns: number): Field {
  const data = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const [top, bottom] = span(row, rows, field.rows);
    for (let column = 0; column < columns; column++) {
      const [left, right] = span(column, columns, field.columns);
      let sum = 0;
      let count = 0;
      for (let y = top; y < bottom; y++) {
        for (let x = left; x < right; x++) {
          const value = field.data[y * field.columns + x] ?? Number.NaN;
          if (!Number.isNaN(value)) {
            sum += value;
            count += 1;
          }
        }
      }
      data[row * columns + column] = count === 0 ? Number.NaN : sum / count;
    }
  }
  return { data, rows, columns };
}

/** The source positions under pixel `index` of `count`: never none, also when the map is larger than the field. */
function span(index: number, count: number, length: number): readonly [from: number, to: number] {
  const from = Math.floor((index * length) / count);
  return [from, Math.max(from + 1, Math.floor(((index + 1) * length) / count))];
}

/**
 * The rows of pixels for a map `columns` wide that keeps the field's proportions, even so that they pair up in lines,
 * and not above `most`. A character is about twice as high as wide, so half of one is square.
 */
export function mapRows(field: Field, columns: number, most: number): number {
  const rows = Math.round((columns * field.rows) / field.columns);
  return Math.max(2, Math.min(most, rows) & ~1);
}

/** The map as lines of text, each ending in a newline. `range` is what the ends of the colour scale stand for. */
export function drawMap(
  field: Field,
  columns: number,
  rows: number,
  range: readonly [low: number, high: number],
  depth: ColourDepth,
): string {
  const pixels = resample(field, rows, columns);
  const place = (row: number, column: number): number => {
    const value = pixels.data[row * columns + column] ?? Number.NaN;
    return (value - range[0]) / (range[1] - range[0] || 1);
  };
  let text = '';
  for (let row = 0; row + 1 < rows; row += 2) {
    let line = '';
    let before = '';
    for (let column = 0; column < columns; column++) {
      const upper = place(row, column);
      const lower = place(row + 1, column);
      if (depth === 'none') {
        line += asciiOf((upper + lower) / 2);
        continue;
      }
      const codes = halfBlockCodes(upper, lower, depth);
      // Neighbours often share their colours: saying them once keeps the map small.
      line += codes === before ? '▀' : `${codes}▀`;
      before = codes;
    }
    text += depth === 'none' ? `${line.trimEnd()}\n` : `${line}\u001B[0m\n`;
  }
  return text;
}

/** The colour scale as one line, `columns` wide, with its ends written beside it. */
export function drawScale(
  columns: number,
  range: readonly [low: number, high: number],
  units: string,
  depth: ColourDepth,
): string {
  const low = `${range[0].toFixed(1)} `;
  const high = ` ${range[1].toFixed(1)}${units === '' ? '' : ` ${units}`}`;
  const width = Math.max(4, columns - low.length - high.length);
  let bar = '';
  for (let column = 0; column < width; column++) {
    const place = column / (width - 1);
    bar += depth === 'none' ? asciiOf(place) : `${halfBlockCodes(place, place, depth)}▀`;
  }
  return `${low}${bar}${depth === 'none' ? '' : '\u001B[0m'}${high}\n`;
}

function asciiOf(place: number): string {
  if (Number.isNaN(place)) return '?';
  const step = Math.round(Math.min(Math.max(place, 0), 1) * (ASCII_RAMP.length - 1));
  return ASCII_RAMP.charAt(step);
}

/** The codes that make an upper half block show `upper` over `lower`. */
function halfBlockCodes(upper: number, lower: number, depth: '256' | 'true'): string {
  return `\u001B[38;${colourCode(upper, depth)};48;${colourCode(lower, depth)}m`;
}

function colourCode(place: number, depth: '256' | 'true'): string {
  if (depth === '256') return `5;${Number.isNaN(place) ? MISSING_OF_256 : colourOf256At(place)}`;
  return `2;${(Number.isNaN(place) ? MISSING : colourAt(place)).join(';')}`;
}
