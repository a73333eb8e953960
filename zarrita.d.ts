/**
 * zarrita, reading natively: `import * as zarr from 'light-speed-io/zarrita'` instead of `from 'zarrita'`.
 *
 * Everything of zarrita is here. Arrays that {@link open} gives read and decode their chunks in the engine
 * of light-speed-io, and {@link get} reads a whole selection there, with zarrita's results: its typed
 * arrays, shapes, strides and scalars. {@link withNativeReads} does the same for one array that was opened
 * elsewhere, and {@link LsioStore} brings bytes of any location to code that decodes them itself.
 *
 * @packageDocumentation
 */

import * as zarrita from 'zarrita';

/**
 * zarrita's `get`: the same result, read and put together by the engine in one call. Also for arrays that
 * zarrita itself has opened.
 *
 * @throws zarrita's `InvalidSelectionError`; a `LsioError` as {@link withNativeReads}, and what is
 *   wrong with a chunk.
 */
export declare const get: typeof zarrita.get;

/** What is at a location, as bytes by their keys: a store for zarrita, or for code of one's own. */
export declare class LsioStore {
    #private;
    /** Where it is, as the engine takes it. */
    readonly location: string;
    /**
     * Looks at nothing yet.
     *
     * @param location - A path, a `file:` URL, or `memory://name`; a path may lead into a zip archive.
     */
    constructor(location: string | URL);
    /**
     * All bytes of an object; undefined if there is none.
     *
     * @param key - Such as `'/group/zarr.json'`.
     * @throws {LsioError} `ERR_LSIO_METADATA` for a key that escapes the location, `ERR_LSIO_BUDGET` for an
     *   object larger than a buffer can be, `ERR_LSIO_ACCESS`, `ERR_LSIO_IO`, ...
     */
    get(key: `/${string}`, options?: LsioStoreOptions): Promise<Uint8Array | undefined>;
    /**
     * Some of the bytes of an object; undefined if there is no such object.
     *
     * @throws {LsioError} `ERR_LSIO_TRUNCATED` where the object ends before the range does; else as
     *   {@link LsioStore.get}.
     */
    getRange(key: `/${string}`, range: LsioStoreRange, options?: LsioStoreOptions): Promise<Uint8Array | undefined>;
}

/** Options of the calls of a {@link LsioStore}. */
export declare interface LsioStoreOptions {
    /** Aborts the call: it then rejects with `signal.reason`. */
    readonly signal?: AbortSignal | undefined;
}

/** Some of the bytes of an object: `length` from `offset` on, or its last `suffixLength`. */
export declare type LsioStoreRange = {
    readonly offset: number;
    readonly length: number;
} | {
    readonly suffixLength: number;
};

/**
 * zarrita's `open`, `open.v2` and `open.v3`; the arrays that they give read natively.
 *
 * @throws {LsioError} as {@link withNativeReads}; otherwise as zarrita's.
 */
export declare const open: typeof zarrita.open;

/** zarrita's, over stores that are read natively; chunks do not go through its cache then. */
export declare const withByteCaching: typeof zarrita.withByteCaching;

/** zarrita's, over stores that are read natively. */
export declare const withConsolidatedMetadata: typeof zarrita.withConsolidatedMetadata;

/** zarrita's, over stores that are read natively. */
export declare const withMaybeConsolidatedMetadata: typeof zarrita.withMaybeConsolidatedMetadata;

/**
 * The same array, with its chunks read and decoded natively: `zarr.get` and functions of other packages
 * then put together what the engine decoded.
 *
 * @param array - An array over a `FileSystemStore` or a {@link LsioStore}.
 * @throws {LsioError} `ERR_LSIO_UNSUPPORTED` for another store, or for what the engine cannot decode;
 *   `ERR_LSIO_CONFLICT` where the array in the store is not the one that zarrita opened.
 */
export declare function withNativeReads<A extends zarrita.Array<zarrita.DataType>>(array: A): Promise<A>;

/** zarrita's, over stores that are read natively; the engine merges reads of chunks by itself. */
export declare const withRangeCoalescing: typeof zarrita.withRangeCoalescing;


export * from "zarrita";

export { }
