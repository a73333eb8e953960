// Runs one task several times in this process and prints one JSON line for each round.

import { readFileSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The finest that there is; an idle loop shows it as its delay. */
const RESOLUTION_MS = 1;
/** Of the ticks in /proc/stat (USER_HZ, the same on every Linux platform). */
const TICKS_PER_SECOND = 100;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

/** `{ task, dataset, rounds, settings }` of a command line `TASK DATASET ROUNDS [key=value ...]`. */
export function parseArguments([task, dataset, rounds, ...settings]) {
  return {
    task,
    dataset,
    rounds: Number(rounds),
    settings: Object.fromEntries(settings.map((text) => text.split('=', 2))),
  };
}

/** Seconds that all CPUs were busy since the start of the machine, kernel threads included. */
function machineCpuSeconds() {
  const [first] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  const [user, nice, system, , , irq, softirq] = first.trim().split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq) / TICKS_PER_SECOND;
}

function statusBytes(name) {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(
    readFileSync('/proc/self/status', 'utf8'),
  );
  return Number(line[1]) * 1024;
}

/** Lets the peak of resident memory begin anew; where that is forbidden, it goes on from the start. */
function resetPeakMemory() {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch (error) {
    if (error.code !== 'EACCES' && error.code !== 'EPERM') throw error;
  }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** What the round before left behind is freed, as reference counting does it in other languages. */
async function freeGarbage() {
  // The call into JavaScript that brought the result may hold it still, and finalizers run on a later
  // turn of the loop.
  for (let turn = 0; turn < 3; turn += 1) {
    await nextTurn();
    collectGarbage();
  }
  await nextTurn();
}

/** Watches how late the event loop is. */
function watchDelay() {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const above = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  delay.enable();
  return () => {
    delay.disable();
    return { p99Ms: above(delay.percentile(99)), maxMs: above(delay.max) };
  };
}

/** One round. A function of its own, so that nothing keeps its result alive during the next one. */
async function lineOf(run, memoryBefore, watched) {
  const endOfDelay = watched ? watchDelay() : undefined;
  const machineBefore = machineCpuSeconds();
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  const outcome = await run();
  const seconds = (performance.now() - started) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  const machine = machineCpuSeconds() - machineBefore;
  return {
    seconds,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    machineCpuSeconds: machine,
    peakMemoryBytes: statusBytes('VmHWM') - memoryBefore,
    ...endOfDelay?.(),
    ...outcome(),
  };
}

/**
 * Runs a task round after round. `run()` is timed and resolves to a function that is not: it gives
 * `{ decodedBytes, checksum, ...more }` for the line.
 *
 * With the setting `delay=1` the delay of the event loop is watched too: `p99Ms` and `maxMs`, the
 * interval of watching subtracted.
 */
export async function measure({ task, rounds, settings }, run) {
  const memoryBefore = statusBytes('VmRSS');
  for (let round = 1; round <= rounds; round += 1) {
    await freeGarbage();
    resetPeakMemory();
    const line = await lineOf(run, memoryBefore, settings.delay !== undefined);
    console.log(JSON.stringify({ task, round, ...line }));
  }
}
