// What is measured: contests of one task on one data set in one state of the page cache, each between
// several programs.

import { ONE_CHUNK } from './data-sets.mjs';

/** How often a process does its task: the first time counts as its first read, the others as later ones. */
const INNER = { quick: 3, full: 2 };
/** Programs that need seconds for a read, and do not get faster: once is enough for large data. */
const SLOW = new Set(['zarrita', 'zarr-python', 'dask']);

const RANGE_SETS = ['raw-ranges'];
const COMPRESSED = [
  'climate-zstd',
  'climate-blosc-lz4',
  'packed-blosc-zstd',
  'gzip-v2',
  'benchmarks-zstd',
  'benchmarks-sharded',
];

/** The data sets of each row of the table, and which of them a short run has. */
export const DATA_SETS = {
  quick: {
    whole: ['climate-zstd', 'plain', 'benchmarks-sharded'],
    cold: ['plain'],
    oneCore: [],
    chunks: ['climate-zstd'],
    crops: ['climate-zstd'],
    cropsAtOnce: ['climate-zstd'],
    delay: ['chunks'],
  },
  full: {
    whole: [...COMPRESSED, 'plain', 'small-chunks'],
    compressed: COMPRESSED,
    cold: ['plain', ...COMPRESSED.filter((set) => set !== 'benchmarks-zstd')],
    oneCore: ['climate-zstd', 'plain'],
    chunks: ['climate-zstd', 'benchmarks-sharded'],
    crops: ['climate-zstd', 'benchmarks-sharded'],
    cropsAtOnce: ['climate-zstd', 'benchmarks-sharded'],
    delay: ['whole', 'chunks', 'crops-many'],
  },
};

/** Peers of whole arrays: all of them where the data is most like what users have, else the fastest. */
function wholePeers(set, size) {
  if (size === 'quick') {
    const fast = ['zarrs-into', 'zarr-python+zarrs', 'tensorstore'];
    return set === 'climate-zstd' ? [...fast, 'zarrita'] : fast;
  }
  const fast = ['zarrs-into', 'zarr-python+zarrs', 'tensorstore', 'zarrita'];
  const isShownInFull = set === 'climate-zstd' || set === 'plain';
  const others = ['zarrs', 'zarrs-tuned', 'zarrs-into-tuned', 'zarr-python'];
  return isShownInFull ? [...fast, ...others] : fast;
}

/** What reads past the page cache, in a contest on cold files: its later reads are cold like its first. */
const PAST_CACHE = new Set(['lsio io=direct', 'lsio-rust', 'direct io=direct', 'raw-ring', 'fio']);

/** An entry by the name of its program, or with settings: `['lsio', { io: 'direct' }]`. */
function entryOf(spec, cache, inner) {
  const [program, settings = {}, more = {}] = Array.isArray(spec) ? spec : [spec];
  const words = Object.entries(settings)
    .filter(([key]) => key !== 'delay')
    .map(([key, value]) => `${key}=${value}`);
  const name = [program, ...words, ...Object.values(more)].join(' ');
  const isWarmed = cache === 'cold' && !PAST_CACHE.has(name);
  const isOnce = isWarmed || (inner < INNER.quick && SLOW.has(program));
  return { name, program, settings, inner: isOnce ? 1 : inner, ...more };
}

function contest(task, dataSet, state, specs, { inner = INNER.quick } = {}) {
  const [cache, variant] = state.split(' ', 2);
  return {
    id: [task, dataSet, cache, variant].filter(Boolean).join('/'),
    task,
    dataSet,
    cache,
    entries: specs.map((spec) => entryOf(spec, cache, inner)),
  };
}

/** What the memory of a process is held to. */
export const BUDGETS = ['64MiB', '256MiB'];
/** Chunks of a read, for the curve of the time that each takes. */
export const CHUNK_COUNTS = {
  quick: [100, 1000, 10_000, 100_000],
  full: [100, 1000, 10_000, 100_000, 1_000_000],
};
/** Threads that decode, for the curve over threads. */
export const THREADS = [1, 2];

/** All contests of a run. */
export function contestsOf(size) {
  const sets = DATA_SETS[size];
  const short = size === 'quick';
  const inner = INNER[size];
  const contests = [];

  contests.push(
    ...RANGE_SETS.map((set) =>
      contest('ranges', set, 'cold', [
        'lsio-rust',
        'raw-ring',
        'pread-threads',
        'object-store-local',
        'fio',
      ]),
    ),
  );
  for (const set of sets.whole) {
    const more = set === 'plain' ? ['memcpy', 'pread-hot'] : ['codec'];
    const specs = ['lsio', 'direct', ...more, ...wholePeers(set, size)];
    contests.push(contest('whole', set, 'hot', specs, { inner }));
  }
  for (const set of sets.oneCore) {
    const one = { core: 'one-core' };
    const specs = [
      ['lsio', {}, one],
      ['zarrita', {}, one],
    ];
    contests.push(contest('whole', set, 'hot one-core', specs, { inner: 2 }));
  }
  for (const set of sets.cold) {
    const specs = [
      ['lsio', { io: 'direct' }],
      ['lsio', { io: 'auto' }],
      'raw-ring',
      // What decoding takes of the ring where both share the cores.
      ...(set === 'plain' ? [] : [['direct', { io: 'direct' }]]),
      ...['zarrs', 'zarr-python+zarrs', 'tensorstore'],
      ...(short ? [] : ['zarrita']),
      ...(set === 'plain' && !short ? ['tensorstore-direct', 'zarr-python'] : []),
    ];
    contests.push(contest('whole', set, 'cold', specs, { inner }));
  }
  for (const set of sets.chunks) {
    const peers = short
      ? ['zarrs-tuned', 'tensorstore']
      : ['zarrs', 'zarrs-tuned', 'zarr-python', 'zarr-python+zarrs', 'tensorstore'];
    const specs = ['lsio', 'direct', ...peers, 'zarrita'];
    contests.push(contest('chunks', set, 'hot', specs, { inner }));
  }
  contests.push(
    // 10^6 chunks take seconds: a first read is like a later one.
    contest('chunks', 'tiny-sharded', 'hot', ['lsio', 'lsio-rust', 'codec'], {
      inner: short ? 2 : 1,
    }),
    contest('chunks', 'tiny-files', 'hot', ['lsio', 'lsio-rust', 'fs-loop'], { inner: 2 }),
  );
  for (const set of sets.crops) {
    const peers = short
      ? ['tensorstore', 'zarrs-tuned']
      : ['tensorstore', 'zarrs', 'zarrs-tuned', 'zarr-python+zarrs'];
    // Seconds for some megabytes: where the data is plain only.
    const slow = short || set !== 'climate-zstd' ? [] : ['zarr-python', 'zarrita'];
    const specs = ['lsio', 'direct', ...peers, ...slow];
    contests.push(contest('crops-many', set, 'hot', specs, { inner: 2 }));
  }
  for (const set of sets.cropsAtOnce) {
    const peers = short ? ['tensorstore'] : ['tensorstore', 'zarrs-tuned'];
    contests.push(contest('crops-concurrent', set, 'hot', ['lsio', ...peers], { inner: 2 }));
  }
  contests.push(
    contest('mean', 'climate-zstd', 'hot', [
      ...['lsio', 'lsio-rust', 'direct', 'reduce'],
      ...(short ? ['zarrs-tuned'] : ['zarrs', 'zarrs-tuned']),
      'dask',
    ]),
  );
  for (const task of sets.delay) {
    const specs = [
      ['lsio', { delay: 1 }],
      ['lsio', { delay: 1, threads: 1 }],
      ['zarrita', { delay: 1 }],
    ];
    contests.push(contest(task, 'climate-zstd', 'hot delay', specs, { inner: 2 }));
  }
  for (const task of short ? ['whole'] : ['whole', 'chunks']) {
    const specs = ['lsio', ...BUDGETS.map((memory) => ['lsio', { memory }])];
    contests.push(contest(task, 'climate-zstd', 'hot memory', specs, { inner: 2 }));
  }
  const threads = THREADS.map((count) => ['lsio', { threads: count }]);
  const counts = CHUNK_COUNTS[size].map((count) => ['lsio', { count }]);
  const opened = ['lsio', ['lsio', {}, { dataSet: ONE_CHUNK }]];
  contests.push(
    contest('whole', 'climate-zstd', 'hot threads', threads, { inner }),
    contest('chunks', 'tiny-sharded', 'hot counts', counts, { inner: 2 }),
    contest('open', 'tiny-sharded', 'hot', opened),
  );
  return contests;
}
