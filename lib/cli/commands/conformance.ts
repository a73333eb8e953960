// lsio conformance: every element of an array as JSON, for the public runner of Zarr conformance tests.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ElementForm, LsioArray } from '../../index.js';
import { hasForm } from '../../data-type.js';
import type { CommandContext } from '../command-context.js';
import { consecutiveParts, type Part } from '../consecutive-parts.js';
import { fillValueText, type FillValueElements } from '../fill-value-text.js';
import { openArrayAtLocation } from '../opening.js';
import { UsageError } from '../usage-error.js';

/** Bytes of elements that are read at once. */
const BYTES_AT_ONCE = 2 ** 25;

/** Elements without a fixed size that are read at once: as many bytes if each has 2 KiB. */
const TEXTS_AT_ONCE = 2 ** 14;

/** Elements that are written at once: making their text takes about 1 ms. */
const ELEMENTS_IN_TURN = 4096;

/** Writes the elements of the array in C order, one on each line; as one JSON list with `--json`. */
export async function run(context: CommandContext): Promise<null> {
  const { options, output, signal } = context;
  if (options.arrayPath === null) throw new UsageError('conformance needs --array_path=FOLDER');
  const array = await openArrayAtLocation({ ...context, location: options.arrayPath });
  const separator = options.json ? ',\n' : '\n';
  let isFirst = true;
  if (options.json) await output.write('[');
  const { itemBytes } = array.dtypeInfo;
  const most = itemBytes === null ? TEXTS_AT_ONCE : Math.ceil(BYTES_AT_ONCE / itemBytes);
  for (const part of consecutiveParts(array.shape, array.chunks, most)) {
    const elements = await readPart(array, part, signal);
    const text = fillValueText(elements);
    const count = part.reduce(
      (product, { start, stop }) => product * ((stop ?? 0) - (start ?? 0)),
      1,
    );
    for (let from = 0; from < count; from += ELEMENTS_IN_TURN) {
      const length = Math.min(ELEMENTS_IN_TURN, count - from);
      const lines = Array.from({ length }, (_, index) => text(from + index));
      await output.write(`${isFirst ? '' : separator}${lines.join(separator)}`);
      isFirst = false;
      await nextTurn();
      signal.throwIfAborted();
    }
  }
  await output.write(options.json ? ']\n' : isFirst ? '' : '\n');
  return null;
}

async function readPart(
  array: LsioArray,
  part: Part,
  signal: AbortSignal,
): Promise<FillValueElements> {
  const { dtype, dtypeInfo: info } = array;
  const { data } = await array.get(part, { signal });
  const elements = { dtype, info, data: data as unknown as ArrayLike<unknown> };
  if (!hasForm(dtype, 'bits') || !hasNaN(elements.data)) return elements;
  // What was read is wider than what is stored: of NaNs that is not enough.
  const stored = await array.get(part, { signal, as: 'bits' as ElementForm });
  return { ...elements, bits: stored.data as unknown as ArrayLike<number> };
}

function hasNaN(data: ArrayLike<unknown>): boolean {
  for (let index = 0; index < data.length; index += 1) {
    if (Number.isNaN(data[index])) return true;
  }
  return false;
}
