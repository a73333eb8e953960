// Values as text: as numpy prints them, as JSON, and as .npy. Expected texts and bytes are numpy's.

import test from 'ava';
import {
  SUMMARY_THRESHOLD,
  arrayText,
  elementTexts,
  scalarText,
  shownPositions,
} from '../lib/cli/array-text.js';
import { jsonPieces, jsonText } from '../lib/cli/json.js';
import { nestedValues } from '../lib/cli/nested-values.js';
import {
  longestText,
  npyElements,
  npyHeader,
  npyTexts,
  npyTextTypeString,
  npyTypeString,
} from '../lib/cli/npy.js';

/** Of types whose name says all. */
const NO_INFO = { itemBytes: null };

function range(length: number, step = 1): number[] {
  return Array.from({ length }, (_, index) => index * step);
}

/** The text of values in C order. */
function textOf(dtype: string, shape: readonly number[], values: readonly unknown[]): string {
  const texts = elementTexts(values, dtype, NO_INFO);
  const count = shape.reduce((product, length) => product * length, 1);
  return arrayText(shape, count > SUMMARY_THRESHOLD, (position) => {
    const index = position.reduce((place, at, axis) => place * (shape[axis] ?? 0) + at, 0);
    return texts[index] ?? '?';
  });
}

// What numpy 2.4 prints for them with str().
const PRINTED: [dtype: string, shape: number[], values: unknown[], text: string][] = [
  ['float64', [4], [1, 2.5, -3, 1000], '[   1.     2.5   -3.  1000. ]'],
  [
    'float32',
    [2, 2],
    [271.1499938964844, 302.5, 0.10000000149011612, 280.25],
    '[[2.7115e+02 3.0250e+02]\n [1.0000e-01 2.8025e+02]]',
  ],
  ['float32', [2], [271.1499938964844, 302.5], '[271.15 302.5 ]'],
  ['float64', [4], [Number.NaN, Number.NEGATIVE_INFINITY, 1.5, -0], '[ nan -inf  1.5 -0. ]'],
  ['float64', [3], [1e-5, 1.5, 123456], '[1.00000e-05 1.50000e+00 1.23456e+05]'],
  ['float32', [2], [1e6, 2], '[1.e+06 2.e+00]'],
  ['float16', [3], [286.25, 277.75, 0.0999755859375], '[2.862e+02 2.778e+02 9.998e-02]'],
  ['float64', [2], [1 / 3, 2 / 3], '[0.33333333 0.66666667]'],
  ['complex128', [3], [1, 2, -1.5, -0.25, 0, 10], '[ 1.  +2.j   -1.5 -0.25j  0. +10.j  ]'],
  ['bool', [2], [1, 0], '[ True False]'],
  ['int8', [3], [-128, 5, 127], '[-128    5  127]'],
  ['int64', [2], [2n ** 63n - 1n, -1n], '[9223372036854775807                  -1]'],
  [
    'string',
    [5],
    ['a', "it's", 'say "x"', 'both \' "', '日本'],
    `['a' "it's" 'say "x"' 'both \\' "' '日本']`,
  ],
  ['string', [3], ['\0', 'tab\tline\n', '\\'], `['\\x00' 'tab\\tline\\n' '\\\\']`],
  ['float64', [0, 3], [], '[]'],
  [
    'int32',
    [2, 3, 4],
    range(24),
    '[[[ 0  1  2  3]\n  [ 4  5  6  7]\n  [ 8  9 10 11]]\n\n [[12 13 14 15]\n  [16 17 18 19]\n  [20 21 22 23]]]',
  ],
  [
    'int32',
    [30],
    range(30, 1000),
    '[    0  1000  2000  3000  4000  5000  6000  7000  8000  9000 10000 11000\n 12000 13000 14000 15000 16000 17000 18000 19000 20000 21000 22000 23000\n 24000 25000 26000 27000 28000 29000]',
  ],
];

for (const [dtype, shape, values, text] of PRINTED) {
  test(`${dtype} of shape [${shape.join(', ')}] prints as in numpy: ${text.slice(0, 30)}`, (t) => {
    t.is(textOf(dtype, shape, values), text);
  });
}

test('long arrays are shortened to their corners, as in numpy', (t) => {
  const shape = [30, 100];
  const shown = shape.map((length) => shownPositions(length, true));
  t.deepEqual(shown[0], [0, 1, 2, null, 27, 28, 29]);
  // The widths come from what is shown, so the text of each position is enough.
  const text = arrayText(shape, true, ([row = 0, column = 0]) =>
    String(row * 100 + column).padStart(4),
  );
  t.is(
    text,
    [
      '[[   0    1    2 ...   97   98   99]',
      ' [ 100  101  102 ...  197  198  199]',
      ' [ 200  201  202 ...  297  298  299]',
      ' ...',
      ' [2700 2701 2702 ... 2797 2798 2799]',
      ' [2800 2801 2802 ... 2897 2898 2899]',
      ' [2900 2901 2902 ... 2997 2998 2999]]',
    ].join('\n'),
  );
});

test('single values print without brackets, padding and quotes', (t) => {
  t.is(scalarText([280.25], 'float32', NO_INFO), '280.25');
  t.is(scalarText(['text'], 'string', NO_INFO), 'text');
  t.is(scalarText([1, -2], 'complex64', NO_INFO), '1.-2.j');
  t.is(scalarText([1], 'bool', NO_INFO), 'True');
});

test('JSON keeps what numbers would round, as strings', (t) => {
  t.is(jsonText(2n ** 53n), '"9007199254740992"');
  t.is(jsonText(2n ** 53n - 1n), '9007199254740991');
  t.is(jsonText(-(2n ** 63n)), '"-9223372036854775808"');
  t.is(jsonText(new BigUint64Array([1n, 2n ** 64n - 1n])), '[1, "18446744073709551615"]');
  t.is(jsonText([Number.NaN, Number.POSITIVE_INFINITY, -0, 0.1]), '["NaN", "Infinity", -0.0, 0.1]');
  t.is(jsonText(undefined), 'null');
});

test('JSON is what JSON.parse reads back', (t) => {
  const value = {
    'a "name"': [1, 2.5, null, true, 'text\n'],
    nested: [{ list: [] }, { list: [[1], [2, 3]] }],
    empty: {},
    left: undefined,
  };
  t.deepEqual(JSON.parse(jsonText(value)), JSON.parse(JSON.stringify(value)));
  t.deepEqual(JSON.parse(jsonText(range(10000))), range(10000));
});

test('JSON of a long array comes in pieces', (t) => {
  const lengths = [...jsonPieces(new Uint8Array(100_000))].map((piece) => piece.length);
  t.true(Math.max(...lengths) < 20_000);
});

test('values nest by their shape; booleans and complex numbers are themselves', (t) => {
  t.deepEqual(nestedValues([1, 2, 3, 4, 5, 6], [2, 3], 'int8', NO_INFO), [
    [1, 2, 3],
    [4, 5, 6],
  ]);
  t.is(nestedValues([7], [], 'int8', NO_INFO), 7);
  t.deepEqual(nestedValues([], [0, 3], 'int8', NO_INFO), []);
  t.deepEqual(nestedValues([], [2, 0], 'int8', NO_INFO), [[], []]);
  t.deepEqual(nestedValues(Int8Array.of(1, 2, 3, 4), [2, 2], 'int8', NO_INFO), [
    Int8Array.of(1, 2),
    Int8Array.of(3, 4),
  ]);
  t.deepEqual(nestedValues(new Uint8Array([1, 0]), [2], 'bool', NO_INFO), [true, false]);
  t.deepEqual(nestedValues([1, 2, 3, 4], [2], 'complex64', NO_INFO), [
    [1, 2],
    [3, 4],
  ]);
});

// What numpy.save writes: the header's text and the elements.
const SAVED: [name: string, bytes: () => Uint8Array[], head: string, elements: string][] = [
  [
    'float32',
    () => [
      npyHeader(npyTypeString('float32', NO_INFO), [2, 3]),
      npyElements(Float32Array.from(range(6))),
    ],
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
    '000000000000803f0000004000004040000080400000a040',
  ],
  [
    'int64 scalar',
    () => [npyHeader(npyTypeString('int64', NO_INFO), []), npyElements(new BigInt64Array([7n]))],
    "{'descr': '<i8', 'fortran_order': False, 'shape': (), }",
    '0700000000000000',
  ],
  [
    'bool',
    () => [npyHeader(npyTypeString('bool', NO_INFO), [2]), npyElements(new Uint8Array([1, 0]))],
    "{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }",
    '0100',
  ],
  [
    'texts',
    () => {
      const texts = ['a', '日本'];
      const characters = longestText(texts);
      return [npyHeader(npyTextTypeString(characters), [2]), npyTexts(texts, characters)];
    },
    "{'descr': '<U2', 'fortran_order': False, 'shape': (2,), }",
    '6100000000000000e56500002c670000',
  ],
  [
    'empty complex64',
    () => [
      npyHeader(npyTypeString('complex64', NO_INFO), [0, 5]),
      npyElements(new Float32Array(0)),
    ],
    "{'descr': '<c8', 'fortran_order': False, 'shape': (0, 5), }",
    '',
  ],
  [
    'float16 as bits',
    () => [
      npyHeader(npyTypeString('float16', NO_INFO), [2]),
      npyElements(new Uint16Array([0x3e00, 0xc000])),
    ],
    "{'descr': '<f2', 'fortran_order': False, 'shape': (2,), }",
    '003e00c0',
  ],
];

for (const [name, bytes, head, elements] of SAVED) {
  test(`.npy of ${name} has the bytes that numpy.save writes`, (t) => {
    const file = Buffer.concat(bytes());
    // Magic, version 1.0, header length 118: 128 bytes before the elements.
    const expected = '934e554d505901007600';
    t.is(file.subarray(0, 10).toString('hex'), expected);
    t.is(file.subarray(10, 128).toString('latin1'), `${head.padEnd(117)}\n`);
    t.is(file.subarray(128).toString('hex'), elements);
  });
}

test('the header of .npy is a multiple of 64 bytes for every shape', (t) => {
  for (let rank = 0; rank <= 40; rank++) {
    const header = npyHeader(
      '<f8',
      Array.from({ length: rank }, (_, axis) => 10 ** (axis % 9)),
    );
    t.is(header.length % 64, 0);
    t.is(header.at(-1), 0x0a);
    t.is(new DataView(header.buffer).getUint16(8, true), header.length - 10);
  }
});

test('times and bytes as numpy prints them', (t) => {
  const none = -(2n ** 63n);
  const steps = [0n, -1n, 12345n, -1_000_000n, none];
  const dates = (unit: string, scaleFactor = 1): string[] =>
    elementTexts(steps, 'numpy.datetime64', { itemBytes: 8, unit, scaleFactor }).map((text) =>
      text.trim().slice(1, -1),
    );
  t.deepEqual(dates('Y'), ['1970', '1969', '14315', '-998030', 'NaT']);
  t.deepEqual(dates('M'), ['1970-01', '1969-12', '2998-10', '-81364-09', 'NaT']);
  t.deepEqual(dates('W').slice(1), ['1969-12-25', '2206-08-07', '-17196-08-26', 'NaT']);
  t.deepEqual(dates('D').slice(1), ['1969-12-31', '2003-10-20', '-768-02-04', 'NaT']);
  t.deepEqual(dates('h').slice(1, 4), ['1969-12-31T23', '1971-05-30T09', '1855-12-03T08']);
  t.deepEqual(dates('m').slice(1, 3), ['1969-12-31T23:59', '1970-01-09T13:45']);
  t.is(dates('s', 25)[3], '1969-03-17T15:33:20');
  t.is(dates('ms')[1], '1969-12-31T23:59:59.999');
  t.is(dates('as')[3], '1969-12-31T23:59:59.999999999999000000');
  const seconds = { itemBytes: 8, unit: 's', scaleFactor: 1 };
  t.is(scalarText([5n], 'numpy.datetime64', seconds), '1970-01-01T00:00:05');
  t.deepEqual(elementTexts([0n, none], 'numpy.timedelta64', seconds), ['    0', "'NaT'"]);
  const bytes = [0x61, 0x62, 0, 0, 0xff, 0x27, 1, 0x0a];
  t.deepEqual(elementTexts(bytes, 'null_terminated_bytes', { itemBytes: 4 }), [
    "b'ab'",
    'b"\\xff\'\\x01\\n"',
  ]);
  t.deepEqual(elementTexts([0x61, 0], 'r16', { itemBytes: 2 }), ["b'\\x61\\x00'"]);
  t.deepEqual(nestedValues([1, 2, 3, 4], [2], 'r16', { itemBytes: 2 }), [
    [1, 2],
    [3, 4],
  ]);
  t.is(npyTypeString('numpy.datetime64', { itemBytes: 8, unit: 's', scaleFactor: 25 }), '<M8[25s]');
  t.is(npyTypeString('r16', { itemBytes: 2 }), '|V2');
  t.is(npyTypeString('bfloat16', { itemBytes: 2 }), '<f4');
});
