// The same arrays and groups from disk and from each object store: equal bits.

import { open, openArray, openGroup } from 'light-speed-io';
import type { ServerKind } from '../scripts/test-servers/objects.mjs';
import { bytesOf } from './elements.js';
import { fixturePath } from './fixtures.js';
import { putFolder, storeOf } from './stores.js';
import { serverTest } from './test-servers.js';

const kinds: readonly ServerKind[] = ['s3', 'gcs', 'azure', 'http'];

/** Of each way in which an array can be stored, those that ask a store for something of its own. */
const arrays = [
  'zarr3/codecs/float64-none',
  'zarr3/codecs/float64-blosc-lz4-shuffle',
  'zarr3/format2/float32-default',
  'zarr3/shape/rank0-v3',
  'zarr3/shape/rank5-edge-v3',
  'zarr3/shape/missing-v3',
  'zarr3/shape/all-missing-v3',
  'zarr3/keys/default-dot',
  'zarr3/keys/format2-slash',
  'zarr3/selection/plain',
  'zarr3/selection/sharded',
  'zarr3/shard/end-none',
  'zarr3/shard/end-zstd',
  'zarr3/shard/end-missing',
  'zarr3/shard/start-crc32c',
  'tensorstore/shard/end-index-big',
  'zarr2/codecs/bool-zstd',
  'zarr2/keys/dot',
  'zarr2/order/float32-f-edge',
] as const;

for (const kind of kinds) {
  serverTest(kind, 'arrays have the elements that they have on disk', async (t) => {
    const { url, storage } = storeOf(kind);
    for (const path of arrays) {
      await putFolder(kind, fixturePath(path), `values/${path}`);
      const onDisk = await openArray(fixturePath(path));
      const stored = await openArray(url(`values/${path}`), { storage });
      t.deepEqual(stored.shape, onDisk.shape, path);
      t.is(stored.dtype, onDisk.dtype, path);
      t.deepEqual(stored.attrs as unknown, onDisk.attrs as unknown, path);
      const [expected, found] = [await onDisk.get(), await stored.get()];
      t.true(bytesOf(found.data).equals(bytesOf(expected.data)), `${path}: the elements differ`);
    }
  });

  for (const name of ['zarr3/group/consolidated-v3', 'zarr2/group/consolidated']) {
    serverTest(kind, `${name} has its members, each with its elements`, async (t) => {
      const { url, storage } = storeOf(kind);
      await putFolder(kind, fixturePath(name), `values/${name}`);
      const onDisk = await openGroup(fixturePath(name));
      const stored = await openGroup(url(`values/${name}`), { storage });
      const members = await onDisk.members({ recursive: true });
      t.deepEqual(
        (await stored.members({ recursive: true })).map(({ path }) => path),
        members.map(({ path }) => path),
      );
      for (const { path, kind: nodeKind } of members) {
        const node = await stored.open(path);
        t.is(node.kind, nodeKind);
        if (node.kind !== 'array') continue;
        const expected = await onDisk.open(path);
        t.is(expected.kind, 'array');
        if (expected.kind !== 'array') continue;
        const [left, right] = [await expected.get(), await node.get()];
        t.true(bytesOf(right.data).equals(bytesOf(left.data)), path);
      }
    });
  }

  if (kind !== 'http') {
    serverTest(kind, 'a group without consolidated metadata is listed', async (t) => {
      const name = 'zarr3/group/plain-v3';
      const { url, storage } = storeOf(kind);
      await putFolder(kind, fixturePath(name), `values/${name}`);
      const stored = await openGroup(url(`values/${name}`), { storage });
      const onDisk = await openGroup(fixturePath(name));
      const paths = async (group: typeof stored): Promise<string[]> =>
        (await group.members({ recursive: true })).map(({ path }) => path);
      t.deepEqual(await paths(stored), await paths(onDisk));
    });
  }
}

serverTest('http', 'members of a group that cannot be listed are opened by name', async (t) => {
  const name = 'zarr3/group/plain-v3';
  const { url, storage } = storeOf('http');
  await putFolder('http', fixturePath(name), `values/${name}`);
  const node = await open(url(`values/${name}`), { storage, path: 'temperature' });
  t.is(node.kind, 'array');
});
