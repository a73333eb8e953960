// What a command is given to work with.

import type { ColourDepth } from './colour-depth.js';
import type { Options } from './flags.js';
import type { Output } from './output.js';
import type { ProgressBar } from './progress.js';

export interface CommandContext {
  readonly location: string;
  readonly options: Options;
  /** Aborted by Ctrl-C, SIGTERM, and when nobody reads the output any more. */
  readonly signal: AbortSignal;
  readonly output: Output;
  readonly progress: ProgressBar;
  /** What standard output can show. */
  readonly columns: number;
  readonly rows: number;
  readonly colours: ColourDepth;
}

/** What a command found, for programs and for people. */
export interface Report {
  readonly document: unknown;
  readonly text: string;
}

/** A command: returns its report, or `null` when it wrote its output itself. */
export type RunCommand = (context: CommandContext) => Promise<Report | null>;
