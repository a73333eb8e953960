// Reads a whole array some times. argv: location, its values are the numbers of its elements. Run with --expose-gc.
// Prints by how many bytes the resident memory grew by the third of three reads, and what the engine has left then.

import { engineInfo, memoryUsage, openArray } from 'light-speed-io';

const array = await openArray(process.argv[2]);
let before = 0;
for (let round = 0; round < 3; round += 1) {
  const { data } = await array.get();
  if (data.some((value, index) => value !== index)) throw new Error(`wrong in round ${round}`);
  // Finalizers of array buffers run on a later turn.
  globalThis.gc();
  await new Promise(setImmediate);
  if (round === 1) before = process.memoryUsage.rss();
}
const grown = process.memoryUsage.rss() - before;
const isBusy = () => {
  const { underWay, tasks } = engineInfo().stores;
  return underWay > 0 || tasks > 0 || memoryUsage().reservedBytes > 0;
};
while (isBusy()) await new Promise(setImmediate);
console.log(JSON.stringify({ grown, requests: engineInfo().stores.requests }));
