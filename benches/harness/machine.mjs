// What a run says about where it was made.

import { execFileSync } from 'node:child_process';
import { arch, availableParallelism, cpus, release, totalmem } from 'node:os';
import { readFileSync } from 'node:fs';
import { root } from '../../scripts/child-process.mjs';
import { HeldMemory, secondsToTouch } from './conditions.mjs';

const GIB = 2 ** 30;
/** Memory that is touched to see what the host's pages cost. */
const TOUCHED = 2 * GIB;

/** The file system that a folder is on, and its device. */
function fileSystem(folder) {
  const lines = execFileSync('df', ['--output=fstype,source', folder], { encoding: 'utf8' });
  const [type, source] = lines.trim().split('\n').at(-1).trim().split(/\s+/);
  return `${type} on ${source}`;
}

const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();

/** How far the run depends on what the host does with memory, in GiB/s of first touches. */
async function hostMemory(conditions) {
  const rate = (seconds) => TOUCHED / GIB / seconds;
  const without = rate(await secondsToTouch(conditions, TOUCHED));
  const held = new HeldMemory(conditions, TOUCHED);
  try {
    const seconds = await held.around((onStart) =>
      secondsToTouch(conditions, TOUCHED, { onStart }),
    );
    return { without, with: rate(seconds) };
  } finally {
    await held.close();
  }
}

/** Everything that the report says about machine and programs. */
export async function describe({ tools, versions, folder, size, rounds }) {
  const { engineInfo } = await import('light-speed-io');
  const { engine, probe, threads, memoryBytes, cpuFeatures } = engineInfo();
  const [model] = /^model name\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8')) ?? [];
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${availableParallelism()}-core-${arch()}`,
    cpu: model?.replace(/^.*:\s*/, '') ?? cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / GIB),
    kernel: `Linux ${release()} ${arch()}`,
    fileSystem: fileSystem(folder),
    hugePages: readFileSync('/sys/kernel/mm/transparent_hugepage/enabled', 'utf8').trim(),
    engine: { engine, probe, threads, memoryBytes, cpuFeatures },
    hostMemory: await hostMemory(tools.conditions),
    versions,
    missing: tools.missing,
    commit: git('rev-parse', '--short', 'HEAD'),
    changed: git('status', '--porcelain', '--untracked-files=no') !== '',
    size,
    rounds,
  };
}
