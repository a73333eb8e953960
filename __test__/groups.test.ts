// Groups, their members and their attributes.

import test from 'ava';
import { openGroup, open } from 'light-speed-io';
import { fixturePath, groupFixtures } from './fixtures.js';

for (const { path, zarrFormat, members, attrs } of groupFixtures) {
  test(`${path} has the expected members and attributes`, async (t) => {
    const group = await openGroup(fixturePath(path), { zarrFormat });
    t.is(group.kind, 'group');
    t.is(group.zarrFormat, zarrFormat);
    if (attrs !== undefined) t.deepEqual(group.attrs as unknown, attrs);
    const found = await group.members();
    t.deepEqual(Object.fromEntries(found.map(({ name, kind }) => [name, kind])), members);
    for (const [name, kind] of Object.entries(members)) {
      t.is((await group.open(name)).kind, kind);
      t.is((await open(fixturePath(path), { path: name, zarrFormat })).kind, kind);
    }
    await t.throwsAsync(group.open('no-such-member'), { code: 'ERR_LSIO_NOT_FOUND' });
  });
}
