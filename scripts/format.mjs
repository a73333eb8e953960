// npm run format: rewrites Rust, TypeScript, JavaScript and JSON sources in their format.

import { format } from './checks.mjs';
import { reportAndExit } from './child-process.mjs';
import { installPackages } from './set-up.mjs';

await installPackages().catch(reportAndExit);
process.exitCode = await format();
