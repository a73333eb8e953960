// The data sets: where they are, and getting those written that are missing.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../scripts/child-process.mjs';

const benches = join(import.meta.dirname, '..');

/** An array of a single chunk, beside which arrays of many are opened. */
export const ONE_CHUNK = 'one-chunk';

/** The folder that data sets are kept in, outside of the repository. */
export function cacheFolder(option) {
  const named = option ?? process.env.LSIO_BENCH_DATA;
  return named ?? join(homedir(), '.cache/light-speed-io/bench');
}

/**
 * Writes what is missing; resolves with the manifest by name, each with its `folder`.
 *
 * @param {{ python: string | undefined, cache: string, size: 'quick' | 'full', names: Set<string> }} setting
 */
export async function dataSets({ python, cache, size, names }) {
  const generator = join(benches, 'data-sets/generate.py');
  for (const name of names) {
    // Without Python, what was written before still serves.
    if (name === ONE_CHUNK || python === undefined) continue;
    await run(python, [generator, '--size', size, '--cache', cache, '--only', name]);
  }
  const folder = join(cache, size);
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  const sets = { ...manifest, [ONE_CHUNK]: writeOneChunk(join(folder, ONE_CHUNK)) };
  return Object.fromEntries(
    [...names].map((name) => {
      if (sets[name] === undefined)
        throw new TypeError(`there is no data set ${name} in ${folder}`);
      return [name, { ...sets[name], folder: join(folder, name) }];
    }),
  );
}

function writeOneChunk(folder) {
  const metadata = {
    zarr_format: 3,
    node_type: 'array',
    shape: [8],
    data_type: 'uint16',
    chunk_grid: { name: 'regular', configuration: { chunk_shape: [8] } },
    chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
    fill_value: 0,
    codecs: [{ name: 'bytes', configuration: { endian: 'little' } }],
    attributes: {},
  };
  mkdirSync(join(folder, 'c'), { recursive: true });
  writeFileSync(join(folder, 'zarr.json'), JSON.stringify(metadata));
  writeFileSync(join(folder, 'c/0'), new Uint8Array(16));
  return { kind: 'zarr3', decodedBytes: 16, storedBytes: 16, ratio: 1, chunks: 1, note: '' };
}
