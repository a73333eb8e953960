// What reads from stores leave behind once they have ended: nothing.

import type { ExecutionContext } from 'ava';
import { engineInfo, memoryUsage } from 'light-speed-io';
import type { FaultProxy } from '../scripts/test-servers/fault-proxy.mjs';

/** Connections to one host that are kept for later requests: as many as may be under way, `maxConcurrency`. */
const KEPT_CONNECTIONS = 128;

/** Waits until no read from a store is under way: reads of cancelled calls end after the calls do. */
export async function storesAreIdle(): Promise<void> {
  // The test's own time limit ends the wait.
  for (;;) {
    const { underWay, tasks } = engineInfo().stores;
    if (underWay === 0 && tasks === 0 && memoryUsage().reservedBytes === 0) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/**
 * Once calls have settled and their reads have ended, nothing is reserved, under way or served, and no more connections
 * are open than are kept.
 */
export async function nothingIsLeft(t: ExecutionContext, proxy: FaultProxy): Promise<void> {
  await storesAreIdle();
  // The proxy sees the end of a connection that was dropped a little later.
  let log = await proxy.log();
  while (log.inFlight > 0 || log.connections.open > KEPT_CONNECTIONS) log = await proxy.log();
  const { underWay, tasks } = engineInfo().stores;
  const { reservedBytes } = memoryUsage();
  t.deepEqual({ reservedBytes, underWay, tasks }, { reservedBytes: 0, underWay: 0, tasks: 0 });
}
