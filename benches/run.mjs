// The benchmark: every task of light-speed-io beside its ceilings and its peers, in one run.
// What it measures is in harness/contests.mjs, what must hold in harness/bounds.mjs; see README.md.

import { join, resolve } from 'node:path';
import { contestsOf } from './harness/contests.mjs';
import { addContest, continuedRun } from './harness/continued-run.mjs';
import { cacheFolder, dataSets } from './harness/data-sets.mjs';
import { readRun, writeFigures, writeReadmeTable, writeRun } from './harness/kept-run.mjs';
import { setHugePagesAside } from './harness/fio.mjs';
import { describe } from './harness/machine.mjs';
import { HELP, parseOptions } from './harness/options.mjs';
import { commandOf, PROGRAMS } from './harness/programs.mjs';
import { isSound, reportOf } from './harness/report.mjs';
import { runContest } from './harness/rounds.mjs';
import { setUp, versionsOf } from './set-up.mjs';

const runs = join(import.meta.dirname, 'runs');
const started = performance.now();

function say(text) {
  const minutes = ((performance.now() - started) / 60_000).toFixed(1);
  console.error(`[${minutes} min] ${text}`);
}

/** Measures the contests and gives the run: what it is about, and all figures. */
async function measureAll({ contests, size, rounds, only, data: named, continues }) {
  const tools = await setUp();
  const cache = cacheFolder(named);
  const names = new Set(
    contests.flatMap(({ dataSet, entries }) => [
      dataSet,
      ...entries.flatMap((entry) => entry.dataSet ?? []),
    ]),
  );
  const sets = await dataSets({ python: tools.python, cache, size, names });
  const versions = versionsOf(tools);
  const machine = await describe({ tools, versions, folder: cache, size, rounds });
  const about = { ...machine, only };
  const last = join(cache, 'last-run');
  const run = continues ? continuedRun(readRun(last), about) : { about, contests: [] };
  const measured = new Set(run.contests.map(({ id }) => id));
  const hugePages = setHugePagesAside();
  tools.fioMemory = hugePages.memory;
  process.once('exit', () => hugePages.undo());
  for (const contest of contests) {
    if (measured.has(contest.id)) continue;
    addContest(run, await runOne(contest, { tools, sets, rounds }));
    // What was measured so far outlives whatever comes.
    writeFigures(last, run);
  }
  return run;
}

/** One contest with its figures and what is known of its data. */
async function runOne(contest, { tools, sets, rounds }) {
  const { id, task, dataSet, cache } = contest;
  const { folder, decodedBytes, storedBytes, ratio, chunks, note } = sets[dataSet];
  const entries = contest.entries.filter(({ program }) => tools[PROGRAMS[program].needs]);
  const setting = { rounds, folder, decodedBytes, say, conditions: tools.conditions };
  const startedAt = new Date().toISOString();
  const rows = await runContest(
    { ...contest, entries },
    {
      ...setting,
      commandOf: (entry) => commandOf(entry, contest, sets[entry.dataSet]?.folder ?? folder, tools),
    },
  );
  const about = { id, task, dataSet, cache, startedAt };
  return { ...about, decodedBytes, storedBytes, ratio, chunks, note, rows };
}

/** The folder of a kept run: a short run does not take the place of a full one. */
function nameOf({ about: { date, machine, size } }) {
  return [date, machine, ...(size === 'full' ? [] : [size])].join('-');
}

function keep(folder, run) {
  writeRun(folder, run);
  writeReadmeTable(folder, run);
}

async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(HELP);
    return;
  }
  if (options.report !== undefined) {
    const folder = resolve(options.report);
    keep(folder, readRun(folder));
    return;
  }
  const contests = contestsOf(options.size).filter(
    ({ id }) => options.only.length === 0 || options.only.some((text) => id.includes(text)),
  );
  if (options.list || contests.length === 0) {
    console.log(
      (options.list ? contests : contestsOf(options.size)).map(({ id }) => id).join('\n'),
    );
    if (!options.list) throw new TypeError(`--only ${options.only}: no contest has such a name`);
    return;
  }
  const run = await measureAll({ contests, ...options });
  console.log(reportOf(run));
  say('done');
  if (options.keepRun) {
    const folder = join(runs, nameOf(run));
    keep(folder, run);
    say(`kept in ${folder}`);
  }
  if (!isSound(run)) process.exitCode = 1;
}

// An interrupted run ends as an exit, which undoes what it changed.
process.once('SIGINT', () => process.exit(130));

await main().catch((error) => {
  if (!(error instanceof TypeError) && error.name !== 'CommandFailed') throw error;
  console.error(error.message);
  process.exitCode = 2;
});
