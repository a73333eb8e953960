// LsioStore: bytes of any location, as zarrita's stores bring them.

import { inspect } from 'node:util';
import FileSystemStore from '@zarrita/storage/fs';
import test from 'ava';
import { deleteMemoryStore, memoryUsage, writeMemoryStore } from 'light-speed-io';
import { LsioStore, open } from 'light-speed-io/zarrita';
import * as zarrita from 'zarrita';
import { serveFixtures } from './file-server.js';
import { fixturePath } from './fixtures.js';
import { described } from './zarrita-fixtures.js';
import { runProgram } from './program.js';

const DEMO = fixturePath('demo');
const CHUNK = '/air_temperature/c/0/0';

test('objects and ranges are those of the files', async (t) => {
  const [store, files] = [new LsioStore(DEMO), new FileSystemStore(DEMO)];
  const whole = await store.get(CHUNK);
  t.deepEqual(whole && Buffer.from(whole), (await files.get(CHUNK)) as Buffer | undefined);
  for (const range of [{ offset: 3, length: 10 }, { suffixLength: 7 }, { offset: 5, length: 0 }]) {
    const bytes = await store.getRange(CHUNK, range);
    t.true(bytes instanceof Uint8Array);
    t.deepEqual(bytes && Buffer.from(bytes), (await files.getRange(CHUNK, range)) as Buffer);
  }
  t.is(await store.get('/nothing'), undefined);
  t.is(await store.getRange('/nothing', { suffixLength: 1 }), undefined);
});

test('what cannot be read is an error', async (t) => {
  const store = new LsioStore(DEMO);
  const { length } = (await store.get(CHUNK)) ?? [];
  const code = (expected: string): { code: string } => ({ code: expected });
  const behind = { offset: length ?? 0, length: 1 };
  await t.throwsAsync(store.getRange(CHUNK, behind), code('ERR_LSIO_TRUNCATED'));
  await t.throwsAsync(store.getRange(CHUNK, { suffixLength: 2 ** 52 }), code('ERR_LSIO_TRUNCATED'));
  await t.throwsAsync(store.get('/../demo/zarr.json'), code('ERR_LSIO_METADATA'));
  await t.throwsAsync(store.get('zarr.json' as '/'), code('ERR_LSIO_METADATA'));
  await t.throwsAsync(store.get('/air_temperature'), code('ERR_LSIO_IO'));
  await t.throwsAsync(store.getRange(CHUNK, { offset: -1, length: 1 }), { instanceOf: RangeError });
  await t.throwsAsync(store.getRange(CHUNK, { suffixLength: 0.5 }), { instanceOf: RangeError });
  t.throws(() => new LsioStore(7 as unknown as string), { instanceOf: TypeError });
});

test('a signal aborts a read', async (t) => {
  const store = new LsioStore(DEMO);
  const controller = new AbortController();
  const reading = store.get(CHUNK, { signal: controller.signal });
  controller.abort(new Error('enough'));
  await t.throwsAsync(reading, { message: 'enough' });
  await t.throwsAsync(store.get(CHUNK, { signal: controller.signal }), { message: 'enough' });
});

test('bytes are held until they are garbage, and nothing stays reserved', async (t) => {
  const store = new LsioStore(DEMO);
  const before = memoryUsage().heldBytes;
  const bytes = await Promise.all(Array.from({ length: 50 }, () => store.get(CHUNK)));
  t.is(new Set(bytes.map((one) => one?.length)).size, 1);
  t.true(memoryUsage().heldBytes > before);
  t.is(memoryUsage().reservedBytes, 0);
});

test('zarrita decodes bytes of archives, memory and URLs', async (t) => {
  const files = await zarrita.open(new FileSystemStore(DEMO), { kind: 'group' });
  const expected = described(
    await zarrita.get(await zarrita.open(files.resolve('air_temperature'), { kind: 'array' })),
  );
  const source = new LsioStore(new URL(`file://${DEMO}`));
  const keys = ['/zarr.json', CHUNK];
  const array = await zarrita.open(zarrita.root(source).resolve('air_temperature'), {
    kind: 'array',
  });
  t.deepEqual(described(await zarrita.get(array)), expected);
  const entries: [string, Uint8Array][] = [];
  for (const key of ['/air_temperature/zarr.json', ...keys]) {
    entries.push([key.slice(1), (await source.get(key as '/')) as Uint8Array]);
  }
  await writeMemoryStore('memory://zarrita', entries);
  const memory = new LsioStore('memory://zarrita/air_temperature');
  t.deepEqual(await memory.get('/zarr.json'), await source.get('/air_temperature/zarr.json'));
  t.true(deleteMemoryStore('memory://zarrita'));
  const archive = new LsioStore(fixturePath('zip/shards-deflated.zip'));
  const zipped = await zarrita.open(archive);
  t.truthy(zipped.kind);
});

test('arrays over it are read natively', async (t) => {
  const location = zarrita.root(new LsioStore(DEMO)).resolve('air_temperature');
  const array = await open(location, { kind: 'array' });
  const expected = await zarrita.open(location, { kind: 'array' });
  t.deepEqual(described(await zarrita.get(array)), described(await zarrita.get(expected)));
});

test('a query goes with each request, and is not shown', async (t) => {
  const server = await serveFixtures(({ url }) => (url?.includes('refused') ? 403 : undefined));
  t.teardown(() => server.close());
  const location = `${server.url}/zarr3/codecs/int32-zstd`;
  const store = new LsioStore(`${location}?sig=hidden`);
  t.is(store.location, location);
  const array = await open(zarrita.root(store), { kind: 'array' });
  t.is((await zarrita.get(array)).shape.length, 2);
  t.true(server.requests.length > 1);
  t.true(server.requests.every(({ url }) => url.endsWith('?sig=hidden')));
  const refused = new LsioStore(new URL(`${server.url}/refused?sig=hidden`));
  const error = await t.throwsAsync(refused.get('/zarr.json'), { code: 'ERR_LSIO_ACCESS' });
  const text = String(error);
  for (const shown of [inspect([store, refused, array, error]), JSON.stringify(store), text]) {
    t.false(shown.includes('hidden'), shown);
  }
  t.is(new LsioStore('s3://user:hidden@bucket/a').location, 's3://bucket/a');
  t.is(new LsioStore('data/is it? #1').location, 'data/is it? #1');
});

test('the package itself needs no zarrita', async (t) => {
  const { exitCode, stdout, stderr } = await runProgram('without-zarrita', []);
  t.is(exitCode, 0, stderr);
  t.deepEqual(JSON.parse(stdout), { array: 'array', adapter: 'ERR_MODULE_NOT_FOUND' });
});
