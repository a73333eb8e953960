// light-speed-io from Node: node lsio.mjs TASK DATASET ROUNDS [key=value ...].
//
// Tasks: whole, chunks, mean, crops-many, crops-concurrent, open.
// Settings: io=auto|direct|buffered; memory=64MiB (of the process); threads=1; count=N (about so many
// chunks of the array instead of all); delay=1 (see measure.mjs); hedge=false (each request to a store is made once).

import { configure, engineInfo, memoryUsage, openArray, slice } from 'light-speed-io';
import { blockSum, rowSum } from './checksum.mjs';
import { chunksTouched, cropPlaces, SIDE } from './crops.mjs';
import { measure, parseArguments } from './measure.mjs';

/** Opens in one round: a single one is too short for the clock. */
const OPENS = 50;

const program = parseArguments(process.argv.slice(2));
const { memory, threads, io = 'auto', count, hedge } = program.settings;
configure({ memory, threads: threads === undefined ? undefined : Number(threads) });

const storage = hedge === undefined ? {} : { storage: { hedge: hedge === 'true' } };
const array = await openArray(program.dataset, storage);
const itemBytes = array.nbytes / array.shape.reduce((product, length) => product * length, 1);

/** A region of about `wanted` chunks: whole rows of the chunk grid, from the last axis on. */
function regionOf(wanted) {
  let left = wanted;
  const lengths = array.shape.map(() => 1);
  for (let axis = lengths.length - 1; axis >= 0; axis -= 1) {
    lengths[axis] = Math.min(array.chunkGridShape[axis], Math.max(1, Math.round(left)));
    left /= lengths[axis];
  }
  return lengths.map((length, axis) => slice(0, length * array.chunks[axis]));
}

/** The checksum of a crop, whose memory serves the next round, as that of the other native programs does. */
function sumAndRelease(crop) {
  const sum = rowSum(crop);
  crop.release();
  return sum;
}

/** Reads crops by `read(selections)`; its line also says what the engine decoded. */
async function crops(read) {
  const places = cropPlaces(array.shape);
  const selections = places.map(([z, y, x]) => [z, slice(y, y + SIDE), slice(x, x + SIDE)]);
  const before = engineInfo().stats.bytesDecoded;
  const results = await read(selections);
  const engineDecodedBytes = engineInfo().stats.bytesDecoded - before;
  return () => ({
    decodedBytes: places.length * SIDE * SIDE * itemBytes,
    checksum: results.reduce((sum, crop) => sum + sumAndRelease(crop), 0),
    engineDecodedBytes,
    touchedBytes:
      chunksTouched(places, array.chunks) *
      array.chunks.reduce((product, length) => product * length, itemBytes),
  });
}

const tasks = {
  async whole() {
    const result = await array.get(null, { io });
    return () => {
      const checksum = blockSum(result);
      // Its memory serves the next read, as that of the other native programs does.
      result.release();
      return { decodedBytes: array.nbytes, checksum };
    };
  },

  async chunks() {
    const region = count === undefined ? null : regionOf(Number(count));
    let [checksum, chunks, decodedBytes] = [0, 0, 0];
    for await (const chunk of array.readChunks(region, { io })) {
      checksum += blockSum(chunk);
      chunks += 1;
      decodedBytes += chunk.data.byteLength;
      chunk.release();
    }
    return () => ({ decodedBytes, checksum, chunks });
  },

  async mean() {
    const mean = await array.mean({ io });
    return () => ({ decodedBytes: array.nbytes, checksum: null, mean });
  },

  'crops-many': () => crops((selections) => array.getMany(selections, { io })),

  'crops-concurrent': () =>
    crops((selections) => Promise.all(selections.map((selection) => array.get(selection, { io })))),

  async open() {
    for (let time = 0; time < OPENS; time += 1) await openArray(program.dataset);
    return () => ({ decodedBytes: 0, checksum: null, opens: OPENS });
  },
};

if (!Object.hasOwn(tasks, program.task)) throw new Error(`unknown task '${program.task}'`);
await measure(program, async () => {
  const outcome = await tasks[program.task]();
  return () => ({ ...outcome(), budgetBytes: memoryUsage().limitBytes });
});
