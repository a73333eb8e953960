// The table that must hold: one entry for each bound, in the order in which the report shows them.
//
// `sets` are names of contests (see contests.mjs), `own` and `ceiling` names of entries in them, `phase`
// the first read of a process or later ones. A check says `kind`, which verdicts.mjs judges.

import { BUDGETS, CHUNK_COUNTS, DATA_SETS } from './contests.mjs';

const compressed = DATA_SETS.full.compressed;
const coldCompressed = DATA_SETS.full.cold.filter((set) => set !== 'plain');
const hot = (task, sets) => sets.map((set) => `${task}/${set}/hot`);

/** The bound that peers must be beaten by where the ceiling leaves room for it. */
const ROOM = 1.25;

/** Which reads of a process are meant. */
const READS = { first: 'first read of a process', later: 'later reads' };

/** A whole array under a codec, into one result. */
function wholeCompressed(phase, least) {
  return {
    task: `compressed whole array, hot, ${READS[phase]}`,
    contests: hot('whole', compressed),
    own: 'lsio',
    phase,
    checks: [
      { kind: 'ceiling', ceilings: [{ name: 'direct' }], least },
      { kind: 'neverBelow', peers: 'all' },
      { kind: 'whereRoom', ceiling: 'direct', bound: least, least: ROOM, peers: 'native' },
    ],
  };
}

/** The same from cold files, past the page cache. */
function coldCompressedWhole(phase) {
  return {
    task: `compressed whole array, cold, direct, ${READS[phase]}`,
    contests: coldCompressed.map((set) => `whole/${set}/cold`),
    own: 'lsio io=direct',
    phase,
    checks: [
      {
        kind: 'ceiling',
        // The slower of the two: what the device brings, and what decoding takes.
        ceilings: [{ name: 'raw-ring' }, { name: 'direct', cache: 'hot' }],
        least: 0.9,
      },
      // Others read through the page cache, so they have first reads only.
      ...(phase === 'first' ? [{ kind: 'neverBelow', peers: 'default' }] : []),
    ],
  };
}

export const BOUNDS = [
  {
    task: 'raw 256 KiB ranges, cold, direct',
    contests: ['ranges/raw-ranges/cold'],
    own: 'lsio-rust',
    phase: 'later',
    checks: [
      { kind: 'ceiling', ceilings: [{ name: 'raw-ring' }], least: 0.95 },
      { kind: 'cpu', ceiling: 'raw-ring', most: 1.5 },
      { kind: 'times', peers: 'default', least: 1.3 },
    ],
  },
  {
    task: 'uncompressed whole array, hot, later reads',
    contests: hot('whole', ['plain']),
    own: 'lsio',
    phase: 'later',
    checks: [
      { kind: 'ceiling', ceilings: [{ name: 'direct' }], least: 0.9 },
      { kind: 'times', peers: 'all', least: 2 },
    ],
  },
  {
    task: 'uncompressed whole array, cold, direct',
    contests: ['whole/plain/cold'],
    own: 'lsio io=direct',
    phase: 'first',
    checks: [
      { kind: 'ceiling', ceilings: [{ name: 'raw-ring' }], least: 0.95 },
      { kind: 'times', peers: 'default', least: 1.2 },
    ],
  },
  {
    task: 'uncompressed whole array, cold, auto',
    contests: ['whole/plain/cold'],
    own: 'lsio io=auto',
    phase: 'first',
    checks: [
      { kind: 'ceiling', ceilings: [{ name: 'raw-ring' }], least: 0.55 },
      { kind: 'neverBelow', peers: 'default' },
    ],
  },
  wholeCompressed('later', 0.95),
  wholeCompressed('first', 0.8),
  coldCompressedWhole('later'),
  coldCompressedWhole('first'),
  {
    task: 'whole array against zarrita, hot, all cores',
    contests: hot('whole', DATA_SETS.full.whole),
    own: 'lsio',
    phase: 'later',
    checks: [{ kind: 'times', peers: ['zarrita'], least: 5 }],
  },
  {
    task: 'whole array against zarrita, hot, one core',
    contests: hot('whole', DATA_SETS.full.oneCore).map((id) => `${id}/one-core`),
    own: 'lsio one-core',
    phase: 'later',
    checks: [{ kind: 'times', peers: ['zarrita'], least: 3 }],
  },
  {
    task: 'whole array against zarrita, cold',
    contests: DATA_SETS.full.cold.map((set) => `whole/${set}/cold`),
    own: 'lsio io=direct',
    phase: 'first',
    checks: [{ kind: 'coldTimes', peers: ['zarrita'], codecBound: 5, otherwise: 2 }],
  },
  {
    task: 'readChunks, all chunks',
    contests: hot('chunks', DATA_SETS.full.chunks),
    own: 'lsio',
    phase: 'later',
    checks: [
      { kind: 'ceiling', ceilings: [{ name: 'direct' }], least: 0.85 },
      { kind: 'neverBelow', peers: 'all' },
    ],
  },
  {
    task: 'many small chunks, whole array',
    contests: hot('whole', ['small-chunks']),
    own: 'lsio',
    phase: 'later',
    checks: [
      { kind: 'ceiling', ceilings: [{ name: 'direct' }], least: 0.95 },
      { kind: 'neverBelow', peers: 'all' },
    ],
  },
  {
    task: 'tiny chunks in shards, beyond decoding',
    contests: hot('chunks', ['tiny-sharded']),
    phase: 'later',
    checks: [
      { kind: 'perChunk', own: 'lsio-rust', ceiling: 'codec', most: 2 },
      { kind: 'perChunk', own: 'lsio', ceiling: 'codec', most: 3 },
    ],
  },
  {
    task: 'tiny chunks as files',
    contests: hot('chunks', ['tiny-files']),
    phase: 'later',
    checks: [
      { kind: 'ceiling', own: 'lsio-rust', ceilings: [{ name: 'fs-loop' }], least: 1 / 1.3 },
      { kind: 'ceiling', own: 'lsio', ceilings: [{ name: 'fs-loop' }], least: 1 / 1.3 },
    ],
  },
  {
    task: '2,000 crops, getMany',
    contests: hot('crops-many', DATA_SETS.full.crops),
    own: 'lsio',
    phase: 'later',
    checks: [
      { kind: 'decoded', most: 1.1 },
      { kind: 'ceiling', ceilings: [{ name: 'direct' }], least: 0.85 },
      { kind: 'times', peers: ['tensorstore'], least: 1.4 },
      { kind: 'times', peers: 'all but tensorstore', least: 5 },
    ],
  },
  {
    task: '2,000 crops, concurrent get calls',
    contests: hot('crops-concurrent', DATA_SETS.full.cropsAtOnce),
    own: 'lsio',
    phase: 'later',
    checks: [
      { kind: 'decoded', most: 2 },
      { kind: 'neverBelow', peers: ['tensorstore'] },
    ],
  },
  {
    task: 'mean',
    contests: ['mean/climate-zstd/hot'],
    own: 'lsio',
    phase: 'later',
    checks: [
      // It decodes and sums chunk by chunk in each thread, and keeps nothing.
      { kind: 'ceiling', ceilings: [{ name: 'direct' }], least: 0.95 },
      { kind: 'neverBelow', peers: ['zarrs', 'zarrs-tuned'] },
      { kind: 'times', peers: ['dask'], least: 3 },
    ],
  },
  {
    task: 'event loop, delay p99',
    contests: DATA_SETS.full.delay.map((task) => `${task}/climate-zstd/hot/delay`),
    phase: 'later',
    checks: [
      { kind: 'delay', own: 'lsio threads=1', most: 5 },
      { kind: 'delay', own: 'lsio', most: 20 },
    ],
  },
  {
    task: 'memory above the start and the result',
    contests: ['whole/climate-zstd/hot/memory', 'chunks/climate-zstd/hot/memory'],
    phase: 'later',
    checks: [
      ...BUDGETS.map((memory) => ({ kind: 'growth', own: `lsio memory=${memory}`, memory })),
      { kind: 'growth', own: 'lsio', memory: 'default' },
      { kind: 'speed', own: `lsio memory=${BUDGETS[0]}`, beside: 'lsio', least: 0.8 },
    ],
  },
  {
    task: 'memory beside Python and JavaScript',
    contests: [...hot('whole', DATA_SETS.full.whole), ...hot('chunks', DATA_SETS.full.chunks)],
    own: 'lsio',
    phase: 'later',
    checks: [
      { kind: 'lessMemory', peers: ['zarr-python', 'zarr-python+zarrs', 'tensorstore', 'zarrita'] },
    ],
  },
  {
    task: 'time per chunk, from few chunks to many',
    contests: ['chunks/tiny-sharded/hot/counts'],
    phase: 'later',
    checks: [
      { kind: 'flat', counts: CHUNK_COUNTS.full, most: 1.25 },
      { kind: 'inFlight', counts: CHUNK_COUNTS.full },
    ],
  },
  {
    task: 'open with many chunks beside one',
    contests: ['open/tiny-sharded/hot'],
    phase: 'later',
    checks: [{ kind: 'speed', own: 'lsio', beside: 'lsio one-chunk', least: 1 / 1.25 }],
  },
];

/** What makes a run count. */
export const VALIDITY = {
  /** GB/s of the direct program where the bounds were set, by contest; a run has at least 0.9 of them. */
  direct: {
    'whole/climate-zstd/hot': 1.5,
    'whole/climate-blosc-lz4/hot': 3.7,
    'whole/packed-blosc-zstd/hot': 1.33,
    'whole/plain/hot': 6.9,
    'whole/benchmarks-sharded/hot': 3.4,
    'whole/gzip-v2/hot': 0.76,
    'whole/small-chunks/hot': 1.1,
  },
  directLeast: 0.9,
  ring: { contest: 'ranges/raw-ranges/cold', own: 'raw-ring', reference: 'fio', least: 0.9 },
};
