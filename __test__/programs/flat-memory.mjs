// Reads a whole array 200 times and opens it 10,000 times. argv: location. Run with --expose-gc.
// Prints by how much the resident memory grew after the first tenth of each.

import { openArray } from 'light-speed-io';

const [, , location] = process.argv;

async function growth(rounds, work) {
  let before = 0;
  for (let round = 0; round < rounds; round += 1) {
    await work();
    if (round % 20 === 0) {
      // Finalizers of array buffers run on a later turn.
      globalThis.gc();
      await new Promise(setImmediate);
    }
    if (round === rounds / 10) before = process.memoryUsage.rss();
  }
  return process.memoryUsage.rss() - before;
}

const array = await openArray(location);
const reads = await growth(200, () => array.get());
const chunks = await growth(200, async () => {
  for await (const chunk of array.readChunks()) chunk.release();
});
const opens = await growth(10_000, () => openArray(location));
console.log(JSON.stringify({ reads, chunks, opens, bytes: array.nbytes }));
