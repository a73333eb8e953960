// npm run bench:stores: whole arrays from real object stores on the loopback address, behind added latency,
// beside a client that drops what it gets, and beside peers.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';
import { arch } from 'node:process';
import { join } from 'node:path';
import { root } from '../../scripts/child-process.mjs';
import { SERVERS } from '../../scripts/test-servers/servers.mjs';
import { installTestServers, withTestServers } from '../../scripts/test-servers/test-servers.mjs';
import { bytesToHold, HeldMemory } from '../harness/conditions.mjs';
import { cacheFolder, dataSets } from '../harness/data-sets.mjs';
import { ProgramFailed, runProgram } from '../harness/run-program.mjs';
import { median } from '../harness/statistics.mjs';
import { versionsOf } from '../set-up.mjs';
import { contestsOf } from './contests.mjs';
import { HELP, parseOptions } from './options.mjs';
import { placeOf, storedBytes } from './places.mjs';
import { PROGRAMS } from './programs.mjs';
import { isSound, reportOf } from './report.mjs';
import { setUp } from './set-up.mjs';

const SMALL_CHUNKS = 'plain-sharded';
/** 2 x 90 x 180 elements of two bytes: see small_chunks.py. */
const SMALL_CHUNK_BYTES = 64_800;

/** How often a process reads the array. */
const READS = 2;

/** Seconds that wrk asks for one object. */
const WRK_SECONDS = 3;

const started = performance.now();
const say = (text) =>
  console.error(`[${((performance.now() - started) / 60_000).toFixed(1)} min] ${text}`);

/** GiB/s of the codec alone, from memory. */
async function codecRate(tools, folder) {
  const lines = await runProgram([tools.ceilings, 'codec', 'whole', folder, '3']);
  const rates = lines
    .map((line) => JSON.parse(line))
    .map(({ decodedBytes, seconds }) => decodedBytes / 2 ** 30 / seconds);
  return median(rates);
}

/** What wrk says that it got. */
async function wrkText({ wrk }, { largest }, inFlight) {
  const options = ['-t2', `-c${inFlight}`, `-d${WRK_SECONDS}s`];
  const lines = await runProgram([wrk.program, ...options, largest], { env: wrk.env });
  return lines
    .filter((line) => /^(Requests|Transfer)\/sec/.test(line.trim()))
    .map((line) => line.trim().replace(/\s+/, ' '))
    .join(', ');
}

/** One round of one program: its lines, and what the proxy counted, in `row`. */
async function measureOnce(row, contest, { tools, found, held }) {
  await found.proxy?.clearLog();
  const place = { ...found, rounds: READS, inFlight: contest.inFlight };
  const command = PROGRAMS[row.program].command(tools, place, row.program);
  try {
    const lines = await held.around((onStart) => runProgram(command, { env: found.env, onStart }));
    row.processes.push(lines.map((line) => JSON.parse(line)));
  } catch (error) {
    if (!(error instanceof ProgramFailed)) throw error;
    row.failure = error.message;
    say(`${contest.id}: ${row.program} FAILED: ${error.message}`);
  }
  if (found.proxy !== undefined) {
    const { requests } = await found.proxy.log();
    // Opening the array is among them: a handful.
    row.requests = Math.round(requests.length / READS);
    row.mostInFlight = requests.reduce((most, { inFlight }) => Math.max(most, inFlight), 0);
  }
}

async function runContest(contest, { tools, sets, rounds, ...setting }) {
  const set = sets[contest.dataSet];
  const rows = contest.programs
    .filter((program) => tools[PROGRAMS[program].needs])
    .map((program) => ({ program, kind: PROGRAMS[program].kind, processes: [] }));
  const found = await placeOf(contest, {
    ...setting,
    folder: set.folder,
    faultProxy: tools.faultProxy,
  });
  const held = new HeldMemory(tools.conditions, bytesToHold(set.decodedBytes));
  try {
    for (let round = 1; round <= rounds; round += 1) {
      for (const row of rows.filter(({ failure }) => failure === undefined)) {
        say(`${contest.id}: round ${round} of ${rounds}: ${row.program}`);
        await measureOnce(row, contest, { tools, found, held });
      }
    }
    const { milliseconds, kind, inFlight } = contest;
    const stored = storedBytes(set.folder);
    return {
      ...contest,
      ...{ chunks: set.chunks, storedBytes: stored, ratio: set.decodedBytes / stored, rows },
      ...(kind === 'compressed' && tools.ceilings
        ? { codecRate: await codecRate(tools, set.folder) }
        : {}),
      ...(milliseconds === 0 && tools.wrk ? { wrk: await wrkText(tools, found, inFlight) } : {}),
    };
  } finally {
    await held.close();
    await found.stop();
  }
}

/** The data sets of the contests, those of the other benchmark and one that is made from it. */
async function allDataSets(contests, { tools, cache, size }) {
  const wanted = new Set(contests.map(({ dataSet }) => dataSet));
  const names = new Set([...wanted].map((name) => (name === SMALL_CHUNKS ? 'plain' : name)));
  const sets = await dataSets({ python: tools.python, cache, size, names });
  if (!wanted.has(SMALL_CHUNKS)) return sets;
  const folder = join(cache, size, SMALL_CHUNKS);
  const { plain } = sets;
  if (!existsSync(folder)) {
    const program = join(import.meta.dirname, 'small_chunks.py');
    await runProgram([tools.python, program, plain.folder, folder]);
  }
  const chunks = plain.decodedBytes / SMALL_CHUNK_BYTES;
  return { ...sets, [SMALL_CHUNKS]: { ...plain, folder, chunks } };
}

/** Versions of the programs in Rust. */
function lockedVersions() {
  const versions = {};
  for (const [program, crate] of [
    ['discard', 'reqwest'],
    ['zarrs', 'zarrs'],
  ]) {
    const lock = readFileSync(join(import.meta.dirname, program, 'Cargo.lock'), 'utf8');
    versions[`${crate} (crate)`] = new RegExp(`name = "${crate}"\nversion = "(.+)"`).exec(lock)[1];
  }
  return versions;
}

const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();

async function main() {
  const { only, rounds, size, data, keepRun, help } = parseOptions(process.argv.slice(2));
  if (help) return console.log(HELP);
  const isWanted = ({ id }) => only.length === 0 || only.some((text) => id.includes(text));
  const contests = contestsOf().filter(isWanted);
  if (contests.length === 0) {
    throw new TypeError(
      `--only: one of ${contestsOf()
        .map(({ id }) => id)
        .join(', ')}`,
    );
  }
  const tools = await setUp();
  const cache = cacheFolder(data);
  const sets = await allDataSets(contests, { tools, cache, size });
  const run = {
    about: {
      date: new Date().toISOString().slice(0, 10),
      machine: `${availableParallelism()}-core-${arch}`,
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: availableParallelism(),
      kernel: `Linux ${release()}`,
      commit: git('rev-parse', '--short', 'HEAD'),
      changed: git('status', '--porcelain', '--untracked-files=no') !== '',
      size,
      rounds,
      versions: { ...versionsOf({ ...tools, zarrs: undefined }), ...lockedVersions() },
      missing: tools.missing,
      servers: [],
    },
    contests: [],
  };
  const last = join(cache, 'last-run-stores');
  mkdirSync(last, { recursive: true });
  await withTestServers(await installTestServers(), async ({ LSIO_TEST_SERVERS }) => {
    const servers = JSON.parse(LSIO_TEST_SERVERS);
    run.about.servers = SERVERS.filter(({ kind }) => kind in servers).map(({ name }) => name);
    for (const contest of contests) {
      if (servers[contest.server] === undefined) {
        run.about.missing[contest.server] = servers.skipped[contest.server];
        continue;
      }
      const setting = { servers, tools, sets, rounds, lists: last };
      run.contests.push(await runContest(contest, setting));
      // What was measured so far outlives whatever comes.
      writeFileSync(join(last, 'run.json'), JSON.stringify(run));
    }
  });
  const report = reportOf(run);
  console.log(report);
  if (keepRun) {
    const folder = join(root, `benches/runs/${run.about.date}-${run.about.machine}-stores`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'run.json'), `${JSON.stringify(run)}\n`);
    writeFileSync(join(folder, 'README.md'), report);
    say(`kept in ${folder}`);
  }
  if (!isSound(run)) process.exitCode = 1;
}

await main().catch((error) => {
  if (!(error instanceof TypeError) && error.name !== 'CommandFailed') throw error;
  console.error(error.message);
  process.exitCode = 2;
});
