// Runs one measured program in a process of its own and reads what it prints.

import { spawn } from 'node:child_process';

/** A program that hangs would hang the whole run. */
const MOST_SECONDS = 600;
/** Of what a failed program wrote to standard error. */
const SHOWN_CHARACTERS = 400;

/** A measured program that failed: its row says why, the run goes on. */
export class ProgramFailed extends Error {
  name = 'ProgramFailed';
}

/**
 * Runs a command; resolves with its lines of standard output.
 *
 * @param {string[]} command
 * @param {{ env?: Record<string, string>, cwd?: string, onStart?: () => void }} options `onStart` is
 *   called as soon as the process exists.
 */
export function runProgram([program, ...args], { env = {}, cwd, onStart } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: MOST_SECONDS * 1000,
      killSignal: 'SIGKILL',
    });
    let [output, errors] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
    child.on('spawn', () => onStart?.());
    child.on('error', (error) => reject(new ProgramFailed(error.message)));
    child.on('close', (code, signal) => {
      if (code === 0) {
        resolve(output.split('\n').filter((line) => line !== ''));
      } else {
        const said = errors.trim().slice(-SHOWN_CHARACTERS);
        reject(new ProgramFailed(`ended with ${signal ?? code}${said === '' ? '' : `: ${said}`}`));
      }
    });
  });
}
