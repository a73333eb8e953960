// Plain HTTP for the tests: nginx over a folder, with ranges and ETags, as many archives are served.

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installed, quietly } from './install.mjs';

/** Programs that are there already, also where they are not on the path of users. */
const KNOWN = ['nginx', '/usr/sbin/nginx', '/usr/local/sbin/nginx'];

/** The version that a program says it is; undefined where it cannot be started. */
async function versionOf(program) {
  const output = await quietly(program, ['-v']).catch(() => '');
  return /nginx\/([\d.]+)/.exec(output)?.[1];
}

/**
 * Unpacks the package of the distribution into `folder`. Its program is taken alone: an installation would
 * start a server on port 80.
 */
async function unpackPackage(folder) {
  const isRoot = process.getuid?.() === 0;
  const download = () => quietly('apt-get', ['download', 'nginx'], { cwd: folder });
  // Lists of packages are often missing in containers, and only root can renew them.
  await download().catch(async (error) => {
    if (!isRoot) throw error;
    await quietly('apt-get', ['update']);
    await download();
  });
  const archive = readdirSync(folder).find((name) => name.endsWith('.deb'));
  await quietly('dpkg-deb', ['--extract', archive, '.'], { cwd: folder });
}

function configuration({ folder, served, port }) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
    daemon off;
    master_process off;
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    pid ${folder}/nginx.pid;
    error_log stderr;
    events { worker_connections 1024; }
    http {
      access_log off;
      sendfile on;
      tcp_nopush on;
      default_type application/octet-stream;
      ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n      ')}
      server {
        listen 127.0.0.1:${port};
        root ${served};
      }
    }
  `;
}

export default {
  kind: 'http',
  name: 'nginx',

  async install() {
    for (const program of KNOWN) {
      const version = await versionOf(program);
      if (version !== undefined) return { program, version };
    }
    const program = join(await installed('nginx', unpackPackage), 'usr/sbin/nginx');
    // Says which library is missing, if one is.
    await quietly(program, ['-v']);
    return { program, version: await versionOf(program) };
  },

  prepare({ program }, { folder, port }) {
    const served = join(folder, 'served');
    mkdirSync(served);
    const file = join(folder, 'nginx.conf');
    writeFileSync(file, configuration({ folder, served, port }));
    const description = { url: `http://127.0.0.1:${port}`, folder: served };
    return {
      program,
      args: ['-e', 'stderr', '-c', file, '-p', folder],
      env: {},
      description,
      async isReady() {
        return (await fetch(`${description.url}/none`)).status === 404;
      },
    };
  },
};
