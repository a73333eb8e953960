/**
 * Loads and processes large, chunked, n-dimensional arrays as fast as the CPU and the I/O subsystem
 * allow: decoded off the event loop on every core, under one memory cap for the process.
 *
 * @packageDocumentation
 */

/// <reference lib="esnext.disposable" />

/** What every asynchronous call takes. */
export declare interface AbortOptions {
    /** Aborts the call: it then rejects with `signal.reason`. */
    readonly signal?: AbortSignal | undefined;
}

/**
 * A flag for each element of an array in C order, as a flat list or as the elements of a bool array with
 * its shape.
 */
export declare type ArrayMask = DimensionMask | {
    readonly data: DimensionMask;
    readonly shape: readonly number[];
};

/** Attributes of an array or a group. */
export declare type Attributes = {
    readonly [name: string]: JsonValue;
};

/** The data types whose elements are bigints. */
export declare type BigIntDataType = 'int64' | 'uint64' | TimeDataType;

/** Which blocks of the grid are wanted along each dimension; `'...'` as in a {@link Selection}. */
export declare type BlockSelection = readonly (null | number | Slice | '...')[];

/** The data types whose elements are bytes of a fixed number; a record is those of its fields. */
export declare type BytesDataType = 'null_terminated_bytes' | RawDataType | 'struct';

/** A number of bytes, or a text such as `'512MiB'`, `'1.5 GB'`. */
export declare type ByteSize = number | string;

/**
 * One chunk, clipped to the selection.
 *
 * Its memory is the user's until it is garbage, or until {@link NdArray.release} (or the end of a
 * `using` block) gives it back: `data` is empty from then on. Small chunks share their memory with
 * their neighbours in the reading: it goes back with the last of them.
 */
export declare interface Chunk<D extends DataType = DataType, F extends ElementForm | undefined = undefined> extends NdArray<D, F> {
    /** Which chunk of the chunk grid it is. */
    readonly coords: number[];
    /** Where its first element is in the result: in what `get` with the same selection gives. */
    readonly origin: number[];
}

/**
 * Decoded chunks, one after the other, for `for await`.
 *
 * Reading goes on in the background, some chunks ahead: up to 16 MiB, or two chunks, for each thread, as
 * far as the memory budget allows. It stops, and memory of chunks that were not taken goes back, on
 * `break`, `return()`, `close()`, the end of an `await using` block, and an abort.
 */
export declare class ChunkReader<D extends DataType = DataType, F extends ElementForm | undefined = undefined> implements AsyncIterableIterator<Chunk<D, F>, undefined>, AsyncDisposable {
    #private;
    private constructor();
    /** What reading cost so far: a fresh copy of the counters with each access. */
    get stats(): ReadStats;
    /**
     * The next chunk.
     *
     * @throws {LsioError} if a chunk cannot be read; the reader is at its end then.
     * @throws `signal.reason`, once, if the call was aborted.
     */
    next(): Promise<IteratorResult<Chunk<D, F>, undefined>>;
    /** Stops reading; for `break` in `for await`. */
    return(): Promise<IteratorResult<Chunk<D, F>, undefined>>;
    /** Stops reading and gives back the memory of chunks that were not taken. Further calls do nothing. */
    close(): Promise<void>;
    [Symbol.asyncIterator](): this;
    [Symbol.asyncDispose](): Promise<void>;
}

/** A codec of an array, as its metadata has it. */
export declare interface Codec {
    /** Its name in the format's own words, such as `'zstd'`. */
    readonly name: string;
    /** Its parameters. */
    readonly configuration: {
        readonly [name: string]: JsonValue;
    };
}

/** The data types whose elements are two numbers each. */
export declare type ComplexDataType = 'complex64' | 'complex128' | SmallComplexDataType;

/**
 * Sets up the engine, before its first use. Worker threads share the engine of the process: the
 * first settings hold, and the same ones may be given again.
 *
 * @throws {LsioError} `ERR_LSIO_CONFLICT` for other settings than those in use, `ERR_LSIO_UNSUPPORTED` for an engine that
 *   does not work here, `ERR_LSIO_BUDGET` for less than 1 MiB of memory, or a cache larger than it.
 */
export declare function configure(options: ConfigureOptions): void;

/** Options of {@link configure}. */
export declare interface ConfigureOptions {
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

/** Data type of the elements of an array, by its Zarr v3 name. */
export declare type DataType = 'bool' | 'int2' | 'int4' | 'int8' | 'int16' | 'int32' | 'int64' | 'uint2' | 'uint4' | 'uint8' | 'uint16' | 'uint32' | 'uint64' | 'float16' | 'float32' | 'float64' | SmallFloatDataType | 'complex64' | 'complex128' | SmallComplexDataType | 'numpy.datetime64' | 'numpy.timedelta64' | 'fixed_length_utf32' | 'null_terminated_bytes' | RawDataType | 'struct' | 'variable_length_bytes' | 'json' | 'string';

/** What the name of a data type leaves open. */
export declare interface DataTypeInfo {
    /** Bytes of a stored element; `null` where elements vary in length. */
    readonly itemBytes: number | null;
    /** Of times: the unit, by NumPy's name, such as `'ns'`; `'generic'` is none. */
    readonly unit?: string;
    /** Of times: how many units 1 stands for. */
    readonly scaleFactor?: number;
    /** Of records: their fields, in their order. */
    readonly fields?: readonly StructField[];
}

/** A data type, or a family of them: what `LsioArray.is` can be asked. */
export declare type DataTypeQuery = DataType | 'number' | 'bigint';

/**
 * Undoes a codec: gets the encoded bytes and the configuration in the array's metadata (in Zarr v2 with the member `id`;
 * integers beyond 2^53 are bigint), returns the decoded bytes. The bytes that it gets are its own; those that it returns
 * are copied, and must stay as they are until the next turns of the event loop have done so.
 */
export declare type DecodeFunction = (encoded: Uint8Array<ArrayBuffer>, configuration: {
    readonly [member: string]: JsonValue;
}) => Uint8Array | ArrayBuffer | Promise<Uint8Array | ArrayBuffer>;

/**
 * Removes the store at `memory://name`; arrays that are open keep what they need.
 *
 * @returns Whether there was one.
 * @throws {LsioError} `ERR_LSIO_UNSUPPORTED` for a location that is no store in memory.
 */
export declare function deleteMemoryStore(location: MemoryLocation): boolean;

/**
 * One flag for each element of a dimension: those with `true` or 1 are wanted. A `Uint8Array`, as elements
 * of bool arrays are read, holds nothing but 0 and 1.
 */
export declare type DimensionMask = readonly boolean[] | Uint8Array;

/** What holds the bits of floats of at most 16 bits. */
export declare type ElementBits<D> = D extends 'float16' | 'bfloat16' | 'complex_float16' | 'complex_bfloat16' ? Uint16Array : Uint8Array;

/**
 * What holds the elements of a data type: `bool` is 0 or 1, complex numbers are interleaved real and
 * imaginary parts. `float16` is a `Float16Array` where the runtime has one and else a `Float32Array`
 * with exactly the same values, as are smaller floats. Bytes and records are one element after the other,
 * each with `dtypeInfo.itemBytes` bytes; of records, `dtypeInfo.fields` says where their fields are. Bytes of
 * any number are views over one buffer. `json` is what objects of Zarr v2 are that were stored as JSON or as
 * MessagePack, and lists of numbers (`vlen-array`).
 */
export declare type ElementData<D extends DataType, F extends ElementForm | undefined = undefined> = D extends DataType ? F extends 'bits' ? ElementBits<D> : F extends 'utf8' ? Utf8Data : F extends NumberForm | 'complex64' | 'complex128' ? PlainElementData<F> : PlainElementData<D> : never;

/**
 * Another form of the same elements.
 *
 * - `'bits'`: floats of at most 16 bits as their bits, and the parts of complex numbers of them.
 * - `'utf8'`: strings as their UTF-8 bytes with offsets.
 * - a data type: the core converts. To `'float32'` and `'float64'` it rounds to the nearest value, of two
 *   the even one; too large numbers become infinite, no time becomes NaN. To integers it converts
 *   types of which every value fits, and refuses others with `ERR_LSIO_UNSUPPORTED`.
 */
export declare type ElementForm<D extends DataType = DataType> = (D extends 'float16' | SmallFloatDataType | SmallComplexDataType ? 'bits' : never) | (D extends TextDataType ? 'utf8' : never) | (D extends NumberDataType | 'bool' | 'int64' | 'uint64' ? NumberForm : never) | (D extends TimeDataType ? 'float64' : never) | (D extends ComplexDataType ? 'complex64' | 'complex128' : never);

/** The typed arrays that hold elements as they are, by data type. */
export declare interface ElementViews {
    readonly bool: Uint8Array;
    readonly int2: Int8Array;
    readonly int4: Int8Array;
    readonly int8: Int8Array;
    readonly int16: Int16Array;
    readonly int32: Int32Array;
    readonly int64: BigInt64Array;
    readonly uint2: Uint8Array;
    readonly uint4: Uint8Array;
    readonly uint8: Uint8Array;
    readonly uint16: Uint16Array;
    readonly uint32: Uint32Array;
    readonly uint64: BigUint64Array;
    readonly float16: Float16Data;
    readonly float32: Float32Array;
    readonly float64: Float64Array;
    readonly complex64: Float32Array;
    readonly complex128: Float64Array;
    readonly 'numpy.datetime64': BigInt64Array;
    readonly 'numpy.timedelta64': BigInt64Array;
}

/** What reads local files, why, and what reading cost since the start of the process. */
export declare interface EngineInfo {
    /** What reads local files. */
    readonly engine: 'uring' | 'pread';
    /** What probing io_uring gave, in words. */
    readonly probe: string;
    /** Threads that decode. */
    readonly threads: number;
    /** The byte budget of the process. */
    readonly memoryBytes: number;
    /** Most bytes of it that are cached. */
    readonly cacheBytes: number;
    /** CPU features that were found. */
    readonly cpuFeatures: readonly string[];
    /** The counters of all calls. */
    readonly stats: ReadStats;
    /** Calls that have ended. */
    readonly callsEnded: number;
    /** Jobs that a thread took from another one's queue. */
    readonly steals: number;
    /** Times that a thread found nothing to do and went to sleep. */
    readonly parks: number;
    /** Chunks that each thread finished. */
    readonly chunksByWorker: readonly number[];
    /** Files that were opened. */
    readonly filesOpened: number;
    /** Requests that went through io_uring. */
    readonly ringRequests: number;
    /** Times that such requests were handed to the kernel, several at once. */
    readonly ringSubmissions: number;
    /** Bytes that were read beside those asked for: the alignment of direct reads. */
    readonly overReadBytes: number;
    /** What object stores were asked. */
    readonly stores: StoreStats;
}

/** What the engine is and what it did so far. */
export declare function engineInfo(): EngineInfo;

/**
 * Options of a call with the field of records that it reads: its name, or a path such as `'position.x'`.
 *
 * Elements are those of the field's own data type, which only `dtypeInfo.fields` tells. Where the field
 * has a shape of its own, its dimensions come behind those of the array, in results and, if they are
 * given, in selections.
 */
export declare type FieldOptions<O extends {
    readonly field?: unknown;
}> = O & {
    readonly field: NonNullable<O['field']>;
};

/** The path of a field, for arrays whose elements may be records. */
export declare type FieldPath<D extends DataType> = D extends 'struct' ? string : never;

/** `Float16Array | Float32Array` where the libraries of the project know both, else `Float32Array`. */
export declare type Float16Data = typeof globalThis extends {
    Float16Array: {
        prototype: infer F;
    };
} ? F | Float32Array : Float32Array;

/** A slice with all its members, as zarrita makes it. */
export declare interface FullSlice {
    readonly start: number | null;
    readonly stop: number | null;
    readonly step: number | null;
}

/** Options of {@link LsioArray.getChunk}. */
export declare interface GetChunkOptions extends AbortOptions {
    /** What becomes of chunks that do not exist. Default: as the array was opened. */
    readonly readMissing?: ReadMissing | undefined;
}

/** Options of calls that resolve with whole results. */
export declare interface GetManyOptions<F extends ElementForm | undefined = undefined, P extends string | undefined = undefined> extends ReadOptions {
    /** Another form of the same elements. */
    readonly as?: F;
    /** Of records, this field only: see {@link FieldOptions}. */
    readonly field?: P;
    /** Called a few times a second while the call runs, and once at its end. */
    readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Options of `LsioArray.get`. */
export declare interface GetOptions<D extends DataType = DataType, F extends ElementForm | undefined = undefined, P extends string | undefined = undefined> extends GetManyOptions<F, P> {
    /**
     * Where the elements go, in C order: exactly as many as are selected. A view over a
     * `SharedArrayBuffer` is written by the core directly, any other is filled by copying. Its content
     * is undefined after a failed or aborted call.
     */
    readonly out?: Exclude<ElementData<D, F>, unknown[] | {
        offsets: unknown;
    }> | undefined;
}

/** A member of a group, or a node further below: open, or why it could not be opened. */
export declare type GroupMember = {
    /** Its own name. */
    readonly name: string;
    /** Its path below the group that was asked; the name, if it is a direct member. */
    readonly path: string;
} & ({
    readonly kind: 'array';
    readonly array: LsioArray;
} | {
    readonly kind: 'group';
    readonly group: LsioGroup;
} | {
    readonly kind: 'unsupported';
    readonly error: LsioError;
});

/**
 * Indices along one dimension, in any order, repeated ones too. Negative: from the end. A `Uint8Array` is
 * no list of indices but a mask: see {@link DimensionMask}.
 */
export declare type IndexArray = readonly number[] | Int8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | BigInt64Array | BigUint64Array;

/**
 * How local files are read: `'auto'` decides by the size of the request and the page cache,
 * `'direct'` goes past the page cache where the file system can, `'buffered'` goes through it.
 */
export declare type IoMode = 'auto' | 'direct' | 'buffered';

/** Whether `error` is a {@link LsioError}, and one with this code where one is given. */
export declare function isLsioError<C extends LsioErrorCode = LsioErrorCode>(error: unknown, code?: C): error is LsioError & {
    readonly code: C;
};

/** A value of JSON, as attributes and elements of `json` arrays have it; integers beyond 2^53 are bigint. */
export declare type JsonValue = null | boolean | number | bigint | string | readonly JsonValue[] | {
    readonly [name: string]: JsonValue;
};

/**
 * A path, a `file:` URL, `memory://name` (see {@link writeMemoryStore}), or the URL of an object store: `s3://bucket/path`,
 * `gs://bucket/path`, `az://container/path`, `abfs://container@account.host/path`, `https://host/path`. Each may
 * lead to a zip archive whose name ends with `.zip`, and into it.
 */
export declare type Location = string | URL;

/** A chunked array. `D` is its data type, as far as it is known: see {@link LsioArray.is}. */
export declare class LsioArray<D extends DataType = DataType> {
    #private;
    /** Tells it from a group. */
    readonly kind = "array";
    /** Where it is. */
    readonly path: string;
    /** Elements per dimension. */
    readonly shape: readonly number[];
    /**
     * Elements per dimension of one chunk; of an inner chunk where chunks are sharded; of the longest chunk
     * along each dimension where their lengths vary, see {@link LsioArray.chunkEdges}.
     */
    readonly chunks: readonly number[];
    /** Elements per dimension of one shard, where chunks are sharded; of the longest where they vary. */
    readonly shards: readonly number[] | undefined;
    /** Chunks per dimension. */
    readonly chunkGridShape: readonly number[];
    /** Data type of the elements. */
    readonly dtype: D;
    /** What its name leaves open: the size of an element, the unit of times, the fields of records. */
    readonly dtypeInfo: DataTypeInfo;
    /** The user's attributes. Integers beyond 2^53 are bigint. */
    readonly attrs: Attributes;
    /** Names of the dimensions, where the metadata has any. */
    readonly dimensionNames: readonly (string | null)[] | undefined;
    /** The value of elements in chunks that do not exist; `null` where a v2 array does not say. */
    readonly fillValue: Scalar<D> | null;
    /** Version of the Zarr format. */
    readonly zarrFormat: 2 | 3;
    /** What turns elements into bytes, in the order of encoding. */
    readonly codecs: readonly Codec[];
    /** Bytes of all decoded elements; `null` for elements that vary in length. */
    readonly nbytes: D extends VariableLengthDataType ? null : number;
    private constructor();
    /** Whether the elements are of this data type, or of this family of data types. */
    is<Q extends DataTypeQuery>(query: Q): this is LsioArray<MatchingDataType<D, Q>>;
    /**
     * Lengths of all chunks along each dimension, where they vary (a rectilinear chunk grid); of all shards
     * where chunks are sharded, whose inner chunks all have the same shape. Chunk `[i, j]` then has
     * `chunkEdges[0][i]` x `chunkEdges[1][j]` elements, the last ones as they are stored, which may be behind
     * the end of the array. `undefined` where all have the same shape.
     *
     * @throws {LsioError} `ERR_LSIO_BUDGET` for more than 4,194,304 chunks along a dimension.
     */
    get chunkEdges(): readonly (readonly number[])[] | undefined;
    /**
     * Bytes of all stored chunks, encoded.
     *
     * @throws {LsioError} `ERR_LSIO_UNSUPPORTED` where the store has no listings, as plain HTTP; `ERR_LSIO_ACCESS` where
     *   it refuses them; `ERR_LSIO_IO`.
     */
    storedBytes(options?: AbortOptions): Promise<number>;
    /**
     * Reads a region, or every combination of the elements that lists and masks name along the dimensions.
     * Each chunk is read and decoded once. Long lists cross in slices between turns of the event loop and
     * are checked and sorted on other threads; while the call runs, a list takes 32 bytes for each index.
     *
     * @param selection - One entry per dimension; absent or null: everything.
     * @throws {LsioError} `ERR_LSIO_SELECTION`, `ERR_LSIO_BUDGET` for a result larger than one buffer can be,
     *   `ERR_LSIO_UNSUPPORTED` for a form (`as`) or a field that the elements do not have, or what is wrong with a chunk.
     */
    get<F extends ElementForm<D> | undefined = undefined>(selection?: Selection | null, options?: GetOptions<D, F>): Promise<NdArray<D, F>>;
    get<F extends ElementForm | undefined = undefined>(selection: Selection | null | undefined, options: FieldOptions<GetOptions<DataType, F, FieldPath<D>>>): Promise<NdArray<DataType, F>>;
    /**
     * Reads what entries for some dimensions, by their names, pick; the others are whole.
     *
     * @throws {LsioError} `ERR_LSIO_SELECTION` for a name that no dimension has, or more than one; else as
     *   `LsioArray.get`.
     */
    select<F extends ElementForm<D> | undefined = undefined>(selection: NamedSelection, options?: GetOptions<D, F>): Promise<NdArray<D, F>>;
    select<F extends ElementForm | undefined = undefined>(selection: NamedSelection, options: FieldOptions<GetOptions<DataType, F, FieldPath<D>>>): Promise<NdArray<DataType, F>>;
    /**
     * Reads single elements, as `vindex` of zarr-python does: element `i` of the result has the `i`th
     * coordinate along each dimension. Each chunk is read and decoded once; while the call runs, a point
     * takes 24 bytes and 8 for each list.
     *
     * @param coordinates - One entry per dimension: a list, or an integer that all points have.
     * @returns One dimension with an element for each point.
     * @throws {LsioError} as `LsioArray.get`.
     */
    getPoints<F extends ElementForm<D> | undefined = undefined>(coordinates: PointCoordinates, options?: GetOptions<D, F>): Promise<NdArray<D, F>>;
    getPoints<F extends ElementForm | undefined = undefined>(coordinates: PointCoordinates, options: FieldOptions<GetOptions<DataType, F, FieldPath<D>>>): Promise<NdArray<DataType, F>>;
    /**
     * Reads the elements that a mask of the whole array names. Only chunks that hold some are read, each
     * once; while the call runs, the mask takes a byte for 7 elements.
     *
     * @param mask - A flag for each element in C order.
     * @returns One dimension, in C order of the array.
     * @throws {LsioError} as `LsioArray.get`.
     */
    getMask<F extends ElementForm<D> | undefined = undefined>(mask: ArrayMask, options?: GetOptions<D, F>): Promise<NdArray<D, F>>;
    getMask<F extends ElementForm | undefined = undefined>(mask: ArrayMask, options: FieldOptions<GetOptions<DataType, F, FieldPath<D>>>): Promise<NdArray<DataType, F>>;
    /**
     * Reads whole blocks by their place in the grid, as far as they lie inside the array, as block selections
     * of zarr-python do: blocks are chunks, or shards where the array has any.
     *
     * @param blocks - One entry per dimension: all, an integer, or a slice without a step. None of them drops
     *   its dimension.
     * @throws {LsioError} as `LsioArray.get`.
     */
    getBlocks<F extends ElementForm<D> | undefined = undefined>(blocks: BlockSelection, options?: GetOptions<D, F>): Promise<NdArray<D, F>>;
    getBlocks<F extends ElementForm | undefined = undefined>(blocks: BlockSelection, options: FieldOptions<GetOptions<DataType, F, FieldPath<D>>>): Promise<NdArray<DataType, F>>;
    /**
     * Reads several regions in one crossing; a chunk that several of them need is read once. Results of
     * elements of fixed size are views over one buffer.
     *
     * @returns A result for each selection, in their order.
     * @throws {LsioError} as `LsioArray.get`.
     */
    getMany<F extends ElementForm<D> | undefined = undefined>(selections: readonly (Selection | null)[], options?: GetManyOptions<F>): Promise<NdArray<D, F>[]>;
    getMany<F extends ElementForm | undefined = undefined>(selections: readonly (Selection | null)[], options: FieldOptions<GetManyOptions<F, FieldPath<D>>>): Promise<NdArray<DataType, F>[]>;
    /**
     * Reads one whole chunk, in its full size also at the edge of the array.
     *
     * @param coords - Which chunk of the chunk grid.
     * @throws {LsioError} `ERR_LSIO_SELECTION` for coordinates outside the grid, or what is wrong with it.
     */
    getChunk(coords: readonly number[], options?: GetChunkOptions): Promise<NdArray<D>>;
    /**
     * Decoded chunks of a region, each clipped to it, while others are still being read. Lists and masks along
     * dimensions have to be sorted, so that each chunk has one place in the result, and have 131,072 elements
     * together at most.
     *
     * @throws {LsioError} `ERR_LSIO_SELECTION`; `ERR_LSIO_UNSUPPORTED` for longer lists, and for a form (`as`) or a field
     *   that the elements do not have. What is wrong with a chunk is thrown by the iteration.
     */
    readChunks<F extends ElementForm<D> | undefined = undefined>(selection?: Selection | null, options?: ReadChunksOptions<F>): ChunkReader<D, F>;
    readChunks<F extends ElementForm | undefined = undefined>(selection: Selection | null | undefined, options: FieldOptions<ReadChunksOptions<F, FieldPath<D>>>): ChunkReader<DataType, F>;
    /**
     * Mean of all elements, as NumPy's with float64 accumulation: NaN if any of them is NaN or there are
     * none. Integers are summed exactly.
     *
     * @throws {LsioError} `ERR_LSIO_UNSUPPORTED` for anything but real numbers, or what is wrong with a
     *   chunk.
     */
    mean(options?: ScanOptions): Promise<number>;
}

/** Every failure of this library that is not a wrong argument (`TypeError`, `RangeError`) or an abort. */
export declare class LsioError extends Error {
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
    constructor(code: LsioErrorCode, message: string, details?: LsioErrorDetails);
}

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
export declare type LsioErrorCode = 'ERR_LSIO_NOT_FOUND' | 'ERR_LSIO_METADATA' | 'ERR_LSIO_UNSUPPORTED' | 'ERR_LSIO_SELECTION' | 'ERR_LSIO_CODEC' | 'ERR_LSIO_CHECKSUM' | 'ERR_LSIO_TRUNCATED' | 'ERR_LSIO_IO' | 'ERR_LSIO_ACCESS' | 'ERR_LSIO_BUDGET' | 'ERR_LSIO_CLOSED' | 'ERR_LSIO_CONFLICT' | 'ERR_LSIO_INTERNAL';

/** What a {@link LsioError} is about. */
export declare interface LsioErrorDetails {
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

/** A group of arrays and groups. */
export declare class LsioGroup {
    #private;
    /** Tells it from an array. */
    readonly kind = "group";
    /** Where it is. */
    readonly path: string;
    /** The user's attributes. Integers beyond 2^53 are bigint. */
    readonly attrs: Attributes;
    /** Version of the Zarr format. */
    readonly zarrFormat: 2 | 3;
    private constructor();
    /**
     * Its members, sorted by name, with `recursive` also those of the groups among them and so on: a group
     * comes before what is in it. One that cannot be opened is listed with its error. A group that a
     * symbolic link leads back to from below itself is listed, and not entered again.
     *
     * @throws {LsioError} where the group itself cannot be listed: `ERR_LSIO_UNSUPPORTED` in a store without listings, as
     *   plain HTTP, and `ERR_LSIO_ACCESS` where they are refused, unless it has consolidated metadata; `ERR_LSIO_IO`.
     */
    members(options?: MembersOptions): Promise<GroupMember[]>;
    /**
     * What is below it as text: a line for each node, with shape and data type of arrays, and with the
     * code of the error for what cannot be opened.
     *
     * @throws {LsioError} as {@link LsioGroup.members}.
     */
    tree(options?: TreeOptions): Promise<string>;
    /**
     * Opens a member, at any depth.
     *
     * @throws {LsioError} `ERR_LSIO_NOT_FOUND`, `ERR_LSIO_METADATA`, `ERR_LSIO_UNSUPPORTED`, ...
     */
    open(path: string, options?: AbortOptions): Promise<LsioArray | LsioGroup>;
}

/** The data types among `D` that a query names. */
export declare type MatchingDataType<D extends DataType, Q extends DataTypeQuery> = Q extends 'number' ? Extract<D, NumberDataType> : Q extends 'bigint' ? Extract<D, BigIntDataType> : Extract<D, Q>;

/** Options of {@link LsioGroup.members}. */
export declare interface MembersOptions extends TreeOptions {
    /** Whether members of members are listed too. Default: no, unless there is a `maxDepth`. */
    readonly recursive?: boolean | undefined;
}

/** A store in memory, or a place in it: `memory://name`, `memory://name/group/array`. */
export declare type MemoryLocation = `memory://${string}`;

/** What the engine uses now, in bytes. */
export declare interface MemoryUsage {
    /** The budget. */
    readonly limitBytes: number;
    /** Reserved for reads and decodes that are under way, and for chunks that were not delivered yet. */
    readonly reservedBytes: number;
    /**
     * Kept because it may be wanted again: indexes of shards and, where `configure` was given a `cache`,
     * decoded chunks. Together with `reservedBytes` never more than the budget; gives way to whatever is to be
     * reserved.
     */
    readonly cachedBytes: number;
    /** Delivered to the user and not given back yet. */
    readonly heldBytes: number;
    /** Pool memory that waits to be used again. */
    readonly idleBytes: number;
    /** The most that was ever reserved. */
    readonly peakReservedBytes: number;
}

/** What the engine uses now. */
export declare function memoryUsage(): MemoryUsage;

/** Entries for some dimensions, by their names. */
export declare interface NamedSelection {
    readonly [dimension: string]: Exclude<SelectionEntry, '...'>;
}

/**
 * Decoded elements of a region of an array.
 *
 * Their memory is the user's until it is garbage, or until {@link NdArray.release} (or the end of a
 * `using` block) gives it back: then the next read finds it at once, instead of taking new memory
 * until garbage is collected.
 */
export declare interface NdArray<D extends DataType = DataType, F extends ElementForm | undefined = undefined> extends Disposable {
    /** The elements. */
    readonly data: ElementData<D, F>;
    /** Elements per dimension; `[]` for a single element. */
    readonly shape: number[];
    /** Distance in elements between neighbours along each dimension. */
    readonly stride: number[];
    /**
     * Gives the memory back: `data` is empty from then on. Results that share a buffer give it back with
     * the last of them. Bytes of varying length become empty, one and all. Further calls do nothing, nor does
     * it touch memory of the caller's own (`out`) or strings and values of JSON.
     */
    release(): void;
}

/** The data types whose elements are JavaScript numbers. */
export declare type NumberDataType = 'int2' | 'int4' | 'int8' | 'int16' | 'int32' | 'uint2' | 'uint4' | 'uint8' | 'uint16' | 'uint32' | 'float16' | 'float32' | 'float64' | SmallFloatDataType;

/** Data types that numbers can be converted to. */
export declare type NumberForm = 'int8' | 'int16' | 'int32' | 'int64' | 'uint8' | 'uint16' | 'uint32' | 'uint64' | 'float32' | 'float64';

/**
 * Opens the array or the group at a location. A folder without metadata is a group without attributes if there is
 * an array or a group in the folders below; the nearest 64 are looked into.
 *
 * @throws {LsioError} `ERR_LSIO_NOT_FOUND` where there is neither, `ERR_LSIO_METADATA`,
 *   `ERR_LSIO_UNSUPPORTED`, `ERR_LSIO_ACCESS`, `ERR_LSIO_IO`.
 */
export declare function open(location: Location, options?: OpenOptions): Promise<LsioArray | LsioGroup>;

/**
 * Opens the array at a location.
 *
 * @throws {LsioError} as {@link open}; `ERR_LSIO_NOT_FOUND` also where there is a group instead.
 */
export declare function openArray(location: Location, options?: OpenOptions): Promise<LsioArray>;

/**
 * Opens the group at a location.
 *
 * @throws {LsioError} as {@link open}; `ERR_LSIO_NOT_FOUND` also where there is an array instead.
 */
export declare function openGroup(location: Location, options?: OpenOptions): Promise<LsioGroup>;

/** Options of {@link open}, {@link openArray}, {@link openGroup}. */
export declare interface OpenOptions extends AbortOptions {
    /** Path of a member below the location, such as `'level/temperature'`. */
    readonly path?: string | undefined;
    /** Reads the metadata of this Zarr format only. Default: whichever is there. */
    readonly zarrFormat?: 2 | 3 | undefined;
    /** What reads make of chunks that do not exist, unless they say otherwise. Default: `'fill'`. */
    readonly readMissing?: ReadMissing | undefined;
    /** How to get at an object store. Default: what the environment says. */
    readonly storage?: StorageOptions | undefined;
}

/** What holds the elements of a data type where no other form is asked for. */
export declare type PlainElementData<D> = D extends keyof ElementViews ? ElementViews[D] : D extends SmallFloatDataType | SmallComplexDataType ? Float32Array : D extends BytesDataType ? Uint8Array : D extends TextDataType ? string[] : D extends 'variable_length_bytes' ? Uint8Array[] : D extends 'json' ? JsonValue[] : never;

/** Coordinates of points: along each dimension one for each point, or one that all have. */
export declare type PointCoordinates = readonly (number | IndexArray)[];

/** How far a call is. */
export declare interface Progress {
    /** Chunks that are done. */
    readonly chunks: number;
    /** Chunks that the call needs. */
    readonly totalChunks: number;
    /** Encoded bytes read so far. */
    readonly bytesRead: number;
    /** Bytes decoded so far. */
    readonly bytesDecoded: number;
}

/** Bytes without a meaning: `r` and their number of bits. */
export declare type RawDataType = `r${number}`;

/** Options of `LsioArray.readChunks`. */
export declare interface ReadChunksOptions<F extends ElementForm | undefined = undefined, P extends string | undefined = undefined> extends ReadOptions {
    /** Another form of the same elements. */
    readonly as?: F;
    /** Of records, this field only: see {@link FieldOptions}. */
    readonly field?: P;
    /** Most chunks under way or waiting to be taken. Default: as many as the budget allows. */
    readonly concurrency?: number | undefined;
    /** `'completion'` (default): as they are decoded; `'grid'`: in C order of the chunk grid. */
    readonly order?: 'completion' | 'grid' | undefined;
}

/**
 * What becomes of chunks that do not exist (inner chunks of shards too): they are full of the fill value, or
 * reading them is an error with the code `ERR_LSIO_NOT_FOUND` that names array and chunk.
 */
export declare type ReadMissing = 'fill' | 'error';

/** Options of every call that reads chunks. */
export declare interface ReadOptions extends GetChunkOptions {
    /** How local files are read. Default: `'auto'`. */
    readonly io?: IoMode | undefined;
    /** Most bytes that this call may reserve at once. Default: the budget of the process. */
    readonly memory?: ByteSize | undefined;
}

/** Counters of one reader, or of all calls since the start of the process. */
export declare interface ReadStats {
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

/**
 * Registers a codec that makes bytes of bytes under the name that metadata calls it by: the `name` in Zarr v3, the `id` in
 * v2. It counts for arrays that are opened from now on, in every worker thread of the process; the function runs on the
 * event loop that registered it, for a name that several have registered on that of the last. A name that is registered
 * already gets the new function, also for arrays that are open.
 *
 * Chunks wait for the function without taking a thread, with their memory reserved, and many at a time. Each chunk goes to
 * the event loop and back, and its decoded bytes are copied: a codec in Rust is faster, and one that computes for long on
 * the event loop holds up everything else there; such work belongs into worker threads. The function must not wait for
 * reads of this package: those may wait for the memory that the chunks hold.
 *
 * An error of the function is the `cause` of the {@link LsioError} of the call (`ERR_LSIO_CODEC`), where the call was made
 * in the thread that registered it. When that thread ends, the chunks that wait for it fail; later ones go to whoever has
 * registered the name before, or fail too. A registered codec does not keep a process or a worker thread alive.
 *
 * @throws {LsioError} `ERR_LSIO_CONFLICT` for the name of a built-in codec.
 * @throws {TypeError} for a name that is no text or empty, and for a codec that is no function.
 */
export declare function registerCodec(name: string, decode: DecodeFunction): void;

/**
 * One element as a JavaScript value. A complex number is its real and its imaginary part; of the bytes
 * of an element none is left out.
 */
export declare type Scalar<D extends DataType> = D extends 'bool' ? boolean : D extends BigIntDataType ? bigint : D extends TextDataType ? string : D extends ComplexDataType ? readonly [re: number, im: number] : D extends BytesDataType | 'variable_length_bytes' ? Uint8Array : D extends 'json' ? JsonValue : number;

/** Options of calls that look at every element of an array. */
export declare interface ScanOptions extends GetChunkOptions {
    /** How local files are read. Default: `'auto'`. */
    readonly io?: IoMode | undefined;
}

/**
 * One entry for each dimension. Lists and masks are orthogonal: the result has every combination of what
 * they name, as `oindex` of zarr-python and `np.ix_` have it.
 */
export declare type Selection = readonly SelectionEntry[];

/**
 * What is wanted along one dimension: all of it, one element (drops the dimension), a slice, or the
 * elements that a list or a mask names. `'...'` stands for all dimensions that no other entry names.
 */
export declare type SelectionEntry = null | number | Slice | IndexArray | DimensionMask | '...';

/** `start` to `stop` by `step` along one dimension, as `slice()` makes it. */
export declare interface Slice {
    /** First element; absent or null: the first of the dimension, the last of it with a negative step. Negative: from the end. */
    readonly start?: number | null;
    /** One past the last element; absent or null: the end, with a negative step the beginning. Negative: from the end. */
    readonly stop?: number | null;
    /** Distance between elements, not 0; absent or null: 1. Negative: backwards. */
    readonly step?: number | null;
}

/**
 * A slice of one dimension, with Python's and zarrita's meaning: `slice(stop)`,
 * `slice(start, stop)`, `slice(start, stop, step)`; `slice(null)` is all of it.
 */
export declare function slice(stop?: number | null): FullSlice;

export declare function slice(start: number | null, stop: number | null, step?: number | null): FullSlice;

/** Complex numbers of two small floats. */
export declare type SmallComplexDataType = 'complex_float16' | `complex_${SmallFloatDataType}`;

/** The floats of at most 16 bits that JavaScript has no typed array for. */
export declare type SmallFloatDataType = 'bfloat16' | 'float8_e3m4' | 'float8_e4m3' | 'float8_e4m3b11fnuz' | 'float8_e4m3fn' | 'float8_e4m3fnuz' | 'float8_e5m2' | 'float8_e5m2fnuz' | 'float8_e8m0fnu' | 'float6_e2m3fn' | 'float6_e3m2fn' | 'float4_e2m1fn';

/**
 * How to get at an object store. What is not given is taken from the environment: variables that begin with `AWS_`,
 * `GOOGLE_` and `AZURE_`, web identity, and the metadata of the machine. An option that a store has no use for is an
 * error.
 */
export declare interface StorageOptions {
    /**
     * URL of the service, if it is not the provider's own: `'http://127.0.0.1:9000'`. For Azure, with the account in its
     * path where the service has it there.
     */
    readonly endpoint?: string | undefined;
    /** S3: region of the bucket. Default: `AWS_REGION`, `AWS_DEFAULT_REGION`, else `'us-east-1'`. */
    readonly region?: string | undefined;
    /** S3: access key; `secretAccessKey` belongs to it. */
    readonly accessKeyId?: string | undefined;
    /** S3: the secret of the access key. */
    readonly secretAccessKey?: string | undefined;
    /** S3: the token of temporary keys. */
    readonly sessionToken?: string | undefined;
    /** Azure: name of the account, if the location does not name it. */
    readonly account?: string | undefined;
    /** Azure: key of the account. */
    readonly accountKey?: string | undefined;
    /** Azure: shared access signature; it may stand behind the `?` of the location as well. */
    readonly sasToken?: string | undefined;
    /** Google Cloud Storage: the key of a service account, as JSON text. */
    readonly serviceAccountKey?: string | undefined;
    /** Google Cloud Storage, Azure: a token of somebody who has logged in. */
    readonly bearerToken?: string | undefined;
    /** S3, Google Cloud Storage, Azure: requests are not signed, for data that is public. */
    readonly anonymous?: boolean | undefined;
    /**
     * Data may go unencrypted (`http://`) to other machines than this one, and credentials come so from them. Default:
     * `AWS_ALLOW_HTTP`, `GOOGLE_ALLOW_HTTP`, `AZURE_ALLOW_HTTP`, else `false`.
     */
    readonly allowHttp?: boolean | undefined;
    /** S3: the bucket is part of the host's name. */
    readonly virtualHosted?: boolean | undefined;
    /**
     * Sent with each request to the store, and to no other host. Those that would have to be signed are refused: `x-amz-`
     * of S3, `x-ms-` of Azure with the key of an account. That the requester pays is said with `AWS_REQUEST_PAYER=requester`
     * in the environment.
     */
    readonly headers?: {
        readonly [name: string]: string;
    } | undefined;
    /**
     * URL of a proxy, which is asked for this machine as well. Default: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, which
     * are for other machines only.
     */
    readonly proxy?: string | undefined;
    /** A file with certificates in PEM that are trusted beside the system's. */
    readonly caBundle?: string | undefined;
    /** Milliseconds to connect in. Default: 5,000. */
    readonly connectTimeoutMs?: number | undefined;
    /**
     * Milliseconds in which an attempt must bring `minBytesPerSecond`, or begin to answer; one that has not is given up
     * and made again. Default: 15,000.
     */
    readonly progressTimeoutMs?: number | undefined;
    /** Bytes a second that an attempt must bring. Default: 1,024. */
    readonly minBytesPerSecond?: number | undefined;
    /** Milliseconds from its first attempt after which a request is not made again. Default: 180,000. */
    readonly deadlineMs?: number | undefined;
    /** Times that a request which failed is made again. Default: 10. */
    readonly maxRetries?: number | undefined;
    /** Most requests under way at once at the host of the store. Default: 128. */
    readonly maxConcurrency?: number | undefined;
    /**
     * Whether the same is asked for a second time where an answer takes much longer to begin than the host's others; the
     * answer that begins first is taken. At most one request in twenty, none while the host says that there are too many.
     * `false` where each request is to be made, and paid for, once. Default: `true`.
     */
    readonly hedge?: boolean | undefined;
}

/** What object stores were asked since the start of the process. */
export declare interface StoreStats {
    /** Requests made, the repeated and second ones included. */
    readonly requests: number;
    /** Of these, those that repeated one which had failed or broken. */
    readonly retries: number;
    /** Of the requests, second ones beside one whose answer was late (`hedge` in the options of a store). */
    readonly hedges: number;
    /** Answers that said that there are too many requests (429, 503). */
    readonly throttled: number;
    /** Bytes of bodies that arrived. */
    readonly bytesReceived: number;
    /** Bytes that the engine asked for and got. */
    readonly bytesWanted: number;
    /** Milliseconds until an answer began: half of all took no longer. Absent before the first one. */
    readonly firstByteMsP50?: number;
    /** Milliseconds until an answer began: 99 of 100 took no longer. Absent before the first one. */
    readonly firstByteMsP99?: number;
    /** Requests under way now, from when they may be made until their answers have ended: connections in use. */
    readonly underWay: number;
    /** Most requests that were under way at once at one host. */
    readonly mostUnderWay: number;
    /** Reads and listings that the threads of the network serve now, those included that wait for their turn. */
    readonly tasks: number;
}

/** A field of a record: its numbers are in the byte order of the machine. */
export declare interface StructField extends DataTypeInfo {
    readonly name: string;
    readonly dtype: DataType;
    /** Where it begins in a record. */
    readonly byteOffset: number;
    /** Elements per dimension that it has in each record, in C order; `[]` for a single one. */
    readonly shape: readonly number[];
}

/** The data types whose elements are strings. */
export declare type TextDataType = 'string' | 'fixed_length_utf32';

/** Numbers of NumPy's steps of time; see {@link DataTypeInfo}. The smallest number is no time. */
export declare type TimeDataType = 'numpy.datetime64' | 'numpy.timedelta64';

/** Options of {@link LsioGroup.tree}. */
export declare interface TreeOptions extends AbortOptions {
    /** Most levels below the group: 1 are its members. Default: all. */
    readonly maxDepth?: number | undefined;
}

/** Strings as their UTF-8 bytes: string `i` is `bytes.subarray(offsets[i], offsets[i + 1])`. */
export declare interface Utf8Data {
    /** One more than there are strings; the first is 0. */
    readonly offsets: BigUint64Array;
    /** All strings, one after the other. */
    readonly bytes: Uint8Array;
}

/** The data types whose elements vary in length. */
export declare type VariableLengthDataType = 'string' | 'variable_length_bytes' | 'json';

/** Versions of this package and of what is built into its native addon. */
export declare type Versions = {
    readonly [Name in 'light-speed-io' | 'blosc-src' | 'io-uring' | 'libdeflate-sys' | 'napi' | 'rustc' | 'zstd-sys']: string;
};

/** Versions of this package and of what is built into its native addon, by name. */
export declare const versions: Versions;

/**
 * Puts objects into the store at `memory://name`, which is made if it does not exist; objects that
 * are there already are replaced. Every array, reader and worker thread of the process sees the same
 * store. Its bytes are copied, and they do not count as budget; {@link deleteMemoryStore} frees them.
 * Until the promise is settled, values must stay as they are; entries are taken one after the other.
 *
 * @param location - `memory://name`.
 * @param entries - Keys such as `'zarr.json'`, `'temperature/c/0/0'`, and their bytes.
 * @throws {LsioError} `ERR_LSIO_METADATA` for a key that escapes the store, `ERR_LSIO_UNSUPPORTED` for a
 *   location that is no store in memory, `ERR_LSIO_BUDGET` if the system has no memory for a value.
 * @throws {TypeError} for a value that is no `Uint8Array`, whose memory was taken away, or whose length changes
 *   while it is copied. Entries before it are in the store.
 */
export declare function writeMemoryStore(location: MemoryLocation, entries: Iterable<readonly [key: string, value: Uint8Array]>, options?: AbortOptions): Promise<void>;

export { }
