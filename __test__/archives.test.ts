// Zip archives of folders have what the folders have.

import { readFileSync } from 'node:fs';
import test from 'ava';
import { deleteMemoryStore, open, openArray, openGroup, writeMemoryStore } from 'light-speed-io';
import { fixturePath } from './fixtures.js';

for (const method of ['stored', 'deflated']) {
  test(`a group in an archive of ${method} members is the group of the folder`, async (t) => {
    const archive = fixturePath(`zip/group-${method}.zip`);
    const folder = fixturePath('zarr3/group/plain-v3');
    const [inside, outside] = [await openGroup(archive), await openGroup(folder)];
    const names = async (group: typeof inside) => (await group.members()).map(({ name }) => name);
    t.deepEqual(await names(inside), await names(outside));
    const [a, b] = [
      await openArray(`${archive}/temperature`),
      await openArray(`${folder}/temperature`),
    ];
    t.deepEqual((await a.get()).data, (await b.get()).data);
    await t.throwsAsync(inside.open('no-such-member'), { code: 'ERR_LSIO_NOT_FOUND' });
  });

  test(`shards in an archive of ${method} members are read by their parts`, async (t) => {
    const shards = await openArray(fixturePath(`zip/shards-${method}.zip`));
    const plain = await openArray(fixturePath('zarr3/shard/256-inner'));
    const chunks: string[] = [];
    for await (const chunk of shards.readChunks()) {
      const same = await plain.getChunk(chunk.coords);
      t.deepEqual(chunk.data, same.data);
      chunks.push(chunk.coords.join('/'));
    }
    t.is(
      new Set(chunks).size,
      plain.chunkGridShape.reduce((product, length) => product * length, 1),
    );
  });
}

test('what is not in an archive is not found', async (t) => {
  await t.throwsAsync(open(fixturePath('zip/group-stored.zip'), { path: 'nowhere' }), {
    code: 'ERR_LSIO_NOT_FOUND',
  });
});

test('members that are compressed by another method are refused as such', async (t) => {
  const bytes = readFileSync(fixturePath('zip/group-stored.zip'));
  // The method stands 10 bytes behind the start of an entry of the directory; 12 is bzip2.
  for (
    let at = bytes.indexOf('PK\u0001\u0002');
    at >= 0;
    at = bytes.indexOf('PK\u0001\u0002', at + 4)
  ) {
    bytes.writeUInt16LE(12, at + 10);
  }
  await writeMemoryStore('memory://bzip2', [['group.zip', bytes]]);
  await t.throwsAsync(open('memory://bzip2/group.zip'), { code: 'ERR_LSIO_UNSUPPORTED' });
  deleteMemoryStore('memory://bzip2');
});

test('archives in a store in memory are read as those in folders', async (t) => {
  const bytes = readFileSync(fixturePath('zip/group-deflated.zip'));
  await writeMemoryStore('memory://archives', [
    ['group.ZIP', bytes],
    ['below/group.zip', bytes],
    ['folder.zip/readme.txt', Buffer.from('no archive')],
    ['broken.zip', bytes.subarray(0, 100)],
  ]);
  const folder = await openArray(fixturePath('zarr3/group/plain-v3/temperature'));
  const expected = (await folder.get()).data;
  for (const archive of ['memory://archives/group.ZIP', 'memory://archives/below/group.zip']) {
    const group = await openGroup(archive);
    t.true((await group.members()).some(({ name }) => name === 'temperature'));
    t.deepEqual((await (await openArray(`${archive}/temperature`)).get()).data, expected);
    const byPath = await openArray(archive, { path: 'temperature' });
    t.deepEqual((await byPath.get()).data, expected);
  }
  for (const nothing of ['folder.zip', 'none.zip', 'none.zip/a']) {
    await t.throwsAsync(open(`memory://archives/${nothing}`), { code: 'ERR_LSIO_NOT_FOUND' });
  }
  await t.throwsAsync(open('memory://archives/broken.zip'), { code: 'ERR_LSIO_METADATA' });
});

test('an archive that replaced another of the same name in memory is read anew', async (t) => {
  for (const name of ['group-stored', 'shards-stored']) {
    await writeMemoryStore('memory://replaced', [
      ['a.zip', readFileSync(fixturePath(`zip/${name}.zip`))],
    ]);
    const node = await open('memory://replaced/a.zip');
    t.is(node.kind, name === 'group-stored' ? 'group' : 'array');
    deleteMemoryStore('memory://replaced');
  }
});
