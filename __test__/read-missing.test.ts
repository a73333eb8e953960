// Chunks that do not exist: fill values, or an error that names them, as the caller wants.

import test from 'ava';
import {
  LsioError,
  openArray,
  openGroup,
  slice,
  writeMemoryStore,
  type LsioArray,
  type MemoryLocation,
  type ReadMissing,
} from 'light-speed-io';
import { fixturePath } from './fixtures.js';
import { sampleObjects } from './sample-array.js';

const location: MemoryLocation = 'memory://read-missing';
const sample = { shape: [10, 4], rowsPerChunk: 3 } as const;

test.before(async () => {
  const objects = [...sampleObjects(sample)].filter(([key]) => key !== 'c/2/0');
  const group = { zarr_format: 3, node_type: 'group' };
  await writeMemoryStore(location, [
    ['zarr.json', Buffer.from(JSON.stringify(group))],
    ...objects.map(([key, value]): [string, Uint8Array] => [`a/${key}`, value]),
  ]);
});

async function readAllChunks(array: LsioArray, readMissing?: ReadMissing): Promise<number> {
  let count = 0;
  for await (const chunk of array.readChunks(null, { readMissing })) count += chunk.data.length;
  return count;
}

/** Every way to read the missing chunk. */
const reads: readonly [name: string, read: typeof readAllChunks][] = [
  ['get', async (array, readMissing) => (await array.get(null, { readMissing })).data.length],
  ['getMany', async (array, readMissing) => (await array.getMany([null], { readMissing })).length],
  [
    'getChunk',
    async (array, readMissing) => (await array.getChunk([2, 0], { readMissing })).data.length,
  ],
  ['readChunks', readAllChunks],
  ['mean', (array, readMissing) => array.mean({ readMissing })],
];

for (const [name, read] of reads) {
  test(`${name} refuses a missing chunk if it is told to`, async (t) => {
    const array = await openArray(location, { path: 'a' });
    t.true((await read(array)) > 0);
    const error = await t.throwsAsync(read(array, 'error'), {
      instanceOf: LsioError,
      code: 'ERR_LSIO_NOT_FOUND',
    });
    t.deepEqual(error.chunk, [2, 0]);
    t.is(error.path, array.path);
    t.regex(error.message, /chunk \[2, 0\] of 'memory:\/\/read-missing\/a'/);
  });

  test(`${name} does as the array was opened unless it is told otherwise`, async (t) => {
    const array = await openArray(location, { path: 'a', readMissing: 'error' });
    await t.throwsAsync(read(array), { code: 'ERR_LSIO_NOT_FOUND' });
    t.true((await read(array, 'fill')) > 0);
  });
}

test('members do as their group was opened', async (t) => {
  const group = await openGroup(location, { readMissing: 'error' });
  const opened = await group.open('a');
  const [member] = await group.members();
  t.is(opened.kind, 'array');
  t.is(member?.kind, 'array');
  if (opened.kind !== 'array' || member?.kind !== 'array') return;
  for (const array of [opened, member.array]) {
    await t.throwsAsync(array.get(), { code: 'ERR_LSIO_NOT_FOUND' });
    t.is((await array.get([slice(0, 6), null])).data.length, 24);
  }
});

test('an inner chunk that its shard does not have is a missing chunk', async (t) => {
  const array = await openArray(fixturePath('zarr3/shard/end-missing'));
  for (const coords of [
    [0, 1],
    [0, 2],
  ]) {
    const error = await t.throwsAsync(array.getChunk(coords, { readMissing: 'error' }), {
      instanceOf: LsioError,
      code: 'ERR_LSIO_NOT_FOUND',
    });
    t.deepEqual(error.chunk, coords);
  }
  t.is((await array.getChunk([0, 0], { readMissing: 'error' })).data.length, 4);
});

test('only the two words are known', async (t) => {
  const array = await openArray(location, { path: 'a' });
  await t.throwsAsync(array.get(null, { readMissing: 'skip' as ReadMissing }), {
    message: /option 'readMissing' of get is "skip"; expected one of "fill", "error"/,
  });
  await t.throwsAsync(openArray(location, { readMissing: true as unknown as ReadMissing }), {
    instanceOf: TypeError,
  });
});
