// Nothing crashes Node: exits, terminated workers and garbage collection in the middle of reads.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { answerOf, runProgram } from './program.js';
import { sampleElements, sampleInFolder } from './sample-array.js';

const sample = { shape: [2048, 1024], rowsPerChunk: 32, gzip: true } as const;
const folder = mkdtempSync(join(tmpdir(), 'lsio-life-cycle-'));
const location = sampleInFolder(join(folder, 'large'), sample);
/** 16 KiB a chunk: they share buffers. */
const smallChunks = sampleInFolder(join(folder, 'small'), { ...sample, rowsPerChunk: 4 });
const total = sampleElements(sample).reduce((sum, value) => sum + value, 0);

test.after.always(() => {
  rmSync(folder, { recursive: true });
});

for (const moment of ['at-once', 'first-chunk']) {
  for (const engine of ['uring', 'pread', 'auto']) {
    test(`process.exit in flight, ${moment}, engine ${engine}`, async (t) => {
      const { exitCode, signal, stderr } = await runProgram('exit-in-flight', [location, moment], {
        env: { LSIO_ENGINE: engine },
      });
      t.is(exitCode, 7, stderr);
      t.is(signal, null);
    });
  }
}

for (const [size, where] of Object.entries({ large: location, small: smallChunks })) {
  test(`workers terminated in flight give their memory back, ${size} chunks`, async (t) => {
    const answer = await answerOf('terminated-workers', [where]);
    t.deepEqual(answer, { first: 0 });
  });

  test(`garbage collection while reading, ${size} chunks`, async (t) => {
    const answer = await answerOf('garbage', [where], { nodeArgs: ['--expose-gc'] });
    t.deepEqual(answer, { sum: total, again: total, kept: 5, reservedBytes: 0 });
  });
}

test('eight workers and the main thread share one engine', async (t) => {
  const answer = (await answerOf('eight-workers', [location])) as {
    own: { sum: number; mean: number };
    workers: { sum: number; mean: number; threads: number }[];
    threads: number;
  };
  const mean = total / (2048 * 1024);
  t.deepEqual(answer.own, { sum: total, mean });
  t.is(answer.threads, 3);
  t.is(answer.workers.length, 8);
  for (const worker of answer.workers) t.deepEqual(worker, { sum: total, mean, threads: 3 });
});

test('resident memory stays flat', async (t) => {
  const answer = await answerOf('flat-memory', [location], { nodeArgs: ['--expose-gc'] });
  const { reads, chunks, opens, bytes } = answer as Record<string, number>;
  // Garbage is collected every 20 rounds: so many results may be there at once, and V8 keeps a few.
  t.true(reads! < 24 * bytes!, `200 reads grew by ${reads}`);
  t.true(chunks! < 4 * bytes!, `200 reads by chunks grew by ${chunks}`);
  t.true(opens! < 4 * bytes!, `10,000 opens grew by ${opens}`);
});

test('results are copied where external buffers are forbidden', async (t) => {
  const answer = await answerOf('copied-results', [location], {
    env: { LSIO_COPY_RESULTS: '1' },
  });
  t.deepEqual(answer, { whole: total, chunks: total, heldBytes: 0 });
});
