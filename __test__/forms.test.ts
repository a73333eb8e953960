// Forms of elements: float16 and its bits, strings and their UTF-8 bytes.

import test from 'ava';
import { memoryUsage, openArray, type LsioArray } from 'light-speed-io';
import { arrayFixtures, expectedElements, fixturePath } from './fixtures.js';

const hasFloat16 = 'Float16Array' in globalThis;

function fixtureOf(path: string): (typeof arrayFixtures)[number] {
  const fixture = arrayFixtures.find((entry) => entry.path === path);
  if (fixture === undefined) throw new Error(`there is no fixture ${path}`);
  return fixture;
}

async function openFloat16(): Promise<LsioArray<'float16'>> {
  const array = await openArray(fixturePath('zarr3/codecs/float16-zstd'));
  if (!array.is('float16')) throw new Error(`${array.path} is no float16 array`);
  return array;
}

async function openStrings(): Promise<LsioArray<'string'>> {
  const array = await openArray(fixturePath('zarr3/codecs/string-zstd'));
  if (!array.is('string')) throw new Error(`${array.path} is no string array`);
  return array;
}

/** The value of a float16 by its bits: IEEE 754 binary16. */
function float16Value(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

test('float16 is a Float16Array or a Float32Array with the same values', async (t) => {
  const array = await openFloat16();
  const { data: bits } = await array.get(null, { as: 'bits' });
  t.true(bits instanceof Uint16Array);
  const { data } = await array.get();
  t.is(data.constructor.name, hasFloat16 ? 'Float16Array' : 'Float32Array');
  t.deepEqual(Array.from(data), Array.from(bits, float16Value));
});

test('float16 by chunks and into memory of the caller', async (t) => {
  const array = await openFloat16();
  const { data: expected } = await array.get();
  const View = expected.constructor as typeof Float32Array;
  for (const buffer of [ArrayBuffer, SharedArrayBuffer]) {
    const out = new View(new buffer(expected.byteLength));
    await array.get(null, { out });
    t.deepEqual(Array.from(out), Array.from(expected));
  }
  for await (const chunk of array.readChunks()) {
    t.is(chunk.data.constructor, View);
    t.true(chunk.data.length > 0);
  }
  for await (const chunk of array.readChunks(null, { as: 'bits' })) {
    t.true(chunk.data instanceof Uint16Array);
  }
  const { data } = await array.getChunk([0, 0]);
  t.is(data.constructor, View);
});

test('strings as UTF-8 with offsets', async (t) => {
  const array = await openStrings();
  const expected = expectedElements(fixtureOf('zarr3/codecs/string-zstd')) as string[];
  const { data } = await array.get(null, { as: 'utf8' });
  const decoder = new TextDecoder();
  const strings = expected.map((_, index) =>
    decoder.decode(
      data.bytes.subarray(Number(data.offsets[index]), Number(data.offsets[index + 1])),
    ),
  );
  t.is(data.offsets.length, expected.length + 1);
  t.deepEqual(strings, expected);
});

test('strings by chunks, in both forms, and their release', async (t) => {
  const array = await openStrings();
  const expected = expectedElements(fixtureOf('zarr3/codecs/string-zstd')) as string[];
  const { length } = expected;
  let strings = 0;
  for await (const chunk of array.readChunks()) {
    strings += chunk.data.length;
    chunk.release();
    t.is(
      chunk.data.length,
      chunk.shape.reduce((product, extent) => product * extent, 1),
    );
  }
  t.is(strings, length);
  for await (const chunk of array.readChunks(null, { as: 'utf8' })) {
    chunk[Symbol.dispose]();
    t.is(chunk.data.bytes.length, 0);
    t.is(chunk.data.offsets.length, 0);
  }
});

test('strings cannot be read into memory of the caller', async (t) => {
  const array = await openStrings();
  const out = new Uint8Array(10) as never;
  await t.throwsAsync(array.get(null, { out }), { instanceOf: TypeError });
});

test('statistics of strings and complex numbers are unsupported', async (t) => {
  await t.throwsAsync((await openStrings()).mean(), { code: 'ERR_LSIO_UNSUPPORTED' });
  const complex = await openArray(fixturePath('zarr3/codecs/complex64-zstd'));
  await t.throwsAsync(complex.mean(), { code: 'ERR_LSIO_UNSUPPORTED' });
  t.true(memoryUsage().limitBytes > 0);
});
