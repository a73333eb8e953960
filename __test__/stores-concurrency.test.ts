// How many requests are under way at a store follows from what the store makes of them.

import { randomUUID } from 'node:crypto';
import { openArray, slice } from 'light-speed-io';
import type { LoggedRequest } from '../scripts/test-servers/fault-proxy.mjs';
import { faultProxy } from './fault-proxy.js';
import { sampleElements, sampleInFolder } from './sample-array.js';
import { storeOf } from './stores.js';
import { serverTest } from './test-servers.js';

const sample = { shape: [2000, 16], rowsPerChunk: 1 } as const;

/** Rows that are read to see the requests rise: four times as many as may be under way. */
const ROWS_TO_RISE = 500;

/** Requests under way at a host that nothing is known of yet. */
const AT_FIRST = 32;

/** Requests under way that the store puts up with. */
const TAKEN = 16;

const most = (requests: readonly LoggedRequest[]): number =>
  requests.reduce((high, { inFlight }) => Math.max(high, inFlight), 0);

serverTest('http', 'requests under way rise under latency and fall under 503', async (t, http) => {
  const prefix = `concurrency-${randomUUID()}`;
  sampleInFolder(`${http.folder}/${prefix}`, sample);
  const proxy = await faultProxy(t, http.url);
  const array = await openArray(storeOf('http', proxy.url).url(prefix));

  // So long that what the machine takes for a request does not count beside it.
  await proxy.setPlan({ rules: [{ fault: { latency: { milliseconds: 200 } } }] });
  await proxy.clearLog();
  await array.get([slice(ROWS_TO_RISE), null]);
  const risen = most((await proxy.log()).requests);
  t.true(risen >= 2 * AT_FIRST, `${AT_FIRST} at first, ${risen} at most`);

  const latency = { fault: { latency: { milliseconds: 20 } } };
  const refusal = { aboveInFlight: TAKEN, fault: { status: { status: 503 } } };
  await proxy.setPlan({ rules: [latency, refusal] });
  await proxy.clearLog();
  t.deepEqual((await array.get()).data, sampleElements(sample));
  const { requests } = await proxy.log();
  t.true(requests.some(({ status }) => status === 503));
  const fallen = most(requests.slice((3 * requests.length) / 4));
  t.true(fallen <= 2 * TAKEN, `${risen} before, ${fallen} where ${TAKEN} are taken`);
});
