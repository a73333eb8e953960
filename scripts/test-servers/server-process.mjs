// One server as a child process: started on a free port, asked until it answers, ended by its number.

import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

// How often a server is asked whether it is ready. Azurite, the slowest, took 1.5 s on two cores.
const POLL_MS = 50;
const LONGEST_START_MS = 60_000;

// Another process may take the port before the server does.
const ATTEMPTS = 3;

const LAST_LINES = 8;

/** A port of the loopback address that nobody listens at. */
function freePort() {
  return new Promise((resolve, reject) => {
    const listener = createServer();
    listener.on('error', reject);
    listener.listen(0, '127.0.0.1', () => {
      const { port } = listener.address();
      listener.close(() => resolve(port));
    });
  });
}

/**
 * Starts a server and waits until it is ready.
 *
 * @param server a module such as `versitygw.mjs`
 * @param {string} folder where it may keep what it wants; exists, is empty and is its own
 * @returns {Promise<{ description: object, stop: () => Promise<void> }>}
 */
export async function startServer(server, installed, folder) {
  for (let attempt = 1; ; attempt += 1) {
    const prepared = server.prepare(installed, { folder, port: await freePort() });
    const child = spawnServer(prepared, join(folder, 'output'));
    try {
      await untilReady(prepared, child);
      return { description: prepared.description, stop: () => stop(child) };
    } catch (error) {
      await stop(child);
      if (attempt === ATTEMPTS || !/address already in use|EADDRINUSE/i.test(error.message)) {
        throw error;
      }
    }
  }
}

function spawnServer({ program, args, env }, outputFile) {
  const output = openSync(outputFile, 'w');
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  /** `end` is why it ended, once it has. */
  const started = { process: child, end: undefined };
  started.ended = new Promise((resolve) => {
    const settle = (error) => {
      started.end = error;
      resolve();
    };
    child.on('error', settle);
    child.on('close', (code, signal) => {
      const lines = readFileSync(outputFile, 'utf8').trimEnd().split('\n').slice(-LAST_LINES);
      settle(new Error(`it ended with ${code ?? signal}:\n${lines.join('\n')}`));
    });
  });
  return started;
}

async function untilReady({ isReady }, child) {
  const deadline = performance.now() + LONGEST_START_MS;
  // What it answers does not count before it listens: requests fail until then.
  while (!(await isReady().catch(() => false))) {
    if (child.end) throw child.end;
    if (performance.now() > deadline) throw new Error('it did not answer as it should in time');
    await delay(POLL_MS);
  }
}

async function stop({ process: child, ended }) {
  // A server that keeps connections open waits for them when it is asked to end; nothing of it is kept.
  child.kill('SIGKILL');
  await ended;
}
