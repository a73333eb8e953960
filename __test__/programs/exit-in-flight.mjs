// Leaves the process while reads are under way. argv: location, what to wait for first.

import { openArray } from 'light-speed-io';

const [, , location, moment] = process.argv;
const array = await openArray(location);
const out = new Float32Array(new SharedArrayBuffer(array.nbytes));
const reads = [array.get(), array.get(null, { out }), array.mean(), array.readChunks().next()];
if (moment === 'first-chunk') await reads[3];
process.exit(7);
