// Selections as typed: parsed, fitted to a shape, cut into slabs and corners.

import test from 'ava';
import { corners } from '../lib/cli/printed-values.js';
import {
  fitSelection,
  fittedShape,
  librarySelection,
  parseSelection,
  type FittedEntry,
} from '../lib/cli/selection-text.js';
import { slabs } from '../lib/cli/slabs.js';
import { UsageError } from '../lib/cli/usage-error.js';

function fit(text: string, shape: readonly number[]): readonly FittedEntry[] {
  return fitSelection(parseSelection(text), shape);
}

function range(start: number, length: number, step = 1): FittedEntry {
  return { kind: 'range', start, step, length };
}

/** The positions along one dimension that an entry reads. */
function coordinates(entry: FittedEntry): number[] {
  if (entry.kind === 'index') return [entry.index];
  return Array.from({ length: entry.length }, (_, index) => entry.start + index * entry.step);
}

test('integers, slices, steps, all and ellipsis are understood', (t) => {
  t.deepEqual(parseSelection('0, 10:20 ,:,::2,...'), [
    { kind: 'index', index: 0 },
    { kind: 'slice', start: 10, stop: 20, step: 1 },
    { kind: 'slice', start: null, stop: null, step: 1 },
    { kind: 'slice', start: null, stop: null, step: 2 },
    { kind: 'ellipsis' },
  ]);
  t.deepEqual(parseSelection('[-1, ]'), [{ kind: 'index', index: -1 }]);
  t.deepEqual(parseSelection(''), []);
});

test('nonsense, backward steps and a second ellipsis are usage errors', (t) => {
  for (const text of [
    'a',
    '1.5',
    '1:2:3:4',
    '1,,2',
    '0x10',
    '1e3',
    '99999999999999999999',
    ':,a:b',
  ]) {
    t.throws(() => parseSelection(text), { instanceOf: UsageError, message: /not '/ }, text);
  }
  t.throws(() => parseSelection('::-1'), { instanceOf: UsageError, message: /step of at least 1/ });
  t.throws(() => parseSelection('::0'), { instanceOf: UsageError });
  t.throws(() => parseSelection('...,...'), { instanceOf: UsageError });
});

test('dimensions not mentioned are whole, an ellipsis fills up', (t) => {
  t.deepEqual(fit('1', [3, 4, 5]), [{ kind: 'index', index: 1 }, range(0, 4), range(0, 5)]);
  t.deepEqual(fit('...,1', [3, 4, 5]), [range(0, 3), range(0, 4), { kind: 'index', index: 1 }]);
  t.deepEqual(fit('0,...,1', [3, 4, 5]), [
    { kind: 'index', index: 0 },
    range(0, 4),
    { kind: 'index', index: 1 },
  ]);
  t.deepEqual(fit('0,...', [3]), [{ kind: 'index', index: 0 }]);
  t.deepEqual(fit('...', []), []);
  t.deepEqual(fittedShape(fit('1', [3, 4, 5])), [4, 5]);
});

test('slice bounds are clipped as in Python', (t) => {
  const cases: [text: string, length: number, start: number, count: number][] = [
    [':', 5, 0, 5],
    ['2:', 5, 2, 3],
    [':-2', 5, 0, 3],
    ['-2:', 5, 3, 2],
    ['-9:', 5, 0, 5],
    ['3:99', 5, 3, 2],
    ['4:2', 5, 4, 0],
    ['9:', 5, 5, 0],
    ['::2', 5, 0, 3],
    ['1::2', 5, 1, 2],
    ['::7', 5, 0, 1],
    [':', 0, 0, 0],
  ];
  for (const [text, length, start, count] of cases) {
    const [entry] = fit(text, [length]);
    t.is(entry?.kind === 'range' ? entry.start : -1, start, text);
    t.is(entry?.kind === 'range' ? entry.length : -1, count, text);
  }
});

test('more entries than dimensions are a usage error that says both', (t) => {
  t.throws(() => fit('0,0,0', [3, 4]), {
    instanceOf: UsageError,
    message: /3 entries, but the array has 2 dimensions, of shape \[3, 4\]/,
  });
});

test('the library gets positive bounds, an empty range stays empty', (t) => {
  t.deepEqual(librarySelection(fit('-1,::3,4:2', [3, 8, 9])), [
    -1,
    { start: 0, stop: 7, step: 3 },
    { start: 4, stop: 4, step: 1 },
  ]);
});

test('slabs cover the selection once and in order, end at chunks and keep to the size where they can', (t) => {
  for (const text of [':', '3:', '::3', '5:40:7', '0,:', '2,3:30:2', '7:7']) {
    for (const chunk of [1, 4, 10, 100]) {
      for (const most of [1, 20, 100, 1e9]) {
        const selection = fit(text, [43, 50]);
        const dimension = selection.findIndex(({ kind }) => kind === 'range');
        const pieces = slabs(selection, [chunk, chunk], most);
        const along = (entries: readonly FittedEntry[]): number[] => {
          const entry = entries[dimension];
          return entry === undefined ? [] : coordinates(entry);
        };
        const name = `${text}, chunks of ${chunk}, at most ${most}`;
        t.deepEqual(pieces.flatMap(along), along(selection), name);
        for (const [index, piece] of pieces.entries()) {
          const ends = along(piece).at(-1) ?? 0;
          const next = pieces[index + 1];
          if (next !== undefined) {
            t.true(Math.floor(ends / chunk) < Math.floor((along(next)[0] ?? 0) / chunk), name);
          }
          const chunksInPiece = new Set(along(piece).map((place) => Math.floor(place / chunk)));
          const elements = fittedShape(piece).reduce((product, length) => product * length, 1);
          t.true(elements <= most || chunksInPiece.size <= 1, name);
        }
      }
    }
  }
});

test('slabs of a selection without a range are the selection', (t) => {
  t.deepEqual(slabs(fit('1,2', [3, 4]), [1, 1], 1), [fit('1,2', [3, 4])]);
  t.deepEqual(slabs([], [], 1), [[]]);
});

test('corners are the ends of long dimensions, combined', (t) => {
  t.deepEqual(corners(fit('5,::2,:', [9, 40, 6])), [
    [{ kind: 'index', index: 5 }, range(0, 3, 2), range(0, 6)],
    [{ kind: 'index', index: 5 }, range(34, 3, 2), range(0, 6)],
  ]);
  t.is(corners(fit(':', [100, 100, 100])).length, 8);
});
