// What passes through the fault proxy is what real servers understand.

import { Buffer } from 'node:buffer';
import { getObject, putObject } from '../scripts/test-servers/objects.mjs';
import { faultProxy } from './fault-proxy.js';
import { serverTest, servers } from './test-servers.js';

serverTest('s3', 'signed requests through the fault proxy stay valid', async (t, s3) => {
  await putObject(servers, 's3', 'signed', Buffer.from('0123456789'));
  const proxy = await faultProxy(t, s3.endpoint);
  const behind = { s3: { ...s3, endpoint: proxy.url } };
  const answer = await getObject(behind, 's3', 'signed', [2, 4]);
  t.is(answer.status, 206);
  t.is(await answer.text(), '234');

  const { requests } = await proxy.log();
  t.is(requests.length, 1);
  t.like(requests[0], { path: '/lsio/signed', range: 'bytes=2-4', status: 206, bytes: 3 });
});

serverTest('http', 'the fault proxy does what it is told', async (t, http) => {
  await putObject(servers, 'http', 'told', Buffer.from('0123456789'));
  const proxy = await faultProxy(t, http.url);
  await proxy.setPlan({ rules: [{ path: 'told', first: 1, fault: { status: { status: 503 } } }] });
  const behind = { http: { ...http, url: proxy.url } };
  t.is((await getObject(behind, 'http', 'told')).status, 503);
  t.is(await (await getObject(behind, 'http', 'told')).text(), '0123456789');

  await t.throwsAsync(proxy.setPlan({ rules: [{ fault: { cut: {} } }] } as never), {
    message: /afterBytes/,
  });
});
