/* The types of the native addon, for the facade only: generated, except for this head. */

/** What the core reports instead of throwing: the facade throws the real class from the caller's stack. */
export type NativeResult<T> = { ok: T } | { error: NativeError }

/** Codes of errors. */
export type NativeErrorCode =
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
  | 'ERR_LSIO_INTERNAL'
