// Loads the native addon, on first use, and says what to do where that fails.

import { createRequire } from 'node:module';
import { glibcVersion } from './c-library.js';
import type * as Native from '#native';

export type {
  NativeArray,
  NativeBatch,
  NativeCall,
  NativeError,
  NativeGroup,
  NativeList,
  NativeMemoryValue,
  NativeNode,
  NativeObjects,
  NativeRead,
  NativeReader,
  NativeReadOptions,
  NativeResult,
  NativeSummary,
  NativeTexts,
} from '#native';

/** What the addon exports. */
export type NativeModule = typeof Native;

let loaded: NativeModule | undefined;

/**
 * The addon.
 *
 * @throws {Error} if it cannot be loaded: what was tried, what was found, how to get it.
 */
export function native(): NativeModule {
  loaded ??= load();
  return loaded;
}

function load(): NativeModule {
  try {
    return createRequire(import.meta.url)('#native') as NativeModule;
  } catch (error) {
    throw new Error(loadFailure(error), { cause: error });
  }
}

/** The C library that Node runs on, in words. */
function systemLibrary(): string {
  const glibc = glibcVersion();
  if (glibc !== undefined) return `glibc ${glibc}`;
  return process.platform === 'linux' ? 'no glibc (musl?)' : 'the system libraries';
}

function loadFailure(error: unknown): string {
  const platform = `${process.platform}-${process.arch}`;
  const found: string[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    found.push(`  - ${cause.message.split('\n')[0]}`);
  }
  return [
    `light-speed-io cannot load its native addon on ${platform}, Node ${process.version}, ${systemLibrary()}.`,
    'Tried lib/light-speed-io.*.node beside the package, then the package @light-speed-io/binding-*:',
    ...found,
    'What to do:',
    '  - in a checkout: `npm run build` (needs the Rust toolchain and a C compiler)',
    '  - in an installed package: `npm install light-speed-io` again, without --omit=optional and on the',
    '    machine (operating system, CPU, C library) that it will run on',
  ].join('\n');
}
