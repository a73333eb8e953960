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

/**
 * Which binding artifact the generated loader actually loaded: `'native'` for
 * a native addon, otherwise the `platformArchABI` of the WASI flavor. Every
 * flavor napi-rs can build is listed, because `NAPI_RS_NATIVE_LIBRARY_PATH`
 * can point the loader at a WASI artifact this package does not build itself.
 */
export declare const __napiBindingTarget: 'native' | 'wasm32-wasi' | 'wasm32-wasip1'

/** An opened array. */
export declare class NativeArray {
  /** What the array is, as tagged JSON. */
  metadataJson(): string
  /** One field of the array's records. */
  field(path: string): NativeResult<NativeArray>
  /** A list of `len` indices for a selection of this array, to be handed over. */
  indexList(len: number): NativeResult<NativeList>
  /** A mask of `len` elements for a selection of this array, to be handed over. */
  maskList(len: number): NativeResult<NativeList>
  /**
   * Reads selections, each behind the number of its entries, with the lists that they refer to; with
   * `out`, one selection into memory that JavaScript shares.
   *
   * # Errors
   * Where Node-API fails.
   */
  get(call: NativeCall | undefined | null, selections: Float64Array, options: NativeReadOptions, out?: Uint8Array | undefined | null, lists?: Array<NativeList> | undefined | null): Promise<NativeResult<NativeRead>>
  /**
   * Reads points, a mask or blocks of the whole array, as `kind` says; with `out`, into memory that
   * JavaScript shares.
   *
   * # Errors
   * Where Node-API fails.
   */
  getPicked(call: NativeCall | undefined | null, kind: 'points' | 'mask' | 'blocks', packed: Float64Array, options: NativeReadOptions, out?: Uint8Array | undefined | null, lists?: Array<NativeList> | undefined | null): Promise<NativeResult<NativeRead>>
  /**
   * Reads one whole chunk.
   *
   * # Errors
   * Where Node-API fails.
   */
  getChunk(call: NativeCall | undefined | null, coords: Float64Array, options: NativeReadOptions): Promise<NativeResult<NativeRead>>
  /** Starts to read the chunks of a selection. */
  readChunks(selection: Float64Array, options: NativeReadOptions, concurrency: number | undefined | null, gridOrder: boolean, lists?: Array<NativeList> | undefined | null): NativeResult<NativeReader>
  /**
   * Mean of all elements.
   *
   * # Errors
   * Where Node-API fails.
   */
  mean(call: NativeCall | undefined | null, options: NativeReadOptions): Promise<NativeResult<number>>
  /**
   * Minimum, maximum, mean and missing elements of the whole array.
   *
   * # Errors
   * Where Node-API fails.
   */
  summary(call: NativeCall | undefined | null, options: NativeReadOptions): Promise<NativeResult<NativeSummary>>
  /**
   * Bytes of all stored chunks.
   *
   * # Errors
   * Where Node-API fails.
   */
  storedBytes(): Promise<NativeResult<number>>
}

/** One call of the facade: stops it, and says how far it is. */
export declare class NativeCall {
  /** A call that has not started. */
  constructor()
  /** Ends the call early. Does nothing once it has ended. */
  cancel(): void
  /** What was done so far. */
  progress(): NativeStats
}

/** An opened group. */
export declare class NativeGroup {
  /** What the group is, as tagged JSON. */
  metadataJson(): string
  /**
   * The nodes below the group, at most `max_depth` levels: 1 are its members. Absent: all of them.
   *
   * # Errors
   * Where Node-API fails.
   */
  descendants(maxDepth?: number | undefined | null): Promise<NativeResult<Array<NativeNode>>>
  /**
   * Opens a member by its path.
   *
   * # Errors
   * Where Node-API fails.
   */
  open(path: string): Promise<NativeResult<NativeNode>>
}

/** A list of indices, or a mask, that is being handed over. */
export declare class NativeList {
  /** Adds indices; `false` if one of them is no integer. */
  appendNumbers(indices: Float64Array): boolean
  /** Adds indices. */
  appendBigInts(indices: BigInt64Array): boolean
  /** Adds indices; such that are beyond all arrays stay so. */
  appendUnsigned(indices: BigUint64Array): boolean
  /** Adds elements of a mask; `false` if one of them is neither 0 nor 1. */
  appendFlags(flags: Uint8Array): boolean
}

/** A copy of bytes on its way into the core, made in parts so that none takes long. */
export declare class NativeMemoryValue {
  /** Copies the next part. One that is beyond the length is refused. */
  append(part: Uint8Array): NativeResult<null>
  /** Gives the memory back: nothing can be appended or put afterwards. */
  discard(): void
  /**
   * Puts the copy into a store, if it is complete. It is empty afterwards.
   *
   * # Errors
   * Where Node-API fails.
   */
  put(store: string, key: string): Promise<NativeResult<null>>
}

/** The objects at and below a location. */
export declare class NativeObjects {
  /** The location as it may be shown: without what is secret in a URL. */
  location(): string
  /**
   * Reads `length` bytes of an object from `offset` on, its last `length` bytes without an `offset`, all
   * of it without a `length`. `null`: there is no such object.
   *
   * # Errors
   * Where Node-API fails.
   */
  read(call: NativeCall | undefined | null, key: string, maxBytes: number, offset?: number | undefined | null, length?: number | undefined | null): Promise<NativeResult<ArrayBuffer | null>>
}

/** Chunks of one selection. It ends when it is closed, garbage, or its environment ends. */
export declare class NativeReader {
  /**
   * At least one chunk, and as many more as are ready and make a batch; none at the end.
   *
   * # Errors
   * Where Node-API fails.
   */
  nextBatch(): Promise<NativeResult<NativeBatch>>
  /** Ends the read; a pending batch ends. */
  close(): void
  /** What was done so far. */
  stats(): NativeStats
}

/** Gives what a function has decoded. The value is empty afterwards. */
export declare function answerCodecJob(number: number, decoded: NativeMemoryValue): void

/**
 * What the function is to decode for the chunk of this number, once; `null` where nobody waits for it any more, since its
 * call was cancelled.
 */
export declare function beginCodecJob(number: number): NativeCodecJob | null

/** Sets up the engine before its first use. */
export declare function configure(settings: NativeSettings): NativeResult<null>

/** Forgets a store in memory. `false`: there was none. */
export declare function deleteMemoryStore(store: string): NativeResult<boolean>

/**
 * Takes the memory away from an array buffer: its length is 0 from then on.
 *
 * # Errors
 * Where Node-API fails.
 */
export declare function detach(buffer: ArrayBuffer): void

/**
 * Drops the files below a folder from the page cache; for a path in a zip archive, the archive.
 *
 * # Errors
 * Where Node-API fails.
 */
export declare function dropCache(path: string): Promise<NativeResult<null>>

/** What the engine is and what all calls did so far. */
export declare function engineInfo(): NativeResult<NativeEngineInfo>

/**
 * Says why a function has decoded nothing. `true`: somebody waits for it, and the call fails with an error of this
 * number.
 */
export declare function failCodecJob(number: number, reason: string): boolean

/** What the engine uses now. */
export declare function memoryUsage(): NativeResult<NativeMemoryUsage>

/** Room for a copy of exactly this many bytes. */
export declare function memoryValue(byteLength: number): NativeResult<NativeMemoryValue>

/** Chunks of a reader. */
export interface NativeBatch {
  /**
   * The rank of the grid and the rank of the chunks. Then for each chunk: the number of its buffer, or
   * of its texts; its first byte there; its bytes; its coordinates in the grid, its origin in the
   * result, its shape, its stride in elements.
   */
  table: Float64Array
  /** Elements of fixed size. */
  buffers: Array<ArrayBuffer>
  /** Chunks in each buffer. */
  holders: Array<number>
  /** Elements of varying length. */
  texts?: Array<NativeTexts>
}

/** A chunk that waits for a function. */
export interface NativeCodecJob {
  /** The codec. */
  name: string
  /** Its configuration, as JSON. */
  configuration: string
  /** What is to be decoded. */
  encoded: ArrayBuffer
  /** Most bytes of the decoded form. */
  limit: number
}

/** What the engine is and what all calls did so far. */
export interface NativeEngineInfo {
  /** `uring` or `pread`. */
  engine: string
  /** What probing `io_uring` gave, in words. */
  probe: string
  /** Threads that decode. */
  threads: number
  /** The byte budget. */
  memoryBytes: number
  /** Most bytes of it that are cached. */
  cacheBytes: number
  /** CPU features that were found. */
  cpuFeatures: Array<string>
  /** The counters of all calls. */
  stats: NativeStats
  /** Calls that have ended. */
  callsEnded: number
  /** Jobs that a worker took from another one's queue. */
  steals: number
  /** Times that a worker found nothing to do and went to sleep. */
  parks: number
  /** Chunks that each worker finished. */
  chunksByWorker: Array<number>
  /** Files that were opened. */
  filesOpened: number
  /** Requests that went through the ring. */
  ringRequests: number
  /** Times that requests were handed to the kernel, several at once. */
  ringSubmissions: number
  /** Bytes that were read beside those asked for: alignment of direct reads. */
  overReadBytes: number
  /** What object stores were asked. */
  stores: NativeStoreStats
}

/** A failed call. */
export interface NativeError {
  /** What a caller can tell apart. */
  code: NativeErrorCode
  /** What was being done, on what. */
  message: string
  /** The location, document or object concerned. */
  path?: string
  /** Grid coordinates of the chunk concerned. */
  chunk?: Array<number>
  /** Codec in which it failed. */
  codec?: string
  /** Whether the same call may succeed when it is made again. */
  retryable: boolean
  /** Messages of what was underneath, outermost first. */
  causes: Array<string>
  /** By which the environment that ran the function of a codec has kept its error. */
  thrown?: number
}

/** What the engine uses now, in bytes. */
export interface NativeMemoryUsage {
  /** The budget. */
  limitBytes: number
  /** Reserved for reads and decodes under way, and for chunks that were not delivered yet. */
  reservedBytes: number
  /** Kept because it may be wanted again; gives way to what is to be reserved. */
  cachedBytes: number
  /** Delivered and not given back yet. */
  heldBytes: number
  /** Pool memory that waits to be used again. */
  idleBytes: number
  /** The most that was ever reserved. */
  peakReservedBytes: number
}

/** An array or a group, or why a member could not be opened. */
export interface NativeNode {
  /** Name or path below the group; empty for a node that was opened by its path. */
  name: string
  /** The array, if it is one. */
  array?: NativeArray
  /** The group, if it is one. */
  group?: NativeGroup
  /** Why it could not be opened. */
  error?: NativeError
}

/** What a whole read brings: all elements of fixed size in one buffer, or texts for each region. */
export interface NativeRead {
  /** Absent for texts, and where the elements were written to memory of the caller. */
  buffer?: ArrayBuffer
  /** One for each region, for elements of varying length. */
  texts?: Array<NativeTexts>
  /** For each region: its first byte, its bytes, its rank, then its shape, then its stride in elements. */
  layouts: Float64Array
}

/** How chunks are read. */
export interface NativeReadOptions {
  /** `auto`, `direct` or `buffered`. */
  io?: string
  /** Most bytes that the call may reserve. */
  memory?: number
  /** `fill` or `error`: what becomes of chunks that do not exist. */
  readMissing?: string
  /** Data type, by its name, that the elements become; absent: they stay as they are. */
  asType?: string
  /** Most bytes that an array buffer can have. */
  maxBytes: number
  /** Bytes that the caller's own buffer has, where there is one. */
  outBytes?: number
}

/** Bytes by how they were served. */
export interface NativeRoutes {
  /** From the page cache, by the worker that decodes them. */
  resident: number
  /** Through the page cache, by a pool of threads. */
  buffered: number
  /** Past the page cache, through `io_uring`. */
  uringDirect: number
  /** Past the page cache, by a pool of threads. */
  preadDirect: number
  /** From a store in memory. */
  memory: number
  /** Over the network, from an object store. */
  objectStore: number
}

/** Seconds by stage, summed over threads. */
export interface NativeSeconds {
  /** In reads. */
  read: number
  /** In decoding. */
  decode: number
  /** In what follows: copies, statistics. */
  apply: number
}

/** Settings of the engine. */
export interface NativeSettings {
  /** Threads that decode. */
  threads?: number
  /** The byte budget. */
  memory?: number
  /** Bytes of it for indexes and decoded chunks that later calls may want again. */
  cache?: number
  /** `auto`, `uring` or `pread`. */
  engine?: string
}

/** Counters of one call, or of all calls since the start of the process. */
export interface NativeStats {
  /** Chunks that are done. */
  chunks: number
  /** Chunks that the call needs. */
  totalChunks: number
  /** Chunks that do not exist and became fill values. */
  missingChunks: number
  /** Chunks taken from what another call had read and decoded. */
  sharedChunks: number
  /** Indexes of shards and decoded chunks taken from the cache. */
  cacheHits: number
  /** Those looked for there in vain. */
  cacheMisses: number
  /** Entries of the cache that made room for others. */
  cacheEvictions: number
  /** Physical reads, those of shard indexes included. */
  reads: number
  /** Of these, the reads that were needed to find chunks. */
  indexReads: number
  /** Requests to object stores that reads took, the repeated and second ones included. */
  requests: number
  /** Of these, those that repeated one which had failed or broken. */
  retries: number
  /** Of these, second ones beside one whose answer was late. */
  hedges: number
  /** Bytes that physical reads brought. */
  bytesRead: number
  /** Of these, the bytes by how they were served. */
  bytesByRoute: NativeRoutes
  /** Of the bytes read, those that nobody wanted: gaps between ranges that were read as one. */
  bytesOverRead: number
  /** Encoded bytes that were decoded. */
  bytesEncoded: number
  /** Bytes after decoding. */
  bytesDecoded: number
  /** Decoded bytes that were copied on their way to the result. */
  bytesCopied: number
  /** Seconds by stage, summed over threads. */
  seconds: NativeSeconds
  /** The most that was reserved at once. */
  peakReservedBytes: number
}

/** How to get at an object store. The facade has checked the values. */
export interface NativeStorageOptions {
  /** URL of the service. */
  endpoint?: string
  /** Region of the bucket. */
  region?: string
  /** Access key. */
  accessKeyId?: string
  /** Its secret. */
  secretAccessKey?: string
  /** Token of temporary keys. */
  sessionToken?: string
  /** Name of the account. */
  account?: string
  /** Its key. */
  accountKey?: string
  /** A shared access signature. */
  sasToken?: string
  /** A service account's key, as JSON. */
  serviceAccountKey?: string
  /** A token of somebody who has logged in. */
  bearerToken?: string
  /** Requests are not signed. */
  anonymous?: boolean
  /** Data may go unencrypted to other machines. */
  allowHttp?: boolean
  /** The bucket is part of the host's name. */
  virtualHosted?: boolean
  /** Sent with each request to the store. */
  headers?: Record<string, string>
  /** URL of a proxy. */
  proxy?: string
  /** A file with certificates in PEM. */
  caBundle?: string
  /** Time to connect in. */
  connectTimeoutMs?: number
  /** Time in which an attempt must make progress. */
  progressTimeoutMs?: number
  /** Bytes a second that are progress. */
  minBytesPerSecond?: number
  /** Time after which a request is not made again. */
  deadlineMs?: number
  /** Times that a request is made again. */
  maxRetries?: number
  /** Most requests under way at once. */
  maxConcurrency?: number
  /** Whether there are second requests where answers are late. */
  hedge?: boolean
}

/** What object stores were asked since the start of the process. */
export interface NativeStoreStats {
  /** Requests made, the repeated and second ones included. */
  requests: number
  /** Of these, those that repeated one which had failed. */
  retries: number
  /** Of the requests, second ones beside one whose answer was late. */
  hedges: number
  /** Answers that said that there are too many requests. */
  throttled: number
  /** Bytes of bodies that arrived. */
  bytesReceived: number
  /** Bytes that were asked for and handed out. */
  bytesWanted: number
  /** Milliseconds until an answer began: half of all took no longer. */
  firstByteMsP50?: number
  /** As `first_byte_ms_p50`, of 99 in 100. */
  firstByteMsP99?: number
  /** Requests under way now, each on a connection of its own. */
  underWay: number
  /** Most requests that were under way at once at one host. */
  mostUnderWay: number
  /** Reads and listings that the threads of the network serve now. */
  tasks: number
}

/** Statistics of a whole array. */
export interface NativeSummary {
  /** Smallest value; NaN if there is none. */
  min: number
  /** Largest value; NaN if there is none. */
  max: number
  /** Mean; NaN if there is no value. */
  mean: number
  /** Elements that are missing. */
  missing: number
  /** All elements. */
  count: number
}

/** Texts as UTF-8: text `i` is `bytes[offsets[i]..offsets[i + 1]]`. */
export interface NativeTexts {
  /** 64-bit unsigned integers. */
  offsets: ArrayBuffer
  /** All texts, one after the other. */
  bytes: ArrayBuffer
}

/**
 * The numbers of the chunks that wait for functions of this environment, as soon as there are any. No environment
 * stays for it.
 *
 * # Errors
 * Where Node-API fails.
 */
export declare function nextCodecJobs(): Promise<NativeResult<number[]>>

/** The objects at and below a location, which is looked at when the first of them is read. */
export declare function objects(location: string, storage?: NativeStorageOptions | undefined | null): NativeResult<NativeObjects>

/**
 * Opens the node at a location.
 *
 * # Errors
 * Where Node-API fails.
 */
export declare function open(location: string, path?: string | undefined | null, zarrFormat?: number | undefined | null, storage?: NativeStorageOptions | undefined | null): Promise<NativeResult<NativeNode>>

/**
 * Says that this environment has a function for the codec of this name.
 *
 * # Errors
 * Where Node-API fails.
 */
export declare function registerCodecFunction(name: string): NativeResult<null>

/** Names and versions of this addon and of what is built into it: `[name, version]` each. */
export declare function versions(): Array<Array<string>>

/**
 * Writes a made-up climate field of about `bytes` decoded bytes.
 *
 * # Errors
 * Where Node-API fails.
 */
export declare function writeSampleField(call: NativeCall, directory: string, bytes: number, seed: number): Promise<NativeResult<null>>
