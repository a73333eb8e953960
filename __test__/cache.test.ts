// The cache of decoded chunks: what it saves, what it never brings, and which sizes it takes.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { configure } from 'light-speed-io';
import { answerOf } from './program.js';
import { sampleInFolder } from './sample-array.js';

const folder = mkdtempSync(join(import.meta.dirname, '../.setup/cache-test-'));
const shape = [64, 64] as const;
const chunkBytes = 16 * 64 * 4;
const tileOf = (add: number): string =>
  JSON.stringify(Array.from({ length: 10 }, (_, index) => 2 * 64 + 10 + index + add));

test.after.always(() => {
  rmSync(folder, { recursive: true });
});

interface Served {
  readonly values: string[];
  readonly bytesRead: number;
  readonly bytesDecoded: number;
  readonly hits: number;
  readonly misses: number;
}

interface Answer {
  readonly first: Served;
  readonly second: Served;
  readonly readerHits: number;
  readonly usage: { readonly reservedBytes: number; readonly cachedBytes: number };
  readonly cacheBytes: number;
}

/** Serves tiles of an array of its own, whose chunk is replaced by one with 1000 more in each element. */
async function serve(name: string, cache: string | number | null): Promise<Answer> {
  const location = sampleInFolder(join(folder, name), { shape, rowsPerChunk: 16 });
  const replacement = join(folder, `${name}-replacement`);
  const values = Float32Array.from({ length: 16 * 64 }, (_, index) => index + 1000);
  writeFileSync(replacement, new Uint8Array(values.buffer));
  const chunk = join(location, 'c/0/0');
  const args = [location, chunk, replacement, JSON.stringify(cache)];
  return (await answerOf('cached-tiles', args)) as Answer;
}

test('with a cache, a tile server reads a chunk once and a replaced chunk once more', async (t) => {
  const { first, second, readerHits, usage, cacheBytes } = await serve('cached', '1MiB');
  t.deepEqual(first.values, [tileOf(0)]);
  t.deepEqual(second.values, [tileOf(1000)]);
  for (const served of [first, second]) {
    t.is(served.bytesRead, chunkBytes);
    t.is(served.bytesDecoded, chunkBytes);
    t.is(served.misses, 1);
    t.is(served.hits, 199);
  }
  t.is(readerHits, 1);
  t.is(usage.reservedBytes, 0);
  t.true(usage.cachedBytes >= chunkBytes && usage.cachedBytes <= cacheBytes);
  t.is(cacheBytes, 2 ** 20);
});

for (const [name, cache] of [
  ['default', null],
  ['off', 0],
] as const) {
  test(`without decoded chunks in the cache (${name}), each call reads`, async (t) => {
    const { first, second, usage } = await serve(name, cache);
    t.deepEqual([first.values, second.values], [[tileOf(0)], [tileOf(1000)]]);
    for (const served of [first, second]) {
      t.is(served.bytesRead, 200 * chunkBytes);
      t.is(served.hits + served.misses, 0);
    }
    t.is(usage.cachedBytes + usage.reservedBytes, 0);
  });
}

test('sizes that mean nothing are refused', (t) => {
  const given = (cache: unknown) => () => {
    configure({ cache } as object);
  };
  t.throws(given(-1), { instanceOf: RangeError, message: /option 'cache' of configure is -1/ });
  t.throws(given(1.5), { instanceOf: RangeError });
  t.throws(given(Number.NaN), { instanceOf: RangeError });
  t.throws(given('much'), { instanceOf: TypeError, message: /"much"/ });
  t.throws(given(true), { instanceOf: TypeError });
  t.throws(given({}), { instanceOf: TypeError });
  t.throws(given('1000TiB'), { code: 'ERR_LSIO_BUDGET', message: /1099511627776000/ });
});
