// Drops an array from the page cache, reads it, and prints by which routes its bytes were served:
// node cold-read.mjs LOCATION. What was dropped may be back, by read-ahead, before anybody asks; then again.

import { engineInfo, openArray } from 'light-speed-io';
import { dropCache } from '../../dist/cli/sample-field.js';

const [location] = process.argv.slice(2);
const array = await openArray(location);
const mostReads = 50;
let last;
let reads = 0;
do {
  await dropCache(location);
  last = (await array.get()).data.at(-1);
  reads += 1;
} while (reads < mostReads && !engineInfo().stats.bytesByRoute.buffered);
console.log(JSON.stringify({ routes: engineInfo().stats.bytesByRoute, reads, last }));
