// The real object stores that scripts/test-servers starts around a test run.

import test, { type ExecutionContext } from 'ava';
import type { ServerKind, TestServers } from '../scripts/test-servers/objects.mjs';

export const servers: TestServers = JSON.parse(
  process.env['LSIO_TEST_SERVERS'] ?? '{}',
) as TestServers;

function reasonOf(kind: ServerKind): string {
  return (
    servers.skipped?.[kind] ??
    'no servers were started: node scripts/test-servers/run.mjs -- npx ava FILE'
  );
}

/**
 * A test against one kind of server, which `run` receives the description of. Without the server it is
 * skipped and says why; in CI it fails.
 */
export function serverTest<K extends ServerKind>(
  kind: K,
  title: string,
  run: (t: ExecutionContext, server: NonNullable<TestServers[K]>) => Promise<void>,
): void {
  const server = servers[kind];
  if (server !== undefined) {
    test(`${kind}: ${title}`, (t) => run(t, server));
  } else if (process.env['CI']) {
    test(`${kind}: ${title}`, (t) => {
      t.fail(reasonOf(kind));
    });
  } else {
    console.error(`SKIPPED ${kind}: ${title}: ${reasonOf(kind)}`);
    test.skip(`${kind}: ${title}`, (t) => {
      t.fail();
    });
  }
}
