// The budget holds whatever is read: an array far above it, in a process whose memory is its own.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { answerOf } from './program.js';

const folder = mkdtempSync(join(tmpdir(), 'lsio-budget-'));
test.after.always(() => {
  rmSync(folder, { recursive: true });
});

const SIDE = 1024;
const CHUNKS = 1024;

/** An array of 4 GiB whose chunks are all the same bytes: 4 MiB decoded, a few KiB stored. */
function largeArray(location: string): string {
  const metadata = {
    zarr_format: 3,
    node_type: 'array',
    shape: [CHUNKS * SIDE, SIDE],
    data_type: 'float32',
    chunk_grid: { name: 'regular', configuration: { chunk_shape: [SIDE, SIDE] } },
    chunk_key_encoding: { name: 'v2', configuration: { separator: '.' } },
    fill_value: 0,
    codecs: [
      { name: 'bytes', configuration: { endian: 'little' } },
      { name: 'gzip', configuration: { level: 1 } },
    ],
    attributes: {},
  };
  mkdirSync(location);
  writeFileSync(join(location, 'zarr.json'), JSON.stringify(metadata));
  const values = new Float32Array(SIDE * SIDE).fill(2.5);
  const chunk = gzipSync(new Uint8Array(values.buffer), { level: 1 });
  for (let number = 0; number < CHUNKS; number += 1) {
    writeFileSync(join(location, `${number}.0`), chunk);
  }
  return location;
}

test('a scan of 4 GiB stays within a budget of 128 MiB', async (t) => {
  t.timeout(240_000);
  const location = largeArray(join(folder, 'large'));
  const answer = await answerOf('scan', [location], { nodeArgs: ['--expose-gc'] });
  const { elements, mean, reserved, grew, held } = answer as Record<string, number>;
  t.is(elements, CHUNKS * SIDE * SIDE);
  t.is(mean, 2.5);
  t.is(reserved, 0);
  // Budget, fixed overhead, and what the consumer holds.
  t.true(grew! <= 128 + 64 + held!, `grew by ${grew} MiB while ${held} MiB were held`);
});
