// Reads a whole array through readChunks and measures what the process felt of it.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { IoMode, LsioArray } from '../index.js';
import type { BytesByRoute } from './served.js';

/** What one read took. */
export interface MeasuredRead {
  readonly seconds: number;
  /** Of this process, all threads, user and system. */
  readonly cpuSeconds: number;
  readonly chunks: number;
  readonly decodedBytes: number;
  readonly storedBytes: number;
  /** The stored bytes by the way that they came. */
  readonly bytesByRoute: BytesByRoute;
  /** How late the event loop was, with the monitor's own interval subtracted. */
  readonly eventLoopDelay: { readonly p99Seconds: number; readonly maxSeconds: number };
  /** The most that resident memory was above its size at the start. */
  readonly residentGrowthBytes: number;
}

// The monitor's timer: the finest that it has.
const MONITOR_INTERVAL_MS = 1;

/** Resident memory is looked at this often; the call costs some microseconds. */
const RESIDENT_EVERY_MS = 20;

/** Reads every chunk of `array`, giving each back at once; `onBytes` hears how many bytes are decoded. */
export async function measureRead(
  array: LsioArray,
  io: IoMode | undefined,
  signal: AbortSignal,
  onBytes: (decodedBytes: number) => void,
): Promise<MeasuredRead> {
  const delay = monitorEventLoopDelay({ resolution: MONITOR_INTERVAL_MS });
  const residentAtStart = process.memoryUsage.rss();
  const cpuAtStart = process.cpuUsage();
  const startedAt = performance.now();
  let resident = residentAtStart;
  let lookedAt = startedAt;
  delay.enable();
  const reader = array.readChunks(null, { io, signal });
  try {
    for await (const chunk of reader) {
      chunk.release();
      const now = performance.now();
      if (now - lookedAt >= RESIDENT_EVERY_MS) {
        lookedAt = now;
        resident = Math.max(resident, process.memoryUsage.rss());
        onBytes(reader.stats.bytesDecoded);
      }
    }
  } finally {
    await reader.close();
    delay.disable();
  }
  const seconds = (performance.now() - startedAt) / 1e3;
  const { user, system } = process.cpuUsage(cpuAtStart);
  resident = Math.max(resident, process.memoryUsage.rss());
  const { chunks, bytesDecoded, bytesRead, bytesByRoute } = reader.stats;
  return {
    seconds,
    cpuSeconds: (user + system) / 1e6,
    chunks,
    // The core decodes whole chunks; what lies beyond the edge of the array is nobody's.
    decodedBytes: array.nbytes ?? bytesDecoded,
    storedBytes: bytesRead,
    bytesByRoute,
    eventLoopDelay: {
      p99Seconds: delaySeconds(delay.percentile(99)),
      maxSeconds: delaySeconds(delay.max),
    },
    residentGrowthBytes: resident - residentAtStart,
  };
}

/** The monitor counts from one of its timers to the next: what is above its interval is delay. */
function delaySeconds(nanoseconds: number): number {
  return Math.max(0, nanoseconds - MONITOR_INTERVAL_MS * 1e6) / 1e9;
}
