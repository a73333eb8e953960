// Reads what it may not. argv: location of an array, the folder it is in. Prints two error codes: of a
// chunk that may not be read, and of metadata that may not.

import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { openArray } from 'light-speed-io';

const [, , location, folder] = process.argv;
// Loaded, with all that it needs, before privileges go.
const array = await openArray(location);
chmodSync(folder, 0o755);
chmodSync(join(location, 'c/0/0'), 0o000);
chmodSync(join(location, 'zarr.json'), 0o000);
// Root may read everything.
if (process.getuid() === 0) process.setuid(65_534);

const codeOf = (error) => error.code;
const chunk = await array.get().then(() => 'read', codeOf);
const metadata = await openArray(location).then(() => 'opened', codeOf);
console.log(JSON.stringify([chunk, metadata]));
