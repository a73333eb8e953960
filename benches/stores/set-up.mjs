// Installs and builds what only the benchmark of object stores needs. A peer that cannot be had here is left out.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildFaultProxy } from '../../scripts/test-servers/fault-proxy.mjs';
import { installed, quietly } from '../../scripts/test-servers/install.mjs';
import { setUp as setUpProduct } from '../../scripts/set-up.mjs';
import { cargoProgram, pythonEnvironment, withEach } from '../set-up.mjs';

const REQUIREMENTS = [
  'benches/data-sets/requirements.txt',
  'benches/peers/python/requirements.txt',
  'benches/stores/peers/requirements.txt',
];

/** wrk from its package, with the library that it needs; nothing is installed system-wide. */
async function wrk() {
  const folder = await installed('wrk', async (target) => {
    await quietly('apt-get', ['download', 'wrk', 'libluajit-5.1-2'], { cwd: target });
    for (const archive of readdirSync(target).filter((name) => name.endsWith('.deb'))) {
      await quietly('dpkg-deb', ['--extract', archive, '.'], { cwd: target });
    }
  });
  const [libraries] = readdirSync(join(folder, 'usr/lib'));
  return {
    program: join(folder, 'usr/bin/wrk'),
    env: { LD_LIBRARY_PATH: join(folder, 'usr/lib', libraries) },
  };
}

/** Builds the product too; resolves with where everything is, and with `missing`: what is not there, and why. */
export async function setUp() {
  await setUpProduct();
  const steps = {
    python: () => pythonEnvironment('.setup/stores-python', REQUIREMENTS),
    ceilings: () => cargoProgram('ceilings', 'ceilings'),
    zarrs: () => cargoProgram('stores/zarrs', 'zarrs-stores', ['ceilings']),
    wrk,
  };
  const tools = {
    node: process.execPath,
    conditions: await cargoProgram('conditions', 'conditions'),
    discard: await cargoProgram('stores/discard', 'discard'),
    faultProxy: await buildFaultProxy({ release: true }),
    missing: {},
  };
  return withEach(tools, steps);
}
