// Makes a checkout ready to use: packages, the native addon (always a release build), the facade.
// Each step does nothing when it is up to date. Built-in modules only: it must work before `npm ci`.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { withBuildLock } from './build-lock.mjs';
import { npm, root, run } from './child-process.mjs';
import { filesBelow, makeIfStale } from './fingerprint.mjs';

/** Files that the build generates and that are committed. */
export const GENERATED = ['lib/native.cjs', 'lib/native.d.ts', 'index.d.ts', 'zarrita.d.ts'];

/** What rolls up the types of the entry points: index.d.ts and zarrita.d.ts. */
const ROLL_UPS = ['api-extractor.json', 'api-extractor.zarrita.json'];

/** Path of a command that a development dependency brings. */
export const tool = (name) => join(root, 'node_modules/.bin', name);

function say(message) {
  console.error(`> ${message}`);
}

/** Installs the development dependencies exactly as locked. */
export function installPackages() {
  return makeIfStale({
    // Below node_modules, so that it goes when they go.
    stamp: 'node_modules/.lsio-installed.json',
    inputs: () => ['package.json', 'package-lock.json', '.npmrc'],
    outputs: () => [],
    async make() {
      say('installing packages');
      // Not `npm ci`: that wants the lock file to list binaries for every platform that a package was
      // ever built for, also those that a registry does not have. Versions are those of the lock file.
      await npm(['install', '--no-save', '--no-progress']);
    },
  });
}

/** Installs the other Node versions that the ava tests run under. */
export function installNodeVersions() {
  const folder = 'scripts/node-versions';
  return makeIfStale({
    stamp: `${folder}/node_modules/.lsio-installed.json`,
    inputs: () => [`${folder}/package.json`, `${folder}/package-lock.json`],
    outputs: () => [],
    async make() {
      say('installing Node 22 and 24 for the tests');
      await npm(['ci', '--no-progress'], { cwd: join(root, folder) });
    },
  });
}

const isNativeInput = (file) =>
  /\/(src\/.*\.rs|build\.rs|Cargo\.toml|native-types\.d\.ts)$/.test(file);
const addonFiles = () => filesBelow('lib', (file) => file.endsWith('.node'));

/**
 * Builds the addon into lib/. Only ever a release build: a debug build would silently replace, under
 * the same name, what benchmarks load.
 */
export function buildNative() {
  return makeIfStale({
    stamp: '.setup/native.json',
    inputs: () => [
      'Cargo.toml',
      'Cargo.lock',
      'rust-toolchain.toml',
      'package.json',
      ...filesBelow('crates', isNativeInput),
    ],
    outputs: () => ['lib/native.cjs', 'lib/native.d.ts', ...addonFiles()],
    async make() {
      say('building the native addon (release)');
      await run(tool('napi'), [
        'build',
        '--release',
        '--platform',
        ...['--package', 'lsio_node'],
        ...['--manifest-path', 'crates/lsio_node/Cargo.toml'],
        ...['--package-json-path', 'package.json'],
        ...['--output-dir', 'lib'],
        ...['--js', 'native.cjs'],
        ...['--dts', 'native.d.ts'],
        '--no-const-enum',
        '--',
        '--locked',
      ]);
    },
  });
}

/** Compiles the facade to dist/ and rolls the public types of each entry point up into one file. */
export function buildFacade() {
  return makeIfStale({
    stamp: '.setup/facade.json',
    inputs: () => [
      'package.json',
      'tsconfig.json',
      ...ROLL_UPS,
      ...filesBelow('lib', (file) => file.endsWith('.ts')),
    ],
    outputs: () => ['index.d.ts', 'zarrita.d.ts', ...filesBelow('dist')],
    async make() {
      say('compiling the facade');
      rmSync(join(root, 'dist'), { recursive: true, force: true });
      await run(tool('tsc'), []);
      for (const config of ROLL_UPS) {
        // Without --local a forgotten export is an error; its console output is for people who edit it.
        await run(tool('api-extractor'), ['run', '--config', config], {
          onLine: (line) => {
            if (/warning|error/i.test(line)) console.error(line);
          },
        });
      }
    },
  });
}

/** All of it, in order. */
export function setUp() {
  return withBuildLock(async () => {
    await installPackages();
    await buildNative();
    await buildFacade();
  });
}
