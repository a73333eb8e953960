// Cold bytes of a request that fits memory are read through the page cache, whatever the engine for
// direct reads is: told by the counters of a process of its own.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { answerOf } from './program.js';
import { sampleInFolder, type Sample } from './sample-array.js';

const sample: Sample = { shape: [1024, 256], rowsPerChunk: 64 };
const bytes = 1024 * 256 * 4;

// In the checkout rather than in the system's folder for temporary files: that may be in memory, where
// nothing is ever cold.
const scratch = join(import.meta.dirname, '../.setup');
mkdirSync(scratch, { recursive: true });
const folder = mkdtempSync(join(scratch, 'cold-'));
sampleInFolder(folder, sample);
test.after.always(() => {
  rmSync(folder, { recursive: true });
});

// One after the other, since the page cache is everybody's.
for (const engine of ['pread', 'auto']) {
  test.serial(`cold bytes come through the page cache: ${engine}`, async (t) => {
    const answer = await answerOf('cold-read', [folder], { env: { LSIO_ENGINE: engine } });
    const { routes, reads, last } = answer as {
      routes: Record<string, number>;
      reads: number;
      last: number;
    };
    t.is(last, 1024 * 256 - 1);
    // Read-ahead may bring some of them into the cache before a worker asks.
    t.is(routes['buffered']! + routes['resident']!, bytes * reads);
    t.true(routes['buffered']! > 0);
  });
}
