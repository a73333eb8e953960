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

export * from 'zarrita';
export { get } from './get.js';
export {
  LsioStore,
  type LsioStoreOptions,
  type LsioStoreRange,
  type LsioStoreSettings,
} from './lsio-store.js';
export type { StorageOptions } from '../storage-options.js';
export { withNativeReads } from './native-array.js';
export { open } from './open.js';
export {
  withByteCaching,
  withConsolidatedMetadata,
  withMaybeConsolidatedMetadata,
  withRangeCoalescing,
} from './store-location.js';
