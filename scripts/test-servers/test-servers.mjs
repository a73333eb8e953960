// Real object stores for a test run, on free ports of the loopback address, in temporary folders, with
// credentials that are made up for each run. Tests learn of them by LSIO_TEST_SERVERS.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { buildFaultProxy } from './fault-proxy.mjs';
import { SERVERS } from './servers.mjs';

const keeper = fileURLToPath(new URL('keeper.mjs', import.meta.url));

/**
 * Installs what is missing, all at once, and builds the fault proxy.
 *
 * @returns {Promise<{ programs: object, skipped: Record<string, string>, faultProxy?: string }>} by the kind of
 *   server; `skipped` has the reason of those that could not be installed; `faultProxy` is a path
 */
export async function installTestServers() {
  const programs = {};
  const skipped = {};
  const installing = SERVERS.map(async (server) => {
    try {
      programs[server.kind] = await server.install();
    } catch (error) {
      skipped[server.kind] = `${server.name} cannot be installed: ${error.message}`;
    }
  });
  // That it does not compile is said by whoever compiles the workspace.
  const [faultProxy] = await Promise.all([
    buildFaultProxy().catch((error) => {
      skipped.faultProxy = error.message;
    }),
    ...installing,
  ]);
  return { programs, skipped, faultProxy };
}

/**
 * Runs `work` while the servers run.
 *
 * @template T
 * @param {Awaited<ReturnType<typeof installTestServers>>} installed
 * @param {(environment: Record<string, string>, missing: string[]) => Promise<T>} work receives the variable that
 *   tests learn of them by, and the kinds of the servers that are not there
 * @returns {Promise<T>}
 */
export async function withTestServers(installed, work) {
  // A group of its own: an interrupt from the terminal must not end servers that tests still talk to.
  const child = spawn(process.execPath, [keeper, JSON.stringify(installed.programs)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const ended = once(child, 'exit');
  try {
    const servers = await firstAnswer(child);
    servers.skipped = { ...installed.skipped, ...servers.skipped };
    servers.faultProxy = installed.faultProxy;
    show(servers, installed.programs);
    return await work({ LSIO_TEST_SERVERS: JSON.stringify(servers) }, Object.keys(servers.skipped));
  } finally {
    child.stdin.end();
    // A pipe that nobody reads any more would keep this process.
    child.stdout.destroy();
    await ended;
  }
}

async function firstAnswer(child) {
  for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line);
  throw new Error('the servers of the tests could not be started');
}

function show(servers, programs) {
  for (const { kind, name } of SERVERS) {
    const version = programs[kind]?.version;
    console.log(
      kind in servers
        ? `server for the tests: ${kind}, by ${name}${version ? ` ${version}` : ''}`
        : `SKIPPED: the tests against ${kind}, since ${servers.skipped[kind]}`,
    );
  }
}
