// Ends in the middle of reads from a store: of the server, of a worker, of the process.

import { randomUUID } from 'node:crypto';
import { memoryUsage, openArray } from 'light-speed-io';
import type { FaultProxy } from '../scripts/test-servers/fault-proxy.mjs';
import { faultProxy } from './fault-proxy.js';
import { storesAreIdle } from './nothing-is-left.js';
import { answerOf, runProgram } from './program.js';
import { sampleInFolder } from './sample-array.js';
import { storeOf } from './stores.js';
import { serialServerTest } from './test-servers.js';

const sample = { shape: [20, 1000], rowsPerChunk: 1 } as const;

/** Chunks are never answered. */
const silence = {
  rules: [{ path: '/c/', fault: { latency: { milliseconds: 3_600_000 } } }],
} as const;

function place(folder: string, proxy: FaultProxy): string {
  const prefix = `ends-${randomUUID()}`;
  sampleInFolder(`${folder}/${prefix}`, sample);
  return storeOf('http', proxy.url).url(prefix);
}

serialServerTest('http', 'a server that is gone in a read is an error', async (t, http) => {
  const proxy = await faultProxy(t, http.url);
  const array = await openArray(place(http.folder, proxy), { storage: { maxRetries: 1 } });
  await proxy.setPlan(silence);
  await proxy.clearLog();
  const read = t.throwsAsync(array.get(), { code: 'ERR_LSIO_IO' });
  while ((await proxy.log()).inFlight === 0);
  await proxy.stop();
  await read;
  await storesAreIdle();
  t.is(memoryUsage().reservedBytes, 0);
});

serialServerTest('http', 'workers that are terminated in reads leave nothing', async (t, http) => {
  const proxy = await faultProxy(t, http.url);
  await proxy.setPlan({ rules: [{ fault: { latency: { milliseconds: 20 } } }] });
  // It ends when the memory of all reads has been given back.
  const answer = await answerOf('terminated-workers', [place(http.folder, proxy)]);
  t.deepEqual(answer, { first: 0 });
  while ((await proxy.log()).connections.open > 0);
  t.is((await proxy.log()).inFlight, 0);
});

for (const moment of ['at-once', 'first-chunk']) {
  serialServerTest('http', `process.exit in a read, ${moment}`, async (t, http) => {
    const proxy = await faultProxy(t, http.url);
    const location = place(http.folder, proxy);
    const { exitCode, signal, stderr } = await runProgram('exit-in-flight', [location, moment]);
    t.is(exitCode, 7, stderr);
    t.is(signal, null);
    while ((await proxy.log()).connections.open > 0);
  });
}
