// Runs a command while the servers of the tests run:
//
//   node scripts/test-servers/run.mjs -- npx ava __test__/test-servers.test.ts

import { exitCodeOf } from '../child-process.mjs';
import { installTestServers, withTestServers } from './test-servers.mjs';

const [, , separator, command, ...args] = process.argv;
if (separator !== '--' || command === undefined) {
  console.error('usage: node scripts/test-servers/run.mjs -- COMMAND [ARGUMENT...]');
  process.exit(2);
}

process.exitCode = await withTestServers(await installTestServers(), async (env, missing) => {
  const exitCode = await exitCodeOf(command, args, { env, cwd: process.cwd() });
  return exitCode === 0 && missing.length > 0 && process.env.CI ? 1 : exitCode;
});
