// Reads the same array in eight workers and the main thread at once. argv: location. Prints each mean
// and how many engines there are.

import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { configure, engineInfo, openArray } from 'light-speed-io';

async function readAll(location) {
  const array = await openArray(location);
  let sum = 0;
  for await (const chunk of array.readChunks()) {
    for (const value of chunk.data) sum += value;
    chunk.release();
  }
  return { sum, mean: await array.mean() };
}

if (isMainThread) {
  const [, , location] = process.argv;
  configure({ threads: 3 });
  const workers = Array.from(
    { length: 8 },
    () => new Worker(new URL(import.meta.url), { workerData: { location } }),
  );
  const answers = await Promise.all(workers.map((worker) => once(worker, 'message')));
  const own = await readAll(location);
  console.log(JSON.stringify({ own, workers: answers.flat(), threads: engineInfo().threads }));
} else {
  const { threads } = engineInfo();
  parentPort.postMessage({ ...(await readAll(workerData.location)), threads });
}
