// npm run bench:instructions: counts the instructions of a few hot paths under callgrind and compares
// them with counts.json. They do not depend on what else the machine does, so a regression shows where
// times are noise. `--keep` rewrites counts.json.

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import { reportAndExit, root, run } from '../../scripts/child-process.mjs';

const KEPT = join(import.meta.dirname, 'counts.json');

/** A path fails that needs this much more than what was kept. */
const TOLERANCE = 0.03;

/** Rounds that are counted, beside a first one that pays for what is set up lazily. */
const ROUNDS = 3;

/** The output of a command, both streams together. */
function outputOf(command, args) {
  const { error, status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    cwd: root,
    // Both cost instructions that are none of the path's.
    env: { ...process.env, RUST_BACKTRACE: undefined, LD_PRELOAD: undefined },
  });
  if (error?.code === 'ENOENT') return undefined;
  if (error) throw error;
  if (status !== 0) throw new Error(`'${command} ${args.join(' ')}' failed:\n${stderr}`);
  return stdout + stderr;
}

async function buildProgram() {
  let program;
  await run(
    'cargo',
    [
      ...['build', '--release', '--locked', '--package', 'lsio', '--example', 'hot_paths'],
      ...['--message-format', 'json-render-diagnostics'],
    ],
    {
      onLine(line) {
        const { target, executable } = JSON.parse(line);
        if (target?.name === 'hot_paths' && executable) program = executable;
      },
    },
  );
  return program;
}

/** Instructions of the whole process. */
function instructionsOf(program, path, rounds) {
  const args = [
    '--tool=callgrind',
    '--callgrind-out-file=/dev/null',
    program,
    path,
    String(rounds),
  ];
  const collected = /Collected : (\d+)/.exec(outputOf('valgrind', args));
  if (collected === null) throw new Error(`callgrind printed no count for '${path}'`);
  return Number(collected[1]);
}

/** Instructions of one round. */
function count(program, path) {
  const [once, more] = [1, 1 + ROUNDS].map((rounds) => instructionsOf(program, path, rounds));
  return Math.round((more - once) / ROUNDS);
}

/** What counts depend on, apart from the sources. */
function environment(valgrind) {
  const rustc = outputOf('rustc', ['--version']).trim();
  return { processor: arch(), rustc, valgrind };
}

function describe({ path, instructions, kept }) {
  const number = instructions.toLocaleString('en').padStart(14);
  if (kept === undefined) return `new     ${number}          ${path}`;
  const change = instructions / kept - 1;
  const percent = `${change < 0 ? '' : '+'}${(change * 100).toFixed(1)} %`.padStart(8);
  return `${change > TOLERANCE ? 'FAILED' : 'ok    '}  ${number}  ${percent}  ${path}`;
}

async function main() {
  const valgrind = outputOf('valgrind', ['--version'])?.trim();
  if (valgrind === undefined) {
    console.error(
      'valgrind is not installed. It comes with the system: apt-get install valgrind (Debian, Ubuntu), ' +
        'dnf install valgrind (Fedora).',
    );
    process.exitCode = 1;
    return;
  }
  const program = await buildProgram();
  const kept = JSON.parse(readFileSync(KEPT, 'utf8'));
  const here = environment(valgrind);
  const rows = [];
  for (const path of outputOf(program, []).trim().split('\n')) {
    const row = { path, instructions: count(program, path), kept: kept.instructions[path] };
    rows.push(row);
    console.log(describe(row));
  }
  if (process.argv.includes('--keep')) {
    const instructions = Object.fromEntries(rows.map((row) => [row.path, row.instructions]));
    const text = JSON.stringify({ environment: here, instructions }, undefined, 2);
    writeFileSync(KEPT, `${text}\n`);
    return;
  }
  for (const [name, value] of Object.entries(here)) {
    if (value !== kept.environment[name]) {
      console.log(
        `note: the kept counts were made with ${name} ${kept.environment[name]}, here: ${value}`,
      );
    }
  }
  const failed = rows.filter((row) => row.instructions > row.kept * (1 + TOLERANCE));
  process.exitCode = failed.length === 0 ? 0 : 1;
}

await main().catch(reportAndExit);
