// lsio bench: reads an array hot and cold, or over the network, again and again, and reports what that gave.

import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import type { IoMode, LsioArray } from '../../index.js';
import type { CommandContext, Report } from '../command-context.js';
import { formatBytes, formatRate, formatTable, median, threeDigits } from '../format.js';
import { measureRead, type MeasuredRead } from '../measured-read.js';
import { openArrayAtLocation } from '../opening.js';
import { dropCache } from '../sample-field.js';

/** Of files in the page cache; `none` for stores, whose caches are their own. */
type CacheState = 'hot' | 'cold' | 'none';

/** A figure over the repeats. */
interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Reads the array at the location. Only local files, archives too, can be made cold; of a store, there is one state. */
export async function run(context: CommandContext): Promise<Report> {
  const { location, options } = context;
  const localFiles = localPath(location, options.path);
  const array = await openArrayAtLocation(context);
  const hotMode = options.io ?? 'auto';
  const coldMode = options.io ?? 'direct';
  // Not counted: it fills the page cache, starts the engine, makes connections.
  await readOnce(array, hotMode, 'warming up', context);
  const nothing = (): Promise<void> => Promise.resolve();
  const warm = localFiles === null ? 'none' : 'hot';
  const states: { cache: CacheState; io: IoMode; reads: MeasuredRead[] }[] = [
    { cache: warm, io: hotMode, reads: await repeat(warm, array, hotMode, context, nothing) },
  ];
  if (localFiles !== null) {
    const cold = await repeat('cold', array, coldMode, context, () => dropCache(localFiles));
    states.push({ cache: 'cold', io: coldMode, reads: cold });
  }
  const { path, dtype, shape, nbytes } = array;
  const first = states[0]?.reads[0];
  const storedBytes = first?.storedBytes ?? 0;
  const document = {
    path,
    dtype,
    shape,
    nbytes,
    storedBytes,
    repeats: options.repeats,
    states: states.map(({ cache, io, reads }) => ({ cache, io, ...summary(reads), reads })),
  };
  const table = formatTable(
    [
      { heading: 'cache', align: 'left' },
      { heading: 'mode', align: 'left' },
      { heading: 'decoded', align: 'right' },
      { heading: 'range', align: 'left' },
      { heading: 'stored', align: 'right' },
      { heading: 'CPU s/GiB', align: 'right' },
    ],
    states.map(({ cache, io, reads }) => {
      const { seconds, cpuSecondsPerGib } = summary(reads);
      const decoded = first?.decodedBytes ?? 0;
      return [
        cache,
        io,
        formatRate(decoded, seconds.median),
        `${formatRate(decoded, seconds.most)} to ${formatRate(decoded, seconds.least)}`,
        formatRate(storedBytes, seconds.median),
        threeDigits(cpuSecondsPerGib.median),
      ];
    }),
  );
  const size = `${formatBytes(first?.decodedBytes ?? 0)} decoded, ${formatBytes(storedBytes)} stored`;
  return {
    document,
    text: `${array.path}: ${size}; median of ${options.repeats} reads each\n\n${table}`,
  };
}

async function repeat(
  cache: CacheState,
  array: LsioArray,
  io: IoMode,
  context: CommandContext,
  prepare: () => Promise<void>,
): Promise<MeasuredRead[]> {
  const { repeats } = context.options;
  const reads: MeasuredRead[] = [];
  while (reads.length < repeats) {
    await prepare();
    context.signal.throwIfAborted();
    reads.push(await readOnce(array, io, `${cache} ${reads.length + 1}/${repeats}`, context));
  }
  return reads;
}

function readOnce(
  array: LsioArray,
  io: IoMode,
  label: string,
  { progress, signal }: CommandContext,
): Promise<MeasuredRead> {
  progress.start(label);
  return measureRead(array, io, signal, (bytes) => {
    progress.update(bytes, array.nbytes ?? 0);
  });
}

function summary(reads: readonly MeasuredRead[]): {
  readonly seconds: Spread;
  readonly cpuSecondsPerGib: Spread;
} {
  return {
    seconds: spread(reads.map(({ seconds }) => seconds)),
    cpuSecondsPerGib: spread(
      reads.map(
        ({ cpuSeconds, decodedBytes }) => (cpuSeconds * 1024 ** 3) / Math.max(1, decodedBytes),
      ),
    ),
  };
}

function spread(values: readonly number[]): Spread {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

/** The folder of local files, or the path in an archive, that the location is; null if it is neither. */
function localPath(location: string, path: string | null): string | null {
  const isFileUrl = location.startsWith('file:');
  if (!isFileUrl && /^[a-z][a-z0-9+.-]*:\/\//i.test(location)) return null;
  const local = isFileUrl ? fileURLToPath(location) : location;
  return path === null ? local : join(local, path);
}
