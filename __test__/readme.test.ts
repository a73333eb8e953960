// The example of the README is run, and prints what the README says.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';

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

test('every page that the README links to is there', (t) => {
  const links = [...readme.matchAll(/\]\((?<page>[^)#:]+)\)/g)].map(
    ({ groups }) => groups?.['page'],
  );
  t.true(links.length > 0);
  for (const page of links) {
    t.notThrows(() => readFileSync(new URL(`../${page}`, import.meta.url)), page);
  }
});
