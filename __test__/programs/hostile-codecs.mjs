// Reads through functions that do all that functions can do wrong, in workers that are terminated meanwhile: every call
// must end, and all memory must come back. argv: rounds.

import { once } from 'node:events';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import {
  isLsioError,
  memoryUsage,
  openArray,
  registerCodec,
  slice,
  writeMemoryStore,
} from 'light-speed-io';

const [CHUNK, CHUNKS] = [1000, 300];
const turn = () => new Promise(setImmediate);

/** Numbers that look like chance, the same in every run. */
function chance(seed) {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

/** A function that is right most of the time, at once or later. */
function hostile(seed) {
  const next = chance(seed);
  const inverted = (bytes) => bytes.map((byte) => 255 - byte);
  return (encoded) => {
    switch (next(400)) {
      case 0:
        throw new Error('thrown');
      case 1:
        return Promise.reject(undefined);
      case 2:
        return new Promise(() => undefined);
      case 3:
        return encoded.subarray(1);
      case 4:
        return 'text';
      case 5:
        return { byteLength: CHUNK };
      case 6:
        // It takes its bytes away from itself.
        structuredClone(encoded.buffer, { transfer: [encoded.buffer] });
        return encoded;
      case 7:
        // oxlint-disable-next-line unicorn/no-thenable
        return { then: () => undefined };
      default:
        return next(2) === 0 ? inverted(encoded) : turn().then(() => inverted(encoded));
    }
  };
}

if (isMainThread) {
  const document = {
    zarr_format: 3,
    node_type: 'array',
    shape: [CHUNK * CHUNKS],
    data_type: 'uint8',
    chunk_grid: { name: 'regular', configuration: { chunk_shape: [CHUNK] } },
    chunk_key_encoding: { name: 'default' },
    fill_value: 0,
    codecs: ['bytes', 'hostile', 'hostile'],
  };
  const chunk = Uint8Array.from({ length: CHUNK }, (_, index) => index % 251);
  await writeMemoryStore('memory://hostile', [
    ['zarr.json', Buffer.from(JSON.stringify(document))],
    ...Array.from({ length: CHUNKS }, (_, number) => [`c/${number}`, chunk]),
  ]);
  registerCodec('hostile', hostile(1));
  const array = await openArray('memory://hostile');
  const next = chance(2);
  const ends = { right: 0, failed: 0, aborted: 0, wrong: 0 };
  const isRight = ({ data }) => data.every((value, index) => value === (index % CHUNK) % 251);

  const count = async (read, signal) => {
    try {
      ends[isRight(await read) ? 'right' : 'wrong'] += 1;
    } catch (error) {
      if (error === signal.reason) ends.aborted += 1;
      else ends[isLsioError(error, 'ERR_LSIO_CODEC') ? 'failed' : 'wrong'] += 1;
    }
  };

  const rounds = Number(process.argv[2]);
  for (let round = 1; round <= rounds; round += 1) {
    // The worker takes the name over, until it is terminated.
    const worker = new Worker(new URL(import.meta.url), { workerData: { seed: 1000 * round } });
    await once(worker, 'message');
    const controller = new AbortController();
    const { signal } = controller;
    const reads = Array.from({ length: 6 }, (_, number) => {
      const start = CHUNK * next(200);
      // The first are short enough to succeed now and then.
      const stop = start + CHUNK * (number < 3 ? 2 : 100);
      return count(array.get([slice(start, stop)], { signal }), signal);
    });
    for (let turns = next(20_000); turns > 0; turns -= 1) await turn();
    const terminated = worker.terminate();
    for (let turns = next(20_000); turns > 0; turns -= 1) await turn();
    // What never answers would go on for ever.
    controller.abort(new Error('aborted'));
    await Promise.all([terminated, ...reads]);
  }
  // Whatever chance has brought: one call that nothing but its abort can end.
  registerCodec('hostile', () => new Promise(() => undefined));
  const controller = new AbortController();
  const endless = count(array.get(null, { signal: controller.signal }), controller.signal);
  await turn();
  controller.abort(new Error('aborted'));
  await endless;
  // What was done to the name does no harm to who comes later.
  registerCodec('hostile', (encoded) => encoded);
  await count(array.get(), new AbortController().signal);
  while (memoryUsage().reservedBytes > 0) await turn();
  console.log(JSON.stringify({ ...ends, reservedBytes: memoryUsage().reservedBytes }));
} else {
  const { parentPort } = await import('node:worker_threads');
  const next = chance(workerData.seed);
  const decode = hostile(workerData.seed + 1);
  registerCodec('hostile', (encoded) => {
    // Only termination ends this one.
    if (next(200) === 0) for (;;);
    return decode(encoded);
  });
  parentPort.on('message', () => undefined);
  parentPort.postMessage('ready');
}
