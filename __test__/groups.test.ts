// Groups, their members and their attributes.

import { readFile } from 'node:fs/promises';
import test from 'ava';
import {
  deleteMemoryStore,
  open,
  openArray,
  openGroup,
  writeMemoryStore,
  type MembersOptions,
} from 'light-speed-io';
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

test('members at any depth are listed in order, each with its path', async (t) => {
  const group = await openGroup(fixturePath('zarr3/group/plain-v3'));
  const paths = async (options?: MembersOptions): Promise<string[]> =>
    (await group.members(options)).map(({ path }) => path);
  const all = [
    'inner',
    'inner/empty',
    'inner/empty/deep',
    'inner/names',
    'temperature',
    'time',
  ] as const;
  t.deepEqual(await paths({ recursive: true }), [...all]);
  t.deepEqual(await paths({ maxDepth: 3 }), [...all]);
  t.deepEqual(
    await paths({ maxDepth: 2 }),
    all.filter((path) => path !== 'inner/empty/deep'),
  );
  t.deepEqual(await paths(), ['inner', 'temperature', 'time']);
  t.deepEqual(await paths({ recursive: false, maxDepth: 3 }), ['inner', 'temperature', 'time']);
  for (const member of await group.members({ recursive: true })) {
    t.is(
      member.path.slice(-member.name.length - 1),
      member.path.includes('/') ? `/${member.name}` : member.name,
    );
    if (member.kind === 'array') t.deepEqual(member.array, await group.open(member.path));
  }
  for (const maxDepth of [0, 1.5, -1]) {
    await t.throwsAsync(group.members({ maxDepth }), { instanceOf: RangeError });
  }
  await t.throwsAsync(group.members({ recursive: 1 as unknown as boolean }), {
    instanceOf: TypeError,
  });
});

for (const name of ['plain-v3', 'consolidated-v3', 'plain-v2', 'consolidated-v2']) {
  test(`the tree of ${name} has a line for each node`, async (t) => {
    const group = await openGroup(fixturePath(`zarr3/group/${name}`));
    const [temperature, time, names, deep] = await Promise.all(
      ['temperature', 'time', 'inner/names', 'inner/empty/deep'].map(async (path) => {
        const array = await openArray(fixturePath(`zarr3/group/${name}`), { path });
        return `(${array.shape.join(', ')}) ${array.dtype}`;
      }),
    );
    t.is(
      await group.tree(),
      [
        '/',
        '├── inner',
        '│   ├── empty',
        `│   │   └── deep ${deep}`,
        `│   └── names ${names}`,
        `├── temperature ${temperature}`,
        `└── time ${time}`,
      ].join('\n'),
    );
    t.is(
      await group.tree({ maxDepth: 1 }),
      ['/', '├── inner', `├── temperature ${temperature}`, `└── time ${time}`].join('\n'),
    );
  });
}

test('both formats side by side, a broken member and no member make a tree', async (t) => {
  const array = { zarr_format: 2, shape: [3], chunks: [3], dtype: '|i1', compressor: null };
  const rest = { fill_value: 0, order: 'C', filters: null };
  const json = (document: object): Uint8Array => Buffer.from(JSON.stringify(document));
  await writeMemoryStore('memory://both-formats', [
    ['zarr.json', json({ zarr_format: 3, node_type: 'group' })],
    ['two/.zgroup', json({ zarr_format: 2 })],
    ['two/a/.zarray', json({ ...array, ...rest })],
    ['bad/zarr.json', json([])],
    ['empty/zarr.json', json({ zarr_format: 3, node_type: 'group' })],
  ]);
  const group = await openGroup('memory://both-formats');
  const tree = ['/', '├── bad: ERR_LSIO_METADATA', '├── empty', '└── two', '    └── a (3) int8'];
  t.is(await group.tree(), tree.join('\n'));
  const empty = await openGroup('memory://both-formats/empty');
  t.is(await empty.tree(), '/');
});

test.serial('arrays of a large group are made in many turns of the event loop', async (t) => {
  const text = await readFile(`${fixturePath('zarr3/group/plain-v3')}/time/zarr.json`, 'utf8');
  const names = Array.from({ length: 500 }, (_, index) => `a${index}`);
  const metadata = Object.fromEntries(names.map((name) => [name, JSON.parse(text) as object]));
  const consolidated = { kind: 'inline', must_understand: false, metadata };
  const document = { zarr_format: 3, node_type: 'group', consolidated_metadata: consolidated };
  await writeMemoryStore('memory://large-group', [
    ['zarr.json', Buffer.from(JSON.stringify(document))],
  ]);
  const group = await openGroup('memory://large-group');
  // Each array parses what the core says of it.
  const { parse } = JSON;
  let parsed = 0;
  let mostInTurn = 0;
  JSON.parse = (...args: Parameters<typeof parse>): unknown => {
    if (parsed === 0) setImmediate(() => (parsed = 0));
    parsed += 1;
    mostInTurn = Math.max(mostInTurn, parsed);
    return parse(...args) as unknown;
  };
  t.teardown(() => {
    JSON.parse = parse;
  });
  t.is((await group.members()).length, names.length);
  t.true(mostInTurn > 0 && mostInTurn <= 64, `${mostInTurn} in one turn`);
  deleteMemoryStore('memory://large-group');
});
