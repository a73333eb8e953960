// Wrong options are refused with a message that names the option; right ones are understood.

import { inspect } from 'node:util';
import test from 'ava';
import { open, openArray, type GetOptions } from 'light-speed-io';
import { fixturePath } from './fixtures.js';

const array = openArray(fixturePath('zarr3/selection/plain'));

const wrong: readonly [options: object, message: RegExp][] = [
  [{ memroy: 1 }, /get has no option 'memroy'; its options are .*memory/],
  [{ io: 'fast' }, /option 'io' of get is "fast"; expected one of "auto", "direct", "buffered"/],
  [{ memory: 'lots' }, /option 'memory' of get is "lots"/],
  [{ memory: '5 parsecs' }, /option 'memory' of get/],
  [{ memory: 0 }, /expected an integer of at least 1/],
  [{ memory: 1.5 }, /expected an integer of at least 1/],
  [{ memory: null }, /option 'memory' of get is null/],
  [{ signal: {} }, /option 'signal' of get .*expected an AbortSignal/],
  [{ onProgress: 1 }, /option 'onProgress' of get/],
  [{ as: 'decimal' }, /option 'as' of get is "decimal"/],
  [{ out: [] }, /option 'out' of get .*expected a typed array/],
  [{ out: new Float32Array(693) }, /'out' of get is a Float32Array; int32 needs a Int32Array/],
];

for (const [options, message] of wrong) {
  test(`get refuses ${inspect(options)}`, async (t) => {
    const error = await t.throwsAsync((await array).get(null, options as GetOptions), { message });
    t.true(error instanceof TypeError || error instanceof RangeError);
  });
}

test('options that are no object are refused', async (t) => {
  await t.throwsAsync((await array).get(null, 1 as unknown as GetOptions), {
    instanceOf: TypeError,
  });
  await t.throwsAsync((await array).get(null, null as unknown as GetOptions), {
    instanceOf: TypeError,
  });
});

test('a form that the data type does not have is unsupported', async (t) => {
  const options = { as: 'bits' } as unknown as GetOptions;
  await t.throwsAsync((await array).get(null, options), {
    code: 'ERR_LSIO_UNSUPPORTED',
    message: /int32 cannot be read as 'bits'/,
  });
});

test('sizes are numbers or texts, undefined is absent', async (t) => {
  for (const memory of [2 ** 26, '64MiB', '64 MiB', '0.5GB', '67108864', '65536 kib', undefined]) {
    t.is((await (await array).get([0, 0, 0], { memory })).data.length, 1);
  }
});

test('readChunks checks its own options', async (t) => {
  const opened = await array;
  t.throws(() => opened.readChunks(null, { concurrency: 0 }), { instanceOf: RangeError });
  t.throws(() => opened.readChunks(null, { order: 'random' as 'grid' }), { instanceOf: TypeError });
});

test('a location is a string or a URL', async (t) => {
  await t.throwsAsync(open(7 as unknown as string), { instanceOf: TypeError });
  const url = new URL('../fixtures/data/zarr3/selection/plain', import.meta.url);
  t.is((await open(url)).kind, 'array');
  t.is((await open(url.href)).kind, 'array');
});

test('the wrong kind and a wrong format are not found', async (t) => {
  const group = fixturePath('zarr3/group/plain-v3');
  await t.throwsAsync(openArray(group), { code: 'ERR_LSIO_NOT_FOUND', message: /but a group/ });
  await t.throwsAsync(open(group, { zarrFormat: 2 }), { code: 'ERR_LSIO_NOT_FOUND' });
});

for (const location of ['ftp://host/key', 'hdfs://host/key']) {
  test(`${location.split(':')[0]} is not supported`, async (t) => {
    await t.throwsAsync(open(location), { code: 'ERR_LSIO_UNSUPPORTED' });
  });
}
