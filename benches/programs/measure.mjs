// Runs one task several times in this process and prints one JSON line for each round.

import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

const RESOLUTION_MS = 1;

/** `task()` resolves to { decodedBytes, checksum, ...more }. */
export async function measure(rounds, task) {
  for (let round = 0; round < rounds; round += 1) {
    const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    delay.enable();
    const cpuBefore = process.cpuUsage();
    const started = performance.now();
    const result = await task();
    const seconds = (performance.now() - started) / 1000;
    const cpu = process.cpuUsage(cpuBefore);
    delay.disable();
    console.log(
      JSON.stringify({
        seconds,
        cpuSeconds: (cpu.user + cpu.system) / 1e6,
        peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
        delayP99Ms: Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS),
        ...result,
      }),
    );
  }
}
