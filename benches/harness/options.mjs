// The command line of the benchmark.

import { parseArgs } from 'node:util';

export const HELP = `npm run bench -- [OPTIONS]        a short run, under ten minutes
npm run bench:full -- [OPTIONS]   all of it

  --only TEXT        contests whose name contains TEXT, such as whole/plain; may be repeated
  --list             names the contests and ends
  --rounds N         interleaved rounds (7)
  --size SIZE        quick or full: the data sets, the programs and the rows
  --data FOLDER      where data sets are kept (LSIO_BENCH_DATA, else ~/.cache/light-speed-io/bench)
  --continue         goes on with the last run, of the same commit: contests that it has are not measured again
  --keep-run         writes figures, report and plots to benches/runs/<date>-<machine>/ (quick data sets:
                     <date>-<machine>-quick/), and the table of the README from them; not with --only
  --report FOLDER    writes report, plots and the README's table anew from a kept run; measures nothing
  --help
`;

/** What the arguments say; throws a TypeError that names a wrong one. */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', multiple: true, default: [] },
      list: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '7' },
      size: { type: 'string', default: 'quick' },
      data: { type: 'string' },
      continue: { type: 'boolean', default: false },
      'keep-run': { type: 'boolean', default: false },
      report: { type: 'string' },
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
      '--keep-run with --only would put some contests in the place of all of them: measure the others too, with ' +
        '--continue --keep-run',
    );
  }
  const { continue: continues, 'keep-run': keepRun, ...others } = values;
  return { ...others, rounds: Number(values.rounds), continues, keepRun };
}
