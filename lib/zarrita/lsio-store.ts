// A zarrita store over any location of the library: bytes, read off the event loop.

import { constants } from 'node:buffer';
import { runCall } from '../abort.js';
import { LsioError, unwrap } from '../errors.js';
import { native, type NativeObjects } from '../native-module.js';
import { locationText } from '../open.js';
import { parseOptions, type Parsed, type Schema } from '../option-checks.js';
import { storageOptions, type StorageOptions } from '../storage-options.js';

/** Options of the calls of a {@link LsioStore}. */
export interface LsioStoreOptions {
  /** Aborts the call: it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of a {@link LsioStore} itself. */
export interface LsioStoreSettings {
  /** How to get at an object store. Default: what the environment says. */
  readonly storage?: StorageOptions | undefined;
}

const SETTINGS: Schema<LsioStoreSettings> = { storage: storageOptions };

/** Some of the bytes of an object: `length` from `offset` on, or its last `suffixLength`. */
export type LsioStoreRange =
  { readonly offset: number; readonly length: number } | { readonly suffixLength: number };

/** Where a store is, with what is secret in a URL, and how to get at it. */
export interface StoreLocation extends LsioStoreSettings {
  readonly location: string;
}

let locationOf: (store: LsioStore) => StoreLocation;

/** What is at a location, as bytes by their keys: a store for zarrita, or for code of one's own. */
export class LsioStore {
  readonly #objects: NativeObjects;
  /** As it was given: it may have something secret in it. */
  readonly #location: string;
  readonly #storage: Parsed<StorageOptions> | undefined;

  static {
    locationOf = (store) => ({ location: store.#location, storage: store.#storage });
  }

  /** Where it is; of a URL without user, password and query, which may be secret. */
  readonly location: string;

  /**
   * Looks at nothing yet.
   *
   * @param location - A path, a `file:` URL, `memory://name`, or the URL of an object store; each may lead into a
   *   zip archive.
   * @throws {TypeError} for another location, and for options that it does not have.
   */
  constructor(location: string | URL, options?: LsioStoreSettings) {
    this.#location = locationText(location);
    this.#storage = parseOptions('LsioStore', options, SETTINGS).storage;
    this.#objects = unwrap(native().objects(this.#location, this.#storage));
    this.location = this.#objects.location();
  }

  /**
   * All bytes of an object; undefined if there is none.
   *
   * @param key - Such as `'/group/zarr.json'`.
   * @throws {LsioError} `ERR_LSIO_METADATA` for a key that escapes the location, `ERR_LSIO_BUDGET` for an
   *   object larger than a buffer can be, `ERR_LSIO_ACCESS`, `ERR_LSIO_IO`, ...
   */
  get(key: `/${string}`, options?: LsioStoreOptions): Promise<Uint8Array | undefined> {
    return this.#read(key, undefined, undefined, options);
  }

  /**
   * Some of the bytes of an object; undefined if there is no such object.
   *
   * @throws {LsioError} `ERR_LSIO_TRUNCATED` where the object ends before the range does; else as
   *   {@link LsioStore.get}.
   * @throws {RangeError} for numbers that are no integers, or negative.
   */
  async getRange(
    key: `/${string}`,
    range: LsioStoreRange,
    options?: LsioStoreOptions,
  ): Promise<Uint8Array | undefined> {
    return 'suffixLength' in range
      ? this.#read(key, undefined, count(range.suffixLength, 'suffixLength'), options)
      : this.#read(key, count(range.offset, 'offset'), count(range.length, 'length'), options);
  }

  async #read(
    key: string,
    offset: number | undefined,
    length: number | undefined,
    options: LsioStoreOptions | undefined,
  ): Promise<Uint8Array | undefined> {
    if (typeof key !== 'string' || !key.startsWith('/')) {
      throw new LsioError('ERR_LSIO_METADATA', 'keys of a LsioStore are strings that begin with /');
    }
    const bytes = unwrap(
      await runCall({ signal: options?.signal }, (call) =>
        this.#objects.read(call, key.slice(1), constants.MAX_LENGTH, offset, length),
      ),
    );
    return bytes === null ? undefined : new Uint8Array(bytes);
  }
}

function count(value: number, name: string): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`${name} is ${String(value)}; expected a number of bytes`);
  }
  return value;
}

/** How arrays in a store are opened natively. */
export function storeLocationOf(store: LsioStore): StoreLocation {
  return locationOf(store);
}
