// Selections as typed: parsed, fitted to a shape, cut into tiles and corners.

import test from 'ava';
import { corners } from '../lib/cli/printed-values.js';
import {
  fitSelection,
  fittedShape,
  librarySelection,
  parseSelection,
  type FittedEntry,
} from '../lib/cli/selection-text.js';
import { countElements, runs, tiles } from '../lib/cli/tiles.js';
import { UsageError } from '../lib/cli/usage-error.js';

function fit(text: string, shape: readonly number[]): readonly FittedEntry[] {
  return fitSelection(parseSelection(text), shape);
}

function range(start: number, length: number, step = 1): FittedEntry {
  return { kind: 'range', start, step, length };
}

/** The coordinates of every element that a selection reads, in C order, as text. */
function elementsOf(entries: readonly FittedEntry[]): string[] {
  let elements: number[][] = [[]];
  for (const entry of entries) {
    const along =
      entry.kind === 'index'
        ? [entry.index]
        : Array.from({ length: entry.length }, (_, index) => entry.start + index * entry.step);
    elements = elements.flatMap((element) => along.map((at) => element.concat(at)));
  }
  return elements.map((element) => element.join());
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

test('nonsense, a step of 0 and a second ellipsis are usage errors', (t) => {
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
  t.throws(() => parseSelection('::0'), { instanceOf: UsageError, message: /other than 0/ });
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

test('backward slices name the elements that Python names', (t) => {
  // Python 3.11, `list(range(length))[text]`.
  const cases: [text: string, length: number, elements: number[]][] = [
    ['::-1', 5, [4, 3, 2, 1, 0]],
    ['::-2', 5, [4, 2, 0]],
    ['::-2', 6, [5, 3, 1]],
    ['3::-1', 5, [3, 2, 1, 0]],
    [':2:-1', 5, [4, 3]],
    ['3:0:-1', 5, [3, 2, 1]],
    ['-2:-5:-2', 5, [3, 1]],
    ['99:-99:-3', 5, [4, 1]],
    ['0::-1', 5, [0]],
    ['-99::-1', 5, []],
    ['1:3:-1', 5, []],
    [':-1:-1', 5, []],
    ['::-9', 5, [4]],
    ['::-1', 0, []],
  ];
  for (const [text, length, elements] of cases) {
    t.deepEqual(elementsOf(fit(text, [length])), elements.map(String), `${text} of ${length}`);
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
    { start: 0, stop: 0, step: 1 },
  ]);
  t.deepEqual(librarySelection(fit('::-1,5:1:-2,1:3:-1', [3, 8, 9])), [
    { start: 2, stop: null, step: -1 },
    { start: 5, stop: 2, step: -2 },
    { start: 0, stop: 0, step: -1 },
  ]);
});

/** All selections of a few kinds over a small array. */
const SELECTIONS = [
  ':',
  '3:',
  '::3,1',
  '5:40:7,::2',
  '0,:',
  '2,3:30:2',
  '7:7',
  '1,2',
  ':,4:9,0',
  '::-1',
  '9:2:-3,::-2,4:1:-1',
];

for (const sequential of [false, true]) {
  const kind = sequential ? 'sequential tiles' : 'tiles';
  test(`${kind} cover every element of the result once, at its place`, (t) => {
    const array = [13, 11, 6];
    for (const text of SELECTIONS) {
      for (const chunk of [1, 4, 100]) {
        for (const most of [1, 20, 1e9]) {
          const selection = fit(text, array);
          const shape = fittedShape(selection);
          const found = new Map<number, string>();
          let end = 0;
          for (const tile of tiles(selection, [chunk, chunk, chunk], most, sequential)) {
            const elements = elementsOf(tile.entries);
            for (const { tileOffset, resultOffset, length } of runs(tile, shape)) {
              if (sequential) t.is(resultOffset, end, text);
              end = resultOffset + length;
              for (let index = 0; index < length; index++) {
                t.false(found.has(resultOffset + index), text);
                found.set(resultOffset + index, elements[tileOffset + index] ?? '');
              }
            }
          }
          const inOrder = [...found].toSorted(([a], [b]) => a - b).map(([, element]) => element);
          t.deepEqual(inOrder, elementsOf(selection), `${text}, chunks of ${chunk}, ${most}`);
        }
      }
    }
  });
}

test('tiles end at chunks, and keep to the size unless one chunk is larger', (t) => {
  for (const text of SELECTIONS) {
    for (const chunk of [1, 4, 10]) {
      for (const most of [1, 64, 300]) {
        const chunksSeen = new Set<string>();
        for (const { entries } of tiles(
          fit(text, [43, 20, 6]),
          [chunk, chunk, chunk],
          most,
          false,
        )) {
          const chunksHere = new Set(
            elementsOf(entries).map((element) =>
              element
                .split(',')
                .map((at) => Math.floor(Number(at) / chunk))
                .join(),
            ),
          );
          const again = [...chunksHere].filter((name) => chunksSeen.has(name));
          t.deepEqual(again, [], `${text}: no chunk is in two tiles`);
          for (const name of chunksHere) chunksSeen.add(name);
          t.true(countElements(entries) <= most || chunksHere.size === 1, text);
        }
      }
    }
  }
});

test('few large tiles are preferred to many small ones', (t) => {
  t.is(tiles(fit(':', [100, 10]), [10, 10], 1e9, false).length, 1);
  t.is(tiles(fit(':', [100, 10]), [10, 10], 500, false).length, 2);
  t.is(tiles(fit(':', [100, 10]), [10, 5], 50, false).length, 20);
});

test('a selection without a range is one tile, an empty one is none', (t) => {
  t.deepEqual(tiles(fit('1,2', [3, 4]), [1, 1], 1, false), [
    { entries: fit('1,2', [3, 4]), origin: [], shape: [] },
  ]);
  t.is(tiles([], [], 1, true).length, 1);
  t.is(tiles(fit('2:2', [3, 4]), [1, 1], 1, false).length, 0);
});

test('corners are the ends of long dimensions, combined', (t) => {
  t.deepEqual(corners(fit('5,::2,:', [9, 40, 6])), [
    [{ kind: 'index', index: 5 }, range(0, 3, 2), range(0, 6)],
    [{ kind: 'index', index: 5 }, range(34, 3, 2), range(0, 6)],
  ]);
  t.deepEqual(corners(fit('::-2', [40])), [[range(39, 3, -2)], [range(5, 3, -2)]]);
  t.is(corners(fit(':', [100, 100, 100])).length, 8);
});
