// How many requests follow on one another: what an array in a distant bucket costs before the first chunk.

import { openArray } from 'light-speed-io';
import type { LoggedRequest } from '../scripts/test-servers/fault-proxy.mjs';
import { faultProxy } from './fault-proxy.js';
import { fixturePath } from './fixtures.js';
import { putFolder, storeOf } from './stores.js';
import { serverTest } from './test-servers.js';

/** Longer than anything that happens between an answer and a request that waited for it. */
const LATENCY_MS = 100;

/** The most requests of which each came after the one before it had ended. */
function roundTrips(requests: readonly LoggedRequest[]): number {
  const ended = requests.map(({ startMs, endMs }) => ({
    startMs,
    endMs: endMs ?? Number.POSITIVE_INFINITY,
  }));
  let [trips, end] = [0, Number.NEGATIVE_INFINITY];
  // Whatever ends first leaves the most room for others.
  for (const request of ended.toSorted((a, b) => a.endMs - b.endMs)) {
    if (request.startMs < end) continue;
    trips += 1;
    end = request.endMs;
  }
  return trips;
}

for (const kind of ['s3', 'http'] as const) {
  for (const path of [
    'zarr3/selection/plain',
    'zarr3/selection/sharded',
    'zarr2/codecs/bool-zstd',
  ]) {
    serverTest(kind, `${path} is opened in two round trips at most`, async (t, server) => {
      await putFolder(kind, fixturePath(path), `trips/${path}`);
      const proxy = await faultProxy(t, 'endpoint' in server ? server.endpoint : server.url);
      await proxy.setPlan({ rules: [{ fault: { latency: { milliseconds: LATENCY_MS } } }] });
      const { url, storage } = storeOf(kind, proxy.url);
      await openArray(url(`trips/${path}`), { storage });
      const { requests } = await proxy.log();
      t.true(requests.length > 0);
      t.true(roundTrips(requests) <= 2, JSON.stringify(requests, null, 1));
    });
  }
}
