// The demonstration, small: what it reports, and that nothing of it is left behind.

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { lsio, resultOf, startLsio } from './lsio-process.js';

interface DemoDocument {
  readonly folder: string | null;
  readonly field: {
    readonly shape: readonly number[];
    readonly dtype: string;
    readonly chunkCount: number;
    readonly decodedBytes: number;
    readonly storedBytes: number;
  };
  readonly reads: readonly {
    readonly cache: string;
    readonly io: string;
    readonly engine: string;
    readonly chunks: number;
    readonly decodedBytes: number;
    readonly storedBytes: number;
    readonly eventLoopDelay: { readonly p99Seconds: number; readonly maxSeconds: number };
    readonly residentGrowthBytes: number;
  }[];
  readonly mean: { readonly value: number; readonly units: string };
  readonly map: { readonly min: number; readonly max: number };
  readonly committed: { readonly shape: readonly number[]; readonly mean: number };
}

/** Runs `body` with an empty folder, and checks that it is empty again. */
async function inEmptyFolder(
  t: ExecutionContext,
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lsio-test-'));
  try {
    await body(folder);
    t.deepEqual(await readdir(folder), [], 'the sample data is removed');
  } finally {
    await rm(folder, { recursive: true });
  }
}

test.serial('it writes, reads twice, takes a mean and draws, all in one document', async (t) => {
  await inEmptyFolder(t, async (folder) => {
    const words = ['demo', '--size', '24MiB', '--dir', folder, '--json'];
    const { code, stdout, stderr } = await lsio(words);
    t.is(code, 0, stderr);
    t.is(stderr, '');
    const { field, reads, mean, map, committed } = JSON.parse(stdout.toString()) as DemoDocument;
    t.is(field.dtype, 'float32');
    t.is(field.shape.length, 3);
    t.is(
      field.decodedBytes,
      field.shape.reduce((product, length) => product * length, 4),
    );
    const ratio = field.decodedBytes / field.storedBytes;
    t.true(ratio > 1.5 && ratio < 4, `compresses ${ratio} times`);
    t.deepEqual(
      reads.map(({ cache, io }) => [cache, io]),
      [
        ['hot', 'auto'],
        ['cold', 'direct'],
      ],
    );
    for (const read of reads) {
      t.is(read.chunks, field.chunkCount);
      t.is(read.decodedBytes, field.decodedBytes);
      t.true(read.eventLoopDelay.p99Seconds <= read.eventLoopDelay.maxSeconds);
    }
    t.true(mean.value > map.min && mean.value < map.max);
    t.deepEqual(committed.shape, [45, 90]);
  });
});

test.serial('its map is in colour where there is colour, and plain where not', async (t) => {
  await inEmptyFolder(t, async (folder) => {
    const words = ['demo', '--size', '8MiB', '--dir', folder];
    const colourful = (await lsio(words, { FORCE_COLOR: '3' })).stdout.toString();
    t.true(colourful.includes('\u001B[38;2;') && colourful.includes('▀'));
    const plain = (await lsio(words, { NO_COLOR: '1' })).stdout.toString();
    t.false(plain.includes('\u001B'));
    for (const text of ['hot', 'cold', 'decoded', 'B/s', 'event loop late', 'Mean of all values']) {
      t.true(plain.includes(text), text);
    }
  });
});

test.serial('--keep keeps the data, which is an ordinary Zarr store', async (t) => {
  await inEmptyFolder(t, async (folder) => {
    const words = ['demo', '--size', '8MiB', '--dir', folder, '--keep', '--json'];
    const { folder: kept } = JSON.parse((await lsio(words)).stdout.toString()) as DemoDocument;
    t.deepEqual(
      (await readdir(folder)).map((name) => join(folder, name)),
      [kept ?? ''],
    );
    t.is((await lsio(['info', kept ?? ''])).code, 0);
    await rm(kept ?? '', { recursive: true });
  });
});

test.serial('the same seed gives the same data', async (t) => {
  await inEmptyFolder(t, async (folder) => {
    const meanOf = async (seed: string): Promise<number> => {
      const words = ['demo', '--size', '8MiB', '--dir', folder, '--seed', seed, '--json'];
      return (JSON.parse((await lsio(words)).stdout.toString()) as DemoDocument).mean.value;
    };
    const first = await meanOf('5');
    t.is(await meanOf('5'), first);
    t.not(await meanOf('6'), first);
  });
});

/** Whether the first chunks of the sample data are there. */
async function hasChunks(folder: string): Promise<boolean> {
  const [store] = await readdir(folder);
  return store !== undefined && (await readdir(join(folder, store))).includes('c');
}

for (const [signal, expected] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test.serial(
    `${signal} while it writes ends it with ${expected} and removes the data`,
    async (t) => {
      await inEmptyFolder(t, async (folder) => {
        const child = startLsio(['demo', '--size', '4GiB', '--dir', folder]);
        const result = resultOf(child);
        while (!(await hasChunks(folder)) && child.exitCode === null) await wait(10);
        child.kill(signal);
        const { code, stderr } = await result;
        t.is(code, expected, stderr);
        t.regex(stderr, /^lsio: (interrupted|ended by SIGTERM)\n$/);
      });
    },
  );
}

test.serial('a folder that cannot be made is a failure, not a crash', async (t) => {
  const { code, stderr } = await lsio(['demo', '--dir', '/dev/null/nowhere']);
  t.is(code, 1);
  t.regex(stderr, /^lsio: .*(ENOTDIR|ENOENT)/);
});
