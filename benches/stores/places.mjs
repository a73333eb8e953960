// Data sets on the servers, and what programs find them by.

import { cpSync, existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { startFaultProxy } from '../../scripts/test-servers/fault-proxy.mjs';
import { putObject } from '../../scripts/test-servers/objects.mjs';
import { presignedUrl } from '../../scripts/test-servers/s3-requests.mjs';

/** All files of a data set, relative to its folder. */
const keysOf = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();

/** Puts a data set onto a server; one that is there already stays. */
async function place(servers, kind, folder, name) {
  const target = join(servers[kind].folder, name);
  if (existsSync(target)) return;
  if (kind === 'http') {
    cpSync(folder, target, { recursive: true });
    return;
  }
  // Files that are copied to S3's folder have no ETag, which tensorstore asks for.
  for (const key of keysOf(folder)) {
    await putObject(servers, kind, `${name}/${key}`, readFileSync(join(folder, key)));
  }
}

/** Keys of all objects of a data set that are no metadata, relative to its folder. */
const chunkKeys = (folder) => keysOf(folder).filter((key) => !/(^|\/)(\.z|zarr\.json)/.test(key));

/** Bytes of all objects of a data set. */
export const storedBytes = (folder) =>
  chunkKeys(folder).reduce((sum, key) => sum + statSync(join(folder, key)).size, 0);

/** The environment that programs find S3 in: the variables of Amazon's tools and of object_store. */
function environmentOf(s3) {
  return {
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    AWS_REGION: s3.region,
    AWS_DEFAULT_REGION: s3.region,
    AWS_ENDPOINT: s3.endpoint,
    AWS_ENDPOINT_URL: s3.endpoint,
    AWS_ALLOW_HTTP: 'true',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

/**
 * Where the programs of a contest find its data set, behind the latency; `stop` ends the proxy.
 *
 * @param contest see contests.mjs
 * @param {{ servers: object, faultProxy: string, folder: string, lists: string }} setting `folder` is that of the
 *   data set, `lists` one for files
 */
export async function placeOf(contest, { servers, faultProxy, folder, lists }) {
  const { server: kind, dataSet, milliseconds, id } = contest;
  await place(servers, kind, folder, dataSet);
  const upstream = servers[kind].endpoint ?? servers[kind].url;
  const proxy = milliseconds === 0 ? undefined : await startFaultProxy(faultProxy, upstream);
  await proxy?.setPlan({ rules: [{ fault: { latency: { milliseconds } } }] });
  const address = proxy?.url ?? upstream;

  const s3 = kind === 's3' ? { ...servers.s3, endpoint: address } : undefined;
  const urlOf = (key) => (s3 ? presignedUrl(s3, key) : `${address}/${key}`);
  const list = join(lists, id.replaceAll('/', '-'));
  const urls = chunkKeys(folder).map((key) => urlOf(`${dataSet}/${key}`));
  writeFileSync(list, urls.join('\n'));
  return {
    url: s3 ? `s3://${s3.bucket}/${dataSet}` : `${address}/${dataSet}`,
    env: s3 ? environmentOf(s3) : {},
    list,
    largest: urls[0],
    proxy,
    stop: async () => proxy?.stop(),
  };
}
