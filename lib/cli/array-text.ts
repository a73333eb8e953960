// Arrays as numpy prints them: nested brackets, numbers in columns, long ones shortened to their
// corners.

import { isBytes, isComplex, type DataTypeInfo } from '../data-type.js';
import { bytesText, bytesTexts } from './bytes-text.js';
import { jsonText } from './json.js';
import { complexTexts, floatTexts, type FloatBits } from './number-text.js';
import { durationText, timeText } from './time-text.js';

/** numpy's limits: characters in a line, and elements kept at each end of a shortened dimension. */
const LINE_WIDTH = 75;
export const EDGE_ITEMS = 3;

/** An array with more elements than this is shortened (numpy's `threshold`). */
export const SUMMARY_THRESHOLD = 1000;

/** Elements in C order: numbers, bigints, booleans as 0 and 1, texts, or interleaved re, im for complex types. */
export type ElementSequence = ArrayLike<unknown>;

/** The elements of `data` as texts of equal width, or for strings as quoted texts. */
export function elementTexts(data: ElementSequence, dtype: string, info: DataTypeInfo): string[] {
  const values = Array.from(data);
  const float = floatBitsOf(dtype);
  if (float !== null) return floatTexts(values.map(Number), float);
  const complex = complexBitsOf(dtype);
  if (complex !== null) return complexTexts(values.map(Number), complex);
  if (dtype === 'bool')
    return padTogether(values.map((value) => (value === 0 || value === false ? 'False' : 'True')));
  if (dtype === 'variable_length_bytes') {
    return values.map((value) => bytesText(Array.from(value as Uint8Array)));
  }
  if (dtype === 'json') {
    return values.map((value) => jsonText(value).replaceAll(/\s*\n\s*/g, ' '));
  }
  if (isBytes(dtype)) {
    return bytesTexts(values.map(Number), info.itemBytes ?? 1, dtype !== 'null_terminated_bytes');
  }
  if (dtype === 'numpy.timedelta64')
    return padTogether(values.map((value) => durationText(value as bigint)));
  if (dtype === 'numpy.datetime64')
    return padTogether(values.map((value) => `'${dateOf(value as bigint, info)}'`));
  if (values.some((value) => typeof value === 'string'))
    return values.map((value) => quoted(String(value)));
  return padTogether(values.map(String));
}

/** A single value as numpy prints a scalar: without padding and quotes. */
export function scalarText(data: ElementSequence, dtype: string, info: DataTypeInfo): string {
  const [value] = Array.from(data);
  if (typeof value === 'string') return value;
  if (dtype === 'numpy.datetime64') return dateOf(value as bigint, info);
  return (elementTexts(data, dtype, info)[0] ?? '').trim();
}

function dateOf(steps: bigint, { unit, scaleFactor }: DataTypeInfo): string {
  return timeText(steps, unit ?? 'generic', scaleFactor ?? 1);
}

function padTogether(texts: readonly string[]): string[] {
  const width = texts.reduce((longest, text) => Math.max(longest, text.length), 0);
  return texts.map((text) => text.padStart(width));
}

/** A text in quotes, escaped as Python does. */
function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = Array.from(text, (character) => escapedCharacter(character, quote));
  return quote + escaped.join('') + quote;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function escapedCharacter(character: string, quote: string): string {
  if (character === quote) return `\\${quote}`;
  const code = character.codePointAt(0) ?? 0;
  const isControl = code < 0x20 || (code >= 0x7f && code <= 0xa0);
  return ESCAPES[character] ?? (isControl ? `\\x${code.toString(16).padStart(2, '0')}` : character);
}

function floatBitsOf(dtype: string): FloatBits | null {
  if (dtype === 'float16') return 16;
  if (dtype === 'float64') return 64;
  // Smaller floats are read as float32.
  return /^b?float/.test(dtype) ? 32 : null;
}

function complexBitsOf(dtype: string): FloatBits | null {
  if (dtype === 'complex128') return 64;
  return isComplex(dtype) ? 32 : null;
}

/**
 * Prints an array of `shape` whose element at a position has the text `textAt(position)`. Where `shortened` says so,
 * only the {@link EDGE_ITEMS} first and last positions of a dimension are asked for.
 */
export function arrayText(
  shape: readonly number[],
  shortened: boolean,
  textAt: (position: readonly number[]) => string,
): string {
  if (shape.includes(0)) return '[]';
  const print = (position: readonly number[], indent: number): string => {
    const length = shape[position.length];
    if (length === undefined) return textAt(position);
    const below = shape.length - position.length - 1;
    const items = shownPositions(length, shortened).map((index) =>
      index === null ? '...' : print([...position, index], indent + 1),
    );
    // Closing brackets of all dimensions share the last line with the elements.
    const body =
      below === 0
        ? fillLines(items, indent + 1, LINE_WIDTH - 1 - position.length)
        : items.join('\n'.repeat(below) + ' '.repeat(indent + 1));
    return `[${body}]`;
  };
  return print([], 0);
}

/** The positions of a dimension that are printed; `null` stands for those left out. */
export function shownPositions(length: number, shortened: boolean): (number | null)[] {
  if (!shortened || length <= 2 * EDGE_ITEMS) return Array.from({ length }, (_, index) => index);
  const edge = Array.from({ length: EDGE_ITEMS }, (_, index) => index);
  return [...edge, null, ...edge.map((index) => length - EDGE_ITEMS + index)];
}

function fillLines(items: readonly string[], indent: number, width: number): string {
  const lines: string[] = [];
  let line = ' '.repeat(indent);
  let length = indent;
  for (const item of items) {
    // Python counts code points, JavaScript counts pairs of surrogates as two.
    const itemLength = item.length - (item.match(/[\uD800-\uDBFF]/g)?.length ?? 0);
    if (length + itemLength > width && length > indent) {
      lines.push(line.trimEnd());
      line = ' '.repeat(indent);
      length = indent;
    }
    line += `${item} `;
    length += itemLength + 1;
  }
  // Only the separator goes; the padding of the last element stays, as numpy keeps it.
  lines.push(line.slice(0, Math.max(indent, line.length - 1)));
  return lines.join('\n').slice(indent);
}
