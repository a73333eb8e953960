// Ends with 1 unless the README's table, and the report and plots of the run that it names, are what the
// benchmark writes from that run's figures.

import { staleFiles } from './harness/kept-run.mjs';

const stale = staleFiles();
for (const file of stale) console.error(`${file} is not as npm run bench -- --report writes it`);
if (stale.length > 0) process.exitCode = 1;
