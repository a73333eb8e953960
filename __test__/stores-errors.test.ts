// What is not there, what may not be read, and what objects that change come to.

import { randomUUID } from 'node:crypto';
import { open, openArray } from 'light-speed-io';
import type { ServerKind } from '../scripts/test-servers/objects.mjs';
import { faultProxy } from './fault-proxy.js';
import { sampleElements, sampleObjects } from './sample-array.js';
import { putObjects, storeOf } from './stores.js';
import { serverTest } from './test-servers.js';

const sample = { shape: [4, 100], rowsPerChunk: 1 } as const;

/** Puts the sample below a prefix of its own. */
async function putSample(kind: ServerKind): Promise<string> {
  const prefix = `errors/${randomUUID()}`;
  await putObjects(
    kind,
    [...sampleObjects(sample)].map(([key, value]) => [`${prefix}/${key}`, value]),
  );
  return prefix;
}

serverTest('s3', 'wrong keys are refused, and not shown', async (t) => {
  const prefix = await putSample('s3');
  const { url, storage } = storeOf('s3');
  // versitygw answers 404 for an access key that it does not know, S3 403.
  for (const wrong of [{ secretAccessKey: 'not-the-secret' }, { accessKeyId: 'not-a-user' }]) {
    const error = await t.throwsAsync(open(url(prefix), { storage: { ...storage, ...wrong } }), {
      code: 'ERR_LSIO_ACCESS',
    });
    t.notRegex(String(error?.stack) + JSON.stringify(error), /not-the-secret/);
  }
});

serverTest('azure', 'a wrong key is refused, and not shown', async (t) => {
  const prefix = await putSample('azure');
  const { url, storage } = storeOf('azure');
  const accountKey = Buffer.from('not-the-secret').toString('base64');
  const error = await t.throwsAsync(open(url(prefix), { storage: { ...storage, accountKey } }), {
    code: 'ERR_LSIO_ACCESS',
  });
  t.false((String(error?.stack) + JSON.stringify(error)).includes(accountKey));
});

// fake-gcs-server answers 500 where Google Cloud Storage says that there is no such bucket.
for (const kind of ['s3', 'azure'] as const) {
  serverTest(kind, 'a missing bucket is not found', async (t) => {
    const { url, storage } = storeOf(kind);
    const missing = url('prefix').replace('//lsio', '//no-such-bucket');
    await t.throwsAsync(open(missing, { storage }), { code: 'ERR_LSIO_NOT_FOUND' });
  });
}

for (const kind of ['s3', 'gcs', 'azure', 'http'] as const) {
  serverTest(kind, 'where nothing is, nothing is found', async (t) => {
    const { url, storage } = storeOf(kind);
    await t.throwsAsync(open(url('errors/nothing'), { storage }), { code: 'ERR_LSIO_NOT_FOUND' });
  });

  serverTest(kind, 'an array is read again after some of its objects changed', async (t) => {
    const prefix = await putSample(kind);
    const { url, storage } = storeOf(kind);
    const array = await openArray(url(prefix), { storage });
    t.deepEqual((await array.get()).data, sampleElements(sample));
    const doubled = sampleElements(sample)
      .slice(0, 100)
      .map((value) => value * 2);
    await putObjects(kind, [[`${prefix}/c/0/0`, new Uint8Array(doubled.buffer)]]);
    const again = await array.get();
    t.deepEqual(again.data.slice(0, 100), doubled);
    t.deepEqual(again.data.slice(100), sampleElements(sample).slice(100));
  });
}

serverTest('http', 'a store that refuses is an error, not fill values', async (t, http) => {
  const prefix = await putSample('http');
  const proxy = await faultProxy(t, http.url);
  const { url, storage } = storeOf('http', proxy.url);
  const array = await openArray(url(prefix), { storage });
  await proxy.setPlan({ rules: [{ path: 'c/2/', fault: { status: { status: 403 } } }] });
  await t.throwsAsync(array.get(), { code: 'ERR_LSIO_ACCESS' });
});
