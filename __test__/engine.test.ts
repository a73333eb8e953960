// The engine: settings, what it served how, and what it uses.

import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { configure, engineInfo, memoryUsage, openArray, versions } from 'light-speed-io';
import { answerOf, runProgram } from './program.js';
import { sampleElements, sampleInFolder } from './sample-array.js';

const sample = { shape: [1024, 1024], rowsPerChunk: 64 } as const;
// Beside the checkout: the system's temporary folder may be a file system without direct reads.
const folder = mkdtempSync(join(import.meta.dirname, '../.setup/engine-test-'));
const location = sampleInFolder(folder, sample);
const bytes = 1024 * 1024 * 4;

test.after.always(() => {
  rmSync(folder, { recursive: true });
});

test('versions are those of what is built in', (t) => {
  for (const [name, version] of Object.entries(versions)) t.regex(version, /^\d+\.\d+/, name);
});

test('the engine says what it is', (t) => {
  const info = engineInfo();
  t.true(['uring', 'pread'].includes(info.engine));
  t.true(info.threads >= 1);
  t.is(info.memoryBytes, memoryUsage().limitBytes);
});

test('settings in use may be given again, others are a conflict', (t) => {
  const { threads, memoryBytes } = engineInfo();
  t.notThrows(() => {
    configure({ threads, memory: memoryBytes });
  });
  t.throws(
    () => {
      configure({ threads: threads + 1 });
    },
    { code: 'ERR_LSIO_CONFLICT', message: /threads/ },
  );
  t.throws(
    () => {
      configure({ cores: 2 } as object);
    },
    { instanceOf: TypeError },
  );
});

for (const [engine, route] of [
  ['uring', 'uringDirect'],
  ['pread', 'preadDirect'],
] as const) {
  test(`direct reads are served by ${engine} where it was chosen`, async (t) => {
    const answer = await answerOf('read-modes', [location, 'direct'], {
      env: { LSIO_ENGINE: engine },
    });
    const { sum, stats, engine: used } = answer as ModesAnswer;
    t.is(sum, total);
    t.is(used, engine);
    t.is(stats[route], bytes);
  });
}

test('buffered reads go through the page cache', async (t) => {
  const { sum, stats } = (await answerOf('read-modes', [location, 'buffered'])) as ModesAnswer;
  t.is(sum, total);
  t.is(stats.uringDirect + stats.preadDirect, 0);
  t.is(stats.buffered + stats.resident, bytes);
});

test('auto takes what is in the page cache on the thread that decodes it', async (t) => {
  const { sum, stats } = (await answerOf('read-modes', [location, 'hot'])) as ModesAnswer;
  t.is(sum, total);
  t.true(stats.resident >= bytes, JSON.stringify(stats));
});

test('an engine that is not known is refused', async (t) => {
  const { exitCode, stderr } = await runProgram('read-modes', [location, 'auto'], {
    env: { LSIO_ENGINE: 'steam' },
  });
  t.not(exitCode, 0);
  t.regex(stderr, /LSIO_ENGINE is 'steam'/);
});

test('the engine that the environment chose may be given again, another is a conflict', async (t) => {
  const answer = await answerOf('configured-engine', [], { env: { LSIO_ENGINE: 'pread' } });
  t.deepEqual(answer, { pread: null, auto: 'ERR_LSIO_CONFLICT', uring: 'ERR_LSIO_CONFLICT' });
});

test('progress is reported, last at the end', async (t) => {
  const array = await openArray(location);
  const seen: number[] = [];
  await array.get(null, {
    onProgress: ({ chunks, totalChunks, bytesDecoded }) => {
      seen.push(chunks);
      t.is(totalChunks, 16);
      t.true(bytesDecoded <= bytes);
    },
  });
  t.is(seen.at(-1), 16);
});

test('an error of onProgress is that of the call', async (t) => {
  const array = await openArray(location);
  const error = new Error('no bar');
  const onProgress = (): void => {
    throw error;
  };
  t.is(await t.throwsAsync(array.get(null, { onProgress })), error);
});

test('a chunk that cannot fit the memory of the call is refused with the numbers', async (t) => {
  const array = await openArray(location);
  await t.throwsAsync(array.get(null, { memory: 1000 }), {
    code: 'ERR_LSIO_BUDGET',
    message: /\d{4,}/,
  });
});

interface ModesAnswer {
  readonly sum: number;
  readonly engine: string;
  readonly stats: Record<'resident' | 'buffered' | 'uringDirect' | 'preadDirect', number>;
}

const total = sampleElements(sample).reduce((sum, value) => sum + value, 0);
