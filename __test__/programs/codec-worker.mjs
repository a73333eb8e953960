// Reads through codecs that a worker thread has registered, then ends the worker while a chunk waits for one:
// node codec-worker.mjs. It must end by itself, though codecs are registered.

import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { memoryUsage, openArray, registerCodec, writeMemoryStore } from 'light-speed-io';

const inverted = (bytes) => bytes.map((byte) => 255 - byte);

async function stored(codec) {
  const location = `memory://${codec}`;
  const document = {
    zarr_format: 3,
    node_type: 'array',
    shape: [4],
    data_type: 'uint8',
    chunk_grid: { name: 'regular', configuration: { chunk_shape: [4] } },
    chunk_key_encoding: { name: 'default' },
    fill_value: 0,
    codecs: ['bytes', codec],
  };
  await writeMemoryStore(location, [
    ['zarr.json', Buffer.from(JSON.stringify(document))],
    ['c/0', inverted(Uint8Array.of(0, 1, 2, 3))],
  ]);
  return openArray(location);
}

const outcome = (promise) => promise.then(({ data }) => [...data]).catch(({ code }) => code);

if (isMainThread) {
  registerCodec('both', (encoded) => encoded);
  const worker = new Worker(new URL(import.meta.url));
  const said = () => new Promise((resolve) => worker.once('message', resolve));
  await said();
  const byWorker = await outcome((await stored('answers')).get());
  const both = await stored('both');
  const byLast = await outcome(both.get());
  const silent = await stored('silent');
  const asked = said();
  const read = silent.get().catch((error) => error);
  await asked;
  await worker.terminate();
  const error = await read;
  const ended = { code: error.code, names: error.message.includes('has ended') };
  const later = await outcome(silent.get());
  const opened = await outcome(openArray('memory://silent'));
  registerCodec('silent', inverted);
  const byMain = await outcome(silent.get());
  const byFirst = await outcome(both.get());
  while (memoryUsage().reservedBytes > 0) await new Promise(setImmediate);
  console.log(JSON.stringify({ byWorker, byLast, ended, later, opened, byMain, byFirst }));
} else {
  registerCodec('answers', async (encoded) => inverted(encoded));
  registerCodec('both', inverted);
  registerCodec('silent', () => {
    parentPort.postMessage('asked');
    return new Promise(() => undefined);
  });
  parentPort.on('message', () => undefined);
  parentPort.postMessage('ready');
}
