// Values are right or there is an error, whatever a store does meanwhile; nothing is left behind.

import { randomUUID } from 'node:crypto';
import { cpSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { LsioError, openArray, type LsioArray } from 'light-speed-io';
import type { Fault, FaultProxy, Plan, Rule } from '../scripts/test-servers/fault-proxy.mjs';
import { bytesOf } from './elements.js';
import { faultProxy } from './fault-proxy.js';
import { fixturePath } from './fixtures.js';
import { nothingIsLeft } from './nothing-is-left.js';
import { answerOf } from './program.js';
import { sampleElements, sampleInFolder, sampleObjects, type Sample } from './sample-array.js';
import { putObjects, storeOf } from './stores.js';
import { serialServerTest } from './test-servers.js';

/** Puts an array of many small objects behind a proxy. */
async function placeBehind(
  t: ExecutionContext,
  http: { readonly url: string; readonly folder: string },
  sample: Sample,
): Promise<{ proxy: FaultProxy; location: string }> {
  const prefix = `faults-${randomUUID()}`;
  sampleInFolder(`${http.folder}/${prefix}`, sample);
  const proxy = await faultProxy(t, http.url);
  return { proxy, location: storeOf('http', proxy.url).url(prefix) };
}

/** An array of many small objects behind a proxy. */
async function sampleBehind(
  ...place: Parameters<typeof placeBehind>
): Promise<{ proxy: FaultProxy; array: LsioArray<'float32'> }> {
  const { proxy, location } = await placeBehind(...place);
  const array = await openArray(location, {
    storage: { progressTimeoutMs: 2000, deadlineMs: 60_000 },
  });
  if (!array.is('float32')) throw new Error(array.dtype);
  await proxy.clearLog();
  return { proxy, array };
}

/** A sharded array behind a proxy, and its elements as they are on disk. */
async function shardedBehind(
  t: ExecutionContext,
  http: { readonly url: string; readonly folder: string },
): Promise<{ proxy: FaultProxy; array: LsioArray; elements: Buffer }> {
  const prefix = `faults-${randomUUID()}`;
  const fixture = fixturePath('zarr3/selection/sharded');
  cpSync(fixture, `${http.folder}/${prefix}`, { recursive: true });
  const proxy = await faultProxy(t, http.url);
  const array = await openArray(storeOf('http', proxy.url).url(prefix));
  const elements = bytesOf((await (await openArray(fixture)).get()).data);
  return { proxy, array, elements };
}

/** Rules for chunks alone. */
const chunks = (fault: Fault, more: Omit<Rule, 'fault'> = {}): Rule => ({
  path: '/c/',
  ...more,
  fault,
});

const many = { shape: [10_000, 16], rowsPerChunk: 1 } as const;

/** What 10,000 requests meet: in a hundred of them one reset, one 503 and one answer that is late. */
const manyFaults: Plan = {
  seed: 7,
  rules: [
    chunks({ reset: { afterBytes: 0 } }, { fraction: 0.005 }),
    chunks({ reset: { afterBytes: 20 } }, { fraction: 0.005 }),
    chunks({ status: { status: 503 } }, { fraction: 0.01 }),
    chunks({ latency: { milliseconds: 200 } }, { fraction: 0.01 }),
  ],
};

serialServerTest(
  'http',
  '10,000 requests with resets, 503 and a slow tail bring right values',
  async (t, http) => {
    t.timeout(120_000);
    const { proxy, array } = await sampleBehind(t, http, many);
    await proxy.setPlan(manyFaults);
    const { data } = await array.get();
    t.deepEqual(data, sampleElements(many));
    const { requests } = await proxy.log();
    t.true(requests.length > 10_000, `${requests.length} requests`);
    t.true(requests.some(({ status }) => status === 503));
    t.true(requests.some(({ status }) => status === null));
    await nothingIsLeft(t, proxy);
  },
);

serialServerTest('http', 'memory does not grow with requests that fail', async (t, http) => {
  t.timeout(240_000);
  const { location, proxy } = await placeBehind(t, http, many);
  await proxy.setPlan(manyFaults);
  // It ends when nothing is under way or reserved any more.
  const answer = await answerOf('growth-under-faults', [location], { nodeArgs: ['--expose-gc'] });
  const { grown, requests } = answer as { grown: number; requests: number };
  t.true(requests > 30_000, `${requests} requests`);
  // What a request leaves behind, its buffer (8 KiB and more), its connection or its task, is above 1 KiB.
  t.true(grown < 10_000 * 1024, `10,000 requests grew by ${grown}`);
  while ((await proxy.log()).connections.open > 0);
});

const few = { shape: [20, 1000], rowsPerChunk: 1 } as const;

const mended: readonly (readonly [title: string, fault: Fault])[] = [
  ['bodies that are cut short', { cut: { afterBytes: 1000 } }],
  ['connections that are reset in a body', { reset: { afterBytes: 1000 } }],
  ['errors of the server', { status: { status: 500 } }],
  ['answers that there are too many requests', { status: { status: 429 } }],
];
for (const [title, fault] of mended) {
  serialServerTest('http', `${title} are mended by asking again`, async (t, http) => {
    const { proxy, array } = await sampleBehind(t, http, few);
    await proxy.setPlan({ rules: [chunks(fault, { first: 5 })] });
    t.deepEqual((await array.get()).data, sampleElements(few));
    t.true((await proxy.log()).requests.length > 20);
    await nothingIsLeft(t, proxy);
  });
}

// fake-gcs-server has objects under its own host and port only, not under those of a proxy.
for (const kind of ['s3', 'azure'] as const) {
  serialServerTest(
    kind,
    'what fails on the way to a bucket is asked for again',
    async (t, server) => {
      const prefix = `faults-${randomUUID()}`;
      await putObjects(
        kind,
        [...sampleObjects(few)].map(([key, value]) => [`${prefix}/${key}`, value]),
      );
      const proxy = await faultProxy(t, new URL(server.endpoint).origin);
      // That of azurite ends with the account.
      const endpoint = proxy.url + new URL(server.endpoint).pathname.replace(/\/$/, '');
      const { url, storage } = storeOf(kind, endpoint);
      const array = await openArray(url(prefix), { storage });
      await proxy.setPlan({
        rules: [
          { first: 3, fault: { status: { status: 503 } } },
          { first: 6, fault: { cut: { afterBytes: 1000 } } },
        ],
      });
      await proxy.clearLog();
      t.deepEqual((await array.get()).data, sampleElements(few));
      t.true((await proxy.log()).requests.length > 20);
      await nothingIsLeft(t, proxy);
    },
  );
}

for (const difference of [-5, 5]) {
  serialServerTest(
    'http',
    `a length that is ${difference} bytes off is an error`,
    async (t, http) => {
      const { proxy, array } = await sampleBehind(t, http, few);
      await proxy.setPlan({ rules: [chunks({ contentLength: { difference } })] });
      await t.throwsAsync(array.get(), { instanceOf: LsioError });
      await nothingIsLeft(t, proxy);
    },
  );
}

serialServerTest('http', 'a slow body is waited for as long as it goes on', async (t, http) => {
  const { proxy, array } = await sampleBehind(t, http, few);
  await proxy.setPlan({ rules: [chunks({ slow: { bytesPerSecond: 8000 } })] });
  t.deepEqual((await array.get()).data, sampleElements(few));
  await nothingIsLeft(t, proxy);
});

serialServerTest('http', 'a call that is cancelled leaves nothing behind', async (t, http) => {
  const { proxy, array } = await sampleBehind(t, http, few);
  // No answer begins before the call is cancelled, and those that nobody waits for are given up.
  await proxy.setPlan({ rules: [chunks({ latency: { milliseconds: 3_600_000 } })] });
  const controller = new AbortController();
  const read = array.get(null, { signal: controller.signal });
  while ((await proxy.log()).requests.length === 0);
  const reason = new Error('enough');
  controller.abort(reason);
  await t.throwsAsync(read, { is: reason });
  await nothingIsLeft(t, proxy);
});

serialServerTest('http', 'a shard that is replaced once is planned again', async (t, http) => {
  const { proxy, array, elements } = await shardedBehind(t, http);
  await proxy.setPlan({ rules: [chunks({ changedEtag: { always: false } }, { after: 1 })] });
  t.true(bytesOf((await array.get()).data).equals(elements));
  await nothingIsLeft(t, proxy);
});

serialServerTest(
  'http',
  'a shard that is replaced again and again is a conflict',
  async (t, http) => {
    const { proxy, array } = await shardedBehind(t, http);
    await proxy.setPlan({ rules: [chunks({ changedEtag: { always: true } })] });
    await t.throwsAsync(array.get(), { code: 'ERR_LSIO_CONFLICT' });
    await nothingIsLeft(t, proxy);
  },
);
