// The one error class of the library, and the one place where results of the core become errors.

import type { NativeError, NativeResult } from './native-module.js';

/**
 * What went wrong, by what can be done about it:
 *
 * - `ERR_LSIO_NOT_FOUND`: there is no array or group there
 * - `ERR_LSIO_METADATA`: its metadata is broken or impossible
 * - `ERR_LSIO_UNSUPPORTED`: a feature that this version does not read
 * - `ERR_LSIO_SELECTION`: the selection does not fit the array
 * - `ERR_LSIO_CODEC`: encoded bytes that are not what the codec writes
 * - `ERR_LSIO_CHECKSUM`: a stored checksum that is not that of the bytes
 * - `ERR_LSIO_TRUNCATED`: a chunk or shard that ends too early
 * - `ERR_LSIO_IO`: the file system or the device failed
 * - `ERR_LSIO_ACCESS`: access was refused
 * - `ERR_LSIO_BUDGET`: more memory than is allowed, or than one buffer can have
 * - `ERR_LSIO_CLOSED`: the reader was closed
 * - `ERR_LSIO_CONFLICT`: the data was replaced while it was read, or two settings contradict each other
 * - `ERR_LSIO_INTERNAL`: a defect of this library
 */
export type LsioErrorCode =
  | 'ERR_LSIO_NOT_FOUND'
  | 'ERR_LSIO_METADATA'
  | 'ERR_LSIO_UNSUPPORTED'
  | 'ERR_LSIO_SELECTION'
  | 'ERR_LSIO_CODEC'
  | 'ERR_LSIO_CHECKSUM'
  | 'ERR_LSIO_TRUNCATED'
  | 'ERR_LSIO_IO'
  | 'ERR_LSIO_ACCESS'
  | 'ERR_LSIO_BUDGET'
  | 'ERR_LSIO_CLOSED'
  | 'ERR_LSIO_CONFLICT'
  | 'ERR_LSIO_INTERNAL';

/** What a {@link LsioError} is about. */
export interface LsioErrorDetails {
  /** The array, group or object. */
  readonly path?: string | undefined;
  /** Grid coordinates of the chunk. */
  readonly chunk?: readonly number[] | undefined;
  /** The codec that failed. */
  readonly codec?: string | undefined;
  /** Whether the same call may succeed when it is tried again. */
  readonly retryable?: boolean | undefined;
  /** What led to it. */
  readonly cause?: unknown;
}

/** Every failure of this library that is not a wrong argument (`TypeError`, `RangeError`) or an abort. */
export class LsioError extends Error {
  /** What went wrong, by what can be done about it. */
  readonly code: LsioErrorCode;
  /** The array, group or object. */
  readonly path?: string;
  /** Grid coordinates of the chunk. */
  readonly chunk?: readonly number[];
  /** The codec that failed. */
  readonly codec?: string;
  /** Whether the same call may succeed when it is tried again. */
  readonly retryable?: boolean;

  static {
    this.prototype.name = 'LsioError';
  }

  constructor(code: LsioErrorCode, message: string, details: LsioErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.path !== undefined) this.path = details.path;
    if (details.chunk !== undefined) this.chunk = details.chunk;
    if (details.codec !== undefined) this.codec = details.codec;
    if (details.retryable !== undefined) this.retryable = details.retryable;
  }
}

/** Whether `error` is a {@link LsioError}, and one with this code where one is given. */
export function isLsioError<C extends LsioErrorCode = LsioErrorCode>(
  error: unknown,
  code?: C,
): error is LsioError & { readonly code: C } {
  return error instanceof LsioError && (code === undefined || error.code === code);
}

/** What functions of codecs threw, until the error of the call is made of it; the oldest go first. */
const thrown = new Map<number, unknown>();
const MAX_THROWN = 1000;

/** Keeps what the function of a codec threw, under the number of its job. */
export function keepThrown(number: number, error: unknown): void {
  thrown.set(number, error);
  if (thrown.size > MAX_THROWN) thrown.delete(thrown.keys().next().value as number);
}

function takeThrown(number: number): unknown {
  const error = thrown.get(number);
  thrown.delete(number);
  return error;
}

/**
 * The real error for what the core reported. Its `cause` is what a function of the user threw, else `causes` as a
 * chain, outermost first.
 */
export function toLsioError(error: NativeError): LsioError {
  const own = error.thrown === undefined ? undefined : takeThrown(error.thrown);
  const cause =
    own ??
    error.causes.reduceRight<Error | undefined>(
      (inner, message) => new Error(message, inner === undefined ? undefined : { cause: inner }),
      undefined,
    );
  return new LsioError(error.code, error.message, {
    path: error.path,
    chunk: error.chunk,
    codec: error.codec,
    retryable: error.retryable,
    cause,
  });
}

/**
 * The value of a result, or its error thrown here: called in the `async` function that the user
 * called, so that the stack is the user's.
 */
export function unwrap<T>(result: NativeResult<T>): T {
  if ('error' in result) throw toLsioError(result.error);
  return result.ok;
}
