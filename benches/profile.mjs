// npm run bench:profile -- FOLDER [--only TEXT ...]: where the time goes in the tasks of a kept run, of our
// program and of the ceiling beside it, by perf; written to FOLDER/profiles.md.
//
// Our program is the one for Rust, built with symbols. Nothing else should run meanwhile.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { reportAndExit, root, run } from '../scripts/child-process.mjs';
import { setCache } from './harness/conditions.mjs';
import { contestsOf } from './harness/contests.mjs';
import { cacheFolder } from './harness/data-sets.mjs';
import { readRun } from './harness/kept-run.mjs';
import { PROGRAMS, commandOf } from './harness/programs.mjs';
import { runProgram } from './harness/run-program.mjs';
import { setUp } from './set-up.mjs';

/** What the program for Rust can do. */
const TASKS = new Set(['ranges', 'whole', 'chunks', 'mean']);
/** Ceilings that do the same task; the others do a part of it. */
const WHOLE_TASK = new Set(['direct', 'raw-ring', 'fs-loop', 'codec']);
/** Times that a program does its task: enough samples for percents, even of short ones. */
const ROUNDS = 5;
const SAMPLES_PER_SECOND = 999;
/** Shares below this are left out. */
const LEAST_PERCENT = 1;

/** Entries to profile: ours, with the settings it has in the contest, and the ceilings; and their rounds. */
function entriesOf({ task, cache, entries }) {
  const isCeiling = ({ program }) =>
    PROGRAMS[program].kind === 'ceiling' && WHOLE_TASK.has(program);
  const own = entries.find(({ program }) => program === 'lsio-rust' || program === 'lsio');
  const ceilings = entries.filter(
    (entry) => isCeiling(entry) && !(task === 'mean' && entry.program === 'codec'),
  );
  const inner = cache === 'cold' && own.inner === 1 ? 1 : ROUNDS;
  const rust = { ...own, program: 'lsio-rust' };
  return { inner, entries: [rust, ...ceilings] };
}

/** The functions that took most of a program's time, as perf lists them. */
async function profileOf({ command, env }, folder) {
  const data = join(folder, 'perf.data');
  const record = [
    'record',
    '--quiet',
    '--event',
    'cpu-clock',
    '--freq',
    String(SAMPLES_PER_SECOND),
  ];
  await runProgram(['perf', ...record, '--output', data, '--', ...command], { env });
  const report = ['report', '--stdio', '--no-children', '--sort', 'dso,symbol'];
  const limit = ['--percent-limit', String(LEAST_PERCENT)];
  const lines = await runProgram(['perf', ...report, ...limit, '--input', data]);
  // Two columns behind the names are empty without hardware counters.
  return lines.filter((line) => !line.startsWith('#')).map((line) => line.replace(/[\s-]+$/, ''));
}

/** Our program for Rust, with symbols. */
async function ownProgram() {
  const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');
  const build = ['build', '--locked', '--quiet', '--profile', 'profiling'];
  await run('cargo', [...build, '-p', 'lsio', '--example', 'benchmark']);
  return join(target, 'profiling/examples/benchmark');
}

async function main() {
  const { values, positionals } = parseArgs({
    options: { only: { type: 'string', multiple: true, default: [] }, data: { type: 'string' } },
    allowPositionals: true,
  });
  if (positionals.length !== 1) throw new TypeError('expected the folder of one kept run');
  const kept = resolve(positionals[0]);
  const { about } = readRun(kept);
  const tools = { ...(await setUp()), rust: await ownProgram() };
  const cache = join(cacheFolder(values.data), about.size);
  const contests = contestsOf(about.size).filter(
    ({ id, task }) =>
      TASKS.has(task) &&
      id.split('/').length === 3 &&
      (values.only.length === 0 || values.only.some((text) => id.includes(text))),
  );
  const scratch = mkdtempSync(join(tmpdir(), 'lsio-profile-'));
  const sections = [];
  try {
    for (const contest of contests) {
      const folder = join(cache, contest.dataSet);
      const { inner, entries } = entriesOf(contest);
      for (const entry of entries) {
        console.error(`${contest.id}: ${entry.name}`);
        await setCache(tools.conditions, contest.cache, folder);
        const lines = await profileOf(
          commandOf({ ...entry, inner }, contest, folder, tools),
          scratch,
        );
        sections.push(
          `## ${contest.id}: ${entry.program}\n\n\`\`\`\n${lines.join('\n')}\n\`\`\`\n`,
        );
      }
    }
  } finally {
    rmSync(scratch, { recursive: true });
  }
  const head = [
    '# Profiles',
    '',
    `Shares of samples of the CPU clock (${SAMPLES_PER_SECOND} a second) by perf, above ${LEAST_PERCENT} %: of the program for Rust, and of`,
    `the ceilings, each doing its task ${ROUNDS} times in a process. Written by \`npm run bench:profile\`.`,
    '',
    '',
  ].join('\n');
  writeFileSync(join(kept, 'profiles.md'), head + sections.join('\n'));
}

await main().catch((error) => {
  if (!(error instanceof TypeError) && error.name !== 'ProgramFailed') return reportAndExit(error);
  console.error(error.message);
  process.exitCode = 2;
});
