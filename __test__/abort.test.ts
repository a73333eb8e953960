// Aborts: the call rejects with the signal's reason, and no listener stays behind.

import { getEventListeners } from 'node:events';
import test from 'ava';
import { memoryUsage, open, openArray, writeMemoryStore } from 'light-speed-io';
import { sampleInMemory } from './sample-array.js';

const location = sampleInMemory({ shape: [4096, 1024], rowsPerChunk: 64, gzip: true });
const reason = new Error('changed my mind');

test('an aborted signal stops a call before it starts', async (t) => {
  const where = await location;
  const array = await openArray(where);
  const signal = AbortSignal.abort(reason);
  t.is(await t.throwsAsync(open(where, { signal })), reason);
  t.is(await t.throwsAsync(array.get(null, { signal })), reason);
  t.is(await t.throwsAsync(array.getMany([null], { signal })), reason);
  t.is(await t.throwsAsync(array.getChunk([0, 0], { signal })), reason);
  t.is(await t.throwsAsync(array.mean({ signal })), reason);
  t.is(await t.throwsAsync(array.storedBytes({ signal })), reason);
  t.is(
    await t.throwsAsync(writeMemoryStore(where, [['a', new Uint8Array(1)]], { signal })),
    reason,
  );
  t.is(await t.throwsAsync(array.readChunks(null, { signal }).next()), reason);
});

test('an abort in flight rejects with the reason', async (t) => {
  const array = await openArray(await location);
  const calls: ((signal: AbortSignal) => Promise<unknown>)[] = [
    (signal) => array.get(null, { signal }),
    (signal) => array.getMany([null, null], { signal }),
    (signal) => array.mean({ signal }),
  ];
  for (const call of calls) {
    const controller = new AbortController();
    const running = call(controller.signal);
    controller.abort(reason);
    t.is(await t.throwsAsync(running), reason);
    t.is(getEventListeners(controller.signal, 'abort').length, 0);
  }
});

test('the reason may be anything', async (t) => {
  const array = await openArray(await location);
  const controller = new AbortController();
  const running = array.get(null, { signal: controller.signal });
  controller.abort('a string');
  await running.then(
    () => t.fail(),
    (error: unknown) => t.is(error, 'a string'),
  );
});

test('listeners are removed when a call ends well', async (t) => {
  const array = await openArray(await location);
  const { signal } = new AbortController();
  await array.get([0, null], { signal });
  await array.mean({ signal });
  for await (const chunk of array.readChunks([0, null], { signal })) chunk.release();
  t.is(getEventListeners(signal, 'abort').length, 0);
});

test('an abort ends a reader: the reason once, then the end', async (t) => {
  const array = await openArray(await location);
  const controller = new AbortController();
  const reader = array.readChunks(null, { signal: controller.signal });
  t.false((await reader.next()).done);
  controller.abort(reason);
  t.is(await t.throwsAsync(reader.next()), reason);
  t.deepEqual(await reader.next(), { done: true, value: undefined });
  t.is(getEventListeners(controller.signal, 'abort').length, 0);
});

test('an abort while next() is pending rejects it', async (t) => {
  const array = await openArray(await location);
  const controller = new AbortController();
  const reader = array.readChunks(null, { signal: controller.signal });
  const pending = reader.next();
  controller.abort(reason);
  t.is(await t.throwsAsync(pending), reason);
});

test('an abort after the end changes nothing', async (t) => {
  const array = await openArray(await location);
  const controller = new AbortController();
  const reader = array.readChunks([0, null], { signal: controller.signal });
  for await (const chunk of reader) chunk.release();
  controller.abort(reason);
  t.deepEqual(await reader.next(), { done: true, value: undefined });
});

test('what was reserved is given back', async (t) => {
  const array = await openArray(await location);
  for (let round = 0; round < 20; round += 1) {
    const controller = new AbortController();
    const running = array.get(null, { signal: controller.signal });
    controller.abort(reason);
    await t.throwsAsync(running);
  }
  // Work that had started finishes first; a read that succeeds afterwards proves there is room.
  t.is((await array.get([0, 0])).data.length, 1);
  while (memoryUsage().reservedBytes > 0) await new Promise(setImmediate);
  t.pass();
});
