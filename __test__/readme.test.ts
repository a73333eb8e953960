// The example of the README is run, and prints what the README says.

import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { putObject } from '../scripts/test-servers/objects.mjs';
import { fixturePath } from './fixtures.js';
import { servers, serverTest } from './test-servers.js';

const root = fileURLToPath(new URL('../', import.meta.url));
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

test('the example runs and prints what it says', async (t) => {
  const example = /```js\n(?<code>.*?)```\n\nIt prints:\n\n```\n(?<printed>.*?)```/s.exec(readme);
  const { code = '', printed = '' } = example?.groups ?? {};
  t.true(code.includes("from 'light-speed-io'"));
  // In the package's own folder its name means itself.
  const words = ['--input-type=module', '--eval', code];
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: root });
  t.is(stdout, printed);
});

serverTest('s3', 'the example of a bucket runs and reads what is there', async (t, s3) => {
  const examples = [...readme.matchAll(/```js\n(?<code>.*?)```/gs)];
  const code = examples.map((example) => example[1] ?? '').find((each) => each.includes('s3://'));
  t.true(code?.includes(`s3://${s3.bucket}/demo`));
  const folder = fixturePath('demo');
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const key = relative(folder, file).split(sep).join('/');
    await putObject(servers, 's3', `demo/${key}`, readFileSync(file));
  }
  const words = ['--input-type=module', '--eval', code ?? ''];
  const env = {
    ...process.env,
    AWS_ENDPOINT_URL: s3.endpoint,
    AWS_REGION: s3.region,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
  };
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: root, env });
  t.is(stdout, '[ 2, 90 ] 180 float32\n');
  const location = `s3://${s3.bucket}/demo/air_temperature`;
  for (const command of ['info', 'get', 'stats', 'bench']) {
    const program = fileURLToPath(new URL('../bin/lsio.mjs', import.meta.url));
    const run = [program, command, location, '--json'];
    const lsio = await promisify(execFile)(process.execPath, run, { env });
    t.true(lsio.stdout.length > 0, command);
    t.false(lsio.stdout.includes(s3.secretAccessKey));
  }
});

test('every page that the README links to is there', (t) => {
  const links = [...readme.matchAll(/\]\((?<page>[^)#:]+)\)/g)].map(
    ({ groups }) => groups?.['page'],
  );
  t.true(links.length > 0);
  for (const page of links) {
    t.notThrows(() => readFileSync(new URL(`../${page}`, import.meta.url)), page);
  }
});
