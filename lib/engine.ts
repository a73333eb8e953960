// The engine of the process: its settings, what it found, what it uses.

import { unwrap } from './errors.js';
import { native } from './native-module.js';
import { parseOptions } from './option-checks.js';
import { CONFIGURE_OPTIONS, type ConfigureOptions } from './options.js';
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
  /** Most bytes of it that are cached. */
  readonly cacheBytes: number;
  /** CPU features that were found. */
  readonly cpuFeatures: readonly string[];
  /** The counters of all calls. */
  readonly stats: ReadStats;
  /** Calls that have ended. */
  readonly callsEnded: number;
  /** Jobs that a thread took from another one's queue. */
  readonly steals: number;
  /** Times that a thread found nothing to do and went to sleep. */
  readonly parks: number;
  /** Chunks that each thread finished. */
  readonly chunksByWorker: readonly number[];
  /** Files that were opened. */
  readonly filesOpened: number;
  /** Requests that went through io_uring. */
  readonly ringRequests: number;
  /** Times that such requests were handed to the kernel, several at once. */
  readonly ringSubmissions: number;
  /** Bytes that were read beside those asked for: the alignment of direct reads. */
  readonly overReadBytes: number;
  /** What object stores were asked. */
  readonly stores: StoreStats;
}

/** What object stores were asked since the start of the process. */
export interface StoreStats {
  /** Requests made, the repeated and second ones included. */
  readonly requests: number;
  /** Of these, those that repeated one which had failed or broken. */
  readonly retries: number;
  /** Of the requests, second ones beside one whose answer was late (`hedge` in the options of a store). */
  readonly hedges: number;
  /** Answers that said that there are too many requests (429, 503). */
  readonly throttled: number;
  /** Bytes of bodies that arrived. */
  readonly bytesReceived: number;
  /** Bytes that the engine asked for and got. */
  readonly bytesWanted: number;
  /** Milliseconds until an answer began: half of all took no longer. Absent before the first one. */
  readonly firstByteMsP50?: number;
  /** Milliseconds until an answer began: 99 of 100 took no longer. Absent before the first one. */
  readonly firstByteMsP99?: number;
  /** Requests under way now, from when they may be made until their answers have ended: connections in use. */
  readonly underWay: number;
  /** Most requests that were under way at once at one host. */
  readonly mostUnderWay: number;
  /** Reads and listings that the threads of the network serve now, those included that wait for their turn. */
  readonly tasks: number;
}

/** What the engine uses now, in bytes. */
export interface MemoryUsage {
  /** The budget. */
  readonly limitBytes: number;
  /** Reserved for reads and decodes that are under way, and for chunks that were not delivered yet. */
  readonly reservedBytes: number;
  /**
   * Kept because it may be wanted again: indexes of shards and, where `configure` was given a `cache`,
   * decoded chunks. Together with `reservedBytes` never more than the budget; gives way to whatever is to be
   * reserved.
   */
  readonly cachedBytes: number;
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
 * @throws {LsioError} `ERR_LSIO_CONFLICT` for other settings than those in use, `ERR_LSIO_UNSUPPORTED` for an engine that
 *   does not work here, `ERR_LSIO_BUDGET` for less than 1 MiB of memory, or a cache larger than it.
 */
export function configure(options: ConfigureOptions): void {
  unwrap(native().configure(parseOptions('configure', options, CONFIGURE_OPTIONS)));
}

/** What the engine is and what it did so far. */
export function engineInfo(): EngineInfo {
  return unwrap(native().engineInfo()) as EngineInfo;
}

/** What the engine uses now. */
export function memoryUsage(): MemoryUsage {
  return unwrap(native().memoryUsage());
}

/** Versions of this package and of what is built into its native addon. */
export type Versions = {
  readonly [
    Name in
      'light-speed-io' | 'blosc-src' | 'io-uring' | 'libdeflate-sys' | 'napi' | 'rustc' | 'zstd-sys'
  ]: string;
};

/** Versions of this package and of what is built into its native addon, by name. */
export const versions: Versions = Object.freeze({
  // Getters, so that importing this package loads nothing.
  get 'light-speed-io'(): string {
    return version('light-speed-io');
  },
  get 'blosc-src'(): string {
    return version('blosc-src');
  },
  get 'io-uring'(): string {
    return version('io-uring');
  },
  get 'libdeflate-sys'(): string {
    return version('libdeflate-sys');
  },
  get napi(): string {
    return version('napi');
  },
  get rustc(): string {
    return version('rustc');
  },
  get 'zstd-sys'(): string {
    return version('zstd-sys');
  },
});

function version(wanted: keyof Versions): string {
  const found = native()
    .versions()
    .find(([name]) => name === wanted);
  return found?.[1] ?? 'unknown';
}
