// What this machine offers, as its kernel tells: the parts that explain how fast reading can be.
// Reading files is separate from understanding them, so that tests reach every branch.

import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { glibcVersion } from '../c-library.js';

/** A limit in bytes or in a count; `null` is unlimited, `undefined` is unknown here. */
export type Limit = number | null | undefined;

export interface Machine {
  readonly platform: string;
  readonly arch: string;
  readonly kernel: string;
  /** The C library that Node runs on, such as `glibc 2.36`; `null` where it is not glibc. */
  readonly libc: string | null;
  readonly cpu: {
    readonly model: string;
    readonly cores: number;
    /** Those that this process may use. */
    readonly availableCores: number;
    /** CPUs' worth of time that the cgroup grants. */
    readonly quota: Limit;
    /** The vector and bit extensions that matter for decoding. */
    readonly features: readonly string[];
  };
  readonly memory: {
    readonly totalBytes: number;
    readonly availableBytes: Limit;
    readonly cgroupLimitBytes: Limit;
    readonly transparentHugePages: string | null;
  };
  readonly limits: {
    readonly memlockBytes: Limit;
    readonly openFiles: Limit;
    readonly addressSpaceBytes: Limit;
  };
  readonly ioUring: {
    /** /proc/sys/kernel/io_uring_disabled: 0 allowed, 1 for privileged processes only, 2 for nobody. */
    readonly disabled: number | undefined;
    /** Whether a seccomp filter, as containers have one, may refuse system calls. */
    readonly seccompFilter: boolean | undefined;
  };
}

/** Reads a file of the kernel; `null` where there is none. */
export type ReadFile = (path: string) => string | null;

/** What this machine offers. */
export function inspectMachine(readFile: ReadFile = readKernelFile): Machine {
  const meminfo = readFile('/proc/meminfo') ?? '';
  const limits = readFile('/proc/self/limits') ?? '';
  const seccomp = /^Seccomp:\s*(\d+)/m.exec(readFile('/proc/self/status') ?? '')?.[1];
  const disabled = readFile('/proc/sys/kernel/io_uring_disabled')?.trim();
  const cgroup = cgroupFolders(readFile('/proc/self/cgroup') ?? '');
  const hugePages = readFile('/sys/kernel/mm/transparent_hugepage/enabled');
  const glibc = glibcVersion();
  return {
    platform: platform(),
    arch: arch(),
    kernel: release(),
    libc: glibc === undefined ? null : `glibc ${glibc}`,
    cpu: {
      model: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      availableCores: availableParallelism(),
      quota: smallest(cgroup.map((folder) => cpuQuota(readFile(`${folder}/cpu.max`)))),
      features: cpuFeatures(readFile('/proc/cpuinfo') ?? ''),
    },
    memory: {
      totalBytes: totalmem(),
      availableBytes: kibibytes(/^MemAvailable:\s*(\d+) kB/m.exec(meminfo)?.[1]),
      cgroupLimitBytes: smallest([
        ...cgroup.map((folder) => memoryLimit(readFile(`${folder}/memory.max`))),
        memoryLimit(readFile('/sys/fs/cgroup/memory/memory.limit_in_bytes')),
      ]),
      transparentHugePages: /\[(\w+)\]/.exec(hugePages ?? '')?.[1] ?? null,
    },
    limits: {
      memlockBytes: softLimit(limits, 'Max locked memory'),
      openFiles: softLimit(limits, 'Max open files'),
      addressSpaceBytes: softLimit(limits, 'Max address space'),
    },
    ioUring: {
      disabled: disabled === undefined ? undefined : Number(disabled),
      seccompFilter: seccomp === undefined ? undefined : seccomp === '2',
    },
  };
}

function readKernelFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Whatever the reason, this machine does not tell.
    return null;
  }
}

/** The features of /proc/cpuinfo that decoders, checksums and reductions can use. */
export function cpuFeatures(cpuinfo: string): string[] {
  const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(cpuinfo)?.[1] ?? '';
  const present = new Set(line.split(' '));
  return DECODING_FEATURES.filter((feature) => present.has(feature));
}

const DECODING_FEATURES: readonly string[] = [
  ...['ssse3', 'sse4_1', 'sse4_2', 'pclmulqdq', 'avx', 'f16c', 'fma', 'bmi1', 'bmi2', 'avx2'],
  ...['avx512f', 'avx512bw', 'avx512vl', 'asimd', 'crc32', 'asimdhp', 'sve', 'sve2'],
];

/** The soft limit of one row of /proc/self/limits. */
export function softLimit(limits: string, name: string): Limit {
  const row = limits.split('\n').find((line) => line.startsWith(name));
  const value = row?.slice(name.length).trim().split(/\s+/)[0];
  if (value === undefined) return undefined;
  return value === 'unlimited' ? null : Number(value);
}

/** The folders of a process's cgroup (version 2) and of those around it; each may set a limit. */
export function cgroupFolders(selfCgroup: string): string[] {
  const path = /^0::(\/.*)$/m.exec(selfCgroup)?.[1] ?? '/';
  const names = path.split('/').filter((name) => name !== '' && name !== '..');
  return names
    .map((_, index) => ['/sys/fs/cgroup', ...names.slice(0, index + 1)].join('/'))
    .concat('/sys/fs/cgroup');
}

/** Bytes that memory.max or memory.limit_in_bytes allows. */
export function memoryLimit(text: string | null): Limit {
  if (text === null) return undefined;
  const bytes = Number(text);
  // Version 1 writes "no limit" as the largest number of pages.
  return text.trim() === 'max' || bytes >= 2 ** 62 ? null : bytes;
}

/** CPUs' worth of time that cpu.max allows: its quota over its period. */
export function cpuQuota(text: string | null): Limit {
  if (text === null) return undefined;
  const [quota = '', period = ''] = text.trim().split(' ');
  return quota === 'max' ? null : Number(quota) / Number(period);
}

function smallest(limits: readonly Limit[]): Limit {
  const numbers = limits.filter((limit) => typeof limit === 'number');
  if (numbers.length > 0) return Math.min(...numbers);
  return limits.includes(null) ? null : undefined;
}

function kibibytes(text: string | undefined): Limit {
  return text === undefined ? undefined : Number(text) * 1024;
}
