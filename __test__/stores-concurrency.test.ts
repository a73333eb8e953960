// How many requests are under way at a store follows from what the store makes of them.

import { randomUUID } from 'node:crypto';
import { openArray } from 'light-speed-io';
import type { LoggedRequest } from '../scripts/test-servers/fault-proxy.mjs';
import { faultProxy } from './fault-proxy.js';
import { sampleElements, sampleInFolder } from './sample-array.js';
import { storeOf } from './stores.js';
import { serverTest } from './test-servers.js';

/** Refusals leave one or two requests under way: fewer of them, or it takes long. */
const many = { shape: [2000, 16], rowsPerChunk: 1 } as const;
const few = { shape: [200, 16], rowsPerChunk: 1 } as const;

const most = (requests: readonly LoggedRequest[]): number =>
  requests.reduce((high, { inFlight }) => Math.max(high, inFlight), 0);

serverTest('http', 'requests under way rise under latency and fall under 503', async (t, http) => {
  const prefix = `concurrency-${randomUUID()}`;
  sampleInFolder(`${http.folder}/${prefix}/many`, many);
  sampleInFolder(`${http.folder}/${prefix}/few`, few);
  const proxy = await faultProxy(t, http.url);
  const { url } = storeOf('http', proxy.url);
  const manyChunks = await openArray(url(`${prefix}/many`));
  const fewChunks = await openArray(url(`${prefix}/few`));

  const latency = { fault: { latency: { milliseconds: 20 } } };
  await proxy.setPlan({ rules: [latency] });
  await proxy.clearLog();
  t.deepEqual((await manyChunks.get()).data, sampleElements(many));
  const { requests: slow } = await proxy.log();
  const start = most(slow.slice(0, 16));
  const risen = most(slow);
  t.true(risen >= 2 * start, `${start} at first, ${risen} at most`);

  await proxy.setPlan({
    rules: [latency, { fraction: 0.3, fault: { status: { status: 503 } } }],
  });
  await proxy.clearLog();
  t.deepEqual((await fewChunks.get()).data, sampleElements(few));
  const { requests: refused } = await proxy.log();
  const fallen = most(refused.slice(refused.length / 2));
  t.true(2 * fallen <= risen, `${risen} before, ${fallen} after refusals`);
});
