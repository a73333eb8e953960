// lsio get: reads a selection, and prints it, or writes it as .npy.

import type { CommandContext } from '../command-context.js';
import { printedText } from '../printed-values.js';
import { openArrayAtLocation } from '../opening.js';
import { fitSelection, fittedShape, librarySelection } from '../selection-text.js';
import { nestedValues } from '../nested-values.js';
import { getOptions } from '../reading.js';
import { UsageError } from '../usage-error.js';
import { writeNpy } from '../npy-writer.js';

/** Reads the selection at the location, and writes it to the output or to a file. */
export async function run(context: CommandContext): Promise<null> {
  const { options, output, signal } = context;
  if (options.output === '-' && options.json) {
    throw new UsageError('--output - and --json both write to standard output; choose one');
  }
  const array = await openArrayAtLocation(context);
  const selection = fitSelection(options.selection ?? [], array.shape);
  const shape = fittedShape(selection);
  const { path, dtype, dtypeInfo } = array;
  context.progress.start('reading');
  if (options.output !== null) {
    const bytes = await writeNpy(array, selection, options.output, context);
    if (options.json) {
      await output.writeJson({ path, dtype, shape, output: options.output, bytes });
    }
    return null;
  }
  if (!options.json) {
    await output.write(`${await printedText(array, selection, context)}\n`);
    return null;
  }
  const { data } = await array.get(librarySelection(selection), getOptions(context, array.nbytes));
  const values = nestedValues(data, shape, dtype, dtypeInfo);
  signal.throwIfAborted();
  await output.writeJson({ path, dtype, shape, data: values });
  return null;
}
