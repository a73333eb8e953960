// Azure Blob Storage for the tests: azurite, which is a program of Node 22.

import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../child-process.mjs';
import { fingerprint } from '../fingerprint.mjs';
import { installed, quietly } from './install.mjs';
import { azureRequest } from './azure-requests.mjs';

const PACKAGE = 'scripts/test-servers/azurite';
const FILES = ['package.json', 'package-lock.json'];
const { devDependencies } = JSON.parse(readFileSync(join(root, PACKAGE, 'package.json'), 'utf8'));
const VERSION = devDependencies.azurite;

/** Node 22 of the other tests where it is installed; azurite asks for it, and starts on Node 20 too. */
function node() {
  const node22 = join(root, 'scripts/node-versions/node_modules/node22/bin/node');
  return existsSync(node22) ? node22 : process.execPath;
}

export default {
  kind: 'azure',
  name: `azurite ${VERSION}`,

  async install() {
    const locked = fingerprint(FILES.map((file) => `${PACKAGE}/${file}`));
    const folder = await installed(`azurite-${VERSION}-${locked.slice(0, 8)}`, async (target) => {
      for (const file of FILES) copyFileSync(join(root, PACKAGE, file), join(target, file));
      const args = ['ci', '--no-audit', '--no-fund', '--no-progress', '--ignore-scripts'];
      await quietly('npm', args, { cwd: target });
    });
    return { program: join(folder, 'node_modules/azurite/dist/src/blob/main.js') };
  },

  /** The endpoint ends with the account, as in the `BlobEndpoint` of connection strings for azurite. */
  prepare({ program }, { folder, port }) {
    const account = `lsio${randomBytes(4).toString('hex')}`;
    const description = {
      endpoint: `http://127.0.0.1:${port}/${account}`,
      account,
      accountKey: randomBytes(64).toString('base64'),
      container: 'lsio',
    };
    const location = join(folder, 'azurite');
    mkdirSync(location);
    return {
      program: node(),
      args: [
        ...[program, '--blobHost', '127.0.0.1', '--blobPort', String(port)],
        ...['--location', location, '--silent', '--skipApiVersionCheck', '--disableTelemetry'],
      ],
      env: { AZURITE_ACCOUNTS: `${account}:${description.accountKey}` },
      description,
      async isReady() {
        const query = 'restype=container';
        const response = await azureRequest(description, 'PUT', '', { query });
        // 409: made by an answer that was lost.
        return response.ok || response.status === 409;
      },
    };
  },
};
