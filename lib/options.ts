// Options of every call: their types, and which check reads each. A schema is checked against
// the type it belongs to, so neither can have a member that the other lacks.

import { ELEMENT_FORMS, type DataType, type ElementData, type ElementForm } from './data-type.js';
import {
  abortSignal,
  byteSize,
  byteSizeFrom,
  oneOf,
  positiveInteger,
  show,
  text,
  truth,
  type Check,
  type Schema,
} from './option-checks.js';
import { storageOptions, type StorageOptions } from './storage-options.js';

/** A number of bytes, or a text such as `'512MiB'`, `'1.5 GB'`. */
export type ByteSize = number | string;

/**
 * How local files are read: `'auto'` decides by the size of the request and the page cache,
 * `'direct'` goes past the page cache where the file system can, `'buffered'` goes through it.
 */
export type IoMode = 'auto' | 'direct' | 'buffered';

/** What every asynchronous call takes. */
export interface AbortOptions {
  /** Aborts the call: it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What becomes of chunks that do not exist (inner chunks of shards too): they are full of the fill value, or
 * reading them is an error with the code `ERR_LSIO_NOT_FOUND` that names array and chunk.
 */
export type ReadMissing = 'fill' | 'error';

/** Options of {@link open}, {@link openArray}, {@link openGroup}. */
export interface OpenOptions extends AbortOptions {
  /** Path of a member below the location, such as `'level/temperature'`. */
  readonly path?: string | undefined;
  /** Reads the metadata of this Zarr format only. Default: whichever is there. */
  readonly zarrFormat?: 2 | 3 | undefined;
  /** What reads make of chunks that do not exist, unless they say otherwise. Default: `'fill'`. */
  readonly readMissing?: ReadMissing | undefined;
  /** How to get at an object store. Default: what the environment says. */
  readonly storage?: StorageOptions | undefined;
}

/** Options of {@link LsioGroup.tree}. */
export interface TreeOptions extends AbortOptions {
  /** Most levels below the group: 1 are its members. Default: all. */
  readonly maxDepth?: number | undefined;
}

/** Options of {@link LsioGroup.members}. */
export interface MembersOptions extends TreeOptions {
  /** Whether members of members are listed too. Default: no, unless there is a `maxDepth`. */
  readonly recursive?: boolean | undefined;
}

/** Options of {@link LsioArray.getChunk}. */
export interface GetChunkOptions extends AbortOptions {
  /** What becomes of chunks that do not exist. Default: as the array was opened. */
  readonly readMissing?: ReadMissing | undefined;
}

/** Options of every call that reads chunks. */
export interface ReadOptions extends GetChunkOptions {
  /** How local files are read. Default: `'auto'`. */
  readonly io?: IoMode | undefined;
  /** Most bytes that this call may reserve at once. Default: the budget of the process. */
  readonly memory?: ByteSize | undefined;
}

/** How far a call is. */
export interface Progress {
  /** Chunks that are done. */
  readonly chunks: number;
  /** Chunks that the call needs. */
  readonly totalChunks: number;
  /** Encoded bytes read so far. */
  readonly bytesRead: number;
  /** Bytes decoded so far. */
  readonly bytesDecoded: number;
}

/** Options of calls that resolve with whole results. */
export interface GetManyOptions<
  F extends ElementForm | undefined = undefined,
  P extends string | undefined = undefined,
> extends ReadOptions {
  /** Another form of the same elements. */
  readonly as?: F;
  /** Of records, this field only: see {@link FieldOptions}. */
  readonly field?: P;
  /** Called a few times a second while the call runs, and once at its end. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * Options of a call with the field of records that it reads: its name, or a path such as `'position.x'`.
 *
 * Elements are those of the field's own data type, which only `dtypeInfo.fields` tells. Where the field
 * has a shape of its own, its dimensions come behind those of the array, in results and, if they are
 * given, in selections.
 */
export type FieldOptions<O extends { readonly field?: unknown }> = O & {
  readonly field: NonNullable<O['field']>;
};

/** Options of calls that look at every element of an array. */
export interface ScanOptions extends GetChunkOptions {
  /** How local files are read. Default: `'auto'`. */
  readonly io?: IoMode | undefined;
}

/** Options of the summary that the command line shows. */
export interface SummaryOptions extends ScanOptions {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Options of `LsioArray.get`. */
export interface GetOptions<
  D extends DataType = DataType,
  F extends ElementForm | undefined = undefined,
  P extends string | undefined = undefined,
> extends GetManyOptions<F, P> {
  /**
   * Where the elements go, in C order: exactly as many as are selected. A view over a
   * `SharedArrayBuffer` is written by the core directly, any other is filled by copying. Its content
   * is undefined after a failed or aborted call.
   */
  readonly out?: Exclude<ElementData<D, F>, unknown[] | { offsets: unknown }> | undefined;
}

/** Options of `LsioArray.readChunks`. */
export interface ReadChunksOptions<
  F extends ElementForm | undefined = undefined,
  P extends string | undefined = undefined,
> extends ReadOptions {
  /** Another form of the same elements. */
  readonly as?: F;
  /** Of records, this field only: see {@link FieldOptions}. */
  readonly field?: P;
  /** Most chunks under way or waiting to be taken. Default: as many as the budget allows. */
  readonly concurrency?: number | undefined;
  /** `'completion'` (default): as they are decoded; `'grid'`: in C order of the chunk grid. */
  readonly order?: 'completion' | 'grid' | undefined;
}

/** Options of {@link configure}. */
export interface ConfigureOptions {
  /** Threads that decode. Default: one for each available core. */
  readonly threads?: number | undefined;
  /** The byte budget of the process. Default: a quarter of the memory of machine or cgroup. */
  readonly memory?: ByteSize | undefined;
  /**
   * Bytes of the budget for what later calls may want again: indexes of shards and decoded chunks. They give
   * way to reads that need the memory. Each call looks once whether what it takes from the cache is still what
   * the store has. Metadata is read by each `open`. `0`: nothing is kept. Default: indexes only, up to 16 MiB.
   */
  readonly cache?: ByteSize | undefined;
  /** What reads local files. Default: `LSIO_ENGINE`, else `'auto'`: io_uring where it works. */
  readonly engine?: 'auto' | 'uring' | 'pread' | undefined;
}

const callback: Check<(progress: Progress) => void> = (value, name) => {
  if (typeof value !== 'function') {
    throw new TypeError(`${name} is ${show(value)}; expected a function`);
  }
  return value as (progress: Progress) => void;
};

type AnyGetOptions = GetOptions<DataType, ElementForm, string>;

const out: Check<NonNullable<AnyGetOptions['out']>> = (value, name) => {
  if (!ArrayBuffer.isView(value)) {
    throw new TypeError(`${name} is ${show(value)}; expected a typed array`);
  }
  // Which typed array it must be depends on the data type: see checkOut.
  return value as NonNullable<AnyGetOptions['out']>;
};

export const ABORT_OPTIONS: Schema<AbortOptions> = { signal: abortSignal };

export const TREE_OPTIONS: Schema<TreeOptions> = { ...ABORT_OPTIONS, maxDepth: positiveInteger };

export const MEMBERS_OPTIONS: Schema<MembersOptions> = { ...TREE_OPTIONS, recursive: truth };

export const GET_CHUNK_OPTIONS: Schema<GetChunkOptions> = {
  ...ABORT_OPTIONS,
  readMissing: oneOf(['fill', 'error']),
};

export const OPEN_OPTIONS: Schema<OpenOptions> = {
  ...GET_CHUNK_OPTIONS,
  path: text,
  zarrFormat: oneOf([2, 3]),
  storage: storageOptions,
};

export const SCAN_OPTIONS: Schema<ScanOptions> = {
  ...GET_CHUNK_OPTIONS,
  io: oneOf(['auto', 'direct', 'buffered']),
};

export const SUMMARY_OPTIONS: Schema<SummaryOptions> = { ...SCAN_OPTIONS, onProgress: callback };

const READ_OPTIONS: Schema<ReadOptions> = { ...SCAN_OPTIONS, memory: byteSize };

export const GET_MANY_OPTIONS: Schema<GetManyOptions<ElementForm, string>> = {
  ...READ_OPTIONS,
  onProgress: callback,
  as: oneOf(ELEMENT_FORMS),
  field: text,
};

export const GET_OPTIONS: Schema<AnyGetOptions> = { ...GET_MANY_OPTIONS, out };

export const READ_CHUNKS_OPTIONS: Schema<ReadChunksOptions<ElementForm, string>> = {
  ...READ_OPTIONS,
  as: oneOf(ELEMENT_FORMS),
  field: text,
  concurrency: positiveInteger,
  order: oneOf(['completion', 'grid']),
};

export const CONFIGURE_OPTIONS: Schema<ConfigureOptions> = {
  threads: positiveInteger,
  memory: byteSize,
  cache: byteSizeFrom(0),
  engine: oneOf(['auto', 'uring', 'pread']),
};
