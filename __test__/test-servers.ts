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

type Run<K extends ServerKind> = (
  t: ExecutionContext,
  server: NonNullable<TestServers[K]>,
) => Promise<void>;

function declare<K extends ServerKind>(
  declareTest: typeof test | typeof test.serial,
  [kind, title, run]: [kind: K, title: string, run: Run<K>],
): void {
  const name = `${kind}: ${title}`;
  const server = servers[kind];
  if (server !== undefined) {
    declareTest(name, (t) => run(t, server));
  } else if (process.env['CI']) {
    test(name, (t) => {
      t.fail(reasonOf(kind));
    });
  } else {
    console.error(`SKIPPED ${name}: ${reasonOf(kind)}`);
    test.skip(name, (t) => {
      t.fail();
    });
  }
}

/**
 * A test against one kind of server, which `run` receives the description of. Without the server it is
 * skipped and says why; in CI it fails.
 */
export function serverTest<K extends ServerKind>(kind: K, title: string, run: Run<K>): void {
  declare(test, [kind, title, run]);
}

/** The same, while no other test of the file runs. */
export function serialServerTest<K extends ServerKind>(kind: K, title: string, run: Run<K>): void {
  declare(test.serial, [kind, title, run]);
}
