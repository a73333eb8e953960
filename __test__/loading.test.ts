// Loading: with require, and where the native addon is missing.

import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const env = { ...process.env, NODE_OPTIONS: '' };

test('require loads the package', async (t) => {
  const script =
    "const { slice, open } = require('light-speed-io'); console.log(slice(3).stop, typeof open)";
  const { stdout } = await run(process.execPath, ['-e', script], { cwd: root, env });
  t.is(stdout, '3 function\n');
});

test('importing loads no native code; its first use says what to do where there is none', async (t) => {
  const copy = mkdtempSync(join(tmpdir(), 'lsio-loading-'));
  for (const part of ['dist', 'lib/native.cjs', 'package.json']) {
    cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  const script = `import { open, slice } from 'light-speed-io';
    console.log(slice(3).stop);
    await open('memory://x').catch((error) => console.log(error.message));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
    cwd: copy,
    env,
  });
  rmSync(copy, { recursive: true });
  t.regex(stdout, /^3\nlight-speed-io cannot load its native addon on \w+-\w+, Node v/);
  t.regex(stdout, /Tried .*\n(.|\n)*What to do:(.|\n)*npm run build(.|\n)*npm install/);
});
