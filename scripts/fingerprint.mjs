// Tells whether what was made is still up to date: a stamp holds one hash over the contents of all
// inputs and one over the outputs, so neither time stamps nor hand-edited outputs can mislead it.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './child-process.mjs';

/** Names of all files at or below `path`, relative to the root, sorted; none if it does not exist. */
export function filesBelow(path, keep = () => true) {
  const full = join(root, path);
  if (!existsSync(full)) return [];
  if (!statSync(full).isDirectory()) return keep(path) ? [path] : [];
  return readdirSync(full)
    .sort()
    .flatMap((name) => filesBelow(`${path}/${name}`, keep));
}

/** One hash over the names and contents of `files`. */
export function fingerprint(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const full = join(root, file);
    hash.update(`${file}\0`);
    hash.update(existsSync(full) ? readFileSync(full) : 'absent');
    hash.update('\0');
  }
  return hash.digest('hex');
}

/**
 * Runs `make` unless the stamp says that `outputs` were made from these `inputs`.
 *
 * @param {{ stamp: string, inputs: () => string[], outputs: () => string[], make: () => Promise<void> }} step
 * @returns {Promise<boolean>} whether it was made now
 */
export async function makeIfStale({ stamp, inputs, outputs, make }) {
  const file = join(root, stamp);
  const before = fingerprint(inputs());
  if (existsSync(file)) {
    const made = JSON.parse(readFileSync(file, 'utf8'));
    if (made.inputs === before && made.outputs === fingerprint(outputs())) return false;
  }
  await make();
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ inputs: before, outputs: fingerprint(outputs()) }));
  return true;
}
