// Installs a program once for all checkouts, below ~/.cache/light-speed-io/test-servers: never system-wide.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where installed servers are kept: for all checkouts, since some take minutes. */
const cache = join(homedir(), '.cache/light-speed-io/test-servers');

// A registry that does not answer must not hold a test run for ever. The slowest took 2.5 minutes on two cores.
const LONGEST_INSTALLATION_MS = 15 * 60_000;

// Lines of a failed command that are shown.
const LAST_LINES = 8;

/**
 * Runs a command that is to say something only if it fails.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string> }} options
 * @returns {Promise<string>} what it wrote, to standard output and standard error
 */
export function quietly(command, args, { cwd, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Not `timeout`: its timer goes on where there is no such program.
      signal: AbortSignal.timeout(LONGEST_INSTALLATION_MS),
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        output += text;
      });
    }
    child.on('error', (error) => {
      reject(error.code === 'ENOENT' ? new Error(`'${command}' is not installed`) : error);
    });
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(output);
      const lines = output.trimEnd().split('\n').slice(-LAST_LINES).join('\n');
      reject(new Error(`'${command} ${args[0]}' ended with ${code ?? signal}:\n${lines}`));
    });
  });
}

/**
 * The folder of what `make` installs: made in a temporary folder beside it and renamed, so that it is
 * there as a whole or not at all, also when two runs install at once.
 *
 * @param {string} name with the version: another version is another folder
 * @param {(folder: string) => Promise<void>} make
 */
export async function installed(name, make) {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const temporary = mkdtempSync(join(cache, '.installing-'));
  try {
    const start = performance.now();
    console.error(`> installing ${name} for the tests, into ${cache}`);
    await make(temporary);
    rename(temporary, folder);
    console.error(`> installed ${name} in ${((performance.now() - start) / 1000).toFixed(0)} s`);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return folder;
}

function rename(temporary, folder) {
  try {
    renameSync(temporary, folder);
  } catch (error) {
    // Another run was faster.
    if (!existsSync(folder)) throw error;
  }
}

/** Path of a program of Go, built from the sources of exactly this version. */
export async function goProgram(name, module, version) {
  const folder = await installed(`${name}-${version}`, (bin) =>
    quietly('go', ['install', '-trimpath', '-ldflags=-s -w', `${module}@${version}`], {
      env: { GOBIN: bin },
    }),
  );
  return join(folder, name);
}
