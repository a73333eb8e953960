// What a measurement depends on beside the program: the page cache of its files, and memory that the
// host backs. The work is done by benches/conditions.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { runProgram } from './run-program.mjs';

/** Brings all files below a folder into the page cache, or drops them from it; both are verified. */
export async function setCache(conditions, cache, folder) {
  const [line] = await runProgram([conditions, cache === 'cold' ? 'drop' : 'warm', folder]);
  return JSON.parse(line);
}

/** Seconds for a fresh process to touch so much memory once. */
export async function secondsToTouch(conditions, bytes, options) {
  const [line] = await runProgram([conditions, 'touch', String(bytes)], options);
  return JSON.parse(line).seconds;
}

/** Beside twice the decoded bytes (a program's result and a copy of it), for runtimes and buffers. */
const BESIDE_RESULT = 256 << 20;

/** Bytes of held memory that serve a program whose result has so many. */
export const bytesToHold = (decodedBytes) => 2 * decodedBytes + BESIDE_RESULT;

/**
 * A process that holds memory and gives it back to the kernel at the moment when a measured program has
 * been started. What was just given back is backed by the host still, and it is what the kernel hands
 * out first: so no program pays for pages that the host took back, wherever in a round it stands.
 */
export class HeldMemory {
  #child;
  #answers;

  constructor(conditions, bytes) {
    this.bytes = bytes;
    this.#child = spawn(conditions, ['hold', String(bytes)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#answers = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  async #ask(word) {
    this.#child.stdin.write(`${word}\n`);
    const { value } = await this.#answers.next();
    if (value !== word) throw new Error(`the process that holds memory answered '${value}'`);
  }

  /**
   * Touches the memory, starts a program by `start(onStart)`, and gives the memory back as soon as the
   * program's process exists.
   */
  async around(start) {
    await this.#ask('hold');
    const released = [];
    try {
      return await start(() => released.push(this.#ask('release')));
    } finally {
      await Promise.all(released);
    }
  }

  /** Ends the process. */
  async close() {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin.end();
    await ended;
  }
}
