// Going on with a run that ended early: what it measured stays, if it was measured in the same way.

import { contestsOf } from './contests.mjs';

/** What must be as it was: else figures of one run would not be of one thing. */
const SAME = ['machine', 'cpu', 'kernel', 'size', 'rounds', 'commit', 'changed', 'versions'];

/**
 * The run to add contests to: the earlier one with what `about` says of this one.
 *
 * @throws {TypeError} naming what differs
 */
export function continuedRun(earlier, about) {
  for (const key of SAME) {
    const [then, now] = [earlier.about[key], about[key]].map((value) => JSON.stringify(value));
    if (then !== now) {
      throw new TypeError(`--continue: ${key} was ${then} in the run so far, and is ${now}`);
    }
  }
  // With changes, nobody knows whether they are the same ones.
  if (about.changed) throw new TypeError('--continue: there are changes that are not committed');
  const only = about.only.length > 0 ? [...new Set([...earlier.about.only, ...about.only])] : [];
  return { about: { ...earlier.about, only }, contests: [...earlier.contests] };
}

/** Adds a contest where it belongs; a run with all contests is not of some only. */
export function addContest(run, contest) {
  const order = contestsOf(run.about.size).map(({ id }) => id);
  run.contests.push(contest);
  run.contests.sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
  if (run.contests.length === order.length) run.about.only = [];
}
