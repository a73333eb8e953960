// The options of reads that a command waits for, with a bar while they run.

import type { IoMode, Progress } from '../index.js';
import type { CommandContext } from './command-context.js';

/** Options for `get` and `getMany`: the user's mode, the signal, and a bar towards `totalBytes`. */
export function getOptions(
  { options, signal, progress }: CommandContext,
  totalBytes: number | null,
): {
  readonly io: IoMode | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
} {
  return {
    io: options.io ?? undefined,
    signal,
    onProgress: ({ bytesDecoded }) => {
      progress.update(bytesDecoded, totalBytes ?? 0);
    },
  };
}
