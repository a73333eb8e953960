// `lsio conformance`: elements as the JSON of fill values, exact for every data type.

import { readFileSync } from 'node:fs';
import test from 'ava';
import {
  deleteMemoryStore,
  openArray,
  slice,
  writeMemoryStore,
  type ElementForm,
  type LsioArray,
  type NdArray,
} from 'light-speed-io';
import { consecutiveParts } from '../lib/cli/consecutive-parts.js';
import { exactJson, fillValueText } from '../lib/cli/fill-value-text.js';
import { fixturePath, hostilePath } from './fixtures.js';
import { lsio } from './lsio-process.js';

interface Entry {
  readonly path: string;
  readonly kind?: 'array' | 'group';
  readonly zarrFormat: 2 | 3;
}

const entries = ['manifest.json', 'manifest_data_types.json']
  .flatMap((name) => JSON.parse(readFileSync(fixturePath(name), 'utf8')) as Entry[])
  .filter(({ kind }) => kind !== 'group');

/** The elements as they are stored, in memory order of the machine. */
async function stored(array: LsioArray): Promise<Buffer | readonly unknown[]> {
  const isSmall = /float(16|[864]_)/.test(array.dtype);
  const { data } = (await array.get(null, {
    as: (isSmall ? 'bits' : undefined) as ElementForm,
  })) as unknown as NdArray;
  return Array.isArray(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

/** The data type as the metadata of format 3 has it. */
function dataType({ dtype, dtypeInfo }: LsioArray): unknown {
  const { itemBytes, unit, scaleFactor } = dtypeInfo;
  if (unit !== undefined) {
    return { name: dtype, configuration: { unit, scale_factor: scaleFactor } };
  }
  return dtype === 'fixed_length_utf32' || dtype === 'null_terminated_bytes'
    ? { name: dtype, configuration: { length_bytes: itemBytes } }
    : dtype;
}

/** What an array with this fill value and no chunks holds. */
async function filled(array: LsioArray, fillValue: string): Promise<Buffer | readonly unknown[]> {
  const document = JSON.stringify({
    zarr_format: 3,
    node_type: 'array',
    shape: [1],
    data_type: dataType(array),
    chunk_grid: { name: 'regular', configuration: { chunk_shape: [1] } },
    chunk_key_encoding: { name: 'default' },
    fill_value: '?',
    codecs:
      array.dtypeInfo.itemBytes === null
        ? [array.dtype === 'string' ? 'vlen-utf8' : 'vlen-bytes']
        : [{ name: 'bytes', configuration: { endian: 'little' } }],
    attributes: {},
  }).replace('"?"', () => fillValue);
  await writeMemoryStore('memory://fill', [['zarr.json', Buffer.from(document)]]);
  const opened = await openArray('memory://fill');
  deleteMemoryStore('memory://fill');
  return stored(opened);
}

test.serial('what is printed is the fill value that has the same bits', async (t) => {
  const checked = new Set<string>();
  const dataTypes = new Set<string>();
  for (const { path, zarrFormat } of entries) {
    const array = await openArray(fixturePath(path), { zarrFormat });
    const { dtype, dtypeInfo: info } = array;
    const bits = await stored(array);
    const count = array.shape.reduce((product, length) => product * length, 1);
    const size = bits.length / count;
    const { data } = await array.get();
    const isSmall = /float(16|[864]_)/.test(dtype);
    const text = fillValueText({
      dtype,
      info,
      data,
      bits:
        isSmall && Buffer.isBuffer(bits)
          ? ((await array.get(null, { as: 'bits' as ElementForm })).data as unknown as Uint16Array)
          : undefined,
    });
    for (let index = 0; index < count; index += 1) {
      const line = text(index);
      const key = `${JSON.stringify(dataType(array))} ${line}`;
      // New values only, and of each array not more than the test has time for.
      if (checked.has(key) || index > 60) continue;
      checked.add(key);
      dataTypes.add(dtype);
      const element = Buffer.isBuffer(bits)
        ? bits.subarray(index * size, (index + 1) * size)
        : [bits[index]];
      if (dtype === 'struct') {
        t.is(line, `"${(element as Buffer).toString('base64')}"`, path);
      } else if (dtype === 'json') {
        // There is no such data type in format 3.
        t.is(line, exactJson(element[0]), path);
      } else {
        t.deepEqual(await filled(array, line), element as Buffer, `${path} ${index}: ${line}`);
      }
    }
  }
  t.true(dataTypes.size >= 40 && checked.size > 1500, `${dataTypes.size} ${checked.size}`);
});

test('floats are told from integers, and NaNs by their bits', (t) => {
  const text = (dtype: string, itemBytes: number, data: ArrayLike<unknown>): string[] => {
    const lines = fillValueText({ dtype, info: { itemBytes }, data });
    return Array.from({ length: data.length }, (_, index) => lines(index));
  };
  const floats = new Float64Array([0, -0, 1, 1e21, 5e-324, -1.5, NaN, Infinity, -Infinity, 0.1]);
  new BigUint64Array(floats.buffer)[6] = 0xfff8_0000_0000_0001n;
  t.deepEqual(text('float64', 8, floats), [
    '0.0',
    '-0.0',
    '1.0',
    '1e+21',
    '5e-324',
    '-1.5',
    '"0xfff8000000000001"',
    '"Infinity"',
    '"-Infinity"',
    '0.1',
  ]);
  t.deepEqual(text('float32', 4, new Float32Array([NaN, 0.1])), ['"NaN"', '0.10000000149011612']);
  const times = new BigInt64Array([-(2n ** 63n), 2n ** 62n]);
  t.deepEqual(text('numpy.datetime64', 8, times), ['"NaT"', '4611686018427387904']);
  t.deepEqual(text('uint64', 8, new BigUint64Array([2n ** 64n - 1n])), ['18446744073709551615']);
  t.deepEqual(text('bool', 1, new Uint8Array([0, 1])), ['false', 'true']);
  t.deepEqual(text('string', 0, ['a\nb', 'ü']), [String.raw`"a\nb"`, '"ü"']);
});

test('values of JSON are exact', (t) => {
  const value = { a: [2n ** 70n, -0, Number.NaN], 'b"': { c: null, d: 'x' }, e: 1.5 };
  t.is(
    exactJson(value),
    '{"a": [1180591620717411303424, -0.0, "NaN"], "b\\"": {"c": null, "d": "x"}, "e": 1.5}',
  );
});

test('parts follow each other in C order, and none is too long', (t) => {
  for (const [shape, chunks, most] of [
    [[7, 5, 3], [2, 2, 2], 1],
    [[7, 5, 3], [2, 2, 2], 4],
    [[7, 5, 3], [2, 2, 2], 17],
    [[7, 5, 3], [2, 2, 2], 61],
    [[7, 5, 3], [3, 5, 3], 1000],
    [[100], [7], 30],
    [[], [], 1],
    [[4, 0, 2], [2, 2, 2], 3],
  ] as const) {
    const seen: number[] = [];
    const lengths: readonly number[] = shape;
    for (const part of consecutiveParts(shape, chunks, most)) {
      let places = [0];
      for (const [axis, { start, stop }] of part.entries()) {
        const along = Array.from(
          { length: (stop ?? 0) - (start ?? 0) },
          (_, at) => (start ?? 0) + at,
        );
        places = places.flatMap((place) => along.map((at) => place * (lengths[axis] ?? 1) + at));
      }
      t.true(places.length <= Math.max(most, 1));
      seen.push(...places);
    }
    const count = lengths.reduce((product, length) => product * length, 1);
    t.deepEqual(
      seen,
      Array.from({ length: count }, (_, index) => index),
    );
  }
});

test('the runner reads lines, in both ways to write the flag', async (t) => {
  const path = fixturePath('zarr3/shape/rank4-edge-v3');
  const array = await openArray(path);
  const { data } = await array.get();
  const lines = fillValueText({
    dtype: array.dtype,
    info: array.dtypeInfo,
    data,
  });
  const expected = Array.from({ length: data.length }, (_, index) => lines(index));
  for (const words of [[`--array_path=${path}`], ['--array_path', path]]) {
    const { code, stdout, stderr } = await lsio(['conformance', ...words]);
    t.deepEqual([code, stderr], [0, '']);
    t.deepEqual(stdout.toString().split('\n'), [...expected, '']);
  }
  const { stdout } = await lsio(['conformance', `--array_path=${path}`, '--json']);
  t.deepEqual(JSON.parse(stdout.toString()), JSON.parse(`[${expected.join()}]`));
});

test('an array without elements prints nothing, one without dimensions a line', async (t) => {
  const empty = fixturePath('zarr3/shape/zero-length-v3');
  t.is((await lsio(['conformance', `--array_path=${empty}`])).stdout.toString(), '');
  const single = fixturePath('zarr3/shape/rank0-v3');
  t.regex((await lsio(['conformance', `--array_path=${single}`])).stdout.toString(), /^\S+\n$/);
});

test('any error is a failure', async (t) => {
  const cases = [
    [],
    ['--array_path='],
    ['--array_path=/nowhere'],
    [`--array_path=${fixturePath('demo')}`],
    [`--array_path=${hostilePath('metadata/chunk-zero')}`],
  ];
  for (const words of cases) {
    const { code, stderr } = await lsio(['conformance', ...words]);
    t.true((code ?? 0) > 0, words.join(' '));
    t.regex(stderr, /^lsio: /);
  }
});

test('slices of the library are what parts are made of', async (t) => {
  const array = await openArray(fixturePath('zarr3/shape/rank1-v3'));
  const [part] = consecutiveParts(array.shape, array.chunks, 2);
  const { data } = await array.get(part);
  t.deepEqual(data, (await array.get([slice(0, 2)])).data);
});
