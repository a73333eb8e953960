// Stores in memory.

import test from 'ava';
import { createRequire } from 'node:module';
import {
  deleteMemoryStore,
  open,
  openArray,
  writeMemoryStore,
  type MemoryLocation,
} from 'light-speed-io';
import { LsioStore } from 'light-speed-io/zarrita';
import type * as Native from '#native';
import { sampleElements, sampleObjects } from './sample-array.js';

const { memoryValue, NativeMemoryValue } = createRequire(import.meta.url)(
  '#native',
) as typeof Native;

const MIB = 2 ** 20;

/** Buffers that can be resized, which the types of Node 20 do not have. */
const Resizable = ArrayBuffer as unknown as new (
  length: number,
  options: { maxByteLength: number },
) => ArrayBuffer & { resize(length: number): void };

const sample = { shape: [300, 2048], rowsPerChunk: 200 } as const;

test('what was written is read', async (t) => {
  await writeMemoryStore('memory://written', sampleObjects(sample));
  const { data } = await (await openArray('memory://written')).get();
  t.deepEqual(data, sampleElements(sample));
});

test('members are opened by path', async (t) => {
  const objects = [...sampleObjects(sample)].map(([key, value]): [string, Uint8Array] => [
    `a/b/${key}`,
    value,
  ]);
  await writeMemoryStore('memory://nested', objects);
  t.is((await open('memory://nested', { path: 'a/b' })).kind, 'array');
  t.is((await open('memory://nested/a/b')).kind, 'array');
});

test('later changes of the bytes that were given do not show', async (t) => {
  const objects = [...sampleObjects(sample)];
  await writeMemoryStore('memory://copied', objects);
  for (const [, value] of objects) value.fill(0);
  const { data } = await (await openArray('memory://copied')).get([0, { start: 0, stop: 3 }]);
  t.deepEqual(data, new Float32Array([0, 1, 2]));
});

test('a deleted store is gone', async (t) => {
  await writeMemoryStore('memory://deleted', sampleObjects(sample));
  t.true(deleteMemoryStore('memory://deleted'));
  t.false(deleteMemoryStore('memory://deleted'));
  await t.throwsAsync(open('memory://deleted'), { code: 'ERR_LSIO_NOT_FOUND' });
});

test('names and keys are checked', async (t) => {
  for (const name of ['memory://', 'memory:', '/tmp/x', 'memory://a/b']) {
    await t.throwsAsync(writeMemoryStore(name as MemoryLocation, []), {
      code: 'ERR_LSIO_UNSUPPORTED',
    });
  }
  await t.throwsAsync(writeMemoryStore('memory://keys', [['../up', new Uint8Array(1)]]), {
    code: 'ERR_LSIO_METADATA',
  });
  await t.throwsAsync(writeMemoryStore('memory://keys', [['a', 'text' as unknown as Uint8Array]]), {
    instanceOf: TypeError,
  });
});

test('exactly the bytes of a view are copied, whatever it is a view of', async (t) => {
  const numbers = Uint8Array.from({ length: 64 }, (_, index) => index);
  const onShared = new Uint8Array(new SharedArrayBuffer(64));
  const onResizable = new Uint8Array(new Resizable(64, { maxByteLength: 128 }));
  onShared.set(numbers);
  onResizable.set(numbers);
  const views: { [key: string]: Uint8Array } = {
    part: numbers.subarray(3, 8),
    buffer: Buffer.from(numbers.buffer, 3, 5),
    shared: onShared.subarray(3, 8),
    'shared-buffer': Buffer.from(onShared.buffer, 3, 5),
    resizable: onResizable.subarray(3, 8),
  };
  await writeMemoryStore('memory://views', [
    ...Object.entries(views),
    ['empty', numbers.subarray(7, 7)],
  ]);
  const store = new LsioStore('memory://views');
  for (const key of Object.keys(views)) {
    t.deepEqual(await store.get(`/${key}`), Uint8Array.of(3, 4, 5, 6, 7), key);
  }
  t.deepEqual(await store.get('/empty'), new Uint8Array());
});

test('values whose memory becomes another while they are copied are refused', async (t) => {
  const whole = (): ConstructorParameters<typeof Resizable> => [
    3 * MIB,
    { maxByteLength: 4 * MIB },
  ];
  const transfer = (buffer: ArrayBuffer): void => {
    structuredClone(buffer, { transfer: [buffer] });
  };
  const changes: { [key: string]: (buffer: InstanceType<typeof Resizable>) => void } = {
    shorter: (buffer) => buffer.resize(2 * MIB + 5),
    longer: (buffer) => buffer.resize(4 * MIB),
    gone: transfer,
  };
  const store = new LsioStore('memory://changed');
  await writeMemoryStore('memory://changed', [['other', new Uint8Array(1)]]);
  for (const [key, change] of Object.entries(changes)) {
    const buffer = new Resizable(...whole());
    const written = writeMemoryStore('memory://changed', [[key, new Uint8Array(buffer)]]);
    change(buffer);
    await t.throwsAsync(written, {
      instanceOf: TypeError,
      message: RegExp(`'${key}' had 3145728`),
    });
    t.is(await store.get(`/${key}`), undefined, key);
  }
  const taken = new Uint8Array(8);
  transfer(taken.buffer);
  const outside = new Resizable(8, { maxByteLength: 8 });
  const behind = new Uint8Array(outside, 4, 4);
  outside.resize(6);
  for (const [key, value] of Object.entries({ taken, behind })) {
    const written = writeMemoryStore('memory://changed', [[key, value]]);
    await t.throwsAsync(written, {
      instanceOf: TypeError,
      message: RegExp(`'${key}' was taken away`),
    });
    t.is(await store.get(`/${key}`), undefined, key);
  }
});

// Alone: it counts what others would copy too.
test.serial('all writes together copy at most 1 MiB in a turn of the event loop', async (t) => {
  const { prototype } = NativeMemoryValue;
  // oxlint-disable-next-line typescript/unbound-method
  const { append } = prototype;
  const turns = [0];
  let ended = false;
  // It is ahead of what the writes wait for, in each turn.
  setImmediate(function nextTurn() {
    turns.push(0);
    if (!ended) setImmediate(nextTurn);
  });
  prototype.append = function (this: Native.NativeMemoryValue, part: Uint8Array) {
    turns[turns.length - 1] = (turns.at(-1) ?? 0) + part.byteLength;
    return append.call(this, part);
  };
  const writes = ['a', 'b', 'c'].map((key) =>
    writeMemoryStore('memory://turns', [[key, new Uint8Array(2 * MIB + 5)]]),
  );
  await Promise.all(writes);
  ended = true;
  prototype.append = append;
  const most = Math.max(...turns);
  t.true(most <= MIB, `${most} bytes in a turn`);
  t.is(
    turns.reduce((sum, bytes) => sum + bytes, 0),
    3 * (2 * MIB + 5),
  );
});

test('the core takes no copy that is longer or shorter than was said', async (t) => {
  const copyOf = (length: number): Native.NativeMemoryValue => {
    const made = memoryValue(length);
    if ('error' in made) throw new Error(made.error.message);
    return made.ok;
  };
  const wrong = (given: number): object => ({
    error: { code: 'ERR_LSIO_INTERNAL', message: `a copy of 3 bytes was given ${given}` },
  });
  const copy = copyOf(3);
  t.deepEqual(copy.append(Uint8Array.of(1, 2)), { ok: null });
  t.like(copy.append(Uint8Array.of(3, 4)), wrong(4));
  t.like(await copy.put('lengths', 'short'), wrong(2));
  t.deepEqual(copy.append(Uint8Array.of(3)), { ok: null });
  t.deepEqual(await copy.put('lengths', 'complete'), { ok: null });
  const store = new LsioStore('memory://lengths');
  t.deepEqual(await store.get('/complete'), Uint8Array.of(1, 2, 3));
  t.is(await store.get('/short'), undefined);
});

// Alone: others would wait with it.
test.serial('a setImmediate that never calls back, as of fake timers, stops no copy', async (t) => {
  const { setImmediate: real } = globalThis;
  globalThis.setImmediate = (() => undefined) as unknown as typeof setImmediate;
  try {
    await writeMemoryStore('memory://fake-timers', [['first', new Uint8Array(10)]]);
  } finally {
    globalThis.setImmediate = real;
  }
  const long = new Uint8Array(2 * MIB).fill(7);
  await writeMemoryStore('memory://fake-timers', [['second', long]]);
  t.is((await new LsioStore('memory://fake-timers').get('/second'))?.byteLength, long.byteLength);
});

test('a copy that is given up holds nothing', (t) => {
  const made = memoryValue(3);
  if ('error' in made) throw new Error(made.error.message);
  t.deepEqual(made.ok.append(Uint8Array.of(1, 2)), { ok: null });
  made.ok.discard();
  t.like(made.ok.append(Uint8Array.of(3)), { error: { code: 'ERR_LSIO_INTERNAL' } });
});
