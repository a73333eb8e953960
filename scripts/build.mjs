// npm run build: packages, the native release build and the facade, each only if missing or stale.

import { reportAndExit } from './child-process.mjs';
import { setUp } from './set-up.mjs';

await setUp().catch(reportAndExit);
