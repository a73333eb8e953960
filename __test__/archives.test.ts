// Zip archives of folders have what the folders have.

import test from 'ava';
import { open, openArray, openGroup } from 'light-speed-io';
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
