// Answers that are late are asked for a second time, few of them, and with right values.

import { randomUUID } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import { engineInfo, openArray, type LsioArray, type StorageOptions } from 'light-speed-io';
import type { FaultProxy, Rule } from '../scripts/test-servers/fault-proxy.mjs';
import { faultProxy } from './fault-proxy.js';
import { nothingIsLeft } from './nothing-is-left.js';
import { sampleElements, sampleInFolder, type Sample } from './sample-array.js';
import { storeOf } from './stores.js';
import { serialServerTest } from './test-servers.js';

/** Requests after which it knows, and as many second ones are saved up as can be. */
const KNOWN = 320;

/** Second requests that can be saved up. */
const SAVED = 8;

/** Late requests of all, at most: see `EARNED_BY` in crates/lsio_object_store_bridge/src/lateness.rs. */
const SHARE = 1 / 20;

const HOUR = 3_600_000;

/** So many of the requests for chunks that come next begin to be answered so late. */
const late = (milliseconds: number, which: Omit<Rule, 'fault'> = { first: 1 }): Rule => ({
  path: '/c/',
  ...which,
  fault: { latency: { milliseconds } },
});

interface Known {
  readonly proxy: FaultProxy;
  readonly array: LsioArray<'float32'>;
  /** Reads the array, whose values must be right; what was asked for it. */
  readonly read: (rules: readonly Rule[]) => Promise<Counts>;
}

interface Counts {
  /** Requests that are no second ones. */
  readonly firsts: number;
  readonly retries: number;
  readonly hedges: number;
}

/** An array behind a proxy, at a host that is known to answer at once. */
async function knownArray(
  t: ExecutionContext,
  http: { readonly url: string; readonly folder: string },
  { rows, storage }: { readonly rows: number; readonly storage?: StorageOptions },
): Promise<Known> {
  const prefix = `hedging-${randomUUID()}`;
  const sample: Sample = { shape: [rows, 16], rowsPerChunk: 1 };
  sampleInFolder(`${http.folder}/${prefix}`, sample);
  const proxy = await faultProxy(t, http.url);
  const location = storeOf('http', proxy.url).url(prefix);
  const array = await openArray(location, storage === undefined ? {} : { storage });
  if (!array.is('float32')) throw new Error(array.dtype);
  const read = async (rules: readonly Rule[]): Promise<Counts> => {
    await proxy.setPlan({ seed: 5, rules });
    await proxy.clearLog();
    const before = engineInfo().stores;
    t.deepEqual((await array.get()).data, sampleElements(sample));
    const after = engineInfo().stores;
    const hedges = after.hedges - before.hedges;
    return {
      firsts: after.requests - before.requests - hedges,
      retries: after.retries - before.retries,
      hedges,
    };
  };
  for (let known = 0; known < KNOWN; known += rows) await read([]);
  return { proxy, array, read };
}

serialServerTest('http', 'a late answer is asked for a second time', async (t, http) => {
  const { proxy, read } = await knownArray(t, http, { rows: 100 });
  // The read ends although the first of the two is never answered. A busy machine may make others late.
  const { firsts, retries, hedges } = await read([late(HOUR)]);
  t.deepEqual([firsts, retries], [100, 0]);
  t.true(hedges > 0);
  await nothingIsLeft(t, proxy);
  const { requests } = await proxy.log();
  const rangesOf = new Map<string, unknown[]>();
  for (const { path, range } of requests) {
    rangesOf.set(path, [...(rangesOf.get(path) ?? []), range]);
  }
  const twins = [...rangesOf.values()].filter(({ length }) => length > 1);
  t.is(twins.length, hedges);
  for (const [first, ...others] of twins) t.deepEqual(others, [first]);
  t.true(requests.some(({ status }) => status === null));
});

serialServerTest('http', 'what may not be asked for twice is waited for', async (t, http) => {
  const storage = { hedge: false };
  const { proxy, read } = await knownArray(t, http, { rows: 100, storage });
  t.deepEqual(await read([late(400)]), { firsts: 100, retries: 0, hedges: 0 });
  await nothingIsLeft(t, proxy);
});

serialServerTest('http', 'few requests are made a second time', async (t, http) => {
  const { proxy, read } = await knownArray(t, http, { rows: 2000 });
  const { firsts, hedges } = await read([late(250, { fraction: 0.04 })]);
  t.true(hedges > 0);
  t.true(hedges <= firsts * SHARE + SAVED, `${hedges} of ${firsts}`);
  await nothingIsLeft(t, proxy);
});

serialServerTest('http', 'a host that refuses is not asked twice', async (t, http) => {
  const { proxy, read } = await knownArray(t, http, { rows: 10 });
  const refusal: Rule = { path: '/c/', first: 1, fault: { status: { status: 503 } } };
  const { firsts, retries } = await read([refusal]);
  t.deepEqual([firsts, retries], [11, 1]);
  t.deepEqual(await read([late(400)]), { firsts: 10, retries: 0, hedges: 0 });
  // Until it has answered many others.
  for (let known = 0; known < KNOWN; known += 10) await read([]);
  t.true((await read([late(HOUR)])).hedges > 0);
  await nothingIsLeft(t, proxy);
});

serialServerTest('http', 'a call that is cancelled gives up both requests', async (t, http) => {
  const { proxy, array } = await knownArray(t, http, { rows: 100 });
  // Neither of the two is answered.
  await proxy.setPlan({ rules: [late(HOUR, { path: '/c/7/' })] });
  const controller = new AbortController();
  const before = engineInfo().stores.hedges;
  const read = array.get(null, { signal: controller.signal });
  while (engineInfo().stores.hedges === before) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const reason = new Error('enough');
  controller.abort(reason);
  await t.throwsAsync(read, { is: reason });
  await nothingIsLeft(t, proxy);
});
