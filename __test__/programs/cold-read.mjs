// Drops an array from the page cache, reads it, and prints by which routes its bytes were served:
// node cold-read.mjs LOCATION.

import { engineInfo, openArray } from 'light-speed-io';
import { dropCache } from '../../dist/cli/sample-field.js';

const [location] = process.argv.slice(2);
const array = await openArray(location);
await dropCache(location);
const { data } = await array.get();
console.log(JSON.stringify({ routes: engineInfo().stats.bytesByRoute, last: data.at(-1) }));
