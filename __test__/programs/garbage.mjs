// Collects garbage while reading. argv: location. Run with --expose-gc. Prints the sums of the values
// that were read, and what is held in the end.

import { memoryUsage, openArray } from 'light-speed-io';

const [, , location] = process.argv;
const array = await openArray(location);

async function turn() {
  await new Promise(setImmediate);
  globalThis.gc();
}

let sum = 0;
for await (const chunk of array.readChunks()) {
  await turn();
  for (const value of chunk.data) sum += value;
}

// A reader that nobody refers to any more, with chunks that were not taken.
await array.readChunks().next();
await turn();

const pending = array.get();
await turn();
let again = 0;
for (const value of (await pending).data) again += value;

// Views outlive the array and the result they came from.
const view = (await (await openArray(location)).get([{ start: 0, stop: 1 }, null])).data.subarray(
  5,
);
await turn();
const kept = view[0];

for (let round = 0; round < 1000 && memoryUsage().reservedBytes > 0; round += 1) await turn();
console.log(JSON.stringify({ sum, again, kept, reservedBytes: memoryUsage().reservedBytes }));
