// Reads an array far above the budget to its end, by chunks and for its mean, and prints how far resident
// memory grew in between, in MiB: node --expose-gc scan.mjs LOCATION.

import { configure, memoryUsage, openArray } from 'light-speed-io';

const [location] = process.argv.slice(2);
const MIB = 2 ** 20;

configure({ memory: '128MiB' });
const array = await openArray(location);
// The first tiny read starts the engine.
await array.get(array.shape.map(() => 0));
globalThis.gc();

const before = process.memoryUsage().rss;
let elements = 0;
let held = 0;
let peak = before;
for await (const chunk of array.readChunks()) {
  elements += chunk.data.length;
  held = Math.max(held, memoryUsage().heldBytes);
  peak = Math.max(peak, process.memoryUsage().rss);
  chunk.release();
}
const mean = await array.mean();
peak = Math.max(peak, process.memoryUsage().rss);
console.log(
  JSON.stringify({
    elements,
    mean,
    reserved: memoryUsage().reservedBytes,
    grew: (peak - before) / MIB,
    held: held / MIB,
  }),
);
