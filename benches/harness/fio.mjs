// fio on the files of a data set: what another program gets out of the ring and the device.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** As the raw ring reads: blocks, depth, past the page cache, buffers on huge pages where there are any. */
const BLOCK = '256k';
const DEPTH = 32;

/** `{ command, parse }`: each block of each file once, in random order, as often as there are rounds. */
export function fioCommand(tools, name, folder, rounds) {
  const files = readdirSync(folder).map((file) => join(folder, file));
  const job = (round) => [
    `--name=round${round}`,
    ...['--stonewall', '--new_group', '--rw=randread', '--direct=1', '--ioengine=io_uring'],
    ...[`--bs=${BLOCK}`, `--iodepth=${DEPTH}`, `--iomem=${tools.fioMemory}`],
    `--filename=${files.map((file) => file.replaceAll(':', '\\:')).join(':')}`,
  ];
  const rest = Array.from({ length: rounds }, (_, round) => job(round + 1)).flat();
  return { command: [tools.fio, '--output-format=json', '--readonly', ...rest], parse };
}

function parse(printed) {
  const text = printed.join('\n');
  const { jobs } = JSON.parse(text.slice(text.indexOf('{')));
  return jobs.map(({ read, usr_cpu: user, sys_cpu: system }, index) => {
    const seconds = read.runtime / 1000;
    return {
      task: 'ranges',
      round: index + 1,
      // Its own clock has milliseconds only; the bandwidth is exact.
      seconds: read.io_bytes / read.bw_bytes,
      decodedBytes: read.io_bytes,
      cpuSeconds: ((user + system) / 100) * seconds,
      checksum: null,
    };
  });
}
