// What reading cost: the counters of the core, under the names that users see.

/** Counters of one reader, or of all calls since the start of the process. */
export interface ReadStats {
  /** Chunks that are done. */
  readonly chunks: number;
  /** Chunks that the call needs. */
  readonly totalChunks: number;
  /** Chunks that do not exist and became fill values. */
  readonly missingChunks: number;
  /** Chunks taken from what another call, at the same time, had read and decoded. */
  readonly sharedChunks: number;
  /** Indexes of shards and decoded chunks that were taken from the cache: see `configure`. */
  readonly cacheHits: number;
  /** Those that were not there, or only of another version of their object. */
  readonly cacheMisses: number;
  /**
   * Entries of the cache that made room for what the call left there; over all calls, also those that gave way
   * to memory that was wanted.
   */
  readonly cacheEvictions: number;
  /** Physical reads, those of shard indexes included. */
  readonly reads: number;
  /** Of these, the reads that were needed to find chunks. */
  readonly indexReads: number;
  /**
   * Requests to object stores that these reads took, the repeated and second ones included. How soon their answers began
   * is told of all calls together: see `stores` of `engineInfo()`.
   */
  readonly requests: number;
  /** Of these, those that repeated one which had failed or broken. */
  readonly retries: number;
  /** Of these, second ones beside one whose answer was late. */
  readonly hedges: number;
  /** Bytes that physical reads brought. */
  readonly bytesRead: number;
  /** Of these, the bytes by how they were served: which engine, and past the page cache or not. */
  readonly bytesByRoute: {
    /** From the page cache, by the thread that decodes them. */
    readonly resident: number;
    /** Through the page cache, by a pool of threads. */
    readonly buffered: number;
    /** Past the page cache, through io_uring. */
    readonly uringDirect: number;
    /** Past the page cache, by a pool of threads. */
    readonly preadDirect: number;
    /** From a store in memory. */
    readonly memory: number;
    /** Over the network, from an object store. */
    readonly objectStore: number;
  };
  /** Of the bytes read, those that nobody wanted: gaps between ranges that were read as one. */
  readonly bytesOverRead: number;
  /** Encoded bytes that were decoded. */
  readonly bytesEncoded: number;
  /** Bytes after decoding. */
  readonly bytesDecoded: number;
  /** Decoded bytes that were copied on their way to the result. */
  readonly bytesCopied: number;
  /** Seconds by stage, summed over threads. */
  readonly seconds: {
    /** In reads. */
    readonly read: number;
    /** In decoding. */
    readonly decode: number;
    /** In what follows: copies, statistics. */
    readonly apply: number;
  };
  /** The most that was reserved at once. */
  readonly peakReservedBytes: number;
}
