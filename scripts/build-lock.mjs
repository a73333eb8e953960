// One set-up at a time in a checkout: two that run at once would write the same files.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from './child-process.mjs';

const lock = join(root, '.setup/lock');
const owner = join(lock, 'pid');

// How often a waiting set-up looks again.
const POLL_MS = 250;

/** Runs `work` while no other process runs some. */
export async function withBuildLock(work) {
  mkdirSync(join(root, '.setup'), { recursive: true });
  for (let waits = 0; !take(); waits += 1) {
    if (waits === 0) console.error('> waiting for another set-up of this checkout');
    await delay(POLL_MS);
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

/** Takes the lock, also from a process that is gone. */
function take() {
  try {
    mkdirSync(lock);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (!isAbandoned()) return false;
  }
  writeFileSync(owner, String(process.pid));
  return true;
}

function isAbandoned() {
  try {
    process.kill(Number(readFileSync(owner, 'utf8')), 0);
    return false;
  } catch (error) {
    // ESRCH: it is gone. ENOENT: it is about to write its number, or about to go.
    return error.code === 'ESRCH';
  }
}
