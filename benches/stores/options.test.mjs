import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOptions } from './options.mjs';

test('a run of some contests is not kept in the place of one of all', () => {
  const only = ['--only', 's3/plain'];
  assert.throws(() => parseOptions(['--keep-run', ...only]), {
    name: 'TypeError',
    message: /^--keep-run with --only /,
  });
  assert.deepEqual(parseOptions(only).only, ['s3/plain']);
  assert.equal(parseOptions(['--keep-run']).keepRun, true);
});

test('numbers of rounds and sizes that mean nothing are refused', () => {
  for (const args of [
    ['--rounds', '0'],
    ['--rounds', 'x'],
    ['--size', 'huge'],
  ]) {
    assert.throws(() => parseOptions(args), {
      name: 'TypeError',
      message: new RegExp(args.join(' ')),
    });
  }
  assert.equal(parseOptions(['--rounds', '3']).rounds, 3);
});
