// What the demonstration prints about its two reads. Pure.

import { formatBytes, formatRate, formatSeconds, formatTable } from './format.js';
import type { MeasuredRead } from './measured-read.js';
import { servedText } from './served.js';

/** One of the two reads, and how it was served. */
export interface DemoRead extends MeasuredRead {
  readonly cache: 'hot' | 'cold';
  readonly io: 'auto' | 'direct';
  readonly engine: string;
}

/** The reads side by side. */
export function readsTable(reads: readonly DemoRead[]): string {
  const rows: (readonly [label: string, cell: (read: DemoRead) => string])[] = [
    ['page cache', ({ cache }) => (cache === 'hot' ? 'warm' : 'dropped')],
    ['engine, mode', ({ engine, io }) => `${engine}, ${io}`],
    ['served by', ({ bytesByRoute }) => servedText(bytesByRoute)],
    ['time', ({ seconds }) => formatSeconds(seconds)],
    ['decoded', ({ decodedBytes, seconds }) => formatRate(decodedBytes, seconds)],
    ['stored', ({ storedBytes, seconds }) => formatRate(storedBytes, seconds)],
    ['CPU time', ({ cpuSeconds }) => formatSeconds(cpuSeconds)],
    ['event loop late, p99', ({ eventLoopDelay }) => formatSeconds(eventLoopDelay.p99Seconds)],
    ['event loop late, most', ({ eventLoopDelay }) => formatSeconds(eventLoopDelay.maxSeconds)],
    ['resident memory', ({ residentGrowthBytes }) => `+ ${formatBytes(residentGrowthBytes)}`],
  ];
  return formatTable(
    [
      { heading: '', align: 'left' },
      ...reads.map(({ cache }) => ({ heading: cache, align: 'right' }) as const),
    ],
    rows.map(([label, cell]) => [label].concat(reads.map(cell))),
  );
}
