// Fields of records on the command line.

import test from 'ava';
import { npyHeader, npyTypeString } from '../lib/cli/npy.js';
import { dataTypeFixtures, fixturePath } from './fixtures.js';
import { lsio, lsioJson } from './lsio-process.js';

for (const [path, field, dtype, ownShape] of [
  ['structs-zarr3/nested', 'point.deep.y', 'uint64', []],
  ['structs-zarr2/nested-c', 'z', 'complex64', [3]],
] as const) {
  test(`get --field reads ${field} of ${path}`, async (t) => {
    const fixture = dataTypeFixtures.find((entry) => entry.path === path);
    const { hex, shape } = fixture?.fields?.[field] ?? { hex: '', shape: [] };
    t.deepEqual(shape, [5, 6, ...ownShape]);
    const { code, stdout, stderr } = await lsio([
      'get',
      fixturePath(path),
      '--field',
      field,
      '-o',
      '-',
    ]);
    t.is(code, 0, stderr);
    const header = npyHeader(npyTypeString(dtype, { itemBytes: null }), shape);
    t.true(stdout.equals(Buffer.concat([header, Buffer.from(hex, 'hex')])));
    t.like(await lsioJson('info', fixturePath(path), '--field', field), {
      dtype,
      shape: [...shape],
    });
    t.like(await lsioJson('get', fixturePath(path), '-f', field, '-s', '::-2,1'), {
      dtype,
      shape: [3, ...ownShape],
    });
  });
}

interface Stats {
  readonly min: number;
  readonly max: number;
  readonly missing: number;
  readonly count: number;
}

test('stats --field folds one field of records', async (t) => {
  const path = 'structs-zarr3/flat';
  const fixture = dataTypeFixtures.find((entry) => entry.path === path);
  const bytes = Buffer.from(fixture?.fields?.['value']?.hex ?? '', 'hex');
  const values = Array.from({ length: 30 }, (_, index) => bytes.readDoubleLE(index * 8));
  const stats = await lsioJson<Stats>('stats', fixturePath(path), '--field', 'value');
  const present = values.filter((value) => !Number.isNaN(value));
  t.is(stats.count, 30);
  t.is(stats.missing, 30 - present.length);
  t.is(stats.min, Math.min(...present));
  t.is(stats.max, Math.max(...present));
});

test('a field that is not there is an error, and info lists those that are', async (t) => {
  const path = fixturePath('structs-zarr3/flat');
  const { code, stderr } = await lsio(['get', path, '--field', 'vlaue']);
  t.is(code, 1);
  t.regex(stderr, /ERR_LSIO_UNSUPPORTED.*vlaue|vlaue.*ERR_LSIO_UNSUPPORTED/s);
  const { stdout } = await lsio(['info', path]);
  t.regex(stdout.toString(), /fields +id: int32\n +value: float64\n/);
  const group = await lsio(['info', fixturePath('demo'), '--field', 'value']);
  t.is(group.code, 2);
  t.regex(group.stderr, /--field is for arrays/);
});
