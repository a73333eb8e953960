// The table in the README at the root, written from a kept run between two comments.

import { table } from './tables.mjs';
import { PROGRAMS } from './programs.mjs';
import { figureOf } from './statistics.mjs';
import { boundText, judge, validity } from './verdicts.mjs';

const BEGIN = '<!-- benchmark: written by npm run bench -->';
const END = '<!-- /benchmark -->';

const TASKS = [
  { task: 'whole', cache: 'hot', title: 'whole array', own: 'lsio', ceiling: 'direct' },
  {
    task: 'whole',
    cache: 'cold',
    title: 'whole array, cold',
    own: 'lsio io=direct',
    ceiling: 'raw-ring',
    // Most peers read cold files once only.
    phase: 'first',
  },
  { task: 'chunks', cache: 'hot', title: 'chunk by chunk', own: 'lsio', ceiling: 'direct' },
  { task: 'mean', cache: 'hot', title: 'mean', own: 'lsio', ceiling: 'direct' },
  { task: 'crops-many', cache: 'hot', title: '2,000 crops', own: 'lsio', ceiling: 'direct' },
  {
    task: 'ranges',
    cache: 'cold',
    title: 'ranges of 256 KiB, cold',
    own: 'lsio-rust',
    ceiling: 'raw-ring',
  },
];

const rate = (line) => line.decodedBytes / 1e9 / line.seconds;

/** A rate with two significant digits at least: crops are slow in bytes. */
const text = (value) => (value === undefined ? '-' : value.toFixed(value < 0.1 ? 3 : 2));

function cells(contest, { title, own, ceiling, phase = 'later' }) {
  const median = (row) => row && figureOf(row.processes, phase, rate)?.median;
  const named = (name) => median(contest.rows.find((row) => row.name === name));
  const peers = contest.rows
    .filter(({ program }) => PROGRAMS[program].kind === 'peer' && program !== 'zarrita')
    .map((row) => ({ name: row.name, value: median(row) }))
    .filter(({ value }) => value !== undefined)
    .sort((a, b) => b.value - a.value);
  const [best] = peers;
  const peer = best === undefined ? '-' : `${text(best.value)} (${best.name})`;
  return [
    title,
    contest.dataSet,
    text(named(own)),
    text(named(ceiling)),
    peer,
    text(named('zarrita')),
  ];
}

/** The verdicts that are meant, as a list with an entry for each task. */
function verdictList(contests, isMeant, textOf) {
  return judge(contests).flatMap(({ task, verdicts }) => {
    const found = verdicts.filter(isMeant).map(textOf);
    return found.length === 0 ? [] : [`- ${task}: ${found.join('; ')}`];
  });
}

/** The bounds that fell short. */
function shortfalls(contests) {
  const isShort = ({ held }) => held === false;
  const textOf = (verdict) => `${verdict.dataSet} ${verdict.text} (asked ${boundText(verdict)})`;
  const lines = verdictList(contests, isShort, textOf);
  return lines.length === 0
    ? ['Every bound of the run held.']
    : ['Fell short of its bounds:', '', ...lines];
}

/** Where the median of a peer is better although the bound held. */
function behindPeers(contests) {
  const isMeant = ({ held, isBehind }) => held && isBehind;
  const lines = verdictList(contests, isMeant, ({ dataSet, text: found }) => `${dataSet} ${found}`);
  return lines.length === 0
    ? []
    : ['', "Behind a peer's median, which counts as held:", '', ...lines];
}

/** What says that the machine was not at its best, or that a ceiling is not one. */
function doubts(contests) {
  const short = validity(contests).filter(({ held }) => held === false);
  if (short.length === 0) return [];
  const found = short.map((check) => `${check.text} (asked ${boundText(check)} of it)`).join('; ');
  return ['', `Not at its best, the machine or a ceiling (see what a run counts by): ${found}.`];
}

/** The table of a run with its caption. */
export function readmeTable({ about, contests }, folder) {
  const head = [
    'task',
    'data set',
    'light-speed-io',
    'ceiling',
    'best native or Python peer',
    'zarrita',
  ];
  const rows = TASKS.flatMap((entry) =>
    contests
      .filter(({ id, task, cache }) => {
        const isPlain = id.split('/').length === 3;
        return isPlain && task === entry.task && cache === entry.cache;
      })
      .filter(({ rows: all }) =>
        all.some(({ name, processes }) => name === entry.own && processes.length > 0),
      )
      .map((contest) => cells(contest, entry)),
  );
  return [
    BEGIN,
    '',
    `GB/s of decoded bytes, medians of ${about.rounds} interleaved rounds on ${about.cores} cores (${about.cpu}, ${about.kernel}), ${about.date}.`,
    'The ceiling is a program of ours for that task alone (for cold reads: what the device gives), measured in the same run.',
    `Every figure: [the run](${folder}/README.md). How it was measured: [benches/README.md](benches/README.md).`,
    '',
    table(head, rows),
    '',
    ...shortfalls(contests),
    ...behindPeers(contests),
    ...doubts(contests),
    '',
    END,
  ].join('\n');
}

/** The README's text with the table of a run in it. */
export function withTable(readme, run, folder) {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the README has no place for the table: ${BEGIN}`);
  return readme.slice(0, begin) + readmeTable(run, folder) + readme.slice(end + END.length);
}

/** The folder of the run that the README's table links to; undefined if it has none. */
export function runOfReadme(readme) {
  const part = readme.slice(readme.indexOf(BEGIN), readme.indexOf(END));
  return /\[the run\]\((?<folder>[^)]+)\/README\.md\)/.exec(part)?.groups.folder;
}
