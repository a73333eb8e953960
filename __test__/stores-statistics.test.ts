// What a call asked of its store is told of that call, not only of all.

import { randomUUID } from 'node:crypto';
import { cpSync } from 'node:fs';
import { openArray, type LsioArray, type ReadStats } from 'light-speed-io';
import test from 'ava';
import { faultProxy } from './fault-proxy.js';
import { fixturePath } from './fixtures.js';
import { sampleInFolder } from './sample-array.js';
import { storeOf } from './stores.js';
import { serialServerTest } from './test-servers.js';

/** No second requests: the proxy may not see one that is given up at once. */
const storage = { hedge: false };

/** The statistics of a read of all chunks. */
async function statsOf(array: LsioArray): Promise<ReadStats> {
  const reader = array.readChunks();
  for await (const chunk of reader) chunk.release();
  return reader.stats;
}

serialServerTest('http', 'each call counts its own requests and retries', async (t, http) => {
  const prefix = `statistics-${randomUUID()}`;
  sampleInFolder(`${http.folder}/${prefix}`, { shape: [20, 1000], rowsPerChunk: 1 });
  const proxy = await faultProxy(t, http.url);
  const array = await openArray(storeOf('http', proxy.url).url(prefix), { storage });
  const refusal = { path: '/c/', first: 3, fault: { status: { status: 503 } } };
  const read = async (): Promise<readonly number[]> => {
    await proxy.clearLog();
    const { requests, retries, hedges, reads } = await statsOf(array);
    t.is(requests, (await proxy.log()).requests.length);
    return [reads, requests, retries, hedges];
  };
  t.deepEqual(await read(), [20, 20, 0, 0]);
  await proxy.setPlan({ rules: [refusal] });
  t.deepEqual(await read(), [20, 23, 3, 0]);
  await proxy.setPlan({ rules: [] });
  t.deepEqual(await read(), [20, 20, 0, 0]);
});

serialServerTest('http', 'so do calls that read an archive there', async (t, http) => {
  const name = `statistics-${randomUUID()}.zip`;
  cpSync(fixturePath('zip/shards-stored.zip'), `${http.folder}/${name}`);
  const proxy = await faultProxy(t, http.url);
  const array = await openArray(storeOf('http', proxy.url).url(name), { storage });
  await proxy.clearLog();
  const { requests } = await statsOf(array);
  t.true(requests > 0);
  t.is(requests, (await proxy.log()).requests.length);
});

test('reads of local files make no requests', async (t) => {
  const { requests, retries, hedges, reads } = await statsOf(
    await openArray(fixturePath('zarr3/selection/sharded')),
  );
  t.true(reads > 0);
  t.deepEqual([requests, retries, hedges], [0, 0, 0]);
});
