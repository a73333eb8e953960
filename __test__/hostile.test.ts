// Hostile input: the right code each, and the process stays alive.

import test from 'ava';
import { LsioError, open } from 'light-speed-io';
import { hostileFixtures, hostilePath } from './fixtures.js';

for (const { path, operation, code, alsoAccepted, selection, why } of hostileFixtures) {
  const asked = selection === undefined ? '' : ` ${JSON.stringify(selection)}`;
  test(`${path}: ${why} (${operation}${asked})`, async (t) => {
    const read = async (): Promise<unknown> => {
      const node = await open(hostilePath(path));
      return operation !== 'open' && node.kind === 'array' ? node.get(selection) : undefined;
    };
    const error = await t.throwsAsync(read());
    t.true(error instanceof LsioError, `${error?.stack}`);
    const accepted = [code, ...(alsoAccepted ?? [])];
    t.true(
      accepted.includes((error as LsioError).code),
      `${(error as LsioError).code}: ${error?.message}`,
    );
  });
}
