// The commands of the command line, run as processes on the fixtures.

import { mkdtemp, readFile, readdir, rm, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import test from 'ava';
import { npyHeader, npyTypeString } from '../lib/cli/npy.js';
import { serveFixtures } from './file-server.js';
import { arrayFixtures, fixturePath, hostilePath } from './fixtures.js';
import { lsio, lsioJson as json, lsioProgram, resultOf, startLsio } from './lsio-process.js';

interface Failure {
  readonly error: { readonly code?: string; readonly message: string };
}

const demoStore = fixturePath('demo');
const temperature = fixturePath('demo/air_temperature');

interface Stats {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly missing: number;
  readonly count: number;
}

/** Values that the writer of a fixture read back. */
async function floats(name: string): Promise<Float32Array> {
  const bytes = await readFile(fixturePath(name));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

function temperatures(): Promise<Float32Array> {
  return floats('expected/demo-air_temperature.bin');
}

test.serial('help and version are on standard output, with exit code 0', async (t) => {
  for (const words of [['--help'], ['get', '--help'], ['--version'], ['--help', '--json']]) {
    const { code, stdout, stderr } = await lsio(words);
    t.is(code, 0);
    t.true(stdout.length > 0);
    t.is(stderr, '');
  }
});

test.serial('what is not understood goes to standard error, with exit code 2', async (t) => {
  for (const [words, expected] of [
    [['info', temperature, '--jsno'], '--jsno'],
    [['get', temperature, '--io', 'fast'], '--io'],
    [['inof', temperature], 'did you mean info?'],
    [['get', demoStore], 'choose one with --path: air_temperature, latitude, longitude'],
    [['get', temperature, '-s', '0,0,0'], '3 entries, but the array has 2 dimensions'],
  ] as const) {
    const { code, stdout, stderr } = await lsio(words);
    t.is(code, 2, stderr);
    t.is(stdout.length, 0);
    t.true(stderr.includes(expected), stderr);
    t.true(stderr.includes('--help'), stderr);
  }
});

test.serial(
  'failures have exit code 1, a sentence on standard error and with --json a document',
  async (t) => {
    for (const [words, expected] of [
      [['info', join(demoStore, 'nothing-here')], 'ERR_LSIO_NOT_FOUND'],
      [['get', temperature, '-s', '45'], 'ERR_LSIO_SELECTION'],
      [['info', 'ftp://host/store'], 'ERR_LSIO_UNSUPPORTED'],
    ] as const) {
      const plain = await lsio(words);
      t.is(plain.code, 1, plain.stderr);
      t.is(plain.stdout.length, 0);
      t.true(plain.stderr.startsWith('lsio: ') && plain.stderr.includes(expected), plain.stderr);
      const document = await lsio([...words, '--json']);
      t.is(document.code, 1);
      t.is((JSON.parse(document.stdout.toString()) as Failure).error.code, expected);
    }
  },
);

test.serial('info describes an array', async (t) => {
  t.like(await json('info', demoStore, '--path', 'air_temperature'), {
    kind: 'array',
    zarrFormat: 3,
    dtype: 'float32',
    shape: [45, 90],
    chunks: [15, 30],
    shards: null,
    chunkGridShape: [3, 3],
    dimensionNames: ['latitude', 'longitude'],
    fillValue: 'NaN',
    nbytes: 45 * 90 * 4,
    attrs: { units: 'K', standard_name: 'air_temperature' },
  });
  const { stdout } = await lsio(['info', temperature]);
  for (const text of ['(45, 90)', 'zstd', 'latitude, longitude', 'units: K', '15.8 KiB']) {
    t.true(stdout.toString().includes(text), text);
  }
});

test.serial('info describes a group and its members', async (t) => {
  t.like(await json('info', demoStore), {
    kind: 'group',
    zarrFormat: 3,
    members: [
      { name: 'air_temperature', kind: 'array' },
      { name: 'latitude', kind: 'array' },
      { name: 'longitude', kind: 'array' },
    ],
  });
});

test.serial('info never rounds an attribute or a fill value', async (t) => {
  const { attrs } = await json<{ attrs: object }>('info', fixturePath('zarr3/attributes/plain-v3'));
  t.like(attrs, {
    big: '1152921504606846977',
    beyond: '1000000000000000000000000000000',
    unsigned: '18446744073709551615',
  });
  t.like(await json('info', fixturePath('zarr3/shard/end-missing')), {
    shards: [4, 4],
    chunks: [2, 2],
    fillValue: '4611686018427387905',
  });
});

test.serial('arrays of more than 2^53 elements are described, and read in parts', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'lsio-huge-'));
  t.teardown(() => rm(folder, { recursive: true }));
  // A number of JSON.stringify would be rounded.
  await writeFile(
    join(folder, 'zarr.json'),
    `{"zarr_format": 3, "node_type": "array", "shape": [1152921504606846977], "data_type": "uint8",
      "fill_value": 7, "codecs": ["bytes"], "chunk_key_encoding": {"name": "default"},
      "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1]}}}`,
  );
  const { stdout } = await lsio(['info', folder]);
  t.regex(stdout.toString(), /\(1152921504606846977,\)/);
  t.regex(stdout.toString(), /1 152 921 504 606 846 977 in all/);
  for (const [selection, expected] of [
    ['-1', '7\n'],
    ['0:2', '[7 7]\n'],
  ] as const) {
    t.is((await lsio(['get', folder, '-s', selection])).stdout.toString(), expected);
  }
  for (const words of [
    ['get', folder],
    ['get', folder, '-s', '5:'],
    ['conformance', `--array_path=${folder}`],
  ]) {
    const { code, stderr } = await lsio(words);
    t.is(code, 2, stderr);
    t.regex(stderr, /1152921504606846977 elements cannot be read as a whole/);
  }
});

test.serial('ls lists members, and with --recursive the tree', async (t) => {
  const store = fixturePath('zarr3/group/plain-v3');
  const paths = async (...words: string[]): Promise<string[]> =>
    (await json<{ members: { path: string }[] }>('ls', ...words)).members.map(({ path }) => path);
  t.deepEqual(await paths(store), ['inner', 'temperature', 'time']);
  t.deepEqual(await paths(store, '-r'), [
    'inner',
    'inner/empty',
    'inner/empty/deep',
    'inner/names',
    'temperature',
    'time',
  ]);
  const { stdout } = await lsio(['ls', demoStore]);
  t.regex(
    stdout.toString(),
    /^kind +dtype +shape +chunks +path\narray +float32 +\(45, 90\) +\(15, 30\) +air_temperature\n/,
  );
});

for (const [how, scheme, code] of [
  ['has no listings', 'http', 'ERR_LSIO_UNSUPPORTED'],
  ['refuses listings', 's3', 'ERR_LSIO_ACCESS'],
] as const) {
  test.serial(`a group in a store that ${how} says so, and what to do`, async (t) => {
    const server = await serveFixtures(({ url }) =>
      url?.includes('list-type') === true ? 403 : undefined,
    );
    t.teardown(() => server.close());
    const environment = { AWS_ENDPOINT_URL: server.url, AWS_SKIP_SIGNATURE: 'true' };
    const root = scheme === 's3' ? 's3:/' : server.url;
    const group = `${root}/zarr3/group/plain-v3`;
    const ls = await lsio(['ls', group], environment);
    t.is(ls.code, 1);
    t.is(ls.stdout.length, 0);
    const [line] = ls.stderr.split('\n');
    const advice = 'open its members by name, or give it consolidated metadata';
    t.is(line, `lsio: cannot list the group at '${group}': ${advice} (${code})`);
    const described = async (location: string): Promise<unknown> => {
      const { stdout } = await lsio(['info', location, '--json'], environment);
      return JSON.parse(stdout.toString());
    };
    const info = await lsio(['info', group], environment);
    t.is(info.code, 0, info.stderr);
    t.regex(info.stdout.toString(), /^format +Zarr 3$/m);
    t.regex(info.stdout.toString(), /^members +not known, .*--path.* consolidated metadata$/m);
    const { attrs } = await json<{ attrs: object }>('info', fixturePath('zarr3/group/plain-v3'));
    t.like(await described(group), { kind: 'group', zarrFormat: 3, members: null, attrs });
    t.like(await described(`${group}/temperature`), { kind: 'array', storedBytes: null });
    const get = await lsio(['get', group], environment);
    t.is(get.code, 2);
    t.regex(get.stderr, /it cannot be listed: name an array with --path/);
  });
}

test.serial('get prints what numpy prints', async (t) => {
  const { code, stdout, stderr } = await lsio(['get', temperature, '-s', '0,:4']);
  t.is(code, 0);
  t.is(stderr, '');
  const first = [...(await temperatures()).subarray(0, 4)];
  const printed = stdout.toString().trim().replaceAll(/[[\]]/g, '').split(/\s+/).map(Number);
  t.deepEqual(printed.map(Math.fround), first);
  t.is((await lsio(['get', temperature, '-s', '0,0'])).stdout.toString(), `${printed[0]}\n`);
});

test.serial('get shortens what is long, and --full does not', async (t) => {
  const short = (await lsio(['get', temperature])).stdout.toString();
  t.is(short.split('\n').filter((line) => line.includes('...')).length, 7);
  const full = (await lsio(['get', temperature, '--full'])).stdout.toString();
  const values = full
    .replaceAll(/[[\]]/g, ' ')
    .trim()
    .split(/\s+/)
    .map((text) => Math.fround(Number(text)));
  t.deepEqual(Float32Array.from(values), await temperatures());
  // The corners are the same elements.
  t.is(/\[\[\s*([\d.]+)/.exec(short)?.[1], /\[\[\s*([\d.]+)/.exec(full)?.[1]);
});

test.serial('get --json nests the values', async (t) => {
  const document = await json<{ shape: number[]; data: number[][] }>('get', temperature);
  t.deepEqual(document.shape, [45, 90]);
  t.deepEqual(Float32Array.from(document.data.flat()), await temperatures());
  t.like(await json('get', temperature, '-s', '0,0'), { shape: [] });
});

test.serial('get goes backwards with a negative step', async (t) => {
  const values = await temperatures();
  const rows = (first: number, step: number, count: number): number[][] =>
    Array.from({ length: count }, (_, index) => {
      const row = first + index * step;
      return Array.from(values.subarray(row * 90, (row + 1) * 90)).toReversed();
    });
  const document = await json<{ shape: number[]; data: number[][] }>(
    ...['get', temperature, '-s', '::-1,::-1'],
  );
  t.deepEqual(document.shape, [45, 90]);
  t.deepEqual(Float32Array.from(document.data.flat()), Float32Array.from(rows(44, -1, 45).flat()));
  const { code, stdout } = await lsio(['get', temperature, '-s', '40:2:-7,::-1', '-o', '-']);
  t.is(code, 0);
  const expected = Float32Array.from(rows(40, -7, 6).flat());
  t.true(stdout.equals(Buffer.concat([npyHeader('<f4', [6, 90]), Buffer.from(expected.buffer)])));
});

const matrices = arrayFixtures.filter(({ path }) =>
  /^zarr[23]\/codecs\/[a-z0-9]+-zstd$/.test(path),
);

for (const { path, dtype, shape, expected } of matrices) {
  test.serial(`get -o writes ${path} as numpy would`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'lsio-test-'));
    try {
      const file = join(folder, 'values.npy');
      const { code, stdout, stderr } = await lsio(['get', fixturePath(path), '-o', file]);
      t.is(code, 0, stderr);
      t.is(stdout.length, 0);
      const written = await readFile(file);
      if (dtype === 'string') {
        t.regex(
          written.subarray(0, 128).toString('latin1'),
          /'descr': '<U\d+'.*'shape': \(17, 23\)/,
        );
      } else {
        const values = await readFile(fixturePath(expected));
        t.true(
          written.equals(
            Buffer.concat([npyHeader(npyTypeString(dtype, { itemBytes: null }), shape), values]),
          ),
        );
      }
      t.deepEqual(await readdir(folder), ['values.npy']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}

test.serial('get -o - writes the same bytes to standard output', async (t) => {
  const { code, stdout } = await lsio(['get', temperature, '-s', '1:3', '-o', '-']);
  t.is(code, 0);
  const values = (await temperatures()).subarray(90, 270);
  const expected = Buffer.concat([
    npyHeader('<f4', [2, 90]),
    Buffer.from(values.buffer, values.byteOffset, values.byteLength),
  ]);
  t.true(stdout.equals(expected));
});

test.serial('get leaves no file behind when it fails', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'lsio-test-'));
  try {
    const words = ['get', hostilePath('chunk/zstd-truncated'), '-o', join(folder, 'values.npy')];
    t.is((await lsio(words)).code, 1);
    t.deepEqual(await readdir(folder), []);
  } finally {
    await rm(folder, { recursive: true });
  }
});

// NaN is always missing; in Zarr format 2 the fill value is too.
for (const [name, expected, marker] of [
  ['demo/air_temperature', 'expected/demo-air_temperature.bin', Number.NaN],
  ['zarr3/shape/missing-v3', 'expected/zarr3-shape-missing-v3.bin', Number.NaN],
  ['zarr2/shape/missing-f', 'expected/zarr2-shape-missing-f.bin', Number.POSITIVE_INFINITY],
] as const) {
  test.serial(`stats folds the whole of ${name} and counts missing values`, async (t) => {
    const values = await floats(expected);
    const present = values.filter((value) => !Number.isNaN(value) && !Object.is(value, marker));
    const stats = await json<Stats>('stats', fixturePath(name));
    t.is(stats.missing, values.length - present.length);
    t.is(stats.count, values.length);
    t.is(stats.min, Math.min(...present));
    t.is(stats.max, Math.max(...present));
    const mean = present.reduce((sum, value) => sum + value, 0) / present.length;
    t.true(Math.abs(stats.mean - mean) <= 1e-9 * Math.abs(mean));
  });
}

test.serial('bench reads cold and hot and reports both', async (t) => {
  const document = await json<{
    states: { cache: string; io: string; reads: { chunks: number; decodedBytes: number }[] }[];
  }>('bench', demoStore, '-p', 'air_temperature', '-n', '2');
  t.deepEqual(
    document.states.map(({ cache, io }) => [cache, io]),
    [
      ['hot', 'auto'],
      ['cold', 'direct'],
    ],
  );
  for (const { reads } of document.states) {
    t.is(reads.length, 2);
    for (const read of reads) t.like(read, { chunks: 9, decodedBytes: 45 * 90 * 4 });
  }
});

test.serial('bench makes archives cold too', async (t) => {
  const archive = fixturePath('zip/group-deflated.zip');
  for (const words of [[`${archive}/temperature`], [archive, '-p', 'temperature']]) {
    const { states } = await json<{ states: { cache: string; reads: object[] }[] }>(
      ...['bench', ...words, '-n', '2'],
    );
    t.deepEqual(
      states.map(({ cache, reads }) => [cache, reads.length]),
      [
        ['hot', 2],
        ['cold', 2],
      ],
    );
  }
});

test.serial('doctor says which engine reads files here, and why', async (t) => {
  const { engine, machine, version } = await json<{
    engine: { engine: string; probe: string; threads: number };
    machine: { kernel: string; limits: { memlockBytes: number | null } };
    version: string;
  }>('doctor');
  t.regex(engine.engine, /^(uring|pread)$/);
  t.true(engine.probe.length > 0 && engine.threads > 0);
  t.true(machine.kernel.length > 0);
  t.regex(version, /^\d+\.\d+\.\d+/);
  const { stdout } = await lsio(['doctor', '--engine', 'pread']);
  t.regex(stdout.toString(), /^engine +pread/m);
});

test.serial('the environment chooses the engine, and doctor says so', async (t) => {
  const { stdout } = await lsio(['doctor'], { LSIO_ENGINE: 'pread' });
  t.regex(stdout.toString(), /^engine +pread \(LSIO_ENGINE=pread\)$/m);
});

test.serial('a reader that goes away ends it quietly with exit code 0', async (t) => {
  for (const words of [
    ['get', temperature, '--full'],
    ['get', temperature, '--json'],
    ['info', temperature],
    ['--help'],
  ]) {
    const child = startLsio(words);
    child.stdout?.destroy();
    const { code, stderr } = await resultOf(child);
    t.is(code, 0, words.join(' '));
    t.is(stderr, '');
  }
});

test.serial('the same through a pipe of the shell', async (t) => {
  const script = `"${process.execPath}" "${lsioProgram}" get "${temperature}" --full | head -1; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = await resultOf(spawn('bash', ['-c', script]));
  t.regex(stdout.toString(), /^\[\[.*\n0\n$/);
  t.is(stderr, '');
});

test.serial('without a build it says what to run', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'lsio-test-'));
  try {
    await mkdir(join(folder, 'bin'));
    await copyFile(lsioProgram, join(folder, 'bin/lsio.mjs'));
    const child = spawn(process.execPath, [join(folder, 'bin/lsio.mjs'), 'info', 'x']);
    const { code, stderr } = await resultOf(child);
    t.is(code, 1);
    t.true(stderr.includes('npm run build'), stderr);
  } finally {
    await rm(folder, { recursive: true });
  }
});
