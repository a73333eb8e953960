// The plots of a run: bars of each task's programs against the ceiling, and the scaling curves.

import { barChart } from './bar-chart.mjs';
import { CHUNK_COUNTS, THREADS } from './contests.mjs';
import { lineChart } from './line-chart.mjs';
import { PROGRAMS, titleOf } from './programs.mjs';
import { figureOf } from './statistics.mjs';

/** Bar charts: which contests, and the ceiling that is drawn as a line. */
const BARS = [
  { file: 'ranges-cold.svg', title: 'Raw ranges, cold', ids: /^ranges\//, ceiling: 'raw-ring' },
  {
    file: 'whole-hot.svg',
    title: 'Whole array, hot',
    ids: /^whole\/[^/]+\/hot$/,
    ceiling: 'direct',
  },
  {
    file: 'whole-cold.svg',
    title: 'Whole array, cold',
    ids: /^whole\/[^/]+\/cold$/,
    ceiling: 'raw-ring',
  },
  {
    file: 'chunks-hot.svg',
    title: 'Chunk by chunk, hot',
    ids: /^chunks\/[^/]+\/hot$/,
    ceiling: 'direct',
  },
  {
    file: 'crops-hot.svg',
    title: '2,000 crops, hot',
    ids: /^crops-[^/]+\/[^/]+\/hot$/,
    ceiling: 'direct',
  },
  { file: 'mean-hot.svg', title: 'Mean, hot', ids: /^mean\/[^/]+\/hot$/, ceiling: 'direct' },
];

const rate = (line) => line.decodedBytes / 1e9 / line.seconds;

/** Ceilings that do the whole task; others (a part of it) would only stretch the scale. */
const SHOWN_CEILINGS = new Set(['direct', 'raw-ring', 'codec', 'fs-loop']);

function panelOf(contest, ceiling) {
  const bars = contest.rows
    .filter(({ program }) => PROGRAMS[program].kind !== 'ceiling' || SHOWN_CEILINGS.has(program))
    .flatMap((row) => {
      const value = figureOf(row.processes, 'later', rate);
      return value ? [{ name: titleOf(row), kind: PROGRAMS[row.program].kind, value }] : [];
    });
  const row = contest.rows.find(({ name }) => name === ceiling);
  const bound = row && figureOf(row.processes, 'later', rate)?.median;
  return { title: contest.id, unit: 'GB/s', bound, bars };
}

function threadsPlot(contests) {
  const contest = contests.find(({ id }) => id.endsWith('/threads'));
  if (contest === undefined) return [];
  const values = THREADS.map((threads) => {
    const row = contest.rows.find(({ name }) => name === `lsio threads=${threads}`);
    return row && figureOf(row.processes, 'later', rate)?.median;
  });
  const title = `Threads that decode, ${contest.dataSet}`;
  const ideal = THREADS.map((threads) => values[0] && values[0] * threads);
  const lines = [
    { name: 'twice as fast with twice the threads', kind: 'ceiling', values: ideal },
    { name: 'light-speed-io', kind: 'own', values },
  ];
  const curves = { xTitle: 'threads', yTitle: 'GB/s', steps: THREADS.map(String), lines };
  return values[0] ? [{ file: 'threads.svg', title, svg: lineChart(title, curves) }] : [];
}

function countsPlot(contests) {
  const contest = contests.find(({ id }) => id.endsWith('/counts'));
  if (contest === undefined) return [];
  const counts = CHUNK_COUNTS.full;
  const perChunk = (line) => (line.seconds / line.chunks) * 1e6;
  const values = counts.map((count) => {
    const row = contest.rows.find(({ name }) => name === `lsio count=${count}`);
    return row && figureOf(row.processes, 'later', perChunk)?.median;
  });
  if (values.every((value) => value === undefined)) return [];
  const title = `Time of one chunk among many, ${contest.dataSet}`;
  const lines = [{ name: 'light-speed-io', kind: 'own', values }];
  const steps = counts.map((count) => count.toLocaleString('en'));
  const curves = { xTitle: 'chunks of one call', yTitle: 'us a chunk', steps, lines };
  return [{ file: 'chunk-counts.svg', title, svg: lineChart(title, curves) }];
}

/** `{ file, title, svg }` of each plot for which the run has figures. */
export function plotsOf({ contests }) {
  const charts = BARS.flatMap(({ file, title, ids, ceiling }) => {
    const panels = contests
      .filter(({ id }) => ids.test(id))
      .map((contest) => panelOf(contest, ceiling))
      .filter(({ bars }) => bars.length > 0);
    return panels.length === 0 ? [] : [{ file, title, svg: barChart(title, panels) }];
  });
  return [...charts, ...threadsPlot(contests), ...countsPlot(contests)];
}
