// zarrita on a FileSystemStore: node zarrita.mjs TASK ARRAY ROUNDS, TASK being get | chunks.

import FileSystemStore from '@zarrita/storage/fs';
import * as zarr from 'zarrita';
import { checksum } from '../programs/checksum.mjs';
import { measure } from '../programs/measure.mjs';

const [task, location, rounds] = process.argv.slice(2);
const array = await zarr.open(new FileSystemStore(location), { kind: 'array' });
const decodedBytes = array.shape.reduce((product, length) => product * length, 4);

const tasks = {
  async get() {
    return { decodedBytes, checksum: checksum(await zarr.get(array)) };
  },
  async chunks() {
    let sum = 0;
    const counts = array.shape.map((length, axis) => Math.ceil(length / array.chunks[axis]));
    for (let a = 0; a < counts[0]; a += 1) {
      for (let b = 0; b < counts[1]; b += 1) {
        for (let c = 0; c < counts[2]; c += 1) {
          const { data, shape, stride } = await array.getChunk([a, b, c]);
          const origin = [a, b, c].map((at, axis) => at * array.chunks[axis]);
          const clipped = shape.map((length, axis) =>
            Math.min(length, array.shape[axis] - origin[axis]),
          );
          sum += checksum({ data, shape: clipped, stride }, origin);
        }
      }
    }
    return { decodedBytes, checksum: sum };
  },
};

await measure(Number(rounds), tasks[task]);
