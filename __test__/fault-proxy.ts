// The fault proxy before one of the servers of the tests.

import type { ExecutionContext } from 'ava';
import { startFaultProxy, type FaultProxy } from '../scripts/test-servers/fault-proxy.mjs';
import { servers } from './test-servers.js';

/** Starts a proxy before the server at this URL; it ends with the test. */
export async function faultProxy(t: ExecutionContext, upstream: string): Promise<FaultProxy> {
  const program = servers.faultProxy;
  if (program === undefined) throw new Error(servers.skipped?.faultProxy ?? 'it was not built');
  const proxy = await startFaultProxy(program, upstream);
  t.teardown(() => proxy.stop());
  return proxy;
}
