// node benches/stores/slow-tail.mjs [--reads N] [--data FOLDER]: what a slow tail of answers costs reads of a whole array, what
// second requests for what is late save, and what they could save at best. Prints a table for benches/findings.md.

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildFaultProxy } from '../../scripts/test-servers/fault-proxy.mjs';
import { installTestServers, withTestServers } from '../../scripts/test-servers/test-servers.mjs';
import { cacheFolder } from '../harness/data-sets.mjs';
import { runProgram } from '../harness/run-program.mjs';
import { summaryOf } from '../harness/statistics.mjs';
import { number, spread, table } from '../harness/tables.mjs';
import { placeOf } from './places.mjs';
import { PROGRAMS } from './programs.mjs';

/** Every answer is late by so many milliseconds, one in a hundred by so many more. */
const LATENCY = 20;
const FRACTION = 0.01;
const TAIL = 500;

/** At best, a second request is made after three times the latency, and is answered as any other. */
const HEDGED = 3 * LATENCY;

const slow = (milliseconds) => ({ fraction: FRACTION, fault: { latency: { milliseconds } } });
const SETTINGS = [
  { name: 'no tail', hedge: false, rules: [] },
  { name: 'no tail, second requests', hedge: true, rules: [] },
  { name: `1 % of requests take ${TAIL} ms more`, hedge: false, rules: [slow(TAIL)] },
  { name: 'the same, second requests', hedge: true, rules: [slow(TAIL)] },
  {
    name: `1 % take ${HEDGED} ms more: second requests at best`,
    hedge: false,
    rules: [slow(HEDGED)],
  },
];

/** Processes for each setting, in turn; each draws other lots. */
const ROUNDS = 3;

const { values } = parseArgs({
  options: { reads: { type: 'string', default: '10' }, data: { type: 'string' } },
});
const faultProxy = await buildFaultProxy({ release: true });
const cache = cacheFolder(values.data);
const seconds = SETTINGS.map(() => []);
const requests = SETTINGS.map(() => 0);
await withTestServers(await installTestServers(), async ({ LSIO_TEST_SERVERS }) => {
  const contest = { server: 'http', dataSet: 'plain', milliseconds: LATENCY, id: 'slow-tail' };
  const found = await placeOf(contest, {
    servers: JSON.parse(LSIO_TEST_SERVERS),
    faultProxy,
    folder: join(cache, 'quick', contest.dataSet),
    lists: cache,
  });
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [index, { hedge, rules }] of SETTINGS.entries()) {
        const latency = { fault: { latency: { milliseconds: LATENCY } } };
        await found.proxy.setPlan({ seed: round + 1, rules: [latency, ...rules] });
        const command = PROGRAMS.lsio.command(
          { node: process.execPath },
          { ...found, rounds: Number(values.reads) },
        );
        await found.proxy.clearLog();
        const lines = await runProgram([...command, `hedge=${hedge}`], { env: found.env });
        seconds[index].push(...lines.map((line) => JSON.parse(line).seconds));
        requests[index] += (await found.proxy.log()).requests.length;
      }
    }
  } finally {
    await found.stop();
  }
});
const mean = (all) => all.reduce((sum, value) => sum + value, 0) / all.length;
console.log(
  table(
    ['', 'seconds of a read: median (min to max)', 'mean', 'requests of a process'],
    SETTINGS.map(({ name }, index) => [
      name,
      spread(summaryOf(seconds[index]), 3),
      number(mean(seconds[index]), 3),
      number(requests[index] / ROUNDS, 1),
    ]),
  ),
);
