// light-speed-io: node lsio.mjs TASK ARRAY ROUNDS, TASK being get | chunks | mean | get-direct.

import { openArray } from 'light-speed-io';
import { checksum } from './checksum.mjs';
import { measure } from './measure.mjs';

const [task, location, rounds] = process.argv.slice(2);
const array = await openArray(location);
const decodedBytes = Number(array.nbytes);

const tasks = {
  async get() {
    const result = await array.get();
    const sum = checksum(result);
    return { decodedBytes, checksum: sum };
  },
  async 'get-direct'() {
    const result = await array.get(null, { io: 'direct' });
    return { decodedBytes, checksum: checksum(result) };
  },
  async chunks() {
    let sum = 0;
    for await (const chunk of array.readChunks()) {
      sum += checksum(chunk, chunk.origin);
      chunk.release();
    }
    return { decodedBytes, checksum: sum };
  },
  async mean() {
    return { decodedBytes, checksum: null, mean: await array.mean() };
  },
};

await measure(Number(rounds), tasks[task]);
