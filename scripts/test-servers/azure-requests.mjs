// Requests to Azure Blob Storage that are signed here, so that tests do not have to trust the code that they
// test (Azure Storage REST API, "Authorize with Shared Key").

import { createHmac } from 'node:crypto';

/** A request for a blob of the container, or for the container if the key is empty. */
export function azureRequest(server, method, key, { headers = {}, body, query = '' } = {}) {
  const path = key === '' ? [] : key.split('/').map(encodeURIComponent);
  const url = new URL([server.endpoint, server.container, ...path].join('/'));
  url.search = query;
  const sorted = new URLSearchParams(query);
  sorted.sort();
  const sent = {
    ...(method === 'PUT' && key !== '' ? { 'x-ms-blob-type': 'BlockBlob' } : {}),
    'x-ms-date': new Date().toUTCString(),
    'x-ms-version': '2021-12-02',
  };
  const length = body?.length ? String(body.length) : '';
  const text = [
    // Encoding, language, length, MD5, type, date, four conditions, range.
    ...[method, '', '', length, '', '', '', '', '', '', '', headers.range ?? ''],
    ...Object.entries(sent).map(([name, value]) => `${name}:${value}`),
    `/${server.account}${url.pathname}`,
    ...[...sorted].map(([name, value]) => `${name}:${value}`),
  ].join('\n');
  const signature = createHmac('sha256', Buffer.from(server.accountKey, 'base64'))
    .update(text)
    .digest('base64');
  const authorization = `SharedKey ${server.account}:${signature}`;
  return fetch(url, { method, body, headers: { ...headers, ...sent, authorization } });
}
