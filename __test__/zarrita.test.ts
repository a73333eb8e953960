// 'light-speed-io/zarrita' against the published zarrita: the same arrays read both ways.

import { isDeepStrictEqual } from 'node:util';
import FetchStore from '@zarrita/storage/fetch';
import FileSystemStore from '@zarrita/storage/fs';
import test from 'ava';
import * as native from 'light-speed-io/zarrita';
import * as zarrita from 'zarrita';
import { serveFixtures } from './file-server.js';
import { fixturePath } from './fixtures.js';
import {
  described,
  lastChunk,
  openFixture,
  zarritaFixtures,
  zarritaIsWrong,
  type FileArray,
  type ZarritaFixture,
} from './zarrita-fixtures.js';

async function openBoth(path: string, zarrFormat: 2 | 3): Promise<[FileArray, FileArray]> {
  const fixture = { path, zarrFormat };
  return [await openFixture(zarrita.open, fixture), await openFixture(native.open, fixture)];
}

/** What zarrita reads of a fixture: everything, and the last chunk; undefined if it cannot. */
async function readByZarrita(fixture: ZarritaFixture): Promise<unknown[] | undefined> {
  try {
    const array = await openFixture(zarrita.open, fixture);
    return [await zarrita.get(array), await array.getChunk(lastChunk(array))].map(described);
  } catch {
    return undefined;
  }
}

test('every fixture that zarrita reads has the same results natively', async (t) => {
  let compared = 0;
  for (const fixture of zarritaFixtures) {
    const expected = await readByZarrita(fixture);
    // It takes the chunks behind the codecs in front of a shard for those in front of them.
    if (expected === undefined || /shard\/[a-z]+-before$/.test(fixture.path)) continue;
    const array = await openFixture(native.open, fixture);
    const results = [
      await native.get(array),
      await array.getChunk(lastChunk(array)),
      await zarrita.get(array),
    ].map(described);
    const same = isDeepStrictEqual(results, [...expected, expected[0]]);
    t.is(same, !zarritaIsWrong(fixture.path), fixture.path);
    compared += Number(same);
  }
  // As many as there were when this was written; more come with more fixtures.
  t.true(compared >= 649, `${compared} compared`);
});

/** Numbers that look random, the same in every run. */
function* numbers(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** Some selection: integers, slices with and without steps and bounds, null. */
function someSelection(
  shape: readonly number[],
  random: Generator<number, never>,
): (null | number | zarrita.Slice)[] {
  const below = (limit: number): number => Math.floor(random.next().value * limit);
  return shape.map((length) => {
    const start = below(length);
    switch (below(5)) {
      case 0:
        return null;
      case 1:
        return start - (below(2) === 0 ? 0 : length);
      case 2:
        return zarrita.slice(start, start + 1 + below(length - start));
      case 3:
        return zarrita.slice(start, null, 1 + below(4));
      default:
        return zarrita.slice(start - length, length + below(3), 1 + below(3));
    }
  });
}

const SELECTED = [
  ['zarr3/codecs/float32-zstd', 3],
  ['zarr3/codecs/bool-zstd', 3],
  ['zarr3/codecs/int64-zstd', 3],
  ['zarr3/codecs/string-zstd', 3],
  ['zarr3/order/float32-f-edge', 2],
  ['zarr2/order/int32-big-f-edge', 2],
  ['zarr3/shape/rank4-edge-v3', 3],
  ['zarr3/shape/rank5-edge-v2', 2],
  ['zarr3/shard/rank3', 3],
  ['zarr3/chain/transpose-string', 3],
  ['types-zarr2/fixed_length_utf32-null', 2],
] as const;

for (const [path, zarrFormat] of SELECTED) {
  test(`selections of ${path} have the same results natively`, async (t) => {
    const [expected, array] = await openBoth(path, zarrFormat);
    const random = numbers(7);
    for (let count = 0; count < 40; count += 1) {
      const selection = someSelection(array.shape, random);
      t.deepEqual(
        described(await native.get(array, selection)),
        described(await zarrita.get(expected, selection)),
        JSON.stringify(selection),
      );
    }
  });
}

test('texts of fixed length in another order of the axes', async (t) => {
  const [expected, array] = await openBoth('types-zarr2/fixed_length_utf32-big-f', 2);
  // The last chunk is missing, and zarrita fills it wrongly.
  const selection = [zarrita.slice(1, 4), zarrita.slice(5)];
  const result = await native.get(array, selection);
  t.deepEqual(result.stride, [1, 3]);
  t.deepEqual(described(result), described(await zarrita.get(expected, selection)));
});

test('a single element is a scalar', async (t) => {
  const [, bools] = await openBoth('zarr3/codecs/bool-zstd', 3);
  t.is(typeof (await native.get(bools, [0, 0])), 'boolean');
  const [, big] = await openBoth('zarr3/codecs/int64-zstd', 3);
  t.is(typeof (await native.get(big, [-1, -1])), 'bigint');
  const [, texts] = await openBoth('zarr3/codecs/string-zstd', 3);
  t.is(typeof (await native.get(texts, [0, 0])), 'string');
  const [expected, alone] = await openBoth('zarr3/shape/rank0-v3', 3);
  t.deepEqual(await native.get(alone), await zarrita.get(expected));
});

test('arrays that zarrita opened are read natively too', async (t) => {
  const [expected] = await openBoth('zarr3/codecs/float32-zstd', 3);
  t.deepEqual(described(await native.get(expected)), described(await zarrita.get(expected)));
  const array = await native.withNativeReads(expected);
  t.true(array instanceof zarrita.Array);
  t.deepEqual([array.shape, array.dtype, array.path], [expected.shape, 'float32', '/']);
  t.deepEqual(described(await array.getChunk([0, 0])), described(await expected.getChunk([0, 0])));
});

test('groups open, and their members are read natively', async (t) => {
  const store = new FileSystemStore(fixturePath('demo'));
  const group = await native.open(store, { kind: 'group' });
  const array = await native.open(group.resolve('air_temperature'), { kind: 'array' });
  const expected = await zarrita.open(group.resolve('air_temperature'), { kind: 'array' });
  t.deepEqual(described(await native.get(array)), described(await zarrita.get(expected)));
});

test('results in shared memory', async (t) => {
  for (const [path, zarrFormat] of SELECTED) {
    const [expected, array] = await openBoth(path, zarrFormat);
    if (expected.dtype === 'string') continue;
    const options = { useSharedArrayBuffer: true };
    const result = await native.get(array, null, options);
    const chunk = await array.getChunk(lastChunk(array), {}, options);
    for (const { data } of [result, chunk]) {
      t.true((data as Uint8Array).buffer instanceof SharedArrayBuffer, path);
    }
    t.deepEqual(described(result), described(await zarrita.get(expected)));
    t.deepEqual(described(chunk), described(await expected.getChunk(lastChunk(expected))));
  }
});

test('the queue of the caller decides when is read', async (t) => {
  const [, array] = await openBoth('zarr3/codecs/float32-zstd', 3);
  const waiting: (() => Promise<void>)[] = [];
  let ran = 0;
  const createQueue = (): {
    add: (work: () => Promise<void>) => void;
    onIdle(): Promise<void[]>;
  } => ({
    add: (work) => waiting.push(work),
    onIdle: () => {
      ran += waiting.length;
      return Promise.all(waiting.map((work) => work()));
    },
  });
  const { shape } = await native.get(array, null, { createQueue });
  t.deepEqual([ran, shape], [1, array.shape]);
});

test('signals abort reads', async (t) => {
  const [, array] = await openBoth('zarr3/codecs/float32-zstd', 3);
  const signal = AbortSignal.abort(new Error('enough'));
  const { signal: quiet } = new AbortController();
  await t.throwsAsync(native.get(array, null, { signal }), { message: 'enough' });
  await t.throwsAsync(native.get(array, null, { signal: quiet, opts: { signal } }), {
    message: 'enough',
  });
  await t.throwsAsync(array.getChunk([0, 0], { signal }), { message: 'enough' });
});

test("wrong selections are zarrita's errors", async (t) => {
  const [, array] = await openBoth('zarr3/codecs/float32-zstd', 3);
  const wrong: (null | number | zarrita.Slice)[][] = [
    [0, 0, 0],
    [0],
    [17, 0],
    [0, -24],
    [zarrita.slice(0, 5, 0), 0],
    [zarrita.slice(5, 0, -1), 0],
    [Number.NaN, 0],
    ['0' as unknown as number, 0],
  ];
  for (const selection of wrong) {
    const error = await t.throwsAsync(
      native.get(array, selection),
      undefined,
      JSON.stringify(selection),
    );
    t.true(zarrita.isZarritaError(error, 'InvalidSelectionError'), JSON.stringify(selection));
  }
});

test('selections of nothing are empty', async (t) => {
  const [, array] = await openBoth('zarr3/codecs/float32-zstd', 3);
  const { data, shape } = await native.get(array, [zarrita.slice(5, 2), null]);
  t.deepEqual([data.length, shape], [0, [0, 23]]);
});

test('other stores are refused', async (t) => {
  const bytes = await new FileSystemStore(fixturePath('zarr3/codecs/float32-none')).get(
    '/zarr.json',
  );
  const entries = new Map([['/zarr.json', bytes as Uint8Array]]);
  class Decrypting extends FileSystemStore {
    override get(key: `/${string}`): Promise<Uint8Array | undefined> {
      return super.get(key);
    }
  }
  const folder = fixturePath('zarr3/codecs/float32-none');
  const extend = zarrita.defineStoreExtension((inner) => ({
    get: (key: `/${string}`) => inner.get(key),
  }));
  for (const store of [entries, new Decrypting(folder), extend(new FileSystemStore(folder))]) {
    const array = await zarrita.open(store, { kind: 'array' });
    await t.throwsAsync(native.withNativeReads(array), { code: 'ERR_LSIO_UNSUPPORTED' });
    await t.throwsAsync(native.get(array), { code: 'ERR_LSIO_UNSUPPORTED' });
    await t.throwsAsync(native.open(store), { code: 'ERR_LSIO_UNSUPPORTED' });
  }
});

test("stores behind zarrita's own extensions are read natively", async (t) => {
  const plain = new FileSystemStore(fixturePath('demo'));
  const stores = [
    await native.withMaybeConsolidatedMetadata(plain),
    native.withByteCaching(plain),
    native.withByteCaching(native.withRangeCoalescing(plain)),
  ];
  for (const store of stores) {
    t.not(store, plain);
    const location = zarrita.root(store).resolve('air_temperature');
    const array = await native.open(location, { kind: 'array' });
    const expected = await zarrita.open(location, { kind: 'array' });
    t.deepEqual(described(await native.get(array)), described(await zarrita.get(expected)));
  }
});

test('stores over HTTP are read natively, with their query', async (t) => {
  const server = await serveFixtures();
  t.teardown(() => server.close());
  for (const [path, name] of [
    ['demo', 'air_temperature'],
    ['zarr2/codecs/float32-big', ''],
  ] as const) {
    const store = new FetchStore(`${server.url}/${path}?token=abc`);
    const location = zarrita.root(store).resolve(name);
    const array = await zarrita.open(location, { kind: 'array' });
    const expected = described(await zarrita.get(array));
    server.requests.length = 0;
    t.deepEqual(described(await native.get(array)), expected);
    t.true(server.requests.length > 1);
    t.true(server.requests.every(({ url }) => url.endsWith('?token=abc')));
    t.true(
      server.requests.every(({ headers }) => headers['user-agent']!.startsWith('light-speed-io/')),
    );
  }
});

test('an array that is not the one in the store is refused', async (t) => {
  const store = new FileSystemStore(fixturePath('zarr3/codecs/float32-none'));
  const { shape } = await zarrita.open(store, { kind: 'array' });
  const other = new zarrita.Array(store, '/', {
    zarr_format: 3,
    node_type: 'array',
    shape,
    data_type: 'int32',
    chunk_grid: { name: 'regular', configuration: { chunk_shape: [...shape] } },
    chunk_key_encoding: { name: 'default' },
    codecs: [{ name: 'bytes', configuration: { endian: 'little' } }],
    fill_value: 0,
    attributes: {},
  });
  await t.throwsAsync(native.withNativeReads(other), { code: 'ERR_LSIO_CONFLICT' });
});
