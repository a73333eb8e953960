// Runs child processes for the scripts. Built-in modules only: it must work before `npm ci`.

import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the checkout. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** A child process that ended with another exit code than 0. */
export class CommandFailed extends Error {
  constructor(command, args, exitCode) {
    super(`'${[command, ...args].join(' ')}' ended with exit code ${exitCode}`);
    this.name = 'CommandFailed';
    this.exitCode = exitCode;
  }
}

/**
 * Runs a command in the checkout; resolves with its exit code. Standard input is closed.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, cwd?: string, onLine?: (line: string) => void }} options
 *   `onLine` receives each line of standard output, which is shown as it is without it.
 * @returns {Promise<number>}
 */
export function exitCodeOf(command, args, { env = {}, cwd = root, onLine } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', onLine ? 'pipe' : 'inherit', 'inherit'],
    });
    let rest = '';
    child.stdout?.setEncoding('utf8');
    child.stdout?.on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) onLine(line);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (rest !== '') onLine(rest);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 1));
    });
  });
}

/** Runs a command in the checkout; rejects with {@link CommandFailed} unless it ends with 0. */
export async function run(command, args, options) {
  const exitCode = await exitCodeOf(command, args, options);
  if (exitCode !== 0) throw new CommandFailed(command, args, exitCode);
}

/** Runs `npm` with the copy that started this script, where there is one. */
export function npm(args, options) {
  const cli = process.env.npm_execpath;
  return cli?.endsWith('.js')
    ? run(process.execPath, [cli, ...args], options)
    : run('npm', args, options);
}

/** Ends the script with a message instead of a stack for a child that said itself what was wrong. */
export function reportAndExit(error) {
  if (!(error instanceof CommandFailed)) throw error;
  console.error(error.message);
  process.exit(error.exitCode);
}
