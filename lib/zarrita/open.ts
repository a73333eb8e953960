// zarrita's `open`, whose arrays read natively.

import * as zarrita from 'zarrita';
import { withNativeReads } from './native-array.js';

type Opened = zarrita.Array<zarrita.DataType> | zarrita.Group<zarrita.Readable>;

/** `open`, and then native reads for what is an array. */
function nativeOpen<F>(open: F): F {
  const openNode = open as (...words: unknown[]) => Promise<Opened>;
  const openNative = async (...words: unknown[]): Promise<Opened> => {
    const node = await openNode(...words);
    return node.kind === 'array' ? withNativeReads(node) : node;
  };
  return openNative as F;
}

/**
 * zarrita's `open`, `open.v2` and `open.v3`; the arrays that they give read natively.
 *
 * @throws {LsioError} as {@link withNativeReads}; otherwise as zarrita's.
 */
export const open: typeof zarrita.open = Object.assign(nativeOpen(zarrita.open), {
  v2: nativeOpen(zarrita.open.v2),
  v3: nativeOpen(zarrita.open.v3),
});
