// Requests to S3 that are signed here, so that tests do not have to trust the code that they test
// (AWS General Reference, "Signature Version 4").

import { createHash, createHmac } from 'node:crypto';

const hmac = (key, text) => createHmac('sha256', key).update(text).digest();
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Text as it stands in a path or query that is signed. */
const encode = (text) =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const urlOf = (server, key) =>
  new URL(
    [server.endpoint, server.bucket, ...(key === '' ? [] : key.split('/').map(encode))].join('/'),
  );

/** Time and scope of a signature that is made now. */
function now({ region }) {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return { time, scope: `${time.slice(0, 8)}/${region}/s3/aws4_request` };
}

function signature(server, { time, scope }, { method, url, headers, payload }) {
  const canonical = [
    ...[method, url.pathname, url.search.slice(1)],
    ...Object.entries(headers).map(([name, value]) => `${name}:${value}`),
    ...['', Object.keys(headers).join(';'), payload],
  ].join('\n');
  const key = scope
    .split('/')
    .reduce((previous, part) => hmac(previous, part), `AWS4${server.secretAccessKey}`);
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  return hmac(key, text).toString('hex');
}

/** A request for a key of the bucket, or for the bucket if the key is empty. */
export function s3Request(server, method, key, { headers = {}, body, query = '' } = {}) {
  const url = urlOf(server, key);
  url.search = query;
  const signing = now(server);
  const payload = sha256(body ?? '');
  const sent = { 'x-amz-content-sha256': payload, 'x-amz-date': signing.time };
  const signed = { host: url.host, ...sent };
  const authorization = [
    `AWS4-HMAC-SHA256 Credential=${server.accessKeyId}/${signing.scope}`,
    `SignedHeaders=${Object.keys(signed).join(';')}`,
    `Signature=${signature(server, signing, { method, url, headers: signed, payload })}`,
  ].join(', ');
  return fetch(url, { method, body, headers: { ...headers, ...sent, authorization } });
}

/** A URL that anybody may get an object by, for an hour. */
export function presignedUrl(server, key) {
  const url = urlOf(server, key);
  const signing = now(server);
  const query = {
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${server.accessKeyId}/${signing.scope}`,
    'X-Amz-Date': signing.time,
    'X-Amz-Expires': '3600',
    'X-Amz-SignedHeaders': 'host',
  };
  url.search = Object.entries(query)
    .map(([name, value]) => `${name}=${encode(value)}`)
    .join('&');
  const request = { method: 'GET', url, headers: { host: url.host }, payload: 'UNSIGNED-PAYLOAD' };
  return `${url}&X-Amz-Signature=${signature(server, signing, request)}`;
}
