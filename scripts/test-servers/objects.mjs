// Puts objects to the servers of the tests and gets them, by plain requests.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { azureRequest } from './azure-requests.mjs';
import { s3Request } from './s3-requests.mjs';

/** `Range` for the bytes from `first` to `last`, both included. */
const rangeHeader = (range) => (range ? { range: `bytes=${range[0]}-${range[1]}` } : {});

/** What each kind of server does with objects. */
const KINDS = {
  s3: {
    put: (server, key, body) => s3Request(server, 'PUT', key, { body }),
    get: (server, key, headers) => s3Request(server, 'GET', key, { headers }),
  },
  gcs: {
    put: (server, key, body) =>
      fetch(
        `${server.endpoint}/upload/storage/v1/b/${server.bucket}/o?uploadType=media&name=${encodeURIComponent(key)}`,
        { method: 'POST', body },
      ),
    get: (server, key, headers) =>
      fetch(
        `${server.endpoint}/storage/v1/b/${server.bucket}/o/${encodeURIComponent(key)}?alt=media`,
        { headers },
      ),
  },
  azure: {
    put: (server, key, body) => azureRequest(server, 'PUT', key, { body }),
    get: (server, key, headers) => azureRequest(server, 'GET', key, { headers }),
  },
  http: {
    // Over the folder: nginx serves what is there.
    async put(server, key, body) {
      const file = join(server.folder, key);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, body);
      return { ok: true };
    },
    get: (server, key, headers) =>
      fetch(`${server.url}/${key.split('/').map(encodeURIComponent).join('/')}`, { headers }),
  },
};

/** Puts an object there, replacing one of the same key. */
export async function putObject(servers, kind, key, bytes) {
  const response = await KINDS[kind].put(servers[kind], key, bytes);
  if (!response.ok) throw new Error(`${kind}: ${response.status} ${await response.text()}`);
}

/** The answer to a request for an object, or for the bytes of it from `first` to `last`. */
export function getObject(servers, kind, key, range) {
  return KINDS[kind].get(servers[kind], key, rangeHeader(range));
}
