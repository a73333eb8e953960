// npm test: sets up everything, runs every test and every gate, prints `N passed, N failed` last.
//
//   npm test                          all of it
//   npm test -- --only ava,rust       some of: rust, ava, bench, checks
//   npm test -- --node 22             the ava tests under one Node: current, 22 or 24
//   npm test -- --match '*abort*'     the ava tests with matching titles

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runChecks } from './checks.mjs';
import { exitCodeOf, reportAndExit, root } from './child-process.mjs';
import { filesBelow } from './fingerprint.mjs';
import { installNodeVersions, setUp } from './set-up.mjs';
import { installTestServers, withTestServers } from './test-servers/test-servers.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'checks,rust,bench,ava' },
    node: { type: 'string', multiple: true },
    match: { type: 'string', multiple: true },
  },
});

/** `cargo test` over the workspace: what its `test result` lines add up to. */
async function runRustTests(env) {
  const sum = { passed: 0, failed: 0 };
  const exitCode = await exitCodeOf(
    'cargo',
    ['test', '--workspace', '--locked', '--no-fail-fast', '--quiet'],
    {
      env,
      onLine: (line) => {
        const result = /^test result: .* (\d+) passed; (\d+) failed;/.exec(line);
        if (result) {
          sum.passed += Number(result[1]);
          sum.failed += Number(result[2]);
        } else if (!/^(running \d+ tests?|[.i]+( \d+\/\d+)?)?$/.test(line)) {
          console.log(line);
        }
      },
    },
  );
  // It did not compile, or a test process crashed.
  if (exitCode !== 0 && sum.failed === 0) sum.failed = 1;
  console.log(`cargo test: ${sum.passed} passed, ${sum.failed} failed`);
  return sum;
}

/** The tests of what the benchmark makes of its figures: what the runner's summary says. */
async function runBenchTests() {
  const sum = { passed: 0, failed: 0 };
  const files = ['benches/harness', 'benches/stores'].flatMap((folder) =>
    filesBelow(folder, (file) => file.endsWith('.test.mjs')),
  );
  const exitCode = await exitCodeOf(
    process.execPath,
    ['--test', '--test-reporter', 'tap', ...files],
    {
      onLine: (line) => {
        const result = /^# (pass|fail) (\d+)$/.exec(line);
        if (result) sum[result[1] === 'pass' ? 'passed' : 'failed'] = Number(result[2]);
        if (/^\s*not ok|^\s+(error|stack|location):/.test(line)) console.log(line);
      },
    },
  );
  if (exitCode !== 0 && sum.failed === 0) sum.failed = 1;
  if (sum.passed + sum.failed === 0) sum.failed = 1;
  console.log(`harness of the benchmark: ${sum.passed} passed, ${sum.failed} failed`);
  return sum;
}

/** The ava tests under one Node: counts the TAP lines, shows the failed ones with their reports. */
async function runAva({ name, program }, env) {
  const sum = { passed: 0, failed: 0 };
  let shown = false;
  const exitCode = await exitCodeOf(
    program,
    [
      join(root, 'node_modules/ava/entrypoints/cli.mjs'),
      '--tap',
      ...(values.match ?? []).flatMap((pattern) => ['--match', pattern]),
    ],
    {
      env: { ...env, FORCE_COLOR: '0' },
      onLine: (line) => {
        const result = /^(not )?ok \d/.exec(line);
        if (result) {
          const counts = !/# (SKIP|TODO)/.test(line);
          shown = counts && result[1] !== undefined;
          if (counts) sum[shown ? 'failed' : 'passed'] += 1;
        } else if (/^(# |1\.\.)/.test(line)) {
          shown = false;
        }
        if (shown) console.log(line);
      },
    },
  );
  if (exitCode !== 0 && sum.failed === 0) sum.failed = 1;
  if (sum.passed + sum.failed === 0) sum.failed = 1;
  console.log(`ava under Node ${name}: ${sum.passed} passed, ${sum.failed} failed`);
  return sum;
}

/** Every Node version to test under: the running one, and those of scripts/node-versions. */
function nodeVersions() {
  const versions = [
    { name: `current (${process.version})`, id: 'current', program: process.execPath },
  ];
  for (const id of ['22', '24']) {
    const program = join(root, `scripts/node-versions/node_modules/node${id}/bin/node`);
    if (existsSync(program)) versions.push({ name: id, id, program });
  }
  return versions.filter(({ id }) => values.node === undefined || values.node.includes(id));
}

const only = new Set(values.only.split(','));

/** What `work` comes to, after a line that says how long it took: the whole run has half an hour. */
async function timed(name, work) {
  const start = performance.now();
  const result = await work();
  console.log(`${name}: ${((performance.now() - start) / 60_000).toFixed(1)} min`);
  return result;
}

// Beside the build, which leaves a core idle at times; a run that needs it waits for it.
const needsServers = only.has('rust') || only.has('ava');
const installing = needsServers ? timed('installation of servers', installTestServers) : undefined;

try {
  await timed('set-up', setUp);
  // The pinned binaries exist for this platform only.
  if (process.platform === 'linux' && process.arch === 'x64' && only.has('ava')) {
    await installNodeVersions();
  }
} catch (error) {
  if (error?.name === 'CommandFailed') console.log(`${error.message}\n0 passed, 1 failed`);
  reportAndExit(error);
}

/** The tests that may talk to servers. */
async function runTests(env, missing) {
  const sums = [];
  // A server that is not there is loudly skipped where people work, and never in CI.
  if (process.env.CI) sums.push({ passed: 0, failed: missing.length });
  if (only.has('rust')) sums.push(await timed('cargo test', () => runRustTests(env)));
  if (only.has('ava')) {
    for (const version of nodeVersions()) {
      sums.push(await timed(`ava under Node ${version.name}`, () => runAva(version, env)));
    }
  }
  return sums;
}

const sums = [];
if (only.has('checks')) sums.push(await timed('gates', runChecks));
if (only.has('bench')) sums.push(await runBenchTests());
if (needsServers) sums.push(...(await withTestServers(await installing, runTests)));

const passed = sums.reduce((total, sum) => total + sum.passed, 0);
const failed = sums.reduce((total, sum) => total + sum.failed, 0);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
console.log(`${passed} passed, ${failed} failed`);
