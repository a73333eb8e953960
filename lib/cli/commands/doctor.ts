// lsio doctor: what LSIO found on this machine, for people who wonder and for bug reports.

import { engineInfo, memoryUsage, versions } from '../../index.js';
import type { CommandContext, Report } from '../command-context.js';
import { errorText } from '../error-report.js';
import { formatBytes, formatCount, formatPairs } from '../format.js';
import { inspectMachine, type Limit, type Machine } from '../machine.js';
import { configureEngine } from '../opening.js';
import { packageVersion } from '../package-version.js';

type Engine = ReturnType<typeof engineInfo> & { readonly memory: ReturnType<typeof memoryUsage> };

/** Looks at the machine, then at what the engine made of it. */
export function run({ options }: CommandContext): Promise<Report> {
  const machine = inspectMachine();
  const { engine, failure } = inspectEngine(() => {
    configureEngine(options);
  });
  const document = {
    version: packageVersion(),
    node: process.version,
    versions: engine === null ? null : { ...versions },
    engine,
    engineFailure: failure,
    machine,
    environment: { LSIO_ENGINE: process.env['LSIO_ENGINE'] ?? null },
  };
  const text = formatPairs([
    ...versionPairs(engine !== null),
    ...(engine === null ? [['engine', failure ?? ''] as const] : enginePairs(engine)),
    ...machinePairs(machine),
  ]);
  return Promise.resolve({ document, text });
}

/** The engine, or why there is none: that is what a doctor is for. */
function inspectEngine(configure: () => void): { engine: Engine | null; failure: string | null } {
  try {
    configure();
    return { engine: { ...engineInfo(), memory: memoryUsage() }, failure: null };
  } catch (error) {
    return {
      engine: null,
      failure: errorText(error)
        .replace(/^lsio: /, '')
        .trim(),
    };
  }
}

function versionPairs(hasAddon: boolean): [label: string, value: string][] {
  const builtIn = hasAddon
    ? Object.entries(versions).map(([name, version]) => `${name} ${version}`)
    : [];
  return [
    ['lsio', packageVersion()],
    ['node', process.version],
    ['built in', builtIn.join(', ')],
  ];
}

function enginePairs(engine: Engine): [label: string, value: string][] {
  const chosen = process.env['LSIO_ENGINE'];
  return [
    ['engine', `${engine.engine}${chosen === undefined ? '' : ` (LSIO_ENGINE=${chosen})`}`],
    ['ring probe', engine.probe],
    ['threads', String(engine.threads)],
    ['budget', formatBytes(engine.memory.limitBytes)],
  ];
}

function machinePairs(machine: Machine): [label: string, value: string][] {
  const { cpu, memory, limits, ioUring } = machine;
  const cores = `${cpu.availableCores} of ${cpu.cores} cores available`;
  const quota = typeof cpu.quota === 'number' ? `, cgroup grants ${cpu.quota}` : '';
  return [
    ['system', `${machine.platform} ${machine.arch}, kernel ${machine.kernel}`],
    ['C library', machine.libc ?? 'not glibc'],
    ['CPU', `${cpu.model}; ${cores}${quota}`],
    ['CPU features', cpu.features.join(' ') || 'unknown'],
    ['memory', `${formatBytes(memory.totalBytes)}, ${sizeText(memory.availableBytes)} available`],
    ['cgroup memory', sizeText(memory.cgroupLimitBytes)],
    ['huge pages', memory.transparentHugePages ?? 'unknown'],
    ['memlock', sizeText(limits.memlockBytes)],
    ['open files', countText(limits.openFiles)],
    ['io_uring', ringText(ioUring)],
  ];
}

function ringText({ disabled, seccompFilter }: Machine['ioUring']): string {
  const setting =
    disabled === undefined ? 'no setting in this kernel' : `kernel.io_uring_disabled=${disabled}`;
  return seccompFilter === true ? `${setting}; a seccomp filter may refuse it` : setting;
}

function sizeText(limit: Limit): string {
  if (limit === undefined) return 'unknown';
  return limit === null ? 'unlimited' : formatBytes(limit);
}

function countText(limit: Limit): string {
  if (limit === undefined) return 'unknown';
  return limit === null ? 'unlimited' : formatCount(limit);
}
