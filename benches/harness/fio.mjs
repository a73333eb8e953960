// fio on the files of a data set: what another program gets out of the ring and the device.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** As the raw ring reads: blocks, depth, past the page cache, buffers on huge pages where there are any. */
const BLOCK = '256k';
const DEPTH = 32;

/** Where the kernel keeps the number of huge pages that are set aside for programs that ask for them. */
const HUGE_PAGES = '/proc/sys/vm/nr_hugepages';
/** Its buffers need four of 2 MiB, and it asks for some beside them. */
const PAGES = 16;

/**
 * Sets huge pages aside for fio's buffers, where that is allowed; gives what undoes it, and the kind of
 * memory that fio is to use.
 */
export function setHugePagesAside() {
  const before = readFileSync(HUGE_PAGES, 'utf8').trim();
  try {
    writeFileSync(HUGE_PAGES, String(PAGES));
  } catch (error) {
    if (error.code !== 'EACCES' && error.code !== 'EPERM' && error.code !== 'EROFS') throw error;
  }
  const isEnough = Number(readFileSync(HUGE_PAGES, 'utf8')) >= PAGES;
  return {
    memory: isEnough ? 'shmhuge' : 'mmap',
    undo() {
      if (isEnough) writeFileSync(HUGE_PAGES, before);
    },
  };
}

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
