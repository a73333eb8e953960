// zarrita on a FileSystemStore: node zarrita.mjs TASK DATASET ROUNDS [delay=1].
//
// Tasks: whole, chunks, crops-many, crops-concurrent. It has no call for several regions, so both tasks
// of crops call get for each, all at once.

import FileSystemStore from '@zarrita/storage/fs';
import * as zarr from 'zarrita';
import { blockSum, rowSum } from '../../programs/checksum.mjs';
import { cropPlaces, SIDE } from '../../programs/crops.mjs';
import { measure, parseArguments } from '../../programs/measure.mjs';

const program = parseArguments(process.argv.slice(2));
const array = await zarr.open(new FileSystemStore(program.dataset), { kind: 'array' });

/** Coordinates of all chunks, in C order. */
function* chunkGrid() {
  const counts = array.shape.map((length, axis) => Math.ceil(length / array.chunks[axis]));
  const total = counts.reduce((product, length) => product * length, 1);
  for (let number = 0; number < total; number += 1) {
    let rest = number;
    const coords = [];
    for (let axis = counts.length - 1; axis >= 0; axis -= 1) {
      coords[axis] = rest % counts[axis];
      rest = Math.floor(rest / counts[axis]);
    }
    yield coords;
  }
}

async function crops() {
  const places = cropPlaces(array.shape);
  const results = await Promise.all(
    places.map(([z, y, x]) =>
      zarr.get(array, [z, zarr.slice(y, y + SIDE), zarr.slice(x, x + SIDE)]),
    ),
  );
  return () => ({
    decodedBytes: results.reduce((sum, { data }) => sum + data.byteLength, 0),
    checksum: results.reduce((sum, crop) => sum + rowSum(crop), 0),
  });
}

const tasks = {
  async whole() {
    const result = await zarr.get(array);
    return () => ({ decodedBytes: result.data.byteLength, checksum: blockSum(result) });
  },

  async chunks() {
    let [checksum, decodedBytes] = [0, 0];
    for (const coords of chunkGrid()) {
      const chunk = await array.getChunk(coords);
      checksum += blockSum(chunk);
      decodedBytes += chunk.data.byteLength;
    }
    return () => ({ decodedBytes, checksum });
  },

  'crops-many': crops,
  'crops-concurrent': crops,
};

if (!Object.hasOwn(tasks, program.task)) throw new Error(`unknown task '${program.task}'`);
await measure(program, tasks[program.task]);
