// The benchmark: each task of light-speed-io beside its ceiling and a peer, in one run.
//
//   npm run bench -- [--size 512MiB] [--rounds 5] [--keep-run]
//
// Programs run one after the other in interleaved rounds (A B C A B C ...), each in a process of its own
// that does its task twice: the second figure is the one shown, the first one is kept. The table is printed;
// --keep-run also writes it, with every figure, to benches/runs/<date>-<machine>/.

import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { arch, cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setUp as setUpPeers } from './set-up.mjs';

const here = import.meta.dirname;
const root = join(here, '..');
const programs = join(here, 'programs');

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: '512MiB' },
    rounds: { type: 'string', default: '5' },
    'keep-run': { type: 'boolean', default: false },
  },
});

/** Bytes of text such as '512MiB'. */
function bytesOf(text) {
  const match = /^(\d+)(KiB|MiB|GiB)?$/.exec(text);
  if (match === null) throw new Error(`--size ${text}: expected a number such as 512MiB`);
  return Number(match[1]) * { undefined: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }[match[2]];
}

/** Runs a program and gives the lines that it printed, parsed. */
function runProgram([command, ...args]) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (text) => (output += text));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code !== 0) reject(new Error(`${command} ${args.join(' ')} ended with ${code}`));
      else
        resolve(
          output
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line)),
        );
    });
  });
}

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
};

/** What is measured: rows that belong together share a task and must agree on the checksum. */
function plan(array, ceilings) {
  const lsio = (task) => [process.execPath, join(programs, 'lsio.mjs'), task, array, '2'];
  const zarrita = (task) => [process.execPath, join(here, 'peers/zarrita.mjs'), task, array, '2'];
  const ceiling = (task) => [ceilings, task, array, '2'];
  const row = (task, cache, name, command) => ({
    task,
    cache,
    name,
    command,
    first: [],
    later: [],
  });
  return [
    row('whole array', 'hot', 'ceiling: copy of its size', ceiling('memcpy')),
    row('whole array', 'hot', 'ceiling: codec alone', ceiling('codec')),
    row('whole array', 'hot', 'ceiling: direct program', ceiling('direct')),
    row('whole array', 'hot', 'light-speed-io get', lsio('get')),
    row('whole array', 'hot', 'zarrita get', zarrita('get')),
    row('every chunk', 'hot', 'light-speed-io readChunks', lsio('chunks')),
    row('every chunk', 'hot', 'zarrita getChunk', zarrita('chunks')),
    row('mean', 'hot', 'light-speed-io mean', lsio('mean')),
    row('whole array', 'cold', 'ceiling: raw reads', ceiling('raw')),
    row('whole array', 'cold', 'light-speed-io get, direct', lsio('get-direct')),
  ];
}

function report(rows, about) {
  const lines = [
    `# Benchmark of ${about.date}`,
    '',
    `${about.cpu}, ${about.cores} cores, ${about.memoryGiB} GiB; ${about.kernel}; Node ${about.node}.`,
    `Data: ${about.data}`,
    '',
    `Medians of ${about.rounds} interleaved rounds (smallest to largest), decoded bytes. "First" is the first`,
    'read of a process, "later" the second. Memory of the host is not controlled: first reads may pay for pages',
    'that the host had taken back. Cold: flushed and dropped from the page cache before each process;',
    'programs that read past the cache stay cold in their second read.',
    '',
    '| task | cache | program | later, GB/s | first, GB/s | CPU s/GB | peak memory, MiB | event-loop delay p99, ms |',
    '|---|---|---|---|---|---|---|---|',
  ];
  const number = (value, digits) => (value === undefined ? '' : value.toFixed(digits));
  for (const { task, cache, name, first, later } of rows) {
    const rate = (rounds) => rounds.map((round) => round.decodedBytes / 1e9 / round.seconds);
    const range = (values) =>
      `${number(median(values), 2)} (${number(Math.min(...values), 2)} to ${number(Math.max(...values), 2)})`;
    const middle = (get) => {
      const values = later.map(get).filter((value) => value !== undefined);
      return values.length === 0 ? undefined : median(values);
    };
    lines.push(
      `| ${[
        task,
        cache,
        name,
        range(rate(later)),
        range(rate(first)),
        number(
          middle((round) => round.cpuSeconds && round.cpuSeconds / (round.decodedBytes / 1e9)),
          2,
        ),
        number(
          middle((round) => round.peakMemoryBytes && round.peakMemoryBytes / 2 ** 20),
          0,
        ),
        number(
          middle((round) => round.delayP99Ms),
          2,
        ),
      ].join(' | ')} |`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Programs that read the same elements must have read the same values. */
function checkSums(rows) {
  const sums = new Set();
  for (const { first, later } of rows) {
    for (const { checksum } of [...first, ...later]) {
      if (checksum !== null && checksum !== undefined) sums.add(checksum);
    }
  }
  if (sums.size !== 1)
    throw new Error(`programs disagree about the values: ${[...sums].join(', ')}`);
}

const ceilings = await setUpPeers();
// The addon is there only after the set-up.
const { dropCache, writeSampleField } = await import('../dist/cli/sample-field.js');

const folder = mkdtempSync(join(tmpdir(), 'lsio-bench-'));
try {
  const never = new AbortController().signal;
  const bytes = bytesOf(options.size);
  console.error(`writing ${options.size} of sample data`);
  await writeSampleField({ directory: folder, bytes, seed: 1 }, never, () => {});
  const rounds = Number(options.rounds);
  const rows = plan(folder, ceilings);
  for (let round = 1; round <= rounds; round += 1) {
    for (const row of rows) {
      console.error(`round ${round} of ${rounds}: ${row.task}, ${row.cache}: ${row.name}`);
      if (row.cache === 'cold') await dropCache(folder);
      const [first, later] = await runProgram(row.command);
      row.first.push(first);
      row.later.push(later);
      // What comes next is hot.
      if (row.cache === 'cold') await runProgram(rows[1].command);
    }
  }
  checkSums(rows);
  const { decodedBytes, storedBytes } = rows[0].first[0];
  const about = {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0].model,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `Linux ${release()} ${arch()}`,
    node: process.versions.node,
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: root,
      encoding: 'utf8',
    }).trim(),
    rounds,
    data: `${(decodedBytes / 2 ** 20).toFixed(0)} MiB of float32 in chunks of 1 MiB under zstd, ${(decodedBytes / storedBytes).toFixed(2)} times smaller stored.`,
  };
  const table = report(rows, about);
  console.log(table);
  if (options['keep-run']) {
    const kept = join(here, 'runs', `${about.date}-${about.cores}-core-${arch()}`);
    mkdirSync(kept, { recursive: true });
    const figures = rows.map(({ task, cache, name, first, later }) => ({
      task,
      cache,
      name,
      first,
      later,
    }));
    writeFileSync(join(kept, 'run.json'), `${JSON.stringify({ about, rows: figures }, null, 1)}\n`);
    writeFileSync(join(kept, 'README.md'), table);
    console.error(`kept in ${kept}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
