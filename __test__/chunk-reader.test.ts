// Readers: chunks, their order, their memory, and every way to stop.

import test from 'ava';
import { isLsioError, memoryUsage, openArray } from 'light-speed-io';
import { hostilePath, hostileFixtures } from './fixtures.js';
import { sampleElements, sampleInMemory } from './sample-array.js';

const sample = { shape: [4096, 256], rowsPerChunk: 64 } as const;
const location = sampleInMemory(sample);

async function openSample(): Promise<Awaited<ReturnType<typeof openArray>>> {
  return openArray(await location);
}

test('every chunk arrives once, with its place and its elements', async (t) => {
  const array = await openSample();
  const result = new Float32Array(4096 * 256).fill(-1);
  const seen = new Set<string>();
  for await (const chunk of array.readChunks()) {
    seen.add(chunk.coords.join());
    t.deepEqual(chunk.shape, [64, 256]);
    t.deepEqual(chunk.origin, [chunk.coords[0]! * 64, 0]);
    result.set(chunk.data as Float32Array, chunk.origin[0]! * 256);
  }
  t.is(seen.size, 64);
  t.deepEqual(result, sampleElements(sample));
});

test('grid order is the order of the chunk grid', async (t) => {
  const array = await openSample();
  const rows: number[] = [];
  for await (const chunk of array.readChunks(null, { order: 'grid' })) rows.push(chunk.coords[0]!);
  t.deepEqual(
    rows,
    Array.from({ length: 64 }, (_, row) => row),
  );
});

test('a slow consumer leaves the event loop a turn between batches', async (t) => {
  const array = await openSample();
  let turns = 0;
  const count = setInterval(() => {
    turns += 1;
  }, 0);
  let chunks = 0;
  const turnsBefore: number[] = [];
  for await (const chunk of array.readChunks(null, { concurrency: 4 })) {
    turnsBefore.push(turns);
    chunks += 1;
    chunk.release();
    // Meanwhile the workers get the next batch ready.
    const until = performance.now() + 2;
    while (performance.now() < until);
  }
  clearInterval(count);
  t.is(chunks, 64);
  t.true(new Set(turnsBefore).size >= 8, `${String(new Set(turnsBefore).size)} turns`);
});

test('concurrency 1 delivers all chunks too', async (t) => {
  const array = await openSample();
  let chunks = 0;
  for await (const chunk of array.readChunks(null, { concurrency: 1 })) {
    chunks += 1;
    chunk.release();
  }
  t.is(chunks, 64);
});

test('release detaches: the view is empty from then on, and again is no error', async (t) => {
  const array = await openSample();
  for await (const chunk of array.readChunks()) {
    t.is(chunk.data.length, 64 * 256);
    chunk.release();
    t.is(chunk.data.length, 0);
    t.notThrows(() => {
      chunk.release();
    });
  }
});

test('a consumer that keeps every chunk keeps the right values', async (t) => {
  const array = await openSample();
  const kept = [];
  for await (const chunk of array.readChunks()) kept.push(chunk);
  const expected = sampleElements(sample);
  for (const { data, origin } of kept) {
    const start = origin[0]! * 256;
    t.deepEqual(data, expected.subarray(start, start + 64 * 256));
  }
  t.true(memoryUsage().heldBytes >= 4096 * 256 * 4);
});

test('the budget is not exceeded by a consumer that never reads on', async (t) => {
  const array = await openSample();
  const reader = array.readChunks(null, { memory: '1MiB' });
  const first = await reader.next();
  t.false(first.done);
  t.is((await array.get([0, 0])).data.length, 1);
  const { peakReservedBytes } = reader.stats;
  t.true(peakReservedBytes > 0 && peakReservedBytes <= 2 ** 20, `${peakReservedBytes}`);
  await reader.close();
});

test('break stops reading and later calls give the end', async (t) => {
  const array = await openSample();
  const reader = array.readChunks();
  for await (const chunk of reader) {
    t.is(chunk.data.length, 64 * 256);
    break;
  }
  t.deepEqual(await reader.next(), { done: true, value: undefined });
  t.deepEqual(await reader.return(), { done: true, value: undefined });
});

test('close before, during and after reading', async (t) => {
  const array = await openSample();
  const unread = array.readChunks();
  await unread.close();
  t.true((await unread.next()).done);

  const pending = array.readChunks();
  const next = pending.next();
  await pending.close();
  await pending.close();
  const answer = await next;
  t.true(answer.done === true || answer.value.data.length > 0);
  t.true((await pending.next()).done);
});

test('asyncDispose closes', async (t) => {
  const array = await openSample();
  const reader = array.readChunks();
  await reader.next();
  await reader[Symbol.asyncDispose]();
  t.true((await reader.next()).done);
});

test('calls of next() that overlap each get a chunk of their own', async (t) => {
  const array = await openSample();
  const reader = array.readChunks();
  const answers = await Promise.all(Array.from({ length: 70 }, () => reader.next()));
  const delivered = answers.filter((answer) => answer.done !== true);
  t.is(delivered.length, 64);
  t.is(new Set(delivered.map((answer) => answer.value.coords.join())).size, 64);
});

test('a closed reader gives its memory back', async (t) => {
  const array = await openSample();
  for (let round = 0; round < 50; round += 1) {
    const reader = array.readChunks();
    const { value } = await reader.next();
    value?.release();
    await reader.close();
  }
  while (memoryUsage().reservedBytes > 0) await new Promise(setImmediate);
  t.pass();
});

test('an empty selection has no chunks', async (t) => {
  const array = await openSample();
  const reader = array.readChunks([{ start: 5, stop: 5 }, null]);
  t.deepEqual(await reader.next(), { done: true, value: undefined });
});

test('a broken chunk ends the iteration with its error', async (t) => {
  const broken = hostileFixtures.find(
    ({ code, operation }) => code === 'ERR_LSIO_CHECKSUM' && operation === 'get',
  );
  const array = await openArray(hostilePath(broken!.path));
  const reader = array.readChunks();
  const error = await t.throwsAsync(async () => {
    for await (const chunk of reader) chunk.release();
  });
  if (!isLsioError(error, 'ERR_LSIO_CHECKSUM')) return t.fail(error?.stack);
  t.true(Array.isArray(error.chunk));
  t.true(error.path?.includes(broken!.path));
  t.regex(error.stack ?? '', /chunk-reader\.test/);
  return t.true((await reader.next()).done);
});

test('statistics count what was read', async (t) => {
  const array = await openSample();
  const reader = array.readChunks();
  for await (const chunk of reader) chunk.release();
  const { stats } = reader;
  t.is(stats.bytesDecoded, 4096 * 256 * 4);
  t.is(stats.bytesRead, 4096 * 256 * 4);
});

const smallSample = { shape: [4096, 256], rowsPerChunk: 1 } as const;
const small = sampleInMemory(smallSample);

test('small chunks share a buffer: the last release detaches it, each chunk is empty after its own', async (t) => {
  const array = await openArray(await small);
  const chunks = [];
  for await (const chunk of array.readChunks()) chunks.push(chunk);
  t.is(chunks.length, 4096);
  const byBuffer = groupByBuffer(chunks);
  t.true(byBuffer.size < chunks.length / 8, `${byBuffer.size} buffers`);
  for (const [buffer, sharers] of byBuffer) {
    const views = sharers.map(({ data }) => data as Float32Array);
    for (const [index, chunk] of sharers.entries()) {
      t.true(buffer.byteLength > 0);
      chunk.release();
      // Further calls count for nothing.
      chunk.release();
      t.is(chunk.data.length, 0);
      const isLast = index === sharers.length - 1;
      t.is(views[index]!.length, isLast ? 0 : 256);
    }
    t.is(buffer.byteLength, 0);
  }
});

test('small chunks that are kept have the right values', async (t) => {
  const array = await openArray(await small);
  const expected = sampleElements(smallSample);
  const kept = [];
  for await (const chunk of array.readChunks()) {
    if (chunk.coords[0]! % 3 === 0) kept.push(chunk);
    else chunk.release();
  }
  for (const { data, origin } of kept) {
    t.deepEqual(data, expected.subarray(origin[0]! * 256, (origin[0]! + 1) * 256));
  }
});

test('what shares a buffer counts as held until its last chunk is released', async (t) => {
  const array = await openArray(await small);
  const reader = array.readChunks([{ start: 0, stop: 600 }, null], { order: 'grid' });
  const chunks = [];
  for await (const chunk of reader) chunks.push(chunk);
  const last = chunks.pop()!;
  const heldByLast = (last.data as Float32Array).buffer.byteLength;
  t.true(memoryUsage().heldBytes >= heldByLast);
  for (const chunk of chunks) chunk.release();
  await new Promise(setImmediate);
  t.true(last.data.length === 256 && memoryUsage().heldBytes >= heldByLast);
  last.release();
  t.is(last.data.length, 0);
});

test('a transferred buffer is its new owner’s: release leaves it alone', async (t) => {
  const array = await openArray(await small);
  for await (const chunk of array.readChunks([{ start: 0, stop: 2 }, null])) {
    const { buffer } = chunk.data as Float32Array<ArrayBuffer>;
    // Absent on Node 20.
    const { transfer } = buffer as { transfer?: () => ArrayBuffer };
    const transferred = transfer?.call(buffer);
    t.notThrows(() => {
      chunk.release();
    });
    if (transferred !== undefined) t.true(transferred.byteLength > 0);
    break;
  }
});

test('a closed reader gives back what it fetched ahead', async (t) => {
  const array = await openArray(await small);
  for (let round = 0; round < 20; round += 1) {
    const reader = array.readChunks();
    for (let taken = 0; taken < 300; taken += 1) (await reader.next()).value?.release();
    await reader.close();
  }
  while (memoryUsage().reservedBytes > 0) await new Promise(setImmediate);
  t.pass();
});

function groupByBuffer<T extends { readonly data: unknown }>(
  chunks: readonly T[],
): Map<ArrayBufferLike, T[]> {
  const groups = new Map<ArrayBufferLike, T[]>();
  for (const chunk of chunks) {
    const { buffer } = chunk.data as Float32Array;
    groups.set(buffer, [...(groups.get(buffer) ?? []), chunk]);
  }
  return groups;
}
