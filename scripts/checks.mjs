// The gates beside the tests: formatting, lints, types. A warning is a failure in each of them.

import { exitCodeOf } from './child-process.mjs';
import { GENERATED, tool } from './set-up.mjs';

const FORMATTED = [
  '*.{js,json}',
  '.*.json',
  '{lib,bin,scripts,__test__,benches,npm,fixtures}/**/*.{ts,mts,js,mjs,json}',
];

/** Each gate: what it shows, and the command that must end with 0. */
const GATES = [
  { name: 'rustfmt', command: ['cargo', 'fmt', '--all', '--check'] },
  {
    name: 'clippy',
    command: [
      ...['cargo', 'clippy', '--workspace', '--all-targets', '--locked', '--quiet'],
      ...['--', '-D', 'warnings'],
    ],
  },
  { name: 'types of the facade', command: [tool('tsc'), '--noEmit'] },
  { name: 'types of the tests', command: [tool('tsc'), '-p', '__test__'] },
  {
    name: 'types in a project without newer libraries',
    command: [tool('tsc'), '-p', 'tsconfig.user.json'],
  },
  { name: 'oxlint', command: [tool('oxlint'), '--type-aware', '--deny-warnings', '--quiet'] },
  {
    name: 'prettier',
    command: [tool('prettier'), '--check', '--log-level', 'warn', ...FORMATTED],
  },
  {
    name: 'generated files are committed as generated',
    command: ['git', 'diff', '--exit-code', '--stat', '--', ...GENERATED],
  },
  {
    name: 'the table in the README is what its kept run gives',
    command: [process.execPath, 'benches/check-readme.mjs'],
  },
  {
    name: 'docs/support.md is what its stored results give',
    command: [process.execPath, 'scripts/support.mjs', '--check'],
  },
];

/** Runs every gate, one after the other. */
export async function runChecks() {
  const failed = [];
  for (const { name, command } of GATES) {
    const [program, ...args] = command;
    const exitCode = await exitCodeOf(program, args);
    console.log(`${exitCode === 0 ? 'ok    ' : 'FAILED'} ${name}`);
    if (exitCode !== 0) failed.push(name);
  }
  return { passed: GATES.length - failed.length, failed: failed.length };
}

/** Rewrites the sources in their format. */
export async function format() {
  await exitCodeOf('cargo', ['fmt', '--all']);
  return exitCodeOf(tool('prettier'), ['--write', '--log-level', 'warn', ...FORMATTED]);
}
