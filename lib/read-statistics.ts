// What reading cost: the counters of the core, under the names that users see.

import type { NativeStats } from './native-module.js';

/** Counters of one reader, or of all calls since the start of the process. */
export type ReadStats = NativeStats;
