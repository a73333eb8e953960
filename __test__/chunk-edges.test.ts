// Arrays whose chunks vary in length, read in every way.

import test from 'ava';
import { openArray, slice, writeMemoryStore, type LsioArray } from 'light-speed-io';
import { arrayFixtures, fixturePath, type ArrayFixture } from './fixtures.js';

const varying = arrayFixtures.filter(({ chunkEdges }) => chunkEdges);

function chunkShape(
  { chunkEdges, shards, chunks }: ArrayFixture,
  coords: readonly number[],
): number[] {
  if (shards) return [...chunks];
  return coords.map((at, axis) => chunkEdges?.[axis]?.[at] ?? 0);
}

/** Where chunk `at` of a dimension begins. */
function chunkOrigin(
  { chunkEdges, shards, chunks }: ArrayFixture,
  axis: number,
  at: number,
): number {
  if (shards) return at * (chunks[axis] ?? 0);
  return (chunkEdges?.[axis] ?? []).slice(0, at).reduce((sum, edge) => sum + edge, 0);
}

async function opened(fixture: ArrayFixture): Promise<{ array: LsioArray; all: number[] }> {
  const array = await openArray(fixturePath(fixture.path));
  const all = await array.get();
  return { array, all: Array.from(all.data as Float64Array) };
}

/** The element of a C order array. */
function elementAt(
  elements: readonly number[],
  shape: readonly number[],
  index: readonly number[],
) {
  return elements[index.reduce((number, at, axis) => number * (shape[axis] ?? 0) + at, 0)];
}

function* indices(shape: readonly number[]): Generator<number[]> {
  const [first, ...rest] = shape;
  if (first === undefined) {
    yield [];
    return;
  }
  for (let at = 0; at < first; at += 1) {
    for (const others of indices(rest)) yield [at, ...others];
  }
}

for (const fixture of varying) {
  test(`${fixture.path} is read chunk by chunk`, async (t) => {
    const { array, all } = await opened(fixture);
    const seen = all.map(() => 0);
    for await (const { coords, origin, shape, stride, data } of array.readChunks()) {
      t.deepEqual(
        origin,
        coords.map((at, axis) => chunkOrigin(fixture, axis, at)),
      );
      for (const inside of indices(shape)) {
        const index = inside.map((at, axis) => at + (origin[axis] ?? 0));
        const from = inside.reduce((sum, at, axis) => sum + at * (stride[axis] ?? 0), 0);
        t.is((data as Float64Array)[from], elementAt(all, array.shape, index));
        const number = index.reduce((sum, at, axis) => sum * (array.shape[axis] ?? 0) + at, 0);
        seen[number] = (seen[number] ?? 0) + 1;
      }
    }
    t.true(seen.every((times) => times === 1));
  });

  test(`${fixture.path} gives whole chunks in their own shape`, async (t) => {
    const { array, all } = await opened(fixture);
    for (const coords of indices(array.chunkGridShape)) {
      const chunk = await array.getChunk(coords);
      t.deepEqual(chunk.shape, chunkShape(fixture, coords));
      for (const inside of indices(chunk.shape)) {
        const index = inside.map((at, axis) => at + chunkOrigin(fixture, axis, coords[axis] ?? 0));
        if (index.some((at, axis) => at >= (array.shape[axis] ?? 0))) continue;
        const from = inside.reduce((sum, at, axis) => sum + at * (chunk.stride[axis] ?? 0), 0);
        t.is((chunk.data as Float64Array)[from], elementAt(all, array.shape, index));
      }
    }
    await t.throwsAsync(array.getChunk([...array.chunkGridShape]), { code: 'ERR_LSIO_SELECTION' });
  });

  test(`${fixture.path} gives crops, steps and a mean`, async (t) => {
    const { array, all } = await opened(fixture);
    const steps = array.shape.map((length, axis) => ({ start: 1, stop: length, step: axis + 2 }));
    const crops = [
      array.shape.map((length) => ({ start: length >> 2, stop: length - 1, step: 1 })),
      steps,
    ];
    const results = await array.getMany(
      crops.map((crop) => crop.map(({ start, stop, step }) => slice(start, stop, step))),
    );
    for (const [number, crop] of crops.entries()) {
      const { data, shape } = results[number] ?? { data: [], shape: [] };
      const expected = [...indices(shape)].map((at) =>
        elementAt(
          all,
          array.shape,
          at.map((position, axis) => (crop[axis]?.start ?? 0) + position * (crop[axis]?.step ?? 1)),
        ),
      );
      t.deepEqual(Array.from(data as Float64Array), expected);
    }
    const sum = all.reduce((total, value) => total + value, 0);
    const mean = await array.mean();
    t.true(
      Object.is(mean, sum / all.length) ||
        Math.abs(mean - sum / all.length) <= 1e-6 * Math.abs(mean),
    );
    t.is((await array.storedBytes()) > 0, true);
  });
}

test('a missing chunk of varying length is full of the fill value, or an error', async (t) => {
  const array = await openArray(fixturePath('zarrs/grid/missing'));
  t.deepEqual((await array.getChunk([1, 1])).shape, [2, 5]);
  t.deepEqual(new Set((await array.getChunk([1, 1])).data as Int32Array), new Set([7]));
  await t.throwsAsync(array.getChunk([1, 1], { readMissing: 'error' }), {
    code: 'ERR_LSIO_NOT_FOUND',
  });
});

test('edges of more chunks than can be listed are an error, and elements are read all the same', async (t) => {
  const document = {
    zarr_format: 3,
    node_type: 'array',
    shape: [2 ** 40],
    data_type: 'uint8',
    chunk_grid: {
      name: 'rectilinear',
      configuration: {
        kind: 'inline',
        chunk_shapes: [
          [
            [1, 2 ** 39],
            [2, 2 ** 38],
          ],
        ],
      },
    },
    chunk_key_encoding: { name: 'default' },
    fill_value: 7,
    codecs: ['bytes'],
  };
  await writeMemoryStore('memory://edges', [['zarr.json', Buffer.from(JSON.stringify(document))]]);
  const array = await openArray('memory://edges');
  t.throws(() => array.chunkEdges, { code: 'ERR_LSIO_BUDGET' });
  t.deepEqual(array.chunkGridShape, [2 ** 39 + 2 ** 38]);
  const { data } = await array.get([slice(2 ** 40 - 3, 2 ** 40)]);
  t.deepEqual([...(data as Uint8Array)], [7, 7, 7]);
  await t.throwsAsync(array.get([slice(2 ** 40 - 3, 2 ** 40)], { readMissing: 'error' }), {
    code: 'ERR_LSIO_NOT_FOUND',
  });
});
