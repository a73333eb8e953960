// S3 for the tests: versitygw over a folder, which checks signatures (SigV4) as S3 does.

import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { goProgram } from './install.mjs';
import { s3Request } from './s3-requests.mjs';

const VERSION = 'v1.8.0';

export default {
  kind: 's3',
  name: `versitygw ${VERSION}`,

  async install() {
    const module = 'github.com/versity/versitygw/cmd/versitygw';
    return { program: await goProgram('versitygw', module, VERSION) };
  },

  /** Objects are files below `description.folder`: those that are copied there are served as well. */
  prepare({ program }, { folder, port }) {
    const description = {
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      accessKeyId: randomBytes(10).toString('hex'),
      secretAccessKey: randomBytes(20).toString('hex'),
      bucket: 'lsio',
      folder: join(folder, 'buckets/lsio'),
    };
    mkdirSync(description.folder, { recursive: true });
    return {
      program,
      args: [
        ...[
          '--port',
          `127.0.0.1:${port}`,
          '--region',
          description.region,
          '--quiet',
          '--keep-alive',
        ],
        ...['posix', join(folder, 'buckets')],
      ],
      // Not as arguments: these are shown to everybody by ps.
      env: {
        ROOT_ACCESS_KEY: description.accessKeyId,
        ROOT_SECRET_KEY: description.secretAccessKey,
      },
      description,
      async isReady() {
        return (await s3Request(description, 'GET', '', { query: 'list-type=2' })).ok;
      },
    };
  },
};
