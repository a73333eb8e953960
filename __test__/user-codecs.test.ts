// Codecs that are functions of the user.

import test from 'ava';
import { gzipSync } from 'node:zlib';
import {
  LsioError,
  memoryUsage,
  openArray,
  registerCodec,
  writeMemoryStore,
  type DecodeFunction,
  type LsioArray,
  type MemoryLocation,
} from 'light-speed-io';
import { answerOf, runProgram } from './program.js';

const CHUNK = 4;

function inverted(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => 255 - byte);
}

/** Element i of the arrays here is i. */
function elements(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index);
}

/** Stores an array of uint8 whose chunks went through `inverted`, for a codec of this name. */
async function stored(
  name: string,
  { length = 8, configuration }: { length?: number; configuration?: string } = {},
): Promise<MemoryLocation> {
  const location: MemoryLocation = `memory://user-codecs-${name}`;
  const codec = `{ "name": "${name}", "configuration": ${configuration ?? '{}'} }`;
  const document = `{
    "zarr_format": 3, "node_type": "array", "shape": [${length}], "data_type": "uint8",
    "chunk_grid": { "name": "regular", "configuration": { "chunk_shape": [${CHUNK}] } },
    "chunk_key_encoding": { "name": "default" }, "fill_value": 0, "codecs": ["bytes", ${codec}]
  }`;
  const objects: [string, Uint8Array][] = [['zarr.json', Buffer.from(document)]];
  for (let start = 0; start < length; start += CHUNK) {
    objects.push([`c/${start / CHUNK}`, inverted(elements(length).subarray(start, start + CHUNK))]);
  }
  await writeMemoryStore(location, objects);
  return location;
}

async function arrayWith(
  name: string,
  decode: DecodeFunction,
  length?: number,
): Promise<LsioArray> {
  registerCodec(name, decode);
  return openArray(await stored(name, length === undefined ? {} : { length }));
}

test('a function decodes chunks, at once or later, for every way of reading', async (t) => {
  const functions: { [name: string]: DecodeFunction } = {
    'at-once': inverted,
    later: async (encoded) => inverted(encoded),
    'array-buffer': (encoded) => new Uint8Array(inverted(encoded)).buffer,
    shared: (encoded) => {
      const decoded = new Uint8Array(new SharedArrayBuffer(CHUNK));
      decoded.set(inverted(encoded));
      return decoded;
    },
    'shared-buffer': (encoded) => {
      const decoded = Buffer.from(new SharedArrayBuffer(CHUNK));
      decoded.set(inverted(encoded));
      return decoded;
    },
    'part-of-a-buffer': (encoded) => new Uint8Array([9, ...inverted(encoded), 9]).subarray(1, -1),
  };
  for (const [name, decode] of Object.entries(functions)) {
    const array = await arrayWith(name, decode);
    t.deepEqual((await array.get()).data, elements(8), name);
    t.deepEqual((await array.get([[6, 1]])).data, Uint8Array.of(6, 1), name);
    t.is(await array.mean(), 3.5, name);
    let sum = 0;
    for await (const chunk of array.readChunks()) {
      for (const value of chunk.data as Uint8Array) sum += value;
    }
    t.is(sum, 28, name);
  }
});

test('it gets the bytes of the store and the configuration, with exact integers', async (t) => {
  const seen: unknown[] = [];
  registerCodec('configured', (encoded, configuration) => {
    seen.push([encoded.slice(), configuration]);
    encoded.forEach((byte, index) => (encoded[index] = 255 - byte));
    return encoded;
  });
  const configuration = '{ "key": 9007199254740993, "list": [0.5, "a"] }';
  const location = await stored('configured', { length: 4, configuration });
  t.deepEqual((await (await openArray(location)).get()).data, elements(4));
  t.deepEqual(seen, [
    [Uint8Array.of(255, 254, 253, 252), { key: 9007199254740993n, list: [0.5, 'a'] }],
  ]);
});

test('compressors and filters of Zarr v2 are found by their id', async (t) => {
  registerCodec('v2-inverted', (encoded, configuration) => {
    t.deepEqual(configuration, { id: 'v2-inverted', level: 3 });
    return inverted(encoded);
  });
  const codec = { id: 'v2-inverted', level: 3 };
  const document = {
    zarr_format: 2,
    shape: [4],
    chunks: [4],
    dtype: '|u1',
    fill_value: 0,
    order: 'C',
  };
  for (const codecs of [
    { filters: null, compressor: codec },
    { filters: [codec], compressor: null },
  ]) {
    await writeMemoryStore('memory://user-codecs-v2', [
      ['.zarray', Buffer.from(JSON.stringify({ ...document, ...codecs }))],
      ['0', inverted(elements(4))],
    ]);
    t.deepEqual((await (await openArray('memory://user-codecs-v2')).get()).data, elements(4));
  }
});

test('conversions and fields are made of what a function has decoded', async (t) => {
  const array = await arrayWith('converted', async (encoded) => inverted(encoded));
  t.deepEqual((await array.get(null, { as: 'float64' })).data, Float64Array.from(elements(8)));
  const records = {
    zarr_format: 2,
    shape: [4],
    chunks: [2],
    dtype: [
      ['x', '|u1'],
      ['y', '|u1'],
    ],
    fill_value: null,
    order: 'C',
    filters: null,
    compressor: { id: 'converted' },
  };
  await writeMemoryStore('memory://user-codecs-records', [
    ['.zarray', Buffer.from(JSON.stringify(records))],
    ['0', inverted(elements(4))],
    ['1', inverted(elements(4))],
  ]);
  const fields = await openArray('memory://user-codecs-records');
  t.deepEqual((await fields.get(null, { field: 'y' })).data, Uint8Array.of(1, 3, 1, 3));
});

test('built-in codecs stand on both sides of functions, and shards hold their chunks', async (t) => {
  registerCodec('outer', inverted);
  registerCodec('inner', async (encoded) => encoded.toReversed());
  const gzip = { name: 'gzip', configuration: { level: 1 } };
  const bytes = { name: 'bytes', configuration: { endian: 'little' } };
  const index_codecs = [bytes];
  const encoded = (start: number): Uint8Array =>
    inverted(
      gzipSync(
        elements(8)
          .slice(start, start + CHUNK)
          .toReversed(),
      ),
    );
  const chain = ['bytes', 'inner', gzip, 'outer'];
  const parts = [encoded(0), encoded(CHUNK)];
  let start = 0n;
  const index = parts.map((part) => {
    const length = BigInt(part.length);
    start += length;
    return new Uint8Array(BigUint64Array.of(start - length, length).buffer);
  });
  const sharding = {
    name: 'sharding_indexed',
    configuration: { chunk_shape: [4], codecs: chain, index_codecs },
  };
  const arrays: [number, unknown[], Uint8Array[]][] = [
    [4, chain, parts],
    [8, [sharding], [Buffer.concat([...parts, ...index])]],
  ];
  for (const [chunk, codecs, objects] of arrays) {
    const document = {
      zarr_format: 3,
      node_type: 'array',
      shape: [8],
      data_type: 'uint8',
      chunk_grid: { name: 'regular', configuration: { chunk_shape: [chunk] } },
      chunk_key_encoding: { name: 'default' },
      fill_value: 0,
      codecs,
    };
    const location: MemoryLocation = `memory://user-codecs-chain-${chunk}`;
    await writeMemoryStore(location, [
      ['zarr.json', Buffer.from(JSON.stringify(document))],
      ...objects.map((object, number): [string, Uint8Array] => [`c/${number}`, object]),
    ]);
    const array = await openArray(location);
    t.deepEqual((await array.get()).data, elements(8));
    t.deepEqual((await array.get([5])).data, Uint8Array.of(5));
  }
});

test('all chunks of a call wait at the same time', async (t) => {
  const waiting: (() => void)[] = [];
  let all = (): void => undefined;
  const allWait = new Promise<void>((resolve) => (all = resolve));
  const array = await arrayWith(
    'all-wait',
    async (encoded) => {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length === 16) all();
      });
      return inverted(encoded);
    },
    16 * CHUNK,
  );
  const read = array.get();
  await allWait;
  for (const answer of waiting.toReversed()) answer();
  t.deepEqual((await read).data, elements(16 * CHUNK));
});

test('what the function throws is the cause of the error of the call', async (t) => {
  for (const [name, thrown] of Object.entries({
    error: new RangeError('no key'),
    text: 'no key',
    'without-text': Object.create(null) as unknown,
  })) {
    const array = await arrayWith(`throws-${name}`, () => {
      throw thrown;
    });
    const error = await t.throwsAsync(array.get([{ start: 4, stop: 5 }]), {
      instanceOf: LsioError,
      code: 'ERR_LSIO_CODEC',
    });
    t.is(error.cause, thrown, name);
    t.is(error.codec, `throws-${name}`);
    t.deepEqual(error.chunk, [1]);
  }
  const rejects = await arrayWith('rejects', () => Promise.reject(new Error('no network')));
  const error = await t.throwsAsync(rejects.get(), { instanceOf: LsioError });
  t.is((error.cause as Error).message, 'no network');
});

test('results that are no decoded chunk are errors', async (t) => {
  const wrong: { [name: string]: unknown } = {
    'too-short': new Uint8Array(CHUNK - 1),
    'too-long': new Uint8Array(CHUNK + 1),
    empty: new Uint8Array(0),
    nothing: undefined,
    text: 'abcd',
    'other-elements': new Uint16Array(CHUNK / 2),
    list: [0, 1, 2, 3],
    'shared-too-long': new Uint8Array(new SharedArrayBuffer(CHUNK + 1)),
  };
  for (const [name, value] of Object.entries(wrong)) {
    const array = await arrayWith(`returns-${name}`, () => value as Uint8Array);
    const error = await t.throwsAsync(array.get(), {
      instanceOf: LsioError,
      code: 'ERR_LSIO_CODEC',
    });
    t.is(error.codec, `returns-${name}`);
  }
});

test('a call is aborted though the function never answers', async (t) => {
  let asked = (): void => undefined;
  const isAsked = new Promise<void>((resolve) => (asked = resolve));
  const array = await arrayWith('never', () => {
    asked();
    return new Promise(() => undefined);
  });
  const controller = new AbortController();
  const read = array.get(null, { signal: controller.signal });
  await isAsked;
  const reason = new Error('long enough');
  controller.abort(reason);
  t.is(await t.throwsAsync(read), reason);
  registerCodec('never', inverted);
  t.deepEqual((await array.get()).data, elements(8), 'the array is as good as before');
  while (memoryUsage().reservedBytes > 0) await new Promise(setImmediate);
});

// Alone: it waits for the engine's threads without a turn of the event loop.
test.serial('chunks of an aborted call that have not had their turn are not decoded', async (t) => {
  const controller = new AbortController();
  const reason = new Error('enough');
  let calls = 0;
  const array = await arrayWith(
    'aborting',
    (encoded) => {
      calls += 1;
      controller.abort(reason);
      for (let round = 0; round < 1e6 && memoryUsage().reservedBytes > 0; round += 1);
      return inverted(encoded);
    },
    64 * CHUNK,
  );
  t.is(await t.throwsAsync(array.get(null, { signal: controller.signal })), reason);
  while (memoryUsage().reservedBytes > 0) await new Promise(setImmediate);
  t.is(calls, 1);
  t.deepEqual((await array.get([{ start: 250, stop: 252 }])).data, Uint8Array.of(250, 251));
});

test('promises of other makers are answers, once', async (t) => {
  const twice = {
    // oxlint-disable-next-line unicorn/no-thenable
    then(resolve: (decoded: Uint8Array) => void, reject: (reason: Error) => void): void {
      resolve(elements(CHUNK));
      reject(new Error('too late'));
      resolve(new Uint8Array(CHUNK));
    },
  };
  const array = await arrayWith('twice', () => twice as unknown as Promise<Uint8Array>, CHUNK);
  t.deepEqual((await array.get()).data, elements(CHUNK));
});

test('a name that is registered again gets the new function, in open arrays too', async (t) => {
  const array = await arrayWith('again', () => new Uint8Array(CHUNK));
  t.deepEqual((await array.get()).data, new Uint8Array(8));
  registerCodec('again', inverted);
  t.deepEqual((await array.get()).data, elements(8));
});

test('names that are taken and arguments that are wrong are refused', async (t) => {
  for (const name of ['zstd', 'bytes', 'numcodecs.zlib', 'sharding_indexed', 'pickle']) {
    t.throws(() => registerCodec(name, inverted), {
      code: 'ERR_LSIO_CONFLICT',
      message: RegExp(name),
    });
  }
  for (const name of ['', 1, undefined]) {
    t.throws(() => registerCodec(name as string, inverted), { instanceOf: TypeError });
  }
  t.throws(() => registerCodec('x', {} as DecodeFunction), { instanceOf: TypeError });
  const unknown = openArray(await stored('nobody-has-it'));
  await t.throwsAsync(unknown, { code: 'ERR_LSIO_UNSUPPORTED', message: /nobody-has-it/ });
});

test('a worker decodes for all threads, and its chunks fail when it ends', async (t) => {
  const answer = await answerOf('codec-worker', []);
  t.deepEqual(answer, {
    byWorker: [0, 1, 2, 3],
    byLast: [0, 1, 2, 3],
    ended: { code: 'ERR_LSIO_CODEC', names: true },
    later: 'ERR_LSIO_CODEC',
    opened: 'ERR_LSIO_UNSUPPORTED',
    byMain: [0, 1, 2, 3],
    byFirst: [255, 254, 253, 252],
  });
});

test('hostile functions and workers that end leave no call waiting and no memory reserved', async (t) => {
  const answer = (await answerOf('hostile-codecs', ['30'])) as { [end: string]: number };
  t.is(answer['wrong'], 0);
  t.is(answer['reservedBytes'], 0);
  for (const end of ['right', 'failed', 'aborted']) t.true((answer[end] ?? 0) > 0, end);
});

for (const how of ['exit', 'abort']) {
  test(`a process ends while chunks wait for a function, by ${how}`, async (t) => {
    const { exitCode, signal, stderr } = await runProgram('codec-exit', [how]);
    t.is(exitCode, 7, stderr);
    t.is(signal, null);
  });
}
