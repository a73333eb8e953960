// Reads one array in one mode and prints by which routes its bytes were served:
// node routes.mjs LOCATION MODE COLD, COLD being 'cold' to drop its files from the page cache first.

import { engineInfo, openArray } from 'light-speed-io';
import { dropCache } from '../../dist/cli/sample-field.js';

const [location, mode, cache] = process.argv.slice(2);
const array = await openArray(location);
if (cache === 'cold') await dropCache(location);
const { data } = await array.get(null, { io: mode });
const info = engineInfo();
console.log(
  JSON.stringify({
    engine: info.engine,
    probe: info.probe,
    routes: info.stats.bytesByRoute,
    last: data.at(-1),
  }),
);
