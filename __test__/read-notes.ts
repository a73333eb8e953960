// Which fixtures the tests have read as expected: `npm run support` makes its tables of that.

import { appendFileSync } from 'node:fs';

/** Notes that a fixture was read as expected, where somebody wants to know. */
export function noteAsRead(path: string): void {
  const { LSIO_READ_FIXTURES: notes } = process.env;
  if (notes !== undefined) appendFileSync(notes, `${path}\n`);
}
