// What went wrong, for people and for programs.

import { inspect } from 'node:util';
import { isLsioError } from '../errors.js';
import { UsageError } from './usage-error.js';

/** One line for the error and one for each of its causes. */
export function errorText(error: unknown): string {
  const [first = '', ...found] = messages(error);
  // A usage error says all there is to say; its cause is where in the parser it came from.
  const causes = error instanceof UsageError ? [] : found;
  const code = isLsioError(error) ? ` (${error.code})` : '';
  return `lsio: ${first}${code}\n${causes.map((cause) => `  because: ${cause}\n`).join('')}`;
}

/** The document that `--json` prints for a failure. */
export function errorDocument(error: unknown): unknown {
  const [message, ...causes] = messages(error);
  if (!isLsioError(error)) return { error: { message, causes } };
  const { code, path, chunk, codec, retryable } = error;
  return { error: { code, message, causes, path, chunk, codec, retryable } };
}

function messages(error: unknown): string[] {
  const found: string[] = [];
  // The bound is for causes that form a ring.
  for (let cause = error; cause !== undefined && cause !== null && found.length < 16;) {
    found.push(cause instanceof Error ? cause.message : inspect(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return found;
}
