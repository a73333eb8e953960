// What the cache of decoded chunks saves of a store: a server of tiles reads one chunk hundreds of times.

import { randomUUID } from 'node:crypto';
import { configure, openArray, slice } from 'light-speed-io';
import type { LoggedRequest } from '../scripts/test-servers/fault-proxy.mjs';
import { faultProxy } from './fault-proxy.js';
import { sampleElements, sampleObjects } from './sample-array.js';
import { putObjects, storeOf } from './stores.js';
import { serverTest } from './test-servers.js';

configure({ cache: '16MiB' });

const sample = { shape: [256, 256], rowsPerChunk: 256 } as const;
const [rows, columns] = sample.shape;
const SIDE = 16;
const TILES = 401;
const TILES_AT_ONCE = 20;

serverTest('s3', 'the bytes of a chunk come once for hundreds of tiles', async (t, s3) => {
  const prefix = `cache/${randomUUID()}`;
  const objects = [...sampleObjects(sample)];
  await putObjects(
    's3',
    objects.map(([key, value]) => [`${prefix}/${key}`, value]),
  );
  const proxy = await faultProxy(t, s3.endpoint);
  const { url, storage } = storeOf('s3', proxy.url);
  // Without second requests on a machine that is busy: they are counted here.
  const array = await openArray(url(prefix), { storage: { ...storage, hedge: false } });
  if (!array.is('float32')) throw new Error(array.dtype);

  /** Reads all tiles, whose elements are so many more than those of the sample; what the store was asked. */
  const readTiles = async (more: number): Promise<readonly LoggedRequest[]> => {
    await proxy.clearLog();
    const readTile = async (number: number): Promise<void> => {
      const row = (number * 7) % (rows - SIDE);
      const column = (number * 11) % (columns - SIDE);
      const { data } = await array.get([slice(row, row + SIDE), slice(column, column + SIDE)]);
      t.is(data[SIDE * SIDE - 1], (row + SIDE - 1) * columns + column + SIDE - 1 + more);
    };
    // Calls that begin together may read a chunk twice before one knows of the other.
    await readTile(0);
    for (let first = 1; first < TILES; first += TILES_AT_ONCE) {
      const numbers = Array.from({ length: TILES_AT_ONCE }, (_, number) => first + number);
      await Promise.all(numbers.map(readTile));
    }
    return (await proxy.log()).requests;
  };
  const chunkBytes = rows * columns * 4;
  const bytesOf = (requests: readonly LoggedRequest[]): number =>
    requests.reduce((sum, { bytes }) => sum + bytes, 0);

  const requests = await readTiles(0);
  t.is(bytesOf(requests), chunkBytes);
  // Each call asks at most once whether the chunk is still the same.
  t.true(requests.length <= TILES + 1, `${requests.length} requests`);

  const later = sampleElements(sample).map((value) => value + 1000);
  await putObjects('s3', [[`${prefix}/c/0/0`, new Uint8Array(later.buffer)]]);
  t.is(bytesOf(await readTiles(1000)), chunkBytes);
});
