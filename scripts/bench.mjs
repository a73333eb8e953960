// npm run bench: sets up what is missing or stale, then runs the benchmarks with the given arguments.

import { join } from 'node:path';
import { reportAndExit, root, run } from './child-process.mjs';
import { setUp } from './set-up.mjs';

await setUp()
  .then(() => run(process.execPath, [join(root, 'benches/run.mjs'), ...process.argv.slice(2)]))
  .catch(reportAndExit);
