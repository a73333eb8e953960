// The programs that can be measured: what each is, and the command line that starts it. All of them are
// called `TASK DATASET ROUNDS [key=value ...]` and print one JSON line a round (see benches/README.md).

import { join } from 'node:path';
import { fioCommand } from './fio.mjs';

const benches = join(import.meta.dirname, '..');

/**
 * glibc told to keep freed memory: one chunk after the other then re-uses it, instead of paying for
 * fresh pages. 32 MiB is the highest threshold that glibc takes.
 */
const TUNED_ALLOCATOR = {
  MALLOC_MMAP_THRESHOLD_: String(32 << 20),
  MALLOC_TRIM_THRESHOLD_: String(2 ** 32),
  MALLOC_TOP_PAD_: String(64 << 20),
};

const ceiling = (title) => ({
  kind: 'ceiling',
  title,
  needs: 'ceilings',
  command: (tools, name) => [tools.ceilings, name],
});

const python = (script, traits = {}) => ({
  kind: 'peer',
  needs: 'python',
  native: false,
  byDefault: true,
  command: (tools, name) => [tools.python, join(benches, 'peers/python', script), name],
  ...traits,
});

const zarrs = (program, traits = {}) => ({
  kind: 'peer',
  needs: 'zarrs',
  native: true,
  byDefault: false,
  command: (tools) => [tools.zarrs, program],
  ...traits,
});

/** Where programs run that may have one core only. */
const ONE_CORE = '0';

/**
 * By name. `native`: counts among the native peers. `byDefault`: a user gets it without tuning.
 * `hasOtherValues`: what it reports is not compared.
 */
export const PROGRAMS = {
  lsio: {
    kind: 'own',
    title: 'light-speed-io',
    needs: 'node',
    command: (tools) => [tools.node, join(benches, 'programs/lsio.mjs')],
  },
  'lsio-rust': {
    kind: 'own',
    title: 'light-speed-io from Rust',
    needs: 'rust',
    command: (tools) => [tools.rust],
  },
  memcpy: ceiling('copy of the result'),
  codec: ceiling('codec alone, from memory'),
  direct: ceiling('direct program'),
  'raw-ring': ceiling('raw ring, past the page cache'),
  'pread-hot': ceiling('pread from the page cache'),
  // It sums a few chunks again and again: its mean is not the array's.
  reduce: { ...ceiling('kernel alone, on hot memory'), hasOtherValues: true },
  'fs-loop': ceiling('open, statx, read, close'),
  'zarr-python': python('zarr_python.py'),
  'zarr-python+zarrs': python('zarr_python.py', { native: true }),
  tensorstore: python('tensorstore_read.py', { native: true }),
  'tensorstore-direct': python('tensorstore_read.py', { native: true, byDefault: false }),
  dask: python('dask_mean.py'),
  zarrs: zarrs('zarrs', { byDefault: true }),
  'zarrs-into': zarrs('zarrs-into'),
  'zarrs-tuned': zarrs('zarrs', { env: TUNED_ALLOCATOR }),
  'zarrs-into-tuned': zarrs('zarrs-into', { env: TUNED_ALLOCATOR }),
  'pread-threads': zarrs('pread-threads', { byDefault: true }),
  'object-store-local': zarrs('object-store-local', { byDefault: true }),
  zarrita: {
    kind: 'peer',
    needs: 'zarrita',
    native: false,
    byDefault: true,
    command: (tools) => [tools.node, tools.zarrita],
  },
  fio: {
    kind: 'reference',
    title: 'fio, io_uring',
    needs: 'fio',
    command: fioCommand,
  },
};

/** What the program of an entry is called in tables. */
export function titleOf({ program, settings = {}, core, dataSet }) {
  const texts = Object.entries(settings)
    .filter(([key]) => key !== 'delay')
    .map(([key, value]) => `${key} ${value}`);
  if (core !== undefined) texts.push('one core');
  if (dataSet !== undefined) texts.push(dataSet);
  return [PROGRAMS[program].title ?? program, ...texts].join(', ');
}

/** The command of an entry of a contest: `{ command, env, parse }`. */
export function commandOf(entry, contest, folder, tools) {
  const program = PROGRAMS[entry.program];
  const start = program.command(tools, entry.program, folder, entry.inner);
  if (start.parse !== undefined) return start;
  const settings = Object.entries(entry.settings ?? {}).map(([key, value]) => `${key}=${value}`);
  const pinned = entry.core === undefined ? [] : ['taskset', '--cpu-list', ONE_CORE];
  return {
    command: [...pinned, ...start, contest.task, folder, String(entry.inner), ...settings],
    env: program.env,
  };
}
