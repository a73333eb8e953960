import assert from 'node:assert/strict';
import { test } from 'node:test';
import { figureOf, median, overlap, summaryOf } from './statistics.mjs';

test('the median is the middle, or the mean of the two in the middle', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.throws(() => median([]));
});

test('values are not reordered, and no values have no summary', () => {
  const values = [3, 1, 2];
  assert.deepEqual(summaryOf(values), { median: 2, min: 1, max: 3 });
  assert.deepEqual(values, [3, 1, 2]);
  assert.equal(summaryOf([]), undefined);
});

test('ranges that touch overlap', () => {
  assert.ok(overlap({ min: 1, max: 2 }, { min: 2, max: 3 }));
  assert.ok(!overlap({ min: 1, max: 2 }, { min: 2.1, max: 3 }));
});

test('the first line of each process is its first read, the median of the others a later one', () => {
  const lines = (...seconds) => seconds.map((value) => ({ seconds: value }));
  const processes = [lines(9, 1, 3), lines(8, 2, 2), lines(7, 4, 6)];
  const seconds = (line) => line.seconds;
  assert.deepEqual(figureOf(processes, 'first', seconds), { median: 8, min: 7, max: 9 });
  assert.deepEqual(figureOf(processes, 'later', seconds), { median: 2, min: 2, max: 5 });
  assert.equal(figureOf([lines(5)], 'later', seconds).median, 5);
  assert.equal(
    figureOf(processes, 'later', (line) => line.absent),
    undefined,
  );
});
