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
    /** Where it is; of a URL without user, password and query, which may be secret. */
    readonly location: string;
    /**
     * Looks at nothing yet.
     *
     * @param location - A path, a `file:` URL, `memory://name`, or the URL of an object store; each may lead into a
     *   zip archive.
     * @throws {TypeError} for another location, and for options that it does not have.
     */
    constructor(location: string | URL, options?: LsioStoreSettings);
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
     * @throws {RangeError} for numbers that are no integers, or negative.
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

/** Options of a {@link LsioStore} itself. */
export declare interface LsioStoreSettings {
    /** How to get at an object store. Default: what the environment says. */
    readonly storage?: StorageOptions | undefined;
}

/**
 * zarrita's `open`, `open.v2` and `open.v3`; the arrays that they give read natively.
 *
 * @throws {LsioError} as {@link withNativeReads}; otherwise as zarrita's.
 */
export declare const open: typeof zarrita.open;

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
 * @param array - An array over a `FileSystemStore`, a `FetchStore` or a {@link LsioStore}. The engine asks for the URL
 *   of a `FetchStore` itself: what that was given as `fetch` and `overrides` cannot be seen and is not used. Where they
 *   matter, as for headers, take a {@link LsioStore} with `storage`.
 * @throws {LsioError} `ERR_LSIO_UNSUPPORTED` for another store, or for what the engine cannot decode;
 *   `ERR_LSIO_CONFLICT` where the array in the store is not the one that zarrita opened.
 */
export declare function withNativeReads<A extends zarrita.Array<zarrita.DataType>>(array: A): Promise<A>;

/** zarrita's, over stores that are read natively; the engine merges reads of chunks by itself. */
export declare const withRangeCoalescing: typeof zarrita.withRangeCoalescing;


export * from "zarrita";

export { }
