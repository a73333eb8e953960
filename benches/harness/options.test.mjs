import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOptions } from './options.mjs';

test('a run of some contests is not kept in the place of one of all', () => {
  const only = ['--only', 'whole/plain'];
  assert.throws(() => parseOptions(['--keep-run', ...only]), {
    name: 'TypeError',
    message: /^--keep-run with --only /,
  });
  assert.deepEqual(parseOptions(only).only, ['whole/plain']);
  assert.equal(parseOptions(['--continue', '--keep-run']).keepRun, true);
});
