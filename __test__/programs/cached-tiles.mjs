// Serves one tile again and again. argv: location, the file of its chunk, a file to put in its place, and the
// cache (JSON; 'null': as it is without). Prints what was read for the tiles, before and after the chunk
// was replaced, and what is in use in the end.

import { copyFileSync, renameSync, statSync } from 'node:fs';
import { configure, engineInfo, memoryUsage, openArray, slice } from 'light-speed-io';

const [, , location, chunk, replacement, cache] = process.argv;
configure({ memory: '64MiB', cache: JSON.parse(cache) ?? undefined });
const array = await openArray(location);

async function serve(tiles) {
  const before = engineInfo().stats;
  const values = new Set();
  for (let tile = 0; tile < tiles; tile += 1) {
    const result = await array.get([2, slice(10, 20)]);
    values.add(JSON.stringify(Array.from(result.data)));
    result.release();
  }
  const after = engineInfo().stats;
  const grown = (name) => after[name] - before[name];
  return {
    values: [...values],
    bytesRead: grown('bytesRead'),
    bytesDecoded: grown('bytesDecoded'),
    hits: grown('cacheHits'),
    misses: grown('cacheMisses'),
  };
}

/** A file is kept once it is older than a tick of its times: nobody could tell it from one written next. */
async function settled() {
  while (Date.now() - statSync(chunk).ctimeMs < 100) await new Promise(setImmediate);
}

await settled();
const first = await serve(200);
copyFileSync(replacement, `${chunk}.new`);
renameSync(`${chunk}.new`, chunk);
await settled();
const second = await serve(200);
const reader = array.readChunks([2, null]);
for await (const chunkOfReader of reader) chunkOfReader.release();
const { cacheHits: readerHits } = reader.stats;
const controller = new AbortController();
const aborted = array.get(null, { signal: controller.signal });
controller.abort();
await aborted.catch(() => undefined);
const stopped = array.readChunks();
for await (const chunkOfReader of stopped) {
  chunkOfReader.release();
  break;
}
const { cacheBytes } = engineInfo();
let usage = memoryUsage();
// What was under way when it was stopped ends by itself.
while (usage.reservedBytes > 0) {
  await new Promise(setImmediate);
  usage = memoryUsage();
}
console.log(JSON.stringify({ first, second, readerHits, usage, cacheBytes }));
