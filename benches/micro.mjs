// npm run bench:micro: runs the micro-benchmarks of all crates. Arguments go to divan, such as a part of
// a benchmark's name.

import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { reportAndExit, root, run } from '../scripts/child-process.mjs';

/** Names of the files in the crates' folders for benchmarks. */
const benches = readdirSync(join(root, 'crates'), { recursive: true })
  .filter((path) => /^[^/]+\/benches\/[^/]+\.rs$/.test(path))
  .map((path) => basename(path, '.rs'))
  .sort();

await run('cargo', [
  ...['bench', '--workspace', '--locked'],
  ...benches.flatMap((name) => ['--bench', name]),
  ...['--', ...process.argv.slice(2)],
]).catch(reportAndExit);
