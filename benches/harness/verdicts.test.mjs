import assert from 'node:assert/strict';
import { test } from 'node:test';
import { disagreements, judge, validity } from './verdicts.mjs';

/** A row whose first reads take as long as its later ones; one time for each round. */
function row(program, seconds, line = {}) {
  const once = (time) => ({ seconds: time, decodedBytes: 1e9, checksum: 7, ...line });
  return { name: program, program, processes: seconds.map((time) => [once(time), once(time)]) };
}

const contest = (id, rows) => {
  const [task, dataSet, cache] = id.split('/');
  return { id, task, dataSet, cache, decodedBytes: 1e9, chunks: 1000, rows };
};

/** The verdicts on one kind of check of one task. */
function verdictOn(contests, task, kind) {
  const entry = judge(contests).find((bound) => bound.task === task);
  return entry.verdicts.find((verdict) => verdict.kind === kind);
}

const LATER = 'compressed whole array, hot, later reads';
const zstd = (rows) => [contest('whole/climate-zstd/hot', rows)];

test('a ceiling is held to by the ratio of medians', () => {
  const fast = zstd([row('lsio', [1, 1, 9]), row('direct', [0.96, 0.96, 0.96])]);
  assert.equal(verdictOn(fast, LATER, 'ceiling').held, true);
  const slow = zstd([row('lsio', [1, 1, 1]), row('direct', [0.94, 0.94, 0.94])]);
  assert.equal(verdictOn(slow, LATER, 'ceiling').held, false);
  assert.equal(verdictOn(zstd([row('lsio', [1])]), LATER, 'ceiling').held, undefined);
});

test('never below holds for a slower median only where the ranges overlap', () => {
  const overlapping = zstd([row('lsio', [0.9, 1.1, 1.2]), row('zarrs', [0.8, 1, 1.1])]);
  assert.equal(verdictOn(overlapping, LATER, 'neverBelow').held, true);
  const apart = zstd([row('lsio', [1.2, 1.2, 1.3]), row('zarrs', [0.8, 1, 1.1])]);
  assert.equal(verdictOn(apart, LATER, 'neverBelow').held, false);
});

test('more than the best native peer is asked only where the ceiling leaves room', () => {
  // 0.95 x the ceiling is 1.14 x zarrs: no room for 1.25.
  const close = zstd([row('lsio', [1]), row('direct', [1 / 1.2]), row('zarrs', [1])]);
  assert.equal(verdictOn(close, LATER, 'whereRoom').held, true);
  const far = zstd([row('lsio', [1]), row('direct', [1 / 2]), row('zarrs', [1.2])]);
  assert.equal(verdictOn(far, LATER, 'whereRoom').held, false);
  const faster = zstd([row('lsio', [1]), row('direct', [1 / 2]), row('zarrs', [1.3])]);
  assert.equal(verdictOn(faster, LATER, 'whereRoom').held, true);
  // zarr-python is no native peer.
  const none = zstd([row('lsio', [1]), row('direct', [1]), row('zarr-python', [1])]);
  assert.equal(verdictOn(none, LATER, 'whereRoom').held, undefined);
});

test('a cold read is held against the slower of device and decoding', () => {
  const cold = contest('whole/climate-zstd/cold', [
    { ...row('lsio', [1]), name: 'lsio io=direct' },
    row('raw-ring', [0.5]),
    row('zarrita', [5.5]),
  ]);
  const hot = contest('whole/climate-zstd/hot', [row('direct', [0.95]), row('codec', [0.9])]);
  const ceiling = verdictOn(
    [cold, hot],
    'compressed whole array, cold, direct, later reads',
    'ceiling',
  );
  assert.equal(ceiling.held, true);
  assert.match(ceiling.text, /^0\.95 of direct/);
  // Decoding takes longer than the device: five times zarrita, not twice.
  const zarrita = verdictOn([cold, hot], 'whole array against zarrita, cold', 'coldTimes');
  assert.equal(zarrita.bound, 5);
  assert.equal(zarrita.held, true);
});

test('what a peer gets by tuning does not count among defaults', () => {
  const rows = [row('lsio-rust', [1]), row('raw-ring', [1]), row('pread-threads', [1.4])];
  const [ranges] = [contest('ranges/raw-ranges/cold', [...rows, row('fio', [1])])];
  assert.equal(verdictOn([ranges], 'raw 256 KiB ranges, cold, direct', 'times').held, true);
});

test('programs that failed have no figure', () => {
  const failed = { ...row('lsio', []), failure: 'ended with 1' };
  const verdict = verdictOn(zstd([failed, row('direct', [1])]), LATER, 'ceiling');
  assert.equal(verdict.held, undefined);
});

test('different checksums of one task on one data set are found, also over cache states', () => {
  const hot = contest('whole/plain/hot', [
    row('lsio', [1]),
    row('direct', [1], { checksum: null }),
  ]);
  const cold = contest('whole/plain/cold', [row('zarrs', [1], { checksum: 8 })]);
  assert.deepEqual(disagreements([hot]), []);
  const [found] = disagreements([hot, cold]);
  assert.equal(found.name, 'whole/plain');
  assert.match(found.text, /7 \(lsio\); 8 \(zarrs\)/);
});

test('means may differ in their last digits', () => {
  const mean = (value) => ({ checksum: null, mean: value });
  const near = contest('mean/plain/hot', [
    row('lsio', [1], mean(280)),
    row('dask', [1], mean(280.00001)),
    row('reduce', [1], mean(5)),
  ]);
  assert.deepEqual(disagreements([near]), []);
  const far = contest('mean/plain/hot', [
    row('lsio', [1], mean(280)),
    row('dask', [1], mean(280.1)),
  ]);
  assert.equal(disagreements([far]).length, 1);
});

test('a run counts if direct and ring are as fast as their references', () => {
  const slow = zstd([row('direct', [1])]);
  assert.equal(validity(slow)[0].held, false);
  const fast = zstd([row('direct', [1 / 1.4])]);
  assert.equal(validity(fast)[0].held, true);
  const rows = [row('raw-ring', [1]), row('fio', [0.89])];
  assert.equal(validity([contest('ranges/raw-ranges/cold', rows)])[0].held, false);
});
