// Reads an array in one mode. argv: location, mode ('hot': auto, after a buffered read). Prints the sum
// of the values and how the bytes were served.

import { engineInfo, openArray } from 'light-speed-io';

const [, , location, mode] = process.argv;
const array = await openArray(location);
if (mode === 'hot') await array.get(null, { io: 'buffered' });
const { data } = await array.get(null, { io: mode === 'hot' ? 'auto' : mode });
const sum = data.reduce((total, value) => total + value, 0);
const { engine, stats } = engineInfo();
console.log(JSON.stringify({ sum, engine, stats: stats.bytesByRoute }));
