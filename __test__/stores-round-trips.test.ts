// How many requests follow on one another: what an array in a distant bucket costs before the first chunk.

import { openArray } from 'light-speed-io';
import { faultProxy } from './fault-proxy.js';
import { fixturePath } from './fixtures.js';
import { putFolder, putObjects, storeOf } from './stores.js';
import { serverTest } from './test-servers.js';

/** zarr.json, .zarray, .zgroup, .zattrs. */
const DOCUMENTS = 4;

/** All documents of a node are answered together: whoever waited for one of them would wait for ever. */
const together = { first: DOCUMENTS, fault: { together: { requests: DOCUMENTS } } };

for (const kind of ['s3', 'http'] as const) {
  for (const path of [
    'zarr3/selection/plain',
    'zarr3/selection/sharded',
    'zarr2/codecs/bool-zstd',
  ]) {
    serverTest(kind, `${path} is opened in one round trip`, async (t, server) => {
      await putFolder(kind, fixturePath(path), `trips/${path}`);
      const proxy = await faultProxy(t, 'endpoint' in server ? server.endpoint : server.url);
      await proxy.setPlan({ rules: [together] });
      const { url, storage } = storeOf(kind, proxy.url);
      await openArray(url(`trips/${path}`), { storage });
      const { requests } = await proxy.log();
      t.is(requests.length, DOCUMENTS, JSON.stringify(requests, null, 1));
    });
  }

  serverTest(kind, 'metadata of a megabyte takes a second round trip', async (t, server) => {
    const attributes = { history: 'x'.repeat(1 << 20) };
    const metadata = {
      ...{ zarr_format: 3, node_type: 'array', shape: [1], data_type: 'int8', fill_value: 0 },
      chunk_grid: { name: 'regular', configuration: { chunk_shape: [1] } },
      chunk_key_encoding: { name: 'default' },
      codecs: [{ name: 'bytes' }],
      attributes,
    };
    await putObjects(kind, [['trips/long/zarr.json', Buffer.from(JSON.stringify(metadata))]]);
    const proxy = await faultProxy(t, 'endpoint' in server ? server.endpoint : server.url);
    await proxy.setPlan({ rules: [together] });
    const { url, storage } = storeOf(kind, proxy.url);
    const array = await openArray(url('trips/long'), { storage });
    t.deepEqual(array.attrs, attributes);
    const { requests } = await proxy.log();
    t.is(requests.length, DOCUMENTS + 1, JSON.stringify(requests, null, 1));
  });
}
