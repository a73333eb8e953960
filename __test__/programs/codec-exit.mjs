// Leaves the process in the function of a codec that never answers, while other chunks wait. argv: how, by 'exit' or
// because nothing is left to do after an 'abort'.

import { openArray, registerCodec, writeMemoryStore } from 'light-speed-io';

const [, , how] = process.argv;
const document = {
  zarr_format: 3,
  node_type: 'array',
  shape: [40],
  data_type: 'uint8',
  chunk_grid: { name: 'regular', configuration: { chunk_shape: [4] } },
  chunk_key_encoding: { name: 'default' },
  fill_value: 0,
  codecs: ['bytes', 'leaving'],
};
await writeMemoryStore('memory://a', [
  ['zarr.json', Buffer.from(JSON.stringify(document))],
  ...Array.from({ length: 10 }, (_, number) => [`c/${number}`, new Uint8Array(4)]),
]);
let calls = 0;
const controller = new AbortController();
registerCodec('leaving', () => {
  calls += 1;
  if (calls === 4) {
    if (how === 'exit') process.exit(7);
    process.exitCode = 7;
    controller.abort();
  }
  return new Promise(() => undefined);
});
const array = await openArray('memory://a');
const out = new Uint8Array(new SharedArrayBuffer(40));
const { signal } = controller;
await Promise.allSettled([array.get(null, { signal }), array.get(null, { out, signal })]);
