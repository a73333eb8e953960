// The command line of the benchmark of stores.

import { parseArgs } from 'node:util';

export const HELP = `npm run bench:stores -- [OPTIONS]

  --only TEXT     contests whose name contains TEXT, such as s3/plain; may be repeated
  --rounds N      interleaved rounds (5)
  --size SIZE     quick or full: the data sets
  --data FOLDER   where data sets are kept (LSIO_BENCH_DATA, else ~/.cache/light-speed-io/bench)
  --keep-run      writes benches/runs/<date>-<machine>-stores/; not with --only
  --help
`;

/** What the arguments say; throws a TypeError that names a wrong one. */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string', default: '5' },
      size: { type: 'string', default: 'quick' },
      data: { type: 'string' },
      'keep-run': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (!/^[1-9]\d*$/.test(values.rounds)) {
    throw new TypeError(`--rounds ${values.rounds}: expected a whole number, at least 1`);
  }
  if (values.size !== 'quick' && values.size !== 'full') {
    throw new TypeError(`--size ${values.size}: expected quick or full`);
  }
  if (values['keep-run'] && values.only.length > 0) {
    throw new TypeError(
      '--keep-run with --only would put some contests in the place of all of them: keep a run of all',
    );
  }
  const { 'keep-run': keepRun, ...others } = values;
  return { ...others, rounds: Number(values.rounds), keepRun };
}
