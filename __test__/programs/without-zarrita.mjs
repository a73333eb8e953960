// Uses the package where zarrita is not installed: prints what opens, and how the adapter fails.

import { register } from 'node:module';

const hooks = `export function resolve(specifier, context, next) {
  if (!/^@?zarrita/.test(specifier)) return next(specifier, context);
  throw Object.assign(new Error('not installed'), { code: 'ERR_MODULE_NOT_FOUND' });
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

const { open } = await import('light-speed-io');
const demo = new URL('../../fixtures/data/demo', import.meta.url);
const { kind } = await open(demo, { path: 'air_temperature' });
const adapter = await import('light-speed-io/zarrita').catch(({ code }) => code);
console.log(JSON.stringify({ array: kind, adapter }));
