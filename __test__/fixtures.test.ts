// Every array that other people's writers wrote, against what those writers read back.

import test from 'ava';
import { openArray, type LsioArray, type NdArray } from 'light-speed-io';
import { bytesOf, expectedBytes, stridesOf } from './elements.js';
import { arrayFixtures, expectedElements, fixturePath, type ArrayFixture } from './fixtures.js';

/** All elements in the form of the expected ones: float16 as its bits. */
function getAll(array: LsioArray): Promise<NdArray> {
  return array.is('float16')
    ? (array.get(null, { as: 'bits' }) as unknown as Promise<NdArray>)
    : array.get();
}

for (const fixture of arrayFixtures) {
  test(`${fixture.path} has the expected elements`, async (t) => {
    const array = await openArray(fixturePath(fixture.path), { zarrFormat: fixture.zarrFormat });
    const { data, shape, stride } = await getAll(array);
    t.deepEqual(shape, [...fixture.shape]);
    // Without elements there are no distances between them.
    if (!shape.includes(0)) t.deepEqual(stride, stridesOf(fixture.shape));
    const expected = expectedBytes(expectedElements(fixture));
    t.true(bytesOf(data).equals(expected), 'the elements differ');
  });

  test(`${fixture.path} has the expected metadata`, async (t) => {
    const array = await openArray(fixturePath(fixture.path), { zarrFormat: fixture.zarrFormat });
    t.is(array.kind, 'array');
    t.is(array.dtype, fixture.dtype);
    t.is(array.zarrFormat, fixture.zarrFormat);
    t.deepEqual(array.shape, fixture.shape);
    t.deepEqual(array.chunks, fixture.chunks);
    t.deepEqual(array.shards, fixture.shards ?? undefined);
    t.deepEqual(array.chunkEdges, fixture.chunkEdges ?? undefined);
    t.deepEqual(
      array.chunkGridShape,
      fixture.chunkEdges && !fixture.shards
        ? fixture.chunkEdges.map((edges) => edges.length)
        : fixture.shape.map((length, axis) => Math.ceil(length / (fixture.chunks[axis] ?? 1))),
    );
    if (fixture.dimensionNames) t.deepEqual(array.dimensionNames, fixture.dimensionNames);
    if (fixture.attrs !== undefined) t.deepEqual(array.attrs as unknown, fixture.attrs);
    t.deepEqual(array.fillValue as unknown, expectedFillValue(fixture));
  });
}

/** The fill value of the manifest as the data type's JavaScript value. */
function expectedFillValue({ dtype, fillValue }: ArrayFixture): unknown {
  if (fillValue === null) return null;
  switch (dtype) {
    case 'int64':
    case 'uint64':
      return BigInt(fillValue as number | bigint);
    case 'float16':
    case 'float32':
    case 'float64':
      return toNumber(fillValue);
    case 'complex64':
    case 'complex128':
      return (fillValue as unknown[]).map(toNumber);
    default:
      return fillValue;
  }
}

/** A number, a name such as "NaN", or the bits of a NaN. */
function toNumber(value: unknown): number {
  return typeof value === 'string' && value.startsWith('0x') ? Number.NaN : Number(value);
}
