// Lengths of chunks that vary along a dimension.

import { LsioError } from './errors.js';

/** So many chunks, one after the other, have this length. Counts beyond 2^53 are bigints. */
export type EdgeRun = readonly [edge: number, times: number | bigint];

/** Most chunks along a dimension: metadata of some bytes can claim 2^60 of them. So many numbers take 32 MiB, at 8 bytes each. */
const MAX_EDGES = 2 ** 22;

/** The length of each chunk along one dimension of the array at `path`. */
export function expandRuns(runs: readonly EdgeRun[], path: string): number[] {
  const chunks = runs.reduce((sum, [, times]) => sum + Number(times), 0);
  if (chunks > MAX_EDGES) {
    const message = `cannot list the lengths of ${chunks} chunks along one dimension, at most ${MAX_EDGES}: chunkGridShape has their number`;
    throw new LsioError('ERR_LSIO_BUDGET', message, { path });
  }
  return runs.flatMap(([edge, times]) => Array<number>(Number(times)).fill(edge));
}
