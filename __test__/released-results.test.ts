// Results of get, getMany and getChunk give their memory back when they are released.

import test from 'ava';
import { memoryUsage, openArray, slice } from 'light-speed-io';
import { sampleElements, sampleInMemory } from './sample-array.js';

const sample = { shape: [4096, 1024], rowsPerChunk: 256 } as const;
const location = sampleInMemory(sample);
const bytes = 4096 * 1024 * 4;

test('release empties a result, and again is no error', async (t) => {
  const array = await openArray(await location);
  for (const result of [await array.get(), await array.getChunk([0, 0])]) {
    const view = result.data as Float32Array;
    t.true(view.length > 0);
    result.release();
    t.is(view.length, 0);
    t.is((result.data as Float32Array).length, 0);
    t.notThrows(() => {
      result[Symbol.dispose]();
    });
  }
});

// Alone: what other tests hold counts too.
test.serial('the next read has the memory of the last one', async (t) => {
  const array = await openArray(await location);
  for (let round = 0; round < 5; round += 1) {
    const result = await array.get();
    t.deepEqual(result.data, sampleElements(sample));
    t.true(memoryUsage().heldBytes < 2 * bytes);
    result.release();
  }
});

test('results of getMany share a buffer: the last release detaches it', async (t) => {
  const array = await openArray(await location);
  const [first, second] = await array.getMany([
    [slice(0, 2), null],
    [slice(1, 3), null],
  ]);
  const [view, other] = [first!.data as Float32Array, second!.data as Float32Array];
  t.is(view.buffer, other.buffer);
  first!.release();
  first!.release();
  t.is((first!.data as Float32Array).length, 0);
  t.deepEqual(other, sampleElements(sample).subarray(1024, 3 * 1024));
  second!.release();
  t.is(view.length, 0);
  t.is(other.length, 0);
});

test("release leaves the caller's own memory alone", async (t) => {
  const array = await openArray(await location);
  const out = new Float32Array(1024);
  const result = await array.get([0, null], { out });
  result.release();
  t.is(result.data, out);
  t.deepEqual(out, sampleElements(sample).subarray(0, 1024));
});
