// Opens arrays and groups by their location.

import { fileURLToPath } from 'node:url';
import { runCall } from './abort.js';
import type { LsioArray } from './array.js';
import { LsioError, unwrap } from './errors.js';
import { createNode, type LsioGroup } from './group.js';
import { native } from './native-module.js';
import { parseOptions } from './option-checks.js';
import { OPEN_OPTIONS, type OpenOptions } from './options.js';

/**
 * A path, a `file:` URL, `memory://name` (see {@link writeMemoryStore}), or the URL of an object store: `s3://bucket/path`,
 * `gs://bucket/path`, `az://container/path`, `abfs://container@account.host/path`, `https://host/path`. Each may
 * lead to a zip archive whose name ends with `.zip`, and into it.
 */
export type Location = string | URL;

/**
 * Opens the array or the group at a location. A folder without metadata is a group without attributes if there is
 * an array or a group in the folders below; the nearest 64 are looked into.
 *
 * @throws {LsioError} `ERR_LSIO_NOT_FOUND` where there is neither, `ERR_LSIO_METADATA`,
 *   `ERR_LSIO_UNSUPPORTED`, `ERR_LSIO_ACCESS`, `ERR_LSIO_IO`.
 */
export function open(location: Location, options?: OpenOptions): Promise<LsioArray | LsioGroup> {
  return openNode('open', location, options);
}

/**
 * Opens the array at a location.
 *
 * @throws {LsioError} as {@link open}; `ERR_LSIO_NOT_FOUND` also where there is a group instead.
 */
export async function openArray(location: Location, options?: OpenOptions): Promise<LsioArray> {
  const node = await openNode('openArray', location, options);
  if (node.kind === 'array') return node;
  throw otherKind(node, 'array');
}

/**
 * Opens the group at a location.
 *
 * @throws {LsioError} as {@link open}; `ERR_LSIO_NOT_FOUND` also where there is an array instead.
 */
export async function openGroup(location: Location, options?: OpenOptions): Promise<LsioGroup> {
  const node = await openNode('openGroup', location, options);
  if (node.kind === 'group') return node;
  throw otherKind(node, 'group');
}

async function openNode(
  call: string,
  location: Location,
  options: OpenOptions | undefined,
): Promise<LsioArray | LsioGroup> {
  const parsed = parseOptions(call, options, OPEN_OPTIONS);
  const where = locationText(location);
  const { path, zarrFormat, storage, readMissing = 'fill' } = parsed;
  const node = unwrap(await runCall(parsed, () => native().open(where, path, zarrFormat, storage)));
  return createNode(node, readMissing);
}

/** The location as the core takes it: `file:` URLs become paths. */
export function locationText(location: Location): string {
  if (typeof location !== 'string' && !(location instanceof URL)) {
    throw new TypeError(`the location is ${String(location)}; expected a string or a URL`);
  }
  const text = String(location);
  return text.startsWith('file:') ? fileURLToPath(text) : text;
}

function otherKind(node: LsioArray | LsioGroup, wanted: string): LsioError {
  return new LsioError(
    'ERR_LSIO_NOT_FOUND',
    `there is no ${wanted} at '${node.path}', but ${node.kind === 'array' ? 'an array' : 'a group'}`,
    { path: node.path },
  );
}
