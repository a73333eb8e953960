// The report of a run against object stores: a table of each contest, and whether what must hold does.

import { summaryOf } from '../harness/statistics.mjs';
import { number, spread, table } from '../harness/tables.mjs';

const GIB = 2 ** 30;

/** Every time of every process: latency hides what a first read has to open. */
const linesOf = ({ processes }) => processes.flat();

/** GiB/s of a row, in decoded bytes. */
export const rateOf = (row) =>
  summaryOf(linesOf(row).map(({ decodedBytes, seconds }) => decodedBytes / GIB / seconds));

const rowOf = ({ rows }, name) =>
  rows.find((row) => row.program === name && row.failure === undefined && row.processes.length > 0);

/** What must hold in a contest: `{ text, holds }`, where `holds` is undefined if a figure is missing. */
export function verdictsOf(contest) {
  const median = (name) => {
    const row = rowOf(contest, name);
    return row === undefined ? undefined : rateOf(row).median;
  };
  const own = median('lsio');
  if (own === undefined) return [{ text: 'light-speed-io has figures', holds: false }];
  const discard = median('discard');
  if (contest.kind === 'plain') {
    const text = `${number(own / discard, 2)} of the discard client (at least 0.90)`;
    return [{ text, holds: discard === undefined ? undefined : own >= 0.9 * discard }];
  }
  if (contest.kind === 'sharded') {
    const requests = rowOf(contest, 'lsio').requests;
    const text = `${requests} requests for ${contest.chunks} chunks in one read (at most a quarter)`;
    return [{ text, holds: requests === undefined ? undefined : requests * 4 <= contest.chunks }];
  }
  return [compressedVerdict(contest, own, discard)];
}

function compressedVerdict(contest, own, discard) {
  const peers = contest.rows
    .filter((row) => row.kind === 'peer' && rowOf(contest, row.program) === row)
    .map((row) => ({ name: row.program, rate: rateOf(row).median }))
    .sort((a, b) => b.rate - a.rate);
  const best = peers[0];
  // The wire and the codec one after the other: bytes of the wire count as what they decode to.
  const wire = discard === undefined ? undefined : discard * contest.ratio;
  const together =
    wire === undefined || contest.codecRate === undefined
      ? undefined
      : 1 / (1 / wire + 1 / contest.codecRate);
  const againstBest = best && own >= 1.3 * best.rate;
  const againstBound = together && own >= 0.9 * together;
  const texts = [
    best && `${number(own / best.rate, 2)} times ${best.name} (at least 1.30)`,
    together && `${number(own / together, 2)} of wire and codec in turn (at least 0.90)`,
  ];
  const known = [againstBest, againstBound].filter((holds) => holds !== undefined);
  return {
    text: texts.filter(Boolean).join(', or '),
    holds: known.length === 0 ? undefined : known.some(Boolean),
  };
}

/** Whether programs that report a checksum report the same one. */
export function valuesAgree({ rows }) {
  const sums = rows.flatMap(linesOf).map(({ checksum }) => checksum);
  return new Set(sums.filter((sum) => sum !== null && sum !== undefined)).size <= 1;
}

/** Whether nothing that must hold fails. */
export const isSound = (run) =>
  run.contests.every(
    (contest) => valuesAgree(contest) && verdictsOf(contest).every(({ holds }) => holds !== false),
  );

/** The memory budget that light-speed-io said it had. */
function budgetText(contest) {
  const bytes = rowOf(contest, 'lsio')?.processes[0]?.[0]?.budgetBytes;
  return bytes === undefined
    ? ''
    : `; light-speed-io has a budget of ${number(bytes / GIB, 1)} GiB`;
}

function sectionOf(contest) {
  const head = ['program', 'GiB/s', 'CPU s', 'requests of a read', 'most in flight', ''];
  const rows = contest.rows.map((row) => {
    if (row.failure !== undefined) return [row.program, '', '', '', '', row.failure];
    return [
      row.program,
      spread(rateOf(row), 2),
      number(summaryOf(linesOf(row).flatMap(({ cpuSeconds }) => cpuSeconds ?? []))?.median, 2),
      row.requests === undefined ? '' : String(row.requests),
      row.mostInFlight === undefined ? '' : String(row.mostInFlight),
    ];
  });
  const verdicts = verdictsOf(contest).map(({ text, holds }) => {
    const word = { true: 'holds', false: 'FAILS', undefined: 'not known' }[String(holds)];
    return `- ${word}: ${text}`;
  });
  return [
    `## ${contest.id}`,
    `${contest.chunks} chunks, ${number(contest.storedBytes / 2 ** 20, 0)} MiB stored; programs that are told have ${contest.inFlight} requests in flight${budgetText(contest)}.`,
    table(head, rows),
    [...verdicts, ...(valuesAgree(contest) ? [] : ['- FAILS: the checksums differ'])].join('\n'),
    ...(contest.wrk === undefined ? [] : [`wrk, one object again and again: ${contest.wrk}.`]),
  ].join('\n\n');
}

/** The report in Markdown. */
export function reportOf({ about, contests }) {
  const facts = [
    `${about.date}, commit ${about.commit}${about.changed ? ' with changes' : ''}, ${about.cpu}, ${about.cores} cores, ${about.kernel}.`,
    `Servers on the loopback address: ${about.servers.join(', ')}. ${about.size} data sets, ${about.rounds} interleaved rounds.`,
    `Versions: ${Object.entries(about.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    ...Object.entries(about.missing).map(([name, reason]) => `Not there: ${name}: ${reason}`),
  ];
  return [
    '# Reads from object stores',
    facts.join('\n'),
    'Rates are decoded bytes; of the discard client bytes of the bodies. Latency is added by the fault proxy, before each request; without it there is no proxy. Median (smallest to largest) over all reads.',
    ...contests.map(sectionOf),
    '',
  ].join('\n\n');
}
