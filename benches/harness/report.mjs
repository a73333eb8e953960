// The report of a run, in Markdown.

import { figureOf } from './statistics.mjs';
import { number, spread, table } from './tables.mjs';
import { titleOf } from './programs.mjs';
import { boundText, disagreements, judge, validity } from './verdicts.mjs';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

const mark = ({ held }) => (held === undefined ? 'no figure' : held ? 'held' : '**fell short**');

/** All figures of one row of a contest. */
function rowCells(row, contest) {
  const figure = (phase, get) => figureOf(row.processes, phase, get);
  const rate = (phase) =>
    figure(phase, (line) => line.decodedBytes > 0 && line.decodedBytes / 1e9 / line.seconds);
  const later = (get) => figure('later', get)?.median;
  // Of crops few bytes are useful.
  const digits = contest.task.startsWith('crops') ? 3 : 2;
  const perGib = (name) => later((line) => line[name] / (line.decodedBytes / GIB));
  if (row.failure !== undefined) return [titleOf(row), `FAILED: ${row.failure}`];
  if (row.processes.length === 0) return [titleOf(row), 'not here'];
  if (contest.task === 'open') {
    const micros = (phase) => figure(phase, (line) => (line.seconds / line.opens) * 1e6);
    const text = (phase) => `${spread(micros(phase), 0)} us`;
    return [titleOf(row), text('later'), text('first')];
  }
  return [
    titleOf(row),
    row.inner > 1 ? spread(rate('later'), digits) : '',
    spread(rate('first'), digits),
    number(perGib('cpuSeconds'), 2),
    number(perGib('machineCpuSeconds'), 2),
    number(later((line) => line.peakMemoryBytes) / MIB, 0),
    ...(isWatched(contest)
      ? [
          spread(
            figure('later', (line) => line.p99Ms),
            2,
          ),
          spread(
            figure('later', (line) => line.maxMs),
            2,
          ),
        ]
      : []),
  ];
}

/** Whether the delay of the event loop was watched. */
const isWatched = ({ id }) => id.endsWith('/delay');

const CROPS = ' Only the useful bytes count: those of the crops.';

function contestSection(contest) {
  const { id, note, ratio, rows } = contest;
  const stored =
    ratio > 0
      ? `${(contest.decodedBytes / 1e6).toFixed(0)} MB decoded, stored ${ratio.toFixed(2)} times smaller.`
      : '';
  const label = note ? ` Note: ${note}.` : '';
  const head = [
    ...['program', 'later, GB/s', 'first, GB/s', 'CPU s/GiB', 'machine s/GiB', 'peak, MiB'],
    ...(isWatched(contest) ? ['event loop p99, ms', 'longest, ms'] : []),
  ];
  return [
    `### ${id}`,
    '',
    `${stored}${label}${contest.task.startsWith('crops') ? CROPS : ''}`,
    '',
    table(
      head,
      rows.map((row) => rowCells(row, contest)),
    ),
    '',
  ];
}

function about({ about: run, contests }) {
  const { engine, hostMemory, versions } = run;
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const missing = Object.entries(run.missing);
  const times = contests.map(({ startedAt }) => startedAt).sort();
  return [
    `- Machine: ${run.cpu}, ${run.cores} cores, ${run.memoryGiB} GiB; ${run.kernel}; ${run.fileSystem};`,
    `  transparent huge pages ${run.hugePages}.`,
    `- light-speed-io at ${run.commit}${run.changed ? ' with changes' : ''}: engine ${engine.engine} (${engine.probe}),`,
    `  ${engine.threads} threads, budget ${(engine.memoryBytes / MIB).toFixed(0)} MiB.`,
    ...(run.only.length > 0
      ? [`- Contests: only those with ${run.only.join(' or ')} in their name.`]
      : []),
    `- Data sets: ${run.size}. Rounds: ${run.rounds}, interleaved (A B C A B C ...), each in a fresh process that does its`,
    '  task up to three times: "first" is the first time, "later" the median of the others. Medians over the rounds,',
    '  smallest to largest in brackets.',
    `- Contests began between ${times.at(0)} and ${times.at(-1)}.`,
    '- Cache states: "hot" are files that were read once before, and are all in the page cache (mincore); "cold" are',
    '  files that were flushed (fdatasync) and dropped (posix_fadvise DONTNEED) before each process, at most 1 % of',
    '  their bytes left (mincore).',
    '- Host memory: a process holds touched memory and gives it back at the moment when a measured program starts, so',
    '  that no program pays for pages that the host took back. A fresh process touched memory at',
    `  ${hostMemory.without.toFixed(1)} GiB/s without and ${hostMemory.with.toFixed(1)} GiB/s with it.`,
    '- CPU: user and system seconds of the process; machine: busy seconds of all CPUs meanwhile, kernel threads',
    '  included. Peak: resident memory above what the process had when the array was open.',
    `- Versions: ${list.join(', ')}.`,
    ...(missing.length === 0
      ? []
      : [
          '',
          '**Not measured, since it could not be installed:**',
          '',
          ...missing.map(([name, why]) => `- ${name}: ${why}`),
        ]),
  ];
}

/** Whether every sum agreed and nothing of ours failed. */
export function isSound(run) {
  const failed = run.contests.some(({ rows }) => rows.some((row) => row.failure !== undefined));
  return !failed && disagreements(run.contests).length === 0;
}

/** How many bounds held, in a sentence. */
function countOf(judged) {
  const verdicts = judged.flatMap((bound) => bound.verdicts);
  const count = (held) => verdicts.filter((verdict) => verdict.held === held).length;
  const [kept, short, none] = [count(true), count(false), count(undefined)];
  return `${kept} held, ${short} fell short, ${none} could not be judged.`;
}

/** The report of a run. */
export function reportOf(run, plots = []) {
  const judged = judge(run.contests);
  const bounds = judged.flatMap(({ task, verdicts }) =>
    verdicts.map((verdict, index) => [
      index === 0 ? task : '',
      verdict.dataSet,
      verdict.text,
      boundText(verdict),
      mark(verdict),
    ]),
  );
  const counts = validity(run.contests).map((check) => [check.text, boundText(check), mark(check)]);
  const wrong = disagreements(run.contests);
  return [
    `# Benchmark of ${run.about.date}`,
    '',
    ...about(run),
    '',
    '## Do the values agree?',
    '',
    ...(wrong.length === 0
      ? ['Every program gave the same checksum for the same task and data set.']
      : wrong.map(({ name, text }) => `- **FAILED** ${name}: ${text}`)),
    '',
    '## Does the run count?',
    '',
    table(['what', 'bound', ''], counts),
    '',
    '## The table that must hold',
    '',
    countOf(judged),
    '',
    table(['task', 'data set', 'found', 'bound', ''], bounds),
    '',
    '## Figures',
    '',
    ...plots.flatMap(({ file, title }) => [`![${title}](${file})`, '']),
    ...run.contests.flatMap(contestSection),
  ].join('\n');
}
