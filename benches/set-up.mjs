// Installs and builds what only the benchmark needs. A peer or a ceiling that cannot be had here is left
// out, and the report says why.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm, root, run } from '../scripts/child-process.mjs';
import { filesBelow, makeIfStale } from '../scripts/fingerprint.mjs';

const PYTHON = '.setup/bench-python';
/** What data sets are written by, and what Python peers need. */
const REQUIREMENTS = [
  'benches/data-sets/requirements.txt',
  'benches/peers/python/requirements.txt',
];

/** Standard output is for the report. */
const show = (line) => console.error(line);
const say = (message) => show(`> ${message}`);

/** A Rust program with a lock file of its own; its path. `shared` are folders whose sources it uses too. */
export async function cargoProgram(folder, binary, shared = []) {
  const target = `benches/${folder}/target`;
  const program = `${target}/release/${binary}`;
  await makeIfStale({
    stamp: `.setup/bench-${binary}.json`,
    inputs: () => [
      ...['Cargo.toml', 'Cargo.lock', '.cargo/config.toml'].map(
        (file) => `benches/${folder}/${file}`,
      ),
      ...[folder, ...shared].flatMap((other) => filesBelow(`benches/${other}/src`)),
    ],
    outputs: () => [program],
    async make() {
      say(`building benches/${folder}`);
      // From its folder: cargo reads .cargo/config.toml from where it runs.
      await run('cargo', ['build', '--release', '--locked', '--target-dir', join(root, target)], {
        cwd: join(root, 'benches', folder),
      });
    },
  });
  return join(root, program);
}

/** The Rust program of ours: an example of the product's own workspace. */
async function ownRustProgram() {
  const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');
  // Cargo knows what is stale.
  await run('cargo', [
    'build',
    '--release',
    '--locked',
    '--quiet',
    '-p',
    'lsio',
    '--example',
    'benchmark',
  ]);
  return join(target, 'release/examples/benchmark');
}

/** A Python environment in `folder` with what these files name; its interpreter. */
export async function pythonEnvironment(folder, requirements) {
  const interpreter = join(root, folder, 'bin/python');
  await makeIfStale({
    stamp: `${folder}/.lsio-installed.json`,
    inputs: () => requirements,
    outputs: () => [],
    async make() {
      say('installing Python peers');
      await run('python3', ['-m', 'venv', '--clear', folder]);
      const files = requirements.flatMap((file) => ['--requirement', file]);
      await run(interpreter, [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        ...files,
      ]);
    },
  });
  return interpreter;
}

async function zarrita() {
  const folder = 'benches/peers/zarrita';
  await makeIfStale({
    stamp: `${folder}/node_modules/.lsio-installed.json`,
    inputs: () => [`${folder}/package.json`, `${folder}/package-lock.json`],
    outputs: () => [],
    make() {
      say('installing zarrita');
      return npm(['ci', '--no-progress'], { cwd: join(root, folder), onLine: show });
    },
  });
  return join(root, folder, 'zarrita.mjs');
}

function found(command, ...args) {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function fio() {
  if (!found('fio', '--version')) {
    say('installing fio');
    const options = ['--yes', '--quiet', '--no-install-recommends'];
    await run('apt-get', ['install', ...options, 'fio'], { onLine: show });
  }
  return 'fio';
}

/** The tools, and what each step makes; a step that fails is told, and is missing. */
export async function withEach(tools, steps) {
  for (const [name, make] of Object.entries(steps)) {
    try {
      tools[name] = await make();
    } catch (error) {
      tools.missing[name] = error.message;
      console.error(`NOT THERE: ${name}: ${error.message}`);
    }
  }
  return tools;
}

/**
 * Resolves with where everything is, by the names that programs.mjs uses, and with `missing`: what is
 * not there, and why.
 */
export async function setUp() {
  const steps = {
    python: () => pythonEnvironment(PYTHON, REQUIREMENTS),
    ceilings: () => cargoProgram('ceilings', 'ceilings'),
    zarrs: () => cargoProgram('peers/zarrs', 'zarrs-peer', ['ceilings']),
    zarrita,
    fio,
  };
  const tools = {
    node: process.execPath,
    conditions: await cargoProgram('conditions', 'conditions'),
    rust: await ownRustProgram(),
    missing: {},
  };
  return withEach(tools, steps);
}

/** Versions of what takes part beside our own programs. */
export function versionsOf(tools) {
  const lines = (command, args) =>
    execFileSync(command, args, { cwd: root, encoding: 'utf8' }).trim().split('\n');
  const versions = {
    node: process.versions.node,
    rustc: lines('rustc', ['--version'])[0].replace('rustc ', ''),
  };
  if (tools.fio) versions.fio = lines(tools.fio, ['--version'])[0].replace('fio-', '');
  if (tools.python) {
    versions.python = lines(tools.python, ['--version'])[0].replace('Python ', '');
    for (const line of lines(tools.python, [
      '-m',
      'pip',
      'freeze',
      '--disable-pip-version-check',
    ])) {
      const [name, version] = line.split('==');
      if (version !== undefined) versions[name] = version;
    }
  }
  if (tools.zarrita) Object.assign(versions, lockedPackages('zarrita', 'package.json'));
  if (tools.zarrs) Object.assign(versions, lockedCrates());
  return versions;
}

function lockedPackages(peer, file) {
  return JSON.parse(readFileSync(join(root, 'benches/peers', peer, file), 'utf8')).dependencies;
}

function lockedCrates() {
  const lock = join(root, 'benches/peers/zarrs/Cargo.lock');
  const text = existsSync(lock) ? readFileSync(lock, 'utf8') : '';
  const crates = [...text.matchAll(/name = "(zarrs|object_store)"\nversion = "([^"]+)"/g)];
  return Object.fromEntries(crates.map(([, name, version]) => [`${name} (crate)`, version]));
}
