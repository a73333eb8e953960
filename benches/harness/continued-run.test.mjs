import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contestsOf } from './contests.mjs';
import { addContest, continuedRun } from './continued-run.mjs';

const about = {
  machine: '2-core-x64',
  cpu: 'a processor',
  kernel: 'Linux 6',
  size: 'quick',
  rounds: 7,
  commit: 'abc',
  changed: false,
  versions: { zarr: '3' },
  only: [],
};
const [first, second, ...others] = contestsOf('quick').map(({ id }) => ({ id }));

test('a run that goes on keeps what it has, in the order of the contests', () => {
  const earlier = { about: { ...about, only: [second.id] }, contests: [second] };
  const run = continuedRun(earlier, { ...about, only: [first.id] });
  assert.deepEqual(run.about.only, [second.id, first.id]);
  addContest(run, first);
  assert.deepEqual(run.contests, [first, second]);
  for (const contest of others) addContest(run, contest);
  assert.deepEqual(run.about.only, []);
  assert.deepEqual(earlier.contests, [second]);
});

test('figures of another commit, machine or number of rounds are not mixed in', () => {
  const earlier = { about, contests: [first] };
  for (const change of [{ commit: 'def' }, { cpu: 'another' }, { rounds: 3 }, { versions: {} }]) {
    const [key] = Object.keys(change);
    assert.throws(() => continuedRun(earlier, { ...about, ...change }), {
      name: 'TypeError',
      message: new RegExp(`^--continue: ${key} was `),
    });
  }
  const changed = { ...about, changed: true };
  assert.throws(() => continuedRun({ about: changed, contests: [] }, changed), {
    name: 'TypeError',
    message: /not committed/,
  });
});
