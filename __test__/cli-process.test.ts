// What the command line asks of the process around it: signals, output, machine, temporary folders.

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import test from 'ava';
import { LsioError } from '../lib/errors.js';
import { errorDocument, errorText } from '../lib/cli/error-report.js';
import {
  InterruptedError,
  OutputClosedError,
  exitCodeFor,
  listenForInterruption,
  type InterruptingSignal,
} from '../lib/cli/interruption.js';
import {
  cgroupFolders,
  cpuFeatures,
  cpuQuota,
  inspectMachine,
  memoryLimit,
  softLimit,
} from '../lib/cli/machine.js';
import { Output } from '../lib/cli/output.js';
import { TemporaryDirectory } from '../lib/cli/temporary-directory.js';
import { UsageError } from '../lib/cli/usage-error.js';

type Listener = (signal: InterruptingSignal) => void;

function interruptible(): {
  press: Listener;
  controller: AbortController;
  exits: number[];
  wait: (milliseconds: number) => void;
} {
  const listeners = new Map<string, Listener>();
  const exits: number[] = [];
  let now = 0;
  const controller = listenForInterruption(
    { on: (event, listener) => listeners.set(event, listener) },
    (code) => exits.push(code),
    () => now,
  );
  return {
    press: (signal) => listeners.get(signal)?.(signal),
    controller,
    exits,
    wait: (milliseconds) => {
      now += milliseconds;
    },
  };
}

test('the first Ctrl-C aborts, the second one exits at once', (t) => {
  const { press, controller, exits, wait } = interruptible();
  press('SIGINT');
  t.true(controller.signal.aborted);
  t.is(exitCodeFor(controller.signal.reason), 130);
  t.deepEqual(exits, []);
  wait(1000);
  press('SIGINT');
  t.deepEqual(exits, [130]);
});

test('one Ctrl-C that arrives twice, from the terminal and from npm, counts once', (t) => {
  const { press, controller, exits, wait } = interruptible();
  press('SIGINT');
  wait(5);
  press('SIGINT');
  t.true(controller.signal.aborted);
  t.deepEqual(exits, []);
});

test('SIGTERM and a closed terminal abort with their own exit codes', (t) => {
  for (const [signal, code] of [
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    const { press, controller } = interruptible();
    press(signal);
    t.is(exitCodeFor(controller.signal.reason), code);
  }
});

test('exit codes: 0 for a reader that left, 1 for failures, 2 for usage', (t) => {
  t.is(exitCodeFor(new OutputClosedError()), 0);
  t.is(exitCodeFor(new Error('x')), 1);
  t.is(exitCodeFor(new UsageError('x')), 2);
  t.is(exitCodeFor(new InterruptedError('SIGINT')), 130);
});

test('output waits for its reader, and reports one that left', async (t) => {
  const taken: string[] = [];
  const output = new Output(
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        taken.push(chunk.toString());
        setImmediate(done);
      },
    }),
    () => t.fail(),
  );
  await output.write('a');
  await output.write('');
  await output.writeJson({ b: 1 });
  t.deepEqual(taken, ['a', '{\n  "b": 1\n}\n']);

  let closed = 0;
  const broken = new Writable({
    write: (_chunk, _encoding, done) => {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    },
  });
  const toNobody = new Output(broken, () => {
    closed += 1;
  });
  await t.throwsAsync(toNobody.write('a'), { instanceOf: OutputClosedError });
  await t.throwsAsync(toNobody.write('b'), { instanceOf: OutputClosedError });
  t.is(closed, 1);
});

test('other write errors are passed on as they are', async (t) => {
  const full = new Writable({
    write: (_chunk, _encoding, done) => {
      done(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
    },
  });
  await t.throwsAsync(new Output(full, () => t.fail()).write('a'), { code: 'ENOSPC' });
});

test('a temporary folder goes with all that is in it, once', async (t) => {
  const listeners = process.listenerCount('exit');
  const folder = new TemporaryDirectory('lsio-test-');
  writeFileSync(join(folder.path, 'file'), 'x');
  t.is(process.listenerCount('exit'), listeners + 1);
  await folder.remove();
  t.false(existsSync(folder.path));
  t.is(process.listenerCount('exit'), listeners);
});

test('errors say their code and what led to them', (t) => {
  const error = new LsioError('ERR_LSIO_CODEC', 'chunk 0/1 of x: zstd: bad frame', {
    path: 'x',
    chunk: [0, 1],
    codec: 'zstd',
    cause: new Error('checksum', { cause: 'text' }),
  });
  t.is(
    errorText(error),
    "lsio: chunk 0/1 of x: zstd: bad frame (ERR_LSIO_CODEC)\n  because: checksum\n  because: 'text'\n",
  );
  t.like(errorDocument(error), {
    error: { code: 'ERR_LSIO_CODEC', chunk: [0, 1], codec: 'zstd', causes: ['checksum', "'text'"] },
  });
  t.deepEqual(errorDocument(new Error('x')), { error: { message: 'x', causes: [] } });
});

test('a ring of causes ends', (t) => {
  const error = new Error('a');
  error.cause = error;
  t.true(errorText(error).length < 1000);
});

const LIMITS = [
  'Limit                     Soft Limit           Hard Limit           Units',
  'Max address space         unlimited            unlimited            bytes',
  'Max locked memory         8388608              8388608              bytes',
  'Max open files            1024                 524288               files',
].join('\n');

test('limits of the process are read', (t) => {
  t.is(softLimit(LIMITS, 'Max locked memory'), 8388608);
  t.is(softLimit(LIMITS, 'Max address space'), null);
  t.is(softLimit('', 'Max open files'), undefined);
});

test('limits of cgroups are read, of the process and of those around it', (t) => {
  t.deepEqual(cgroupFolders('0::/a/b\n').toSorted(), [
    '/sys/fs/cgroup',
    '/sys/fs/cgroup/a',
    '/sys/fs/cgroup/a/b',
  ]);
  t.deepEqual(cgroupFolders('1:memory:/x\n'), ['/sys/fs/cgroup']);
  t.is(memoryLimit('1073741824\n'), 1024 ** 3);
  t.is(memoryLimit('max\n'), null);
  t.is(memoryLimit('9223372036854771712\n'), null);
  t.is(memoryLimit(null), undefined);
  t.is(cpuQuota('150000 100000\n'), 1.5);
  t.is(cpuQuota('max 100000\n'), null);
});

test('CPU features are those that decoding can use, on x86 and on Arm', (t) => {
  t.deepEqual(cpuFeatures('processor : 0\nflags\t\t: fpu sse4_2 avx2 bmi2 hypervisor\n'), [
    'sse4_2',
    'bmi2',
    'avx2',
  ]);
  t.deepEqual(cpuFeatures('Features\t: fp asimd crc32\n'), ['asimd', 'crc32']);
});

test('a machine is put together from the files of its kernel', (t) => {
  const files: Record<string, string> = {
    '/proc/meminfo': 'MemTotal: 100 kB\nMemAvailable:   2048 kB\n',
    '/proc/self/limits': LIMITS,
    '/proc/self/status': 'Name: node\nSeccomp:\t2\n',
    '/proc/sys/kernel/io_uring_disabled': '2\n',
    '/proc/self/cgroup': '0::/app\n',
    '/sys/fs/cgroup/app/memory.max': 'max\n',
    '/sys/fs/cgroup/memory.max': '1000000\n',
    '/sys/fs/cgroup/app/cpu.max': '50000 100000\n',
    '/sys/kernel/mm/transparent_hugepage/enabled': 'always [madvise] never\n',
  };
  t.like(
    inspectMachine((path) => files[path] ?? null),
    {
      memory: {
        availableBytes: 2048 * 1024,
        cgroupLimitBytes: 1_000_000,
        transparentHugePages: 'madvise',
      },
      cpu: { quota: 0.5 },
      limits: { memlockBytes: 8388608, openFiles: 1024, addressSpaceBytes: null },
      ioUring: { disabled: 2, seccompFilter: true },
    },
  );
});

test('a machine that tells nothing is no failure', (t) => {
  t.like(
    inspectMachine(() => null),
    {
      memory: {
        availableBytes: undefined,
        cgroupLimitBytes: undefined,
        transparentHugePages: null,
      },
      ioUring: { disabled: undefined, seccompFilter: undefined },
    },
  );
});
