// Does one thing very often and prints what it left behind: node endurance.mjs TASK LOCATION.

import { readdirSync } from 'node:fs';
import { configure, memoryUsage, openArray } from 'light-speed-io';

const [task, location] = process.argv.slice(2);
const MIB = 2 ** 20;

/** Resident memory in MiB, after what is garbage has gone. */
async function resident() {
  for (let turn = 0; turn < 10; turn += 1) {
    globalThis.gc();
    await new Promise(setImmediate);
  }
  return process.memoryUsage().rss / MIB;
}

const descriptors = () => readdirSync('/proc/self/fd').length;

const tasks = {
  /** 200 whole reads; each result is garbage before the next, so that no two live at once. */
  async reads() {
    const array = await openArray(location);
    const read = async () => {
      await array.get();
      await resident();
    };
    for (let round = 0; round < 20; round += 1) await read();
    const before = await resident();
    for (let round = 0; round < 200; round += 1) await read();
    return { before, after: await resident() };
  },
  /** 10,000 arrays opened and forgotten. */
  async opens() {
    for (let round = 0; round < 500; round += 1) await openArray(location);
    const before = { memory: await resident(), descriptors: descriptors() };
    for (let round = 0; round < 10_000; round += 1) await openArray(location);
    return {
      before: before.memory,
      after: await resident(),
      opened: descriptors() - before.descriptors,
    };
  },
  /** A scan of an array far above the budget. */
  async scan() {
    configure({ memory: '128MiB' });
    const array = await openArray(location);
    await array.get(array.shape.map(() => 0));
    const before = await resident();
    let peak = before;
    let elements = 0;
    let held = 0;
    for await (const chunk of array.readChunks()) {
      elements += chunk.data.length;
      held = Math.max(held, memoryUsage().heldBytes / MIB);
      peak = Math.max(peak, process.memoryUsage().rss / MIB);
      chunk.release();
    }
    const mean = await array.mean();
    peak = Math.max(peak, process.memoryUsage().rss / MIB);
    return { before, after: peak, held, elements, mean, reserved: memoryUsage().reservedBytes };
  },
};

console.log(JSON.stringify(await tasks[task]()));
