// Arrays of every data type that others wrote, in every form that their elements can be had in.

import { readFileSync } from 'node:fs';
import test from 'ava';
import {
  deleteMemoryStore,
  openArray,
  slice,
  writeMemoryStore,
  type ElementForm,
  type LsioArray,
} from 'light-speed-io';
import { bytesOf } from './elements.js';
import {
  dataTypeFixtures,
  fixturePath,
  type DataTypeFixture,
  type FieldFixture,
} from './fixtures.js';
import { noteAsRead } from './read-notes.js';

function floats(bytes: Buffer): Float32Array {
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

const unhex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

/** What the values of the fixtures that JSON.parse does not read exactly are in JavaScript. */
const UNUSUAL: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['9007199254740993', 9_007_199_254_740_993n],
  ['123456789012345678901234567890', 123_456_789_012_345_678_901_234_567_890n],
  ['{"a":[1,{"b":"]"}],"n":NaN}', { a: [1, { b: ']' }], n: Number.NaN }],
  ['[[],{},[Infinity,-Infinity]]', [[], {}, [Infinity, -Infinity]]],
  ['[9007199254740993, -1]', [9_007_199_254_740_993n, -1]],
  ['[-9223372036854775808]', [-(2n ** 63n)]],
  ['[0.5, NaN]', [0.5, Number.NaN]],
  ['[Infinity, -0.0]', [Infinity, -0]],
  ['[-Infinity]', [-Infinity]],
]);

function valueOf(json: string): unknown {
  return UNUSUAL.has(json) ? UNUSUAL.get(json) : JSON.parse(json);
}

/** The elements in a form that is known to be right at run time only. */
async function read(array: LsioArray, form?: ElementForm): Promise<unknown> {
  const { data } = await array.get(null, form === undefined ? {} : { as: form });
  return data;
}

for (const fixture of dataTypeFixtures) {
  const { path, dtype } = fixture;
  const file = (name: string): Buffer => readFileSync(fixturePath(name));
  test(`${path} has the elements that its writer read`, async (t) => {
    const array = await openArray(fixturePath(path));
    t.is(array.dtype, dtype);
    t.deepEqual(array.dtypeInfo as unknown, fixture.dtypeInfo);
    const data = await read(array);
    const listed = fixture.hexes ?? fixture.values;
    if (listed !== undefined) {
      const texts = JSON.parse(file(listed).toString('utf8')) as string[];
      const elements = fixture.hexes === undefined ? texts.map(valueOf) : texts.map(unhex);
      t.deepEqual(data, elements);
      noteAsRead(path);
      return;
    }
    const expected = file(fixture.expected ?? '');
    if (fixture.texts !== undefined) {
      const texts = JSON.parse(file(fixture.texts).toString('utf8')) as string[];
      t.deepEqual(data, texts);
      const utf8 = (await read(array, 'utf8')) as { readonly bytes: Uint8Array };
      t.is(Buffer.from(utf8.bytes).toString('utf8'), texts.join(''));
    } else if (fixture.converted === undefined) {
      t.true(bytesOf(data as Uint8Array).equals(expected), 'the elements differ');
    } else {
      // As lists of numbers NaN equals NaN, whatever its bits, and -0 differs from 0.
      const numbers = Array.from(floats(file(fixture.converted)));
      t.deepEqual(Array.from(data as Float32Array), numbers);
      const bits = (await read(array, 'bits')) as Uint8Array;
      t.true(bytesOf(bits).equals(expected), 'the bits differ');
    }
  });
}

function fixtureOf(path: string): DataTypeFixture {
  const fixture = dataTypeFixtures.find((entry) => entry.path === path);
  if (fixture === undefined) throw new Error(`there is no fixture ${path}`);
  return fixture;
}

/** Little-endian bytes of what `get` gave, texts as code points, small floats by their bits. */
async function fieldBytes(
  array: LsioArray<'struct'>,
  path: string,
  { dtype, hex }: FieldFixture,
): Promise<{ bytes: Buffer; shape: readonly number[] }> {
  const isSmall = dtype === 'float16' || /^(complex_|bfloat16)/.test(dtype);
  const form = isSmall ? ({ as: 'bits' } as const) : {};
  const { data, shape } = await array.get(null, { field: path, ...form });
  if (!Array.isArray(data)) return { bytes: bytesOf(data as Uint8Array), shape };
  const width = hex.length / 8 / data.length;
  const units = data.flatMap((text: string) =>
    Array.from({ length: width }, (_, at) => text.codePointAt(at) ?? 0),
  );
  return { bytes: Buffer.from(Uint32Array.from(units).buffer), shape };
}

for (const { path, fields } of dataTypeFixtures.filter((fixture) => fixture.fields !== undefined)) {
  test(`${path} has the fields that its writer read`, async (t) => {
    const array = await openArray(fixturePath(path));
    if (!array.is('struct')) throw new Error(`${path} has no records`);
    for (const [name, field] of Object.entries(fields ?? {})) {
      const { bytes, shape } = await fieldBytes(array, name, field);
      t.deepEqual(shape, field.shape, name);
      t.true(bytes.equals(Buffer.from(field.hex, 'hex')), `${name} has other elements`);
    }
  });
}

test('a field is read in every way that elements are', async (t) => {
  const path = 'structs-zarr2/nested-null-f';
  const array = await openArray(fixturePath(path));
  if (!array.is('struct')) throw new Error(`${path} has no records`);
  const whole = await array.get(null, { field: 'point.y', as: 'float64' });
  t.true(whole.data instanceof Float64Array);
  t.deepEqual(whole.shape, [5, 6, 2, 2]);
  // Its dimensions may be left out of selections, or given.
  const short = await array.get([4, slice(1, null, 2)], { field: 'point.y', as: 'float64' });
  t.deepEqual(short.shape, [3, 2, 2]);
  const [first, second] = await array.getMany(
    [
      [4, 1],
      [4, 1, 1, null],
    ],
    {
      field: 'point.y',
      as: 'float64',
    },
  );
  const at = (4 * 6 + 1) * 4;
  t.deepEqual(first?.data, whole.data.slice(at, at + 4));
  t.deepEqual(second?.data, whole.data.slice(at + 2, at + 4));
  t.deepEqual(short.data.slice(0, 4), first?.data);
  const out = new Float32Array(whole.data.length);
  await array.get(null, { field: 'point.y', out });
  t.deepEqual(Float64Array.from(out), whole.data);
  let elements = 0;
  for await (const chunk of array.readChunks(null, { field: 'a', as: 'int32' })) {
    t.true(chunk.data instanceof Int32Array);
    t.is(chunk.coords.length, 2);
    elements += chunk.data.length;
  }
  t.is(elements, 30);
  const { data } = await array.get(null, { field: 'point' });
  t.is((data as Uint8Array).length, 30 * 2 * 12);
});

test('fields that there are not are refused', async (t) => {
  const refused = (message: RegExp): object => ({ code: 'ERR_LSIO_UNSUPPORTED', message });
  const array = await openArray(fixturePath('structs-zarr2/nested-fill'));
  await t.throwsAsync(array.get(null, { field: 'mystery' }), refused(/no field 'mystery'/));
  await t.throwsAsync(array.get(null, { field: 'a', as: 'utf8' }), refused(/int16 cannot be read/));
  await t.throwsAsync(array.getMany([null], { field: 'z' }), refused(/'z'.* fill value differs/));
  t.throws(() => array.readChunks(null, { field: '' }), refused(/no field ''/));
  const numbers = await openArray(fixturePath('zarr3/codecs/int16-zstd'));
  await t.throwsAsync(numbers.get(null, { field: 'a' }), refused(/int16 elements have no field/));
  await t.throwsAsync(array.get(null, { field: 3 } as object), { instanceOf: TypeError });
});

test('elements have at most 16 MiB, and so have their fill values', async (t) => {
  const readOne = async (bytes: number): Promise<unknown> => {
    const document = {
      zarr_format: 3,
      node_type: 'array',
      shape: [1],
      data_type: { name: 'null_terminated_bytes', configuration: { length_bytes: bytes } },
      chunk_grid: { name: 'regular', configuration: { chunk_shape: [1] } },
      chunk_key_encoding: { name: 'default' },
      fill_value: 'AQI=',
      codecs: ['bytes'],
    };
    await writeMemoryStore('memory://long-elements', [
      ['zarr.json', Buffer.from(JSON.stringify(document))],
    ]);
    return (await openArray('memory://long-elements')).fillValue;
  };
  const longest = new Uint8Array(2 ** 24);
  longest.set([1, 2]);
  // Not deepEqual, which takes minutes.
  t.is(Buffer.compare((await readOne(longest.length)) as Uint8Array, longest), 0);
  await t.throwsAsync(readOne(longest.length + 1), {
    code: 'ERR_LSIO_UNSUPPORTED',
    message: /16777217/,
  });
  deleteMemoryStore('memory://long-elements');
});

test('fill values are JavaScript values of the data type', async (t) => {
  const fillValue = async (path: string): Promise<unknown> =>
    (await openArray(fixturePath(path))).fillValue;
  t.is(await fillValue('types-zarr3/format3/numpy.datetime64-ns-big'), -(2n ** 63n));
  t.is(await fillValue('types-zarr2/numpy.timedelta64-25s-big-f'), -7n);
  t.is(await fillValue('types-zarr3/format3/fixed_length_utf32-big'), 'ü🌍');
  t.is(await fillValue('types-zarr2/fixed_length_utf32-null'), null);
  t.deepEqual(
    await fillValue('types-zarr2/null_terminated_bytes-little'),
    Uint8Array.of(0x61, 0x62, 0, 0),
  );
  t.deepEqual(await fillValue('types-zarr3/format3/r40-little'), Uint8Array.of(1, 0, 255, 2, 0));
  t.deepEqual(
    await fillValue('structs-hand/small'),
    Uint8Array.from(Buffer.from(fixtureOf('structs-hand/small').fillBytes ?? '', 'hex')),
  );
  t.is(await fillValue('structs-zarr2/flat-null-f'), null);
  t.is(await fillValue('types-hand/hand/bfloat16-big'), 1);
  t.is(await fillValue('types-hand/hand/int2-little'), 1);
  t.deepEqual(await fillValue('types-hand/hand/complex_float8_e5m2-little'), [1, 1]);
});

test('elements of varying length are read in every way', async (t) => {
  const array = await openArray(fixturePath('objects-zarr3/sharded'));
  if (!array.is('variable_length_bytes')) throw new Error(`${array.path} has no bytes`);
  t.deepEqual(array.fillValue, Uint8Array.of(1, 0xfe));
  t.is(array.nbytes, null);
  const whole = await array.get();
  const chosen = await array.get([slice(1, null, 3), 2]);
  t.deepEqual(
    chosen.data,
    [1, 4, 7].map((row) => whole.data[row * 11 + 2]),
  );
  let elements = 0;
  for await (const chunk of array.readChunks(null)) {
    const row = chunk.origin[0] ?? 0;
    t.deepEqual(chunk.data[0], whole.data[row * 11 + (chunk.origin[1] ?? 0)]);
    elements += chunk.data.length;
  }
  t.is(elements, 99);
  const longest = whole.data.findIndex((bytes) => bytes.length === 256);
  t.is(whole.data[longest]?.[255], 255);
  whole.release();
  t.is(whole.data[longest]?.length, 0);
  await t.throwsAsync(array.get(null, { out: new Uint8Array(9) } as object), {
    instanceOf: TypeError,
    message: /does not hold variable_length_bytes/,
  });
  const json = await openArray(fixturePath('objects-zarr2/json2-f'));
  if (!json.is('json')) throw new Error(`${json.path} has no values`);
  const [column] = await json.getMany([[null, 1]]);
  const { data } = await json.get();
  t.deepEqual(
    column?.data,
    data.filter((_, index) => index % 11 === 1),
  );
  t.is(json.fillValue, null);
});

/** Opens an array of Zarr v2 in memory whose only chunk these bytes are. */
async function opened(
  name: string,
  members: Readonly<Record<string, unknown>>,
  chunk: Uint8Array,
): Promise<LsioArray> {
  const shape = members['shape'] as readonly number[];
  const document = { zarr_format: 2, chunks: shape, compressor: null, order: 'C', ...members };
  await writeMemoryStore(`memory://${name}`, [
    ['.zarray', Buffer.from(JSON.stringify(document))],
    [shape.map(() => 0).join('.'), chunk],
  ]);
  return openArray(`memory://${name}`);
}

// What `JSON()` and `MsgPack()` of numcodecs 0.5.5 write and say of themselves: its `json.py` and `msgpacks.py`, run
// with Python 3.11, NumPy 2 and msgpack 0.5.6.
test('documents of numcodecs before 0.6 are read', async (t) => {
  const json = {
    id: 'json',
    encoding: 'utf-8',
    skipkeys: false,
    ensure_ascii: true,
    check_circular: true,
    allow_nan: true,
    indent: null,
    separators: [',', ':'],
    sort_keys: true,
    strict: true,
  };
  const msgpack = { id: 'msgpack', encoding: 'utf-8' };
  const documents = [
    [json, Buffer.from('[[1,[2,3],null],["\\u00fc",1.5,{"a":NaN}],"|O"]')],
    [msgpack, unhex('939301920203c093a2c3bccb3ff800000000000081a161cb7ff8000000000000a27c4f')],
  ] as const;
  const values = [1, [2, 3], null, 'ü', 1.5, { a: Number.NaN }];
  for (const [filter, document] of documents) {
    for (const order of ['C', 'F']) {
      const objects = { shape: [2, 3], dtype: '|O', fill_value: null, filters: [filter], order };
      const array = await opened('older', objects, document);
      if (!array.is('json')) throw new Error(`${array.path} has no values`);
      t.deepEqual((await array.get()).data, values, `${filter.id} ${order}`);
    }
  }
  const numbers = { shape: [2, 1], dtype: '<i2', fill_value: 0, filters: [json] };
  const array = await opened('older', numbers, Buffer.from('[[-2],[300],"<i2"]'));
  t.deepEqual((await array.get()).data as unknown, Int16Array.of(-2, 300));
  const damaged = await opened('older', numbers, Buffer.from('[[-2],[300],"<i2",[2,1]]'));
  await t.throwsAsync(damaged.get(), { code: 'ERR_LSIO_CODEC', message: /json/ });
  deleteMemoryStore('memory://older');
});

test('numbers are converted by the core, and rounded to the nearest', async (t) => {
  const times = await openArray(fixturePath('types-zarr2/numpy.datetime64-ns-little'));
  const steps = (await read(times)) as BigInt64Array;
  const expected = Float64Array.from(steps, (step) =>
    step === -(2n ** 63n) ? Number.NaN : Number(step),
  );
  t.deepEqual(await read(times, 'float64'), expected);
  const integers = await openArray(fixturePath('zarr3/codecs/int64-zstd'));
  const exact = (await read(integers)) as BigInt64Array;
  t.deepEqual(await read(integers, 'float64'), Float64Array.from(exact, Number));
  const bytes = await openArray(fixturePath('zarr3/codecs/uint8-zstd'));
  const numbers = (await read(bytes)) as Uint8Array;
  t.deepEqual(await read(bytes, 'int16'), Int16Array.from(numbers));
  t.deepEqual(await read(bytes, 'uint64'), BigUint64Array.from(numbers, BigInt));
  t.deepEqual(await read(bytes, 'float32'), Float32Array.from(numbers));
  const doubles = await openArray(fixturePath('zarr3/codecs/float64-zstd'));
  t.deepEqual(
    await read(doubles, 'float32'),
    Float32Array.from((await read(doubles)) as Float64Array),
  );
});

test('conversions work by chunks and into memory of the caller', async (t) => {
  const array = await openArray(fixturePath('types-zarr3/format3/numpy.timedelta64-10us-little'));
  t.true(array.is('bigint'));
  const { data: whole } = await openArray(fixturePath('zarr3/codecs/int16-zstd')).then((numbers) =>
    (numbers as LsioArray<'int16'>).get(null, { as: 'float64' }),
  );
  const numbers = (await openArray(fixturePath('zarr3/codecs/int16-zstd'))) as LsioArray<'int16'>;
  for (const buffer of [ArrayBuffer, SharedArrayBuffer]) {
    const out = new Float64Array(new buffer(whole.byteLength));
    await numbers.get(null, { as: 'float64', out });
    t.deepEqual(Array.from(out), Array.from(whole));
  }
  let elements = 0;
  for await (const chunk of numbers.readChunks(null, { as: 'float64' })) {
    t.true(chunk.data instanceof Float64Array);
    elements += chunk.data.length;
  }
  t.is(elements, whole.length);
});

test('conversions that would lose values are refused', async (t) => {
  const refused = { code: 'ERR_LSIO_UNSUPPORTED' };
  const open = (path: string): Promise<LsioArray> => openArray(fixturePath(path));
  await t.throwsAsync(read(await open('zarr3/codecs/int64-zstd'), 'int32'), refused);
  await t.throwsAsync(read(await open('zarr3/codecs/float32-zstd'), 'int64'), refused);
  await t.throwsAsync(read(await open('zarr3/codecs/float32-zstd'), 'bits'), refused);
  await t.throwsAsync(read(await open('zarr3/codecs/complex64-zstd'), 'float64'), refused);
  await t.throwsAsync(read(await open('types-zarr2/r40-little'), 'float64'), refused);
  await t.throwsAsync(read(await open('types-zarr2/numpy.datetime64-D-little'), 'int64'), refused);
});
