// npm run demo: sets up what is missing or stale, then shows the main job on data of its own.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { reportAndExit, root } from './child-process.mjs';
import { setUp } from './set-up.mjs';

await setUp().catch(reportAndExit);

const child = spawn(
  process.execPath,
  [join(root, 'bin/lsio.mjs'), 'demo', ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
// The terminal sends Ctrl-C to the whole group: the child cancels and removes its data, we wait.
process.on('SIGINT', () => child.kill('SIGINT'));
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('close', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
});
