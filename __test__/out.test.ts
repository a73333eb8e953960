// `out`: typed arrays of the caller, over shared memory or not.

import test from 'ava';
import { openArray, slice } from 'light-speed-io';
import { sampleElements, sampleInMemory } from './sample-array.js';

const sample = { shape: [3000, 257], rowsPerChunk: 100 } as const;
const location = sampleInMemory(sample);

async function openSample(): Promise<Awaited<ReturnType<typeof openArray>>> {
  return openArray(await location);
}

test('an ordinary typed array is filled and returned', async (t) => {
  const array = await openSample();
  const out = new Float32Array(3000 * 257);
  const result = await array.get(null, { out });
  t.is(result.data, out);
  t.deepEqual(result.shape, [3000, 257]);
  t.deepEqual(out, sampleElements(sample));
});

test('a view into a larger buffer is filled and nothing beside it', async (t) => {
  const array = await openSample();
  const buffer = new Float32Array(3000 * 257 + 20).fill(-1);
  const out = buffer.subarray(10, 10 + 3000 * 257);
  await array.get(null, { out });
  t.deepEqual(out, sampleElements(sample));
  t.true(buffer.subarray(0, 10).every((value) => value === -1));
  t.true(buffer.subarray(-10).every((value) => value === -1));
});

test('shared memory is written by the core', async (t) => {
  const array = await openSample();
  const shared = new SharedArrayBuffer((3000 * 257 + 2) * 4);
  const all = new Float32Array(shared);
  all.fill(-1);
  const out = new Float32Array(shared, 4, 3000 * 257);
  const result = await array.get(null, { out });
  t.is(result.data, out);
  t.deepEqual(Float32Array.from(out), sampleElements(sample));
  t.is(all[0], -1);
  t.is(all.at(-1), -1);
});

test('a selection goes into a buffer of its size', async (t) => {
  const array = await openSample();
  for (const buffer of [new ArrayBuffer(1500 * 4), new SharedArrayBuffer(1500 * 4)]) {
    const out = new Float32Array(buffer);
    const { shape } = await array.get([slice(0, 3000, 2), 7], { out });
    t.deepEqual(shape, [1500]);
    t.true(out.every((value, index) => value === index * 2 * 257 + 7));
  }
});

test('a buffer of another size is refused before anything is read', async (t) => {
  const array = await openSample();
  for (const buffer of [new ArrayBuffer(40), new SharedArrayBuffer(40)]) {
    await t.throwsAsync(array.get(null, { out: new Float32Array(buffer) }), {
      code: 'ERR_LSIO_SELECTION',
    });
  }
});

test('several calls into disjoint views of one shared buffer', async (t) => {
  const array = await openSample();
  const out = new Float32Array(new SharedArrayBuffer(3000 * 257 * 4));
  await Promise.all(
    Array.from({ length: 30 }, (_, part) =>
      array.get([slice(part * 100, part * 100 + 100), null], {
        out: out.subarray(part * 100 * 257, (part + 1) * 100 * 257),
      }),
    ),
  );
  t.deepEqual(Float32Array.from(out), sampleElements(sample));
});

test('nothing is written to shared memory after an abort was reported', async (t) => {
  const array = await openSample();
  const out = new Float32Array(new SharedArrayBuffer(3000 * 257 * 4));
  for (let round = 0; round < 20; round += 1) {
    const controller = new AbortController();
    const running = array.get(null, { out, signal: controller.signal });
    if (round % 2 === 1) await new Promise(setImmediate);
    controller.abort('enough');
    const ended = await running.then(
      () => 'read to its end',
      (reason: unknown) => reason,
    );
    // A read that had ended in the turn before the abort is no failure.
    if (ended !== 'read to its end' || round % 2 === 0) t.is(ended, 'enough');
    out.fill(-1);
    // Whatever was still under way would have ended by the end of another whole read.
    await array.get();
    t.true(out.every((value) => value === -1));
  }
});
