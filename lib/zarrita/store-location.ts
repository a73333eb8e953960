// Which location of the library a store of zarrita stands for.

import { resolve } from 'node:path';
import FetchStore from '@zarrita/storage/fetch';
import FileSystemStore from '@zarrita/storage/fs';
import * as zarrita from 'zarrita';
import { LsioError } from '../errors.js';
import { LsioStore, storeLocationOf, type StoreLocation } from './lsio-store.js';

/** Stores that bring the same chunks as another, by themselves: what they add is about metadata or speed. */
const STANDS_FOR = new WeakMap<object, object>();

/**
 * The location whose objects a store brings.
 *
 * @throws {LsioError} `ERR_LSIO_UNSUPPORTED` for a store of which that is not known.
 */
export function storeLocation(store: object): StoreLocation {
  let inner = store;
  for (let next = STANDS_FOR.get(inner); next !== undefined; next = STANDS_FOR.get(inner)) {
    inner = next;
  }
  if (inner instanceof LsioStore && inner.get === LsioStore.prototype.get) {
    return storeLocationOf(inner);
  }
  // A subclass, or an extension that was defined elsewhere, may bring other bytes than the files have.
  if (inner instanceof FileSystemStore && inner.get === FileSystemStore.prototype.get) {
    return { location: resolve(inner.root) };
  }
  if (inner instanceof FetchStore && inner.get === FetchStore.prototype.get) {
    const { href, protocol } = new URL(inner.url);
    // Whoever made it has chosen that data may go unencrypted.
    return protocol === 'http:'
      ? { location: href, storage: { allowHttp: true } }
      : { location: href };
  }
  const name = (inner.constructor as { readonly name?: string } | undefined)?.name ?? 'this';
  throw new LsioError(
    'ERR_LSIO_UNSUPPORTED',
    `chunks of a ${name} store cannot be read natively; a FileSystemStore and a FetchStore of @zarrita/storage and a ` +
      "LsioStore can, also behind withConsolidatedMetadata and its like of 'light-speed-io/zarrita'",
  );
}

/** The extension, with a note of which store its result stands for. */
function noted<F>(extension: F): F {
  const extend = extension as (store: object, ...options: unknown[]) => unknown;
  const note = (extended: unknown, store: object): unknown => {
    if (typeof extended === 'object' && extended !== null && extended !== store) {
      STANDS_FOR.set(extended, store);
    }
    return extended;
  };
  const extendNoted = (store: object, ...options: unknown[]): unknown => {
    const extended = extend(store, ...options);
    return extended instanceof Promise
      ? extended.then((settled) => note(settled, store))
      : note(extended, store);
  };
  return extendNoted as F;
}

/** zarrita's, over stores that are read natively. */
export const withConsolidatedMetadata: typeof zarrita.withConsolidatedMetadata = noted(
  zarrita.withConsolidatedMetadata,
);

/** zarrita's, over stores that are read natively. */
export const withMaybeConsolidatedMetadata: typeof zarrita.withMaybeConsolidatedMetadata = noted(
  zarrita.withMaybeConsolidatedMetadata,
);

/** zarrita's, over stores that are read natively; chunks do not go through its cache then. */
export const withByteCaching: typeof zarrita.withByteCaching = noted(zarrita.withByteCaching);

/** zarrita's, over stores that are read natively; the engine merges reads of chunks by itself. */
export const withRangeCoalescing: typeof zarrita.withRangeCoalescing = noted(
  zarrita.withRangeCoalescing,
);
