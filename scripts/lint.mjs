// npm run lint: formatting, lints and types of everything; needs a build for the types of the tests.

import { reportAndExit } from './child-process.mjs';
import { runChecks } from './checks.mjs';
import { setUp } from './set-up.mjs';

await setUp().catch(reportAndExit);
const { failed } = await runChecks();
process.exitCode = failed === 0 ? 0 : 1;
