// The servers that other tests read from answer as object stores do.

import { Buffer } from 'node:buffer';
import { getObject, putObject, type ServerKind } from '../scripts/test-servers/objects.mjs';
import { serverTest, servers } from './test-servers.js';

const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));
const kinds: readonly ServerKind[] = ['s3', 'gcs', 'azure', 'http'];

for (const kind of kinds) {
  serverTest(kind, 'an object that was put there is brought, whole and by range', async (t) => {
    const key = `folder of tests/${kind}+1/object.bin`;
    await putObject(servers, kind, key, bytes);

    const whole = await getObject(servers, kind, key);
    t.is(whole.status, 200);
    t.deepEqual(Buffer.from(await whole.arrayBuffer()), bytes);

    const range = await getObject(servers, kind, key, [300, 499]);
    t.is(range.status, 206);
    t.is(range.headers.get('content-range'), 'bytes 300-499/1000');
    t.deepEqual(Buffer.from(await range.arrayBuffer()), bytes.subarray(300, 500));
  });

  serverTest(kind, 'a missing object is one', async (t) => {
    t.is((await getObject(servers, kind, 'missing')).status, 404);
  });
}

serverTest('s3', 'a wrong key is refused', async (t, s3) => {
  const wrong = { s3: { ...s3, secretAccessKey: 'wrong' } };
  t.is((await getObject(wrong, 's3', 'missing')).status, 403);
});

serverTest('azure', 'a wrong key is refused', async (t, azure) => {
  const wrong = { azure: { ...azure, accountKey: Buffer.from('wrong').toString('base64') } };
  t.is((await getObject(wrong, 'azure', 'missing')).status, 403);
});
