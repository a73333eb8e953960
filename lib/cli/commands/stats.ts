// lsio stats: minimum, maximum, mean and missing count of a whole array, folded in the core.

import { summarize } from '../../array.js';
import type { CommandContext, Report } from '../command-context.js';
import { formatCount, formatPairs } from '../format.js';
import { openArrayAtLocation } from '../opening.js';

/** Folds the array at the location. */
export async function run(context: CommandContext): Promise<Report> {
  const array = await openArrayAtLocation(context);
  const { signal, progress } = context;
  progress.start('folding');
  const total = array.nbytes ?? 0;
  const { min, max, mean, missing, count } = await summarize(array, {
    signal,
    onProgress: ({ bytesDecoded }) => {
      progress.update(bytesDecoded, total);
    },
  });
  const { path, dtype, shape } = array;
  const units = typeof array.attrs['units'] === 'string' ? array.attrs['units'] : null;
  const withUnits = (value: number): string => (units === null ? `${value}` : `${value} ${units}`);
  const text = formatPairs([
    ['min', withUnits(min)],
    ['max', withUnits(max)],
    ['mean', withUnits(mean)],
    ['missing', `${formatCount(missing)} of ${formatCount(count)}`],
  ]);
  return { document: { path, dtype, shape, units, min, max, mean, missing, count }, text };
}
