// What many calls leave behind: nothing. Each in a process of its own, whose memory is its own.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { sampleInFolder } from './sample-array.js';

const program = fileURLToPath(new URL('programs/endurance.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lsio-endurance-'));
test.after.always(() => {
  rmSync(folder, { recursive: true });
});

interface Growth {
  /** Resident memory in MiB. */
  readonly before: number;
  readonly after: number;
}

async function run<T extends Growth>(task: string, location: string): Promise<T> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    program,
    task,
    location,
  ]);
  return JSON.parse(stdout) as T;
}

test('resident memory is flat over 200 whole reads', async (t) => {
  const location = sampleInFolder(join(folder, 'reads'), {
    shape: [4096, 1024],
    rowsPerChunk: 256,
  });
  const { before, after } = await run('reads', location);
  // One result has 16 MiB: a single one that stayed would show.
  t.true(after - before < 12, `${before} MiB became ${after} MiB`);
});

test('10,000 arrays that were opened leave nothing behind', async (t) => {
  const location = sampleInFolder(join(folder, 'opens'), { shape: [4, 4], rowsPerChunk: 4 });
  const { before, after, opened } = await run<Growth & { opened: number }>('opens', location);
  // The handles of files are cached, up to a bound.
  t.true(opened < 300, `${opened} more descriptors`);
  t.true(after - before < 30, `${before} MiB became ${after} MiB`);
});

/** An array of 4 GiB whose chunks are all the same file: 4 MiB decoded, a few KiB stored. */
function largeArray(location: string): string {
  const side = 1024;
  const count = 1024;
  const metadata = {
    zarr_format: 3,
    node_type: 'array',
    shape: [count * side, side],
    data_type: 'float32',
    chunk_grid: { name: 'regular', configuration: { chunk_shape: [side, side] } },
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
  const chunk = gzipSync(new Uint8Array(new Float32Array(side * side).fill(2.5).buffer), {
    level: 1,
  });
  for (let number = 0; number < count; number += 1)
    writeFileSync(join(location, `${number}.0`), chunk);
  return location;
}

test('a scan of 4 GiB stays within a budget of 128 MiB', async (t) => {
  t.timeout(240_000);
  const location = largeArray(join(folder, 'large'));
  const scan = await run<
    Growth & { held: number; elements: number; mean: number; reserved: number }
  >('scan', location);
  t.is(scan.elements, 1024 * 1024 * 1024);
  t.is(scan.mean, 2.5);
  t.is(scan.reserved, 0);
  const allowed = 128 + 64 + scan.held;
  t.true(
    scan.after - scan.before <= allowed,
    `grew by ${scan.after - scan.before} MiB, ${allowed} allowed`,
  );
});
