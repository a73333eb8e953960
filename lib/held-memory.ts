// Memory of the core that JavaScript holds, and when it goes back.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { native } from './native-module.js';

// From here on a read waits a turn for the memory of a result that was just released, rather than take
// as much again: a turn is below 0.1 ms, touching new memory at 10 GB/s is 1 ms for each 10 MB.
const WORTH_A_TURN = 8 * 2 ** 20;

let returning: Promise<void> | undefined;

/** Array buffers of the core, and how many results are views of them. */
export class HeldMemory {
  readonly #buffers: readonly ArrayBuffer[];
  #holders: number;

  constructor(buffers: readonly ArrayBuffer[], holders: number) {
    this.#buffers = buffers;
    this.#holders = holders;
  }

  /** One result less: with the last one the buffers are detached. */
  release(): void {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    for (const buffer of this.#buffers) {
      // Empty: its owner transferred it, or it never had an element.
      if (buffer.byteLength > 0) detach(buffer);
    }
  }
}

/** Takes the memory away from a buffer. The core has it back when its finalizer ran, a turn later. */
export function detach(buffer: ArrayBuffer): void {
  if (buffer.byteLength >= WORTH_A_TURN) {
    returning ??= afterThisTurn();
  }
  native().detach(buffer);
}

async function afterThisTurn(): Promise<void> {
  await nextTurn();
  returning = undefined;
}

/** Settles when the core has memory back that is on its way; undefined if there is none. */
export function memoryOnItsWay(): Promise<void> | undefined {
  return returning;
}
