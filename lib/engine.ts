// The engine of the process: its settings, what it found, what it uses.

import { unwrap } from './errors.js';
import { native } from './native-module.js';
import { CONFIGURE_OPTIONS, parseOptions, type ConfigureOptions } from './options.js';
import type { ReadStats } from './read-statistics.js';

/** What reads local files, why, and what reading cost since the start of the process. */
export interface EngineInfo {
  /** What reads local files. */
  readonly engine: 'uring' | 'pread';
  /** What probing io_uring gave, in words. */
  readonly probe: string;
  /** Threads that decode. */
  readonly threads: number;
  /** The byte budget of the process. */
  readonly memoryBytes: number;
  /** CPU features that kernels are chosen by. */
  readonly cpuFeatures: readonly string[];
  /** The counters of all calls. */
  readonly stats: ReadStats;
}

/** What the engine uses now, in bytes. */
export interface MemoryUsage {
  /** The budget. */
  readonly limitBytes: number;
  /** Reserved for reads and decodes that are under way, and for chunks that were not delivered yet. */
  readonly reservedBytes: number;
  /** Delivered to the user and not given back yet. */
  readonly heldBytes: number;
  /** Pool memory that waits to be used again. */
  readonly idleBytes: number;
  /** The most that was ever reserved. */
  readonly peakReservedBytes: number;
}

/**
 * Sets up the engine, before its first use. Worker threads share the engine of the process: the
 * first settings hold, and the same ones may be given again.
 *
 * @throws {LsioError} `ERR_LSIO_CONFLICT` for other settings than those in use.
 */
export function configure(options: ConfigureOptions): void {
  unwrap(native().configure(parseOptions('configure', options, CONFIGURE_OPTIONS)));
}

/** What the engine is and what it did so far. */
export function engineInfo(): EngineInfo {
  return JSON.parse(unwrap(native().engineInfoJson())) as EngineInfo;
}

/** What the engine uses now. */
export function memoryUsage(): MemoryUsage {
  return native().memoryUsage();
}

/** Versions of this package and of what is built into it. */
export interface Versions {
  readonly 'light-speed-io': string;
  readonly [library: string]: string;
}

/** Versions of this package and of what is built into it, by name. */
export const versions: Versions = Object.freeze({
  get 'light-speed-io'(): string {
    return '0';
  },
});
