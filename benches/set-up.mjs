// Installs and builds what only the benchmark needs: peers by npm, the ceilings' program by cargo.

import { join } from 'node:path';
import { npm, run } from '../scripts/child-process.mjs';
import { filesBelow, makeIfStale } from '../scripts/fingerprint.mjs';

const here = import.meta.dirname;
const ceilings = join(here, 'ceilings');

/** Path of the program that measures ceilings. */
export async function setUp() {
  await makeIfStale({
    stamp: 'benches/peers/node_modules/.lsio-installed.json',
    inputs: () => ['benches/peers/package.json', 'benches/peers/package-lock.json'],
    outputs: () => [],
    make: () => npm(['ci', '--no-progress'], { cwd: join(here, 'peers') }),
  });
  await makeIfStale({
    stamp: '.setup/ceilings.json',
    inputs: () => ['benches/ceilings/Cargo.lock', ...filesBelow('benches/ceilings/src')],
    outputs: () => ['benches/ceilings/target/release/ceilings'],
    make: () =>
      run('cargo', [
        'build',
        '--release',
        '--locked',
        '--manifest-path',
        join(ceilings, 'Cargo.toml'),
      ]),
  });
  return join(ceilings, 'target/release/ceilings');
}
