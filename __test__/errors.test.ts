// Errors: what they say, where they point, and how they are told apart.

import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { expectTypeOf } from 'expect-type';
import { isLsioError, LsioError, open, openArray, writeMemoryStore } from 'light-speed-io';
import { hostileFixtures, hostilePath } from './fixtures.js';
import { answerOf } from './program.js';
import { sampleInFolder, sampleObjects } from './sample-array.js';

const folder = mkdtempSync(join(tmpdir(), 'lsio-errors-'));

test.after.always(() => {
  rmSync(folder, { recursive: true });
});

const broken = hostileFixtures.find(
  ({ code, operation }) => code === 'ERR_LSIO_CHECKSUM' && operation === 'get',
)!;

test('an error names array, chunk and codec, and its stack leads to the caller', async (t) => {
  const array = await openArray(hostilePath(broken.path));
  const readAll = async (): Promise<void> => {
    await array.get();
  };
  const error = await t.throwsAsync(readAll());
  if (!isLsioError(error, 'ERR_LSIO_CHECKSUM')) return t.fail(error?.stack);
  t.true(error instanceof Error);
  t.is(error.name, 'LsioError');
  t.true(error.path?.endsWith(broken.path));
  t.deepEqual(error.chunk, [0, 0]);
  t.is(error.codec, 'crc32c');
  t.false(error.retryable);
  t.regex(error.message, /chunk \[0, 0\] of '.*' \(crc32c codec\)/);
  return t.regex(error.stack ?? '', /readAll.*errors\.test/);
});

test('isLsioError narrows by code', (t) => {
  const error: unknown = new LsioError('ERR_LSIO_IO', 'could not read', { cause: 'why' });
  t.true(isLsioError(error));
  t.true(isLsioError(error, 'ERR_LSIO_IO'));
  t.false(isLsioError(error, 'ERR_LSIO_CODEC'));
  t.false(isLsioError(new Error('ERR_LSIO_IO')));
  t.false(isLsioError(null));
  if (isLsioError(error, 'ERR_LSIO_IO')) {
    expectTypeOf(error.code).toEqualTypeOf<'ERR_LSIO_IO'>();
    t.is(error.cause, 'why');
  }
});

test('nothing there is not found, a file in the way is an I/O error', async (t) => {
  await t.throwsAsync(open(join(folder, 'nothing')), { code: 'ERR_LSIO_NOT_FOUND' });
  mkdirSync(join(folder, 'empty'));
  await t.throwsAsync(open(join(folder, 'empty')), { code: 'ERR_LSIO_NOT_FOUND' });
  writeFileSync(join(folder, 'file'), 'text');
  await t.throwsAsync(open(join(folder, 'file', 'below')), { code: 'ERR_LSIO_IO' });
});

test('a loop of symbolic links is an I/O error', async (t) => {
  symlinkSync('loop', join(folder, 'loop'));
  await t.throwsAsync(open(join(folder, 'loop')), { code: 'ERR_LSIO_IO' });
  const location = sampleInFolder(join(folder, 'looping'), {
    shape: [4, 4],
    rowsPerChunk: 2,
  });
  rmSync(join(location, 'c/0/0'));
  symlinkSync('0', join(location, 'c/0/0'));
  const array = await openArray(location);
  await t.throwsAsync(array.get(), { code: 'ERR_LSIO_IO' });
});

test('a path that would leave the store is refused', async (t) => {
  sampleInFolder(join(folder, 'outside'), { shape: [4, 4], rowsPerChunk: 2 });
  mkdirSync(join(folder, 'inside'));
  for (const path of ['../outside', 'a/../../outside', 'a//b', './a']) {
    await t.throwsAsync(open(join(folder, 'inside'), { path }), { code: 'ERR_LSIO_METADATA' });
  }
});

test('a file that may not be read is an access error', async (t) => {
  const location = sampleInFolder(join(folder, 'forbidden'), { shape: [4, 4], rowsPerChunk: 2 });
  t.deepEqual(await answerOf('forbidden-file', [location, folder]), [
    'ERR_LSIO_ACCESS',
    'ERR_LSIO_ACCESS',
  ]);
});

test('a result beyond the largest buffer is refused at once and names the ways out', async (t) => {
  const objects = [...sampleObjects({ shape: [1, 1024], rowsPerChunk: 1 })];
  const [metadataKey, metadata] = objects[0]!;
  const huge = {
    ...(JSON.parse(Buffer.from(metadata).toString()) as object),
    shape: [2 ** 40, 1024],
  };
  await writeMemoryStore('memory://huge', [[metadataKey, Buffer.from(JSON.stringify(huge))]]);
  const array = await openArray('memory://huge');
  t.is(array.nbytes, 2 ** 52);
  const error = await t.throwsAsync(array.get(), { code: 'ERR_LSIO_BUDGET' });
  t.regex(error?.message ?? '', /readChunks.*out/);
  t.is((await array.get([2 ** 40 - 1, 1023])).data[0], 0);
});

test('attributes that look like tags stay as they are', async (t) => {
  const attributes = {
    $lsio: 'bigint',
    value: '1',
    nested: { $lsio: { $lsio: 'number', value: 'NaN' }, list: [{ $lsio: null }] },
  };
  const objects = [...sampleObjects({ shape: [1, 1], rowsPerChunk: 1 })];
  const [metadataKey, metadata] = objects[0]!;
  const tagged = { ...(JSON.parse(Buffer.from(metadata).toString()) as object), attributes };
  await writeMemoryStore('memory://tags', [[metadataKey, Buffer.from(JSON.stringify(tagged))]]);
  t.deepEqual((await openArray('memory://tags')).attrs as unknown, attributes);
});
