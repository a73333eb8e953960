#!/usr/bin/env node
// The command line: everything it does is in lib/cli, compiled to dist/cli.

import { existsSync } from 'node:fs';

const main = new URL('../dist/cli/main.js', import.meta.url);
if (existsSync(main)) {
  const { main: run } = await import(main.href);
  await run(process.argv.slice(2));
} else {
  process.stderr.write(
    'lsio: it is not built yet: dist/cli/main.js is missing.\n' +
      'Run `npm run build` in the checkout (it needs the Rust toolchain and a C compiler).\n',
  );
  process.exitCode = 1;
}
