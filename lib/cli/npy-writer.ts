// Writes a selection of an array as a .npy file, tile by tile.

import { open as openFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { elementView, isText, valuesPerElement, type ElementView } from '../data-type.js';
import type { LsioArray } from '../index.js';
import type { CommandContext } from './command-context.js';
import {
  longestText,
  npyElements,
  npyHeader,
  npyTexts,
  npyTextTypeString,
  npyTypeString,
} from './npy.js';
import { getOptions } from './reading.js';
import { fittedShape, librarySelection, type FittedEntry } from './selection-text.js';
import { countElements, runs, tiles } from './tiles.js';
import { UsageError } from './usage-error.js';

/** Most bytes of one tile: no burden for the machine, and enough to keep all cores busy. */
const TILE_BYTES = 256 * 1024 ** 2;

/** Where the bytes go. */
interface Target {
  /** Whether bytes can only be appended. */
  readonly sequential: boolean;
  write(bytes: Uint8Array, position: number): Promise<void>;
}

/**
 * Writes `selection` of `array` to `file` (`-`: the output) and returns how many bytes that took. The
 * file appears under its name when it is complete; after a failure nothing is left of it.
 */
export async function writeNpy(
  array: LsioArray,
  selection: readonly FittedEntry[],
  file: string,
  context: CommandContext,
): Promise<number> {
  if (file === '-') {
    const write = (bytes: Uint8Array): Promise<void> => context.output.write(bytes);
    return writeArray(array, selection, context, { sequential: true, write });
  }
  const partial = `${file}.partial-${process.pid}`;
  const handle = await openFile(partial, 'wx');
  try {
    let bytes: number;
    try {
      const write = (part: Uint8Array, position: number): Promise<void> =>
        writeAll(handle, part, position);
      bytes = await writeArray(array, selection, context, { sequential: false, write });
    } finally {
      await handle.close();
    }
    await rename(partial, file);
    return bytes;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** One call writes at most 2 GiB, and may write less than it was given. */
async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.byteLength) {
    const rest = bytes.byteLength - written;
    const { bytesWritten } = await handle.write(bytes, written, rest, position + written);
    written += bytesWritten;
  }
}

async function writeArray(
  array: LsioArray,
  selection: readonly FittedEntry[],
  context: CommandContext,
  target: Target,
): Promise<number> {
  context.progress.start('writing');
  const { dtype, dtypeInfo } = array;
  if (isText(dtype)) {
    return writeTexts(array as LsioArray<'string'>, selection, context, target);
  }
  // float16 as its bits: the same in every runtime, and what the file holds.
  const form = dtype === 'float16' ? ({ as: 'bits' } as const) : {};
  const view = elementView(dtype, form.as);
  if (view === null) throw new UsageError(`a .npy file cannot hold ${dtype} elements`);
  const shape = fittedShape(selection);
  const header = npyHeader(npyTypeString(dtype, dtypeInfo), shape);
  await target.write(header, 0);

  const perElement = valuesPerElement(dtype, dtypeInfo);
  const bytesPerElement = view.BYTES_PER_ELEMENT * perElement;
  const maxElements = Math.floor(TILE_BYTES / bytesPerElement);
  const parts = tiles(selection, array.shards ?? array.chunks, maxElements, target.sequential);
  const largest = parts.reduce((most, { entries }) => Math.max(most, countElements(entries)), 0);
  // Shared memory is written by the core itself, and serves for every tile.
  const memory = new SharedArrayBuffer(largest * bytesPerElement);
  const total = countElements(selection) * bytesPerElement;
  let done = 0;
  // Nothing to read, but an index may still be out of bounds.
  if (parts.length === 0) await array.get(librarySelection(selection), { signal: context.signal });
  for (const tile of parts) {
    const values = countElements(tile.entries) * perElement;
    const out = new view(memory, 0, values);
    const { io, signal } = getOptions(context, null);
    await array.get(librarySelection(tile.entries), { io, signal, ...form, out: asOut(out) });
    const bytes = npyElements(out);
    for (const { tileOffset, resultOffset, length } of runs(tile, shape)) {
      const from = tileOffset * bytesPerElement;
      const run = bytes.subarray(from, from + length * bytesPerElement);
      await target.write(run, header.length + resultOffset * bytesPerElement);
    }
    done += bytes.byteLength;
    context.progress.update(done, total);
    signal.throwIfAborted();
  }
  return header.length + total;
}

/** The type of `out` follows from a data type that is known only at run time here; the library checks it. */
function asOut(view: ElementView): Uint8Array {
  return view as unknown as Uint8Array;
}

/** The header says how long the longest text is, so all are read before the first is written. */
async function writeTexts(
  array: LsioArray<'string'>,
  selection: readonly FittedEntry[],
  context: CommandContext,
  target: Target,
): Promise<number> {
  const { data } = await array.get(librarySelection(selection), getOptions(context, null));
  const characters = longestText(data);
  const header = npyHeader(npyTextTypeString(characters), fittedShape(selection));
  const texts = npyTexts(data, characters);
  await target.write(header, 0);
  await target.write(texts, header.length);
  return header.length + texts.byteLength;
}
