// Data sets in the object stores of the tests, and how they are opened there.

import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { StorageOptions } from 'light-speed-io';
import { putObject, type ServerKind } from '../scripts/test-servers/objects.mjs';
import { servers } from './test-servers.js';

/** An address below which objects can be put, and the options that open it. */
export interface Store {
  readonly url: (key: string) => string;
  readonly storage: StorageOptions;
}

function required<T>(server: T | undefined): T {
  if (server === undefined) throw new Error('the test asked for no such server');
  return server;
}

/** The store of a server; `endpoint` instead of its own: that of a proxy before it. */
export function storeOf(kind: ServerKind, endpoint?: string): Store {
  switch (kind) {
    case 's3': {
      const { bucket, folder: _, ...keys } = required(servers.s3);
      const storage = { ...keys, ...(endpoint === undefined ? {} : { endpoint }) };
      return { url: (key) => `s3://${bucket}/${key}`, storage };
    }
    case 'gcs': {
      const gcs = required(servers.gcs);
      const storage = { endpoint: endpoint ?? gcs.endpoint, anonymous: true };
      return { url: (key) => `gs://${gcs.bucket}/${key}`, storage };
    }
    case 'azure': {
      const { container, ...storage } = required(servers.azure);
      return {
        url: (key) => `az://${container}/${key}`,
        storage: { ...storage, ...(endpoint === undefined ? {} : { endpoint }) },
      };
    }
    case 'http':
      break;
  }
  const base = endpoint ?? required(servers.http).url;
  return { url: (key) => `${base}/${key}`, storage: {} };
}

/** Puts all files of a folder into a store, below `prefix`. */
export async function putFolder(kind: ServerKind, folder: string, prefix: string): Promise<void> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  await putObjects(
    kind,
    files.map((file) => {
      const key = relative(folder, file).split(sep).join('/');
      return [`${prefix}/${key}`, readFileSync(file)];
    }),
  );
}

/** Puts objects, some at once. */
export async function putObjects(
  kind: ServerKind,
  objects: Iterable<readonly [key: string, value: Uint8Array]>,
): Promise<void> {
  const queue = objects[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) {
      await putObject(servers, kind, ...next.value);
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}
