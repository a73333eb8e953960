// Each engine and mode serves bytes the way it says: told by the counters of a process of its own. One after
// the other, since the page cache is everybody's.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import type { ReadStats } from 'light-speed-io';
import { sampleInFolder, type Sample } from './sample-array.js';

const program = fileURLToPath(new URL('programs/routes.mjs', import.meta.url));
const sample: Sample = { shape: [1024, 256], rowsPerChunk: 64 };
const bytes = 1024 * 256 * 4;

// In the checkout rather than in the system's folder for temporary files: that may be in memory, where
// nothing is ever cold.
const scratch = join(import.meta.dirname, '../.setup');
mkdirSync(scratch, { recursive: true });
const folder = mkdtempSync(join(scratch, 'routes-'));
sampleInFolder(folder, sample);
test.after.always(() => {
  rmSync(folder, { recursive: true });
});

interface Served {
  readonly engine: 'uring' | 'pread';
  readonly probe: string;
  readonly routes: ReadStats['bytesByRoute'];
  readonly last: number;
}

async function read(engine: string, mode: string, cache: 'hot' | 'cold'): Promise<Served> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, folder, mode, cache], {
    env: { ...process.env, LSIO_ENGINE: engine },
  });
  return JSON.parse(stdout) as Served;
}

const nothing = { resident: 0, buffered: 0, uringDirect: 0, preadDirect: 0, memory: 0 };

test.serial(
  'direct reads go through the ring, or through pread threads where that was chosen',
  async (t) => {
    const pread = await read('pread', 'direct', 'hot');
    t.is(pread.engine, 'pread');
    t.deepEqual(pread.routes, { ...nothing, preadDirect: bytes });
    t.is(pread.last, 1024 * 256 - 1);
    const auto = await read('auto', 'direct', 'hot');
    if (auto.engine === 'pread') {
      t.log(`not shown here: reads through the ring (${auto.probe})`);
      t.true(auto.routes.preadDirect === bytes);
      return;
    }
    const uring = await read('uring', 'direct', 'hot');
    t.deepEqual(uring.routes, { ...nothing, uringDirect: bytes });
    t.is(uring.last, pread.last);
  },
);

for (const engine of ['pread', 'auto']) {
  test.serial(
    `hot bytes are taken from the page cache by the thread that decodes them: ${engine}`,
    async (t) => {
      // A first read warms the cache.
      await read(engine, 'buffered', 'hot');
      const { routes } = await read(engine, 'auto', 'hot');
      t.deepEqual(routes, { ...nothing, resident: bytes });
    },
  );

  test.serial(
    `cold bytes of a request that fits memory are read through the page cache: ${engine}`,
    async (t) => {
      const { routes } = await read(engine, 'auto', 'cold');
      t.is(routes.buffered + routes.resident, bytes);
      t.true(routes.buffered > 0);
    },
  );
}

test('an unknown engine is refused by name', async (t) => {
  const error = await t.throwsAsync(read('magic', 'auto', 'hot'));
  t.regex(String(error), /ERR_LSIO_UNSUPPORTED|magic/);
});
