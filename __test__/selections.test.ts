// Selections: seeded ones as numpy picks them, by dimension name, and those that fit no array.

import { crc32 } from 'node:zlib';
import test from 'ava';
import { isLsioError, openArray, slice, type LsioArray } from 'light-speed-io';
import { bytesOf } from './elements.js';
import { fixturePath, refused, selections } from './fixtures.js';

const opened = new Map<string, Promise<LsioArray>>();

function openOnce(path: string): Promise<LsioArray> {
  const array = opened.get(path) ?? openArray(fixturePath(path));
  opened.set(path, array);
  return array;
}

for (const path of new Set(selections.map((entry) => entry.path))) {
  const ofArray = selections.filter((entry) => entry.path === path);

  test(`get of each selection of ${path}`, async (t) => {
    const array = await openOnce(path);
    for (const { selection, shape, crc32: expected } of ofArray) {
      const result = await array.get(selection);
      t.deepEqual(result.shape, shape, JSON.stringify(selection));
      t.is(crc32(bytesOf(result.data)), expected, JSON.stringify(selection));
    }
  });

  test(`getMany of all selections of ${path} at once`, async (t) => {
    const array = await openOnce(path);
    const results = await array.getMany(ofArray.map((entry) => entry.selection));
    t.is(results.length, ofArray.length);
    for (const [index, { shape, crc32: expected, selection }] of ofArray.entries()) {
      t.deepEqual(results[index]?.shape, shape, JSON.stringify(selection));
      t.is(crc32(bytesOf(results[index]!.data)), expected, JSON.stringify(selection));
    }
  });

  test(`chunks of each selection of ${path} make up the result`, async (t) => {
    const array = await openOnce(path);
    for (const { selection, shape, crc32: expected } of ofArray) {
      const result = new Uint8Array(
        (await array.get(selection)).data.length * bytesPerElement(array),
      );
      result.fill(0xaa);
      for await (const chunk of array.readChunks(selection)) {
        place(result, shape, chunk, bytesPerElement(array));
      }
      t.is(crc32(result), expected, JSON.stringify(selection));
    }
  });
}

function bytesPerElement(array: LsioArray): number {
  return { uint16: 2, int32: 4, float64: 8 }[array.dtype as 'uint16'] ?? 0;
}

/** Copies a chunk to its place in the result, element by element. */
function place(
  result: Uint8Array,
  shape: readonly number[],
  chunk: { data: unknown; shape: number[]; stride: number[]; origin: number[] },
  size: number,
): void {
  const source = bytesOf(chunk.data as Uint8Array);
  const count = chunk.shape.reduce((product, length) => product * length, 1);
  for (let index = 0; index < count; index += 1) {
    let rest = index;
    let from = 0;
    let to = 0;
    let step = 1;
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      const at = rest % chunk.shape[axis]!;
      rest = Math.floor(rest / chunk.shape[axis]!);
      from += at * chunk.stride[axis]!;
      to += (at + chunk.origin[axis]!) * step;
      step *= shape[axis]!;
    }
    result.set(source.subarray(from * size, (from + 1) * size), to * size);
  }
}

for (const { path, selection, why } of refused) {
  test(`a selection of ${path} is refused: ${why}`, async (t) => {
    const array = await openOnce(path);
    const error = await t.throwsAsync(array.get(selection));
    t.true(isLsioError(error, 'ERR_LSIO_SELECTION'), error?.message);
    t.throws(() => array.readChunks(selection), { code: 'ERR_LSIO_SELECTION' });
  });
}

test('entries that are no selection are refused before the core sees them', async (t) => {
  const array = await openOnce('zarr3/selection/plain');
  for (const entry of [1.5, Number.NaN, '3', true, { start: 0.5 }, { step: 2 ** 60 }]) {
    await t.throwsAsync(array.get([null, null, entry as number]), { code: 'ERR_LSIO_SELECTION' });
  }
  await t.throwsAsync(array.get('all' as unknown as null), { code: 'ERR_LSIO_SELECTION' });
});

test('select names the dimensions', async (t) => {
  const array = await openArray(fixturePath('demo'), { path: 'air_temperature' });
  const [rows, columns] = array.dimensionNames as readonly string[];
  const { data, shape } = await array.get([3, slice(10, 20)]);
  const named = await array.select({ [columns!]: slice(10, 20), [rows!]: 3 });
  t.deepEqual([named.data, named.shape], [data, shape]);
  t.deepEqual((await array.select({ [rows!]: 3 })).data, (await array.get([3, null])).data);
  t.deepEqual((await array.select({})).shape, [...array.shape]);
  const bits = await array.select({ [rows!]: [3, 1] }, { as: 'float64' });
  t.true(bits.data instanceof Float64Array);
  t.deepEqual(bits.shape, [2, array.shape[1]!]);
  const code = 'ERR_LSIO_SELECTION';
  await t.throwsAsync(array.select({ depth: 0 }), {
    code,
    message: `no dimension is named 'depth'; the dimensions are ${rows}, ${columns}`,
  });
  await t.throwsAsync(array.select({ [rows!]: '...' as unknown as null }), { code });
  await t.throwsAsync(array.select({ [rows!]: 999 }), { code, message: /dimension 0/ });
  await t.throwsAsync((await openOnce('zarr3/selection/plain')).select({ y: 0 }), {
    code,
    message: 'the dimensions of this array have no names',
  });
});

test('slice is what zarrita makes of the same arguments', (t) => {
  t.deepEqual(slice(), { start: null, stop: null, step: null });
  t.deepEqual(slice(null), { start: null, stop: null, step: null });
  t.deepEqual(slice(5), { start: null, stop: 5, step: null });
  t.deepEqual(slice(2, 5), { start: 2, stop: 5, step: null });
  t.deepEqual(slice(2, null, 3), { start: 2, stop: null, step: 3 });
});

test('getChunk gives full-size edge chunks and refuses coordinates outside the grid', async (t) => {
  const array = await openOnce('zarr3/selection/plain');
  const last = array.chunkGridShape.map((count) => count - 1);
  const { shape } = await array.getChunk(last);
  t.deepEqual(shape, [...array.chunks]);
  await t.throwsAsync(array.getChunk(array.chunkGridShape), { code: 'ERR_LSIO_SELECTION' });
  await t.throwsAsync(array.getChunk([0]), { code: 'ERR_LSIO_SELECTION' });
  await t.throwsAsync(array.getChunk([-1, 0, 0]), { code: 'ERR_LSIO_SELECTION' });
});
