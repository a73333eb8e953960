// Terminates workers in the middle of reads, some of them into shared memory that only they know.
// argv: location. Ends when all but the memory of one small result has been given back.

import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { memoryUsage, openArray } from 'light-speed-io';

const ROUNDS = 24;
const MAX_HELD = 65_536;

if (isMainThread) {
  const [, , location] = process.argv;
  for (let round = 0; round < ROUNDS; round += 1) {
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { location, shared: round % 2 === 0 },
    });
    await once(worker, 'message');
    await worker.terminate();
  }
  // What was under way ends on the engine's threads; what was delivered goes with its worker. Only the
  // small result of this read stays.
  const array = await openArray(location);
  const { data } = await array.get([0, null]);
  const isBusy = ({ reservedBytes, heldBytes }) => reservedBytes > 0 || heldBytes > MAX_HELD;
  while (isBusy(memoryUsage())) await new Promise(setImmediate);
  console.log(JSON.stringify({ first: data[0] }));
} else {
  const { location, shared } = workerData;
  const array = await openArray(location);
  const read = async () => {
    for (;;) {
      if (shared) {
        await array.get(null, { out: new Float32Array(new SharedArrayBuffer(array.nbytes)) });
      } else {
        const reader = array.readChunks();
        for await (const chunk of reader) if (chunk.coords[0] % 2 === 0) chunk.release();
      }
    }
  };
  const running = [read(), read(), read()];
  parentPort.postMessage('reading');
  await Promise.all(running);
}
