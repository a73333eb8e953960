// The data sets: where they are, and getting those written that are missing.

import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
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
  const oneChunk = names.has(ONE_CHUNK) && {
    [ONE_CHUNK]: writeOneChunk(join(folder, ONE_CHUNK), join(folder, 'tiny-sharded')),
  };
  const sets = { ...manifest, ...oneChunk };
  return Object.fromEntries(
    [...names].map((name) => {
      if (sets[name] === undefined)
        throw new TypeError(`there is no data set ${name} in ${folder}`);
      return [name, { ...sets[name], folder: join(folder, name) }];
    }),
  );
}

/** An array as the other one is, of its first chunk only: what both cost beside that is the same. */
function writeOneChunk(folder, other) {
  const metadata = JSON.parse(readFileSync(join(other, 'zarr.json'), 'utf8'));
  const inner = metadata.codecs.find((codec) => codec.name === 'sharding_indexed').configuration;
  metadata.shape = inner.chunk_shape;
  const shard = ['c', ...metadata.shape.map(() => '0')].join('/');
  // An older form of it may be there.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(join(folder, shard)), { recursive: true });
  writeFileSync(join(folder, 'zarr.json'), JSON.stringify(metadata));
  copyFileSync(join(other, shard), join(folder, shard));
  const storedBytes = statSync(join(folder, shard)).size;
  return { kind: 'zarr3', decodedBytes: 4096, storedBytes, ratio: 1, chunks: 1, note: '' };
}
