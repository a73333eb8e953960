// Arrays on a web server, and the options of stores. Buckets are read from real servers in other files.

import { existsSync } from 'node:fs';
import { inspect } from 'node:util';
import test from 'ava';
import { engineInfo, open, openArray, openGroup, type StorageOptions } from 'light-speed-io';
import { arrayEntries } from '../fixtures/entries.mjs';
import { serveFixtures } from './file-server.js';
import { fixturePath } from './fixtures.js';

/** One in so many fixtures is read over the network too: all take longer and show nothing more. */
const EVERY = 4;

test('arrays are the same from a web server as from the disk', async (t) => {
  const server = await serveFixtures();
  t.teardown(() => server.close());
  const entries = arrayEntries().filter((_, index) => index % EVERY === 0);
  t.true(entries.length > 20);
  await Promise.all(
    entries.map(async ({ path, zarrFormat }) => {
      const local = await openArray(fixturePath(path), { zarrFormat });
      const remote = await openArray(`${server.url}/${path}`, { zarrFormat });
      t.deepEqual(remote.attrs, local.attrs, path);
      t.deepEqual((await remote.get()).data, (await local.get()).data, path);
    }),
  );
});

test('an array is opened in one round trip, whichever its format is', async (t) => {
  for (const path of ['zarr3/codecs/int32-zstd', 'zarr2/codecs/int32-zstd']) {
    // zarr.json, .zarray, .zgroup, .zattrs: whoever waited for the answer to one of them would wait for ever.
    const server = await serveFixtures(undefined, 4);
    await openArray(`${server.url}/${path}`);
    server.close();
    t.is(server.requests.length, 4, path);
    t.true(server.requests.every(({ method }) => method === 'GET'));
  }
});

test('a query goes with each request, headers too, and neither is shown', async (t) => {
  const server = await serveFixtures(({ url }) => (url?.includes('refused') ? 403 : undefined));
  t.teardown(() => server.close());
  const storage = { headers: { 'x-token': 'hidden-header' } };
  const location = `${server.url}/zarr3/codecs/int32-zstd?sig=hidden%2Fquery`;
  const array = await openArray(location, { storage });
  await array.get();
  for (const { url, headers } of server.requests) {
    t.true(url.endsWith('?sig=hidden%2Fquery'), url);
    t.is(headers['x-token'], 'hidden-header');
  }
  const error = await t.throwsAsync(open(`${server.url}/refused?sig=hidden`, { storage }), {
    code: 'ERR_LSIO_ACCESS',
  });
  t.false(inspect(error).includes('hidden'), inspect(error));
  t.false(inspect(array.path).includes('hidden'));
});

test('chunks that a server does not have are fill values, those that it refuses are errors', async (t) => {
  const path = 'zarr3/codecs/int32-zstd';
  let status = 404;
  const server = await serveFixtures(({ url }) => (url?.includes('/c/') ? status : undefined));
  t.teardown(() => server.close());
  const array = await openArray(`${server.url}/${path}`);
  const { data } = await array.get();
  t.true([...(data as Iterable<number | bigint>)].every((value) => value === array.fillValue));
  status = 403;
  await t.throwsAsync(array.get(), { code: 'ERR_LSIO_ACCESS' });
});

test('where missing objects are refused, v3 is opened as ever, v2 by its name', async (t) => {
  // As S3 answers somebody who may not list the bucket.
  const server = await serveFixtures(({ url = '' }) =>
    existsSync(fixturePath(url.slice(1))) ? undefined : 403,
  );
  t.teardown(() => server.close());
  const v3 = `${server.url}/zarr3/codecs/int32-zstd`;
  t.is((await openArray(v3)).zarrFormat, 3);
  const v2 = `${server.url}/zarr3/shape/rank1-v2`;
  // There may be a zarr.json, of another array, that others see.
  const error = await t.throwsAsync(openArray(v2), { code: 'ERR_LSIO_ACCESS' });
  t.regex(inspect(error), /may be listed/);
  t.is((await openArray(v2, { zarrFormat: 2 })).zarrFormat, 2);
});

test('groups are opened by name over plain HTTP, and listed from consolidated metadata', async (t) => {
  const server = await serveFixtures();
  t.teardown(() => server.close());
  const group = await openGroup(`${server.url}/demo`);
  t.is((await group.open('air_temperature')).kind, 'array');
  const local = await openGroup(fixturePath('demo'));
  const names = async (of: typeof group) => (await of.members()).map(({ name }) => name);
  t.deepEqual(await names(group), await names(local));
  const unlisted = await openGroup(`${server.url}/zarr3/group/plain-v3`);
  await t.throwsAsync(unlisted.members(), { code: 'ERR_LSIO_UNSUPPORTED' });
  await t.throwsAsync(open(`${server.url}/nothing`), { code: 'ERR_LSIO_NOT_FOUND' });
});

test('requests are counted', async (t) => {
  const server = await serveFixtures();
  t.teardown(() => server.close());
  const before = engineInfo().stores;
  const reader = (await openArray(`${server.url}/zarr3/codecs/int32-zstd`)).readChunks();
  let bytes = 0;
  for await (const chunk of reader) bytes += chunk.data.length;
  t.true(bytes > 0);
  t.true(reader.stats.bytesByRoute.objectStore > 0);
  const { stores } = engineInfo();
  t.true(stores.requests > before.requests && stores.bytesReceived > before.bytesReceived);
  t.true((stores.firstByteMsP50 ?? 0) > 0 && (stores.firstByteMsP99 ?? 0) > 0);
});

test('options are checked, and no message repeats a secret', async (t) => {
  const opened = (storage: unknown, location = 's3://bucket/array') =>
    open(location, { storage: storage as StorageOptions });
  for (const [storage, expected] of [
    [{ endpont: 'x' }, /no option 'endpont'/],
    [{ region: 5 }, /'region'.*is 5; expected a string/],
    [{ secretAccessKey: 12345 }, /'secretAccessKey'.*is no string$/],
    [{ headers: ['a'] }, /expected an object/],
    [{ headers: { a: 7 } }, /'a' in .* is no string/],
    [{ anonymous: 'yes' }, /expected true or false/],
  ] as const) {
    await t.throwsAsync(opened(storage), { instanceOf: TypeError, message: expected });
  }
  await t.throwsAsync(opened({ maxConcurrency: 0 }), { instanceOf: RangeError });
  await t.throwsAsync(opened({ maxRetries: -1 }), { instanceOf: RangeError });
  for (const [storage, location, code] of [
    [{ accessKeyId: 'only' }, 's3://bucket/array', 'ERR_LSIO_UNSUPPORTED'],
    [{ account: 'x' }, 's3://bucket/array', 'ERR_LSIO_UNSUPPORTED'],
    [{ region: 'x' }, 'https://localhost/array', 'ERR_LSIO_UNSUPPORTED'],
    [{ region: 'x' }, '/tmp', 'ERR_LSIO_UNSUPPORTED'],
    [{}, 'http://example.org/array', 'ERR_LSIO_ACCESS'],
    [{}, 'https://user:hidden@example.org/array?hidden', 'ERR_LSIO_NOT_FOUND'],
  ] as const) {
    const error = await t.throwsAsync(opened(storage, location), { code });
    t.false(inspect(error).includes('hidden'), inspect(error));
  }
});

test('a server that cannot be reached is an error that says so', async (t) => {
  const server = await serveFixtures();
  server.close();
  const error = await t.throwsAsync(open(`${server.url}/zarr3`, { storage: { maxRetries: 1 } }), {
    code: 'ERR_LSIO_IO',
  });
  t.regex(inspect(error), /refused/i);
});
