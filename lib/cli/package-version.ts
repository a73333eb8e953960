// The version of this package, read without the native addon.

import { readFileSync } from 'node:fs';

/** The folder that package.json is in; the same for lib/cli and dist/cli. */
export const PACKAGE_ROOT: URL = new URL('../../', import.meta.url);

/** The version in package.json. */
export function packageVersion(): string {
  const text = readFileSync(new URL('package.json', PACKAGE_ROOT), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
