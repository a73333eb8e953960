// Stores in memory.

import test from 'ava';
import {
  deleteMemoryStore,
  open,
  openArray,
  writeMemoryStore,
  type MemoryLocation,
} from 'light-speed-io';
import { sampleElements, sampleObjects } from './sample-array.js';

const sample = { shape: [300, 2048], rowsPerChunk: 200 } as const;

test('what was written is read', async (t) => {
  await writeMemoryStore('memory://written', sampleObjects(sample));
  const { data } = await (await openArray('memory://written')).get();
  t.deepEqual(data, sampleElements(sample));
});

test('members are opened by path', async (t) => {
  const objects = [...sampleObjects(sample)].map(([key, value]): [string, Uint8Array] => [
    `a/b/${key}`,
    value,
  ]);
  await writeMemoryStore('memory://nested', objects);
  t.is((await open('memory://nested', { path: 'a/b' })).kind, 'array');
  t.is((await open('memory://nested/a/b')).kind, 'array');
});

test('later changes of the bytes that were given do not show', async (t) => {
  const objects = [...sampleObjects(sample)];
  await writeMemoryStore('memory://copied', objects);
  for (const [, value] of objects) value.fill(0);
  const { data } = await (await openArray('memory://copied')).get([0, { start: 0, stop: 3 }]);
  t.deepEqual(data, new Float32Array([0, 1, 2]));
});

test('a deleted store is gone', async (t) => {
  await writeMemoryStore('memory://deleted', sampleObjects(sample));
  t.true(deleteMemoryStore('memory://deleted'));
  t.false(deleteMemoryStore('memory://deleted'));
  await t.throwsAsync(open('memory://deleted'), { code: 'ERR_LSIO_NOT_FOUND' });
});

test('names and keys are checked', async (t) => {
  for (const name of ['memory://', 'memory:', '/tmp/x', 'memory://a/b']) {
    await t.throwsAsync(writeMemoryStore(name as MemoryLocation, []), {
      code: 'ERR_LSIO_UNSUPPORTED',
    });
  }
  await t.throwsAsync(writeMemoryStore('memory://keys', [['../up', new Uint8Array(1)]]), {
    code: 'ERR_LSIO_METADATA',
  });
  await t.throwsAsync(writeMemoryStore('memory://keys', [['a', 'text' as unknown as Uint8Array]]), {
    instanceOf: TypeError,
  });
});
