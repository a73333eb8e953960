// Checks of options: what each takes, and the messages where it is something else.

import type { StorageOptions } from './storage-options.js';

/** Checks one option: returns what the core is given, or throws naming the option. */
export type Check<T> = (value: unknown, name: string) => T;

/** The options of a call after the checks: sizes are bytes. */
export type Parsed<O> = {
  readonly [K in keyof O]?: K extends 'memory' | 'cache'
    ? number
    : K extends 'storage'
      ? Parsed<StorageOptions>
      : NonNullable<O[K]>;
};

/** One check for each member of `O`, no more and no fewer. */
export type Schema<O> = { readonly [K in keyof O]-?: Check<NonNullable<Parsed<O>[K]>> };

/** One of these values. */
export function oneOf<const T extends string | number>(values: readonly T[]): Check<T> {
  return (value, name) => {
    if (!values.includes(value as T)) {
      const expected = values.map((known) => JSON.stringify(known)).join(', ');
      throw new TypeError(`${name} is ${show(value)}; expected one of ${expected}`);
    }
    return value as T;
  };
}

function integerFrom(least: number): Check<number> {
  return (value, name) => {
    if (typeof value !== 'number')
      throw new TypeError(`${name} is ${show(value)}; expected a number`);
    if (!Number.isSafeInteger(value) || value < least) {
      throw new RangeError(`${name} is ${value}; expected an integer of at least ${least}`);
    }
    return value;
  };
}

/** An integer of at least 1. */
export const positiveInteger: Check<number> = integerFrom(1);

/** An integer of at least 0. */
export const count: Check<number> = integerFrom(0);

const BYTE_UNITS: { readonly [unit: string]: number } = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** Bytes that a size means, `least` or more. */
export function byteSizeFrom(least: number): Check<number> {
  const integer = integerFrom(least);
  return (value, name) => {
    if (typeof value === 'number') return integer(value, name);
    if (typeof value !== 'string') {
      throw new TypeError(`${name} is ${show(value)}; expected bytes as a number or '512MiB'`);
    }
    const match = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(value.trim());
    const unit = BYTE_UNITS[match?.[2]?.toLowerCase() ?? ''];
    if (match === null || unit === undefined) {
      throw new TypeError(
        `${name} is ${show(value)}; expected a number with B, KB, MB, GB, TB, KiB, MiB, GiB or TiB`,
      );
    }
    return integer(Math.floor(Number(match[1]) * unit), name);
  };
}

/** Bytes that a size means. */
export const byteSize: Check<number> = byteSizeFrom(1);

/** True or false. */
export const truth: Check<boolean> = (value, name) => {
  if (typeof value !== 'boolean') {
    throw new TypeError(`${name} is ${show(value)}; expected true or false`);
  }
  return value;
};

/** Any text. */
export const text: Check<string> = (value, name) => {
  if (typeof value !== 'string')
    throw new TypeError(`${name} is ${show(value)}; expected a string`);
  return value;
};

/** A signal that aborts the call. */
export const abortSignal: Check<AbortSignal> = (value, name) => {
  if (!(value instanceof AbortSignal)) {
    throw new TypeError(`${name} is ${show(value)}; expected an AbortSignal`);
  }
  return value;
};

/**
 * The options of a call, each checked.
 *
 * @param call - Name of the call, for messages.
 * @throws {TypeError} for an option that the call does not have, or of the wrong type.
 * @throws {RangeError} for a number outside its range.
 */
export function parseOptions<O>(call: string, options: unknown, schema: Schema<O>): Parsed<O> {
  const checks: { readonly [name: string]: Check<unknown> } = schema;
  const parsed: Record<string, unknown> = {};
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    throw new TypeError(`the options of ${call} are ${show(options)}; expected an object`);
  }
  for (const [name, value] of Object.entries(options ?? {})) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (check === undefined) {
      const known = Object.keys(checks).join(', ');
      throw new TypeError(`${call} has no option '${name}'; its options are ${known}`);
    }
    if (value !== undefined) parsed[name] = check(value, `option '${name}' of ${call}`);
  }
  return parsed as Parsed<O>;
}

/** A value as messages show it. */
export function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
