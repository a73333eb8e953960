// Writes a selection of an array as a .npy file, slab by slab.

import { open as openFile, rename, rm } from 'node:fs/promises';
import type { DataType, LsioArray } from '../index.js';
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
import { slabs } from './slabs.js';

/** The elements of one slab: few enough to be no burden, enough to keep all cores busy. */
const SLAB_BYTES = 256 * 1024 ** 2;

type Write = (bytes: Uint8Array) => Promise<void>;

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
  let written = 0;
  if (file === '-') {
    await writeArray(array, selection, context, async (bytes) => {
      await context.output.write(bytes);
      written += bytes.byteLength;
    });
    return written;
  }
  const partial = `${file}.partial-${process.pid}`;
  const handle = await openFile(partial, 'wx');
  try {
    try {
      await writeArray(array, selection, context, async (bytes) => {
        // One call writes at most 2 GiB; writeFile goes on until all is written.
        await handle.writeFile(bytes);
        written += bytes.byteLength;
      });
    } finally {
      await handle.close();
    }
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  return written;
}

async function writeArray(
  array: LsioArray,
  selection: readonly FittedEntry[],
  context: CommandContext,
  write: Write,
): Promise<void> {
  const shape = fittedShape(selection);
  const options = getOptions(context, array.nbytes);
  if (array.is('string')) {
    // The header says how long the longest text is, so all are read before the first is written.
    const { data } = await array.get(librarySelection(selection), options);
    const characters = longestText(data);
    await write(npyHeader(npyTextTypeString(characters), shape));
    await write(npyTexts(data, characters));
    return;
  }
  await write(npyHeader(npyTypeString(array.dtype as Exclude<DataType, 'string'>), shape));
  const elements = array.shape.reduce((product, length) => product * length, 1);
  const bytesPerElement = (array.nbytes ?? 0) / Math.max(1, elements);
  const maxElements = Math.max(1, Math.floor(SLAB_BYTES / Math.max(1, bytesPerElement)));
  context.progress.start('writing');
  for (const slab of slabs(selection, array.shards ?? array.chunks, maxElements)) {
    const entries = librarySelection(slab);
    // float16 as its bits: the same in every runtime, and what the file holds.
    const { data } = array.is('float16')
      ? await array.get(entries, { ...options, as: 'bits' })
      : await array.get(entries, options);
    await write(npyElements(data as Uint8Array));
    context.signal.throwIfAborted();
  }
}
