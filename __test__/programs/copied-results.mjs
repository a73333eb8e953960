// Reads as if external buffers were forbidden (LSIO_COPY_RESULTS=1). argv: location. Prints the sums.

import { memoryUsage, openArray } from 'light-speed-io';

const [, , location] = process.argv;
const array = await openArray(location);
const total = (data) => data.reduce((sum, value) => sum + value, 0);
const whole = total((await array.get()).data);
let chunks = 0;
for await (const chunk of array.readChunks()) {
  chunks += total(chunk.data);
  chunk.release();
  if (chunk.data.length !== 0) throw new Error('a released chunk has elements');
}
console.log(JSON.stringify({ whole, chunks, heldBytes: memoryUsage().heldBytes }));
