// What the report makes of figures.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSound, valuesAgree, verdictsOf } from './report.mjs';

const row = (program, kind, seconds, more = {}) => ({
  program,
  kind,
  processes: [[{ seconds, decodedBytes: 2 ** 30, checksum: 7 }]],
  ...more,
});

test('plain chunks are held to nine tenths of the discard client', () => {
  const contest = (seconds) => ({
    kind: 'plain',
    rows: [row('lsio', 'own', seconds), row('discard', 'ceiling', 0.9)],
  });
  assert.deepEqual(verdictsOf(contest(0.99)), [
    { text: '0.91 of the discard client (at least 0.90)', holds: true },
  ]);
  assert.equal(verdictsOf(contest(1.01))[0].holds, false);
});

test('compressed chunks are held to the best peer, or to wire and codec in turn', () => {
  const contest = (seconds, codecRate) => ({
    kind: 'compressed',
    ratio: 2,
    codecRate,
    rows: [
      row('lsio', 'own', seconds),
      // 1 GiB/s on the wire are 2 GiB/s of values.
      row('discard', 'ceiling', 1),
      row('tensorstore', 'peer', 1),
      row('zarrs', 'peer', 2),
    ],
  });
  assert.equal(verdictsOf(contest(1 / 1.31, 2))[0].holds, true);
  // Wire and codec in turn allow 1 GiB/s.
  assert.equal(verdictsOf(contest(1 / 0.91, 2))[0].holds, true);
  assert.equal(verdictsOf(contest(1 / 0.89, 2))[0].holds, false);
  assert.equal(verdictsOf(contest(1 / 1.29, undefined))[0].holds, false);
});

test('small chunks in shards are held to a quarter of the requests', () => {
  const contest = (requests) => ({
    kind: 'sharded',
    chunks: 100,
    rows: [row('lsio', 'own', 1, { requests })],
  });
  assert.equal(verdictsOf(contest(25))[0].holds, true);
  assert.equal(verdictsOf(contest(26))[0].holds, false);
});

test('a run without our figures, or with values that differ, is not sound', () => {
  const failed = { ...row('lsio', 'own', 1), processes: [], failure: 'ended with 1' };
  assert.equal(isSound({ contests: [{ kind: 'plain', rows: [failed] }] }), false);
  const other = row('discard', 'ceiling', 1);
  other.processes[0][0].checksum = 8;
  assert.equal(valuesAgree({ rows: [row('lsio', 'own', 1), other] }), false);
  other.processes[0][0].checksum = null;
  assert.equal(valuesAgree({ rows: [row('lsio', 'own', 1), other] }), true);
});
