// The process that owns the servers: prints what they are as one line of JSON, and ends them when its
// standard input closes. So they end with whoever started it, however that ended.
//
//   node keeper.mjs '{"s3": {"program": ...}, ...}'

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SERVERS } from './servers.mjs';
import { startServer } from './server-process.mjs';

const installed = JSON.parse(process.argv[2]);
const folder = mkdtempSync(join(tmpdir(), 'lsio-test-servers-'));
const running = [];

async function end() {
  await Promise.all(running.map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
  process.exit();
}

/** What the servers are by their kind; `skipped` has the reason of those that did not start. */
async function startAll() {
  const descriptions = {};
  const skipped = {};
  const wanted = SERVERS.filter(({ kind }) => kind in installed);
  await Promise.all(
    wanted.map(async (server) => {
      const own = join(folder, server.kind);
      try {
        mkdirSync(own);
        const started = await startServer(server, installed[server.kind], own);
        running.push(started);
        descriptions[server.kind] = started.description;
      } catch (error) {
        skipped[server.kind] = `${server.name} did not start: ${error.message}`;
      }
    }),
  );
  return { ...descriptions, skipped };
}

// Whoever reads it may be gone: the end of standard input says so too.
process.stdout.on('error', () => {});
const starting = startAll();
// Not before they have started: one that is about to would be missed.
const closed = new Promise((resolve) => process.stdin.on('close', resolve).resume());
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => starting.then(end));
console.log(JSON.stringify(await starting));
await closed;
await end();
