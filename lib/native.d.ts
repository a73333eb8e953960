/** What the core reports instead of throwing: the facade throws the real class from the caller's stack. */
export interface NativeError {
  code: 'ERR_LSIO_NOT_FOUND' | 'ERR_LSIO_METADATA' | 'ERR_LSIO_UNSUPPORTED' | 'ERR_LSIO_SELECTION' | 'ERR_LSIO_CODEC' | 'ERR_LSIO_CHECKSUM' | 'ERR_LSIO_TRUNCATED' | 'ERR_LSIO_IO' | 'ERR_LSIO_ACCESS' | 'ERR_LSIO_BUDGET' | 'ERR_LSIO_CLOSED' | 'ERR_LSIO_CONFLICT' | 'ERR_LSIO_INTERNAL'
  message: string
  path?: string
  chunk?: Array<number>
  codec?: string
  retryable?: boolean
  causes: Array<string>
}
export type NativeResult<T> = { ok: T } | { error: NativeError }
/** One array or group, or why a member could not be opened. */
export interface NativeNode { name: string; array?: NativeArray; group?: NativeGroup; error?: NativeError }
/** `bytes` is absent where the result was written to `out`; `offsets` are u64, for strings only. */
export interface NativeRegion { bytes?: Uint8Array; offsets?: Uint8Array; shape: Array<number>; stride: Array<number> }
export interface NativeChunk extends NativeRegion { coords: Array<number>; origin: Array<number> }
export interface NativeReadOptions {
  io?: string
  memory?: number
  /** float16 becomes float32 */
  widen: boolean
  /** largest ArrayBuffer that the runtime can make, in bytes */
  maxBytes: number
  /** bytes that the caller's `out` holds */
  outBytes?: number
}
export interface NativeSummary { min: number; max: number; mean: number; missing: number; count: number }
export interface NativeStats {
  chunks: number; totalChunks: number; bytesRead: number; bytesDecoded: number
}

/** One call of the facade: stops it, and says how far it is. */
export declare class NativeCall {
  constructor()
  cancel(): void
  progress(): NativeStats
}
export declare class NativeArray {
  metadataJson(): string
  get(call: NativeCall, selections: Array<Float64Array>, options: NativeReadOptions, out?: Uint8Array): Promise<NativeResult<Array<NativeRegion>>>
  getChunk(call: NativeCall, coords: Float64Array, options: NativeReadOptions): Promise<NativeResult<NativeRegion>>
  readChunks(call: NativeCall, selection: Float64Array, options: NativeReadOptions, concurrency: number | undefined, gridOrder: boolean): NativeResult<NativeReader>
  mean(call: NativeCall, options: NativeReadOptions): Promise<NativeResult<number>>
  summary(call: NativeCall, options: NativeReadOptions): Promise<NativeResult<NativeSummary>>
  storedBytes(call: NativeCall): Promise<NativeResult<number>>
}
export declare class NativeGroup {
  metadataJson(): string
  members(call: NativeCall): Promise<NativeResult<Array<NativeNode>>>
  open(call: NativeCall, path: string): Promise<NativeResult<NativeNode>>
}
export declare class NativeReader {
  nextBatch(max: number): Promise<NativeResult<Array<NativeChunk> | null>>
  close(): void
  stats(): NativeStats
}
export declare function open(call: NativeCall, location: string, path: string | undefined, zarrFormat: number | undefined): Promise<NativeResult<NativeNode>>
export declare function configure(options: { threads?: number; memory?: number; engine?: string }): NativeResult<null>
export declare function engineInfoJson(): NativeResult<string>
export declare function memoryUsage(): { limitBytes: number; reservedBytes: number; heldBytes: number; idleBytes: number; peakReservedBytes: number }
export declare function versionsJson(): string
/** Takes the memory away from an ArrayBuffer: its length is 0 from then on. */
export declare function detach(buffer: ArrayBuffer): void
/** A copy of bytes on its way into a store in memory. */
export declare class NativeMemoryValue {
  constructor(byteLength: number)
  append(bytes: Uint8Array): void
  put(store: string, key: string): NativeResult<null>
}
export declare function deleteMemoryStore(store: string): boolean
