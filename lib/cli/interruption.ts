// Ctrl-C, SIGTERM and a reader that went away, all as one AbortSignal.

import { UsageError } from './usage-error.js';

/** 128 plus the number of the signal, as shells count. */
const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** A signal that ends a command in order. */
export type InterruptingSignal = keyof typeof EXIT_CODES;
type InterruptionExitCode = (typeof EXIT_CODES)[InterruptingSignal];

/** Why a command was stopped by a signal. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  readonly exitCode: InterruptionExitCode;

  constructor(signal: InterruptingSignal) {
    super(signal === 'SIGINT' ? 'interrupted' : `ended by ${signal}`);
    this.exitCode = EXIT_CODES[signal];
  }
}

/** Nobody reads standard output any more (`lsio ... | head`): a quiet end, not a failure. */
export class OutputClosedError extends Error {
  override readonly name = 'OutputClosedError';
}

/** The exit code for what a command threw. */
export function exitCodeFor(error: unknown): 0 | 1 | 2 | InterruptionExitCode {
  if (error instanceof OutputClosedError) return 0;
  if (error instanceof UsageError) return 2;
  return error instanceof InterruptedError ? error.exitCode : 1;
}

/**
 * One Ctrl-C may arrive twice within moments, from the terminal and from the `npm run` around the
 * process that passes it on; nobody presses it again that fast.
 */
const SAME_KEY_PRESS_MS = 300;

/** What {@link listenForInterruption} needs of the process. */
export interface SignalSource {
  on(event: InterruptingSignal, listener: (signal: InterruptingSignal) => void): unknown;
}

/**
 * A signal that the first Ctrl-C, SIGTERM or SIGHUP aborts, with an {@link InterruptedError}; the second one
 * calls `exit` with its exit code. `now` is a clock in milliseconds.
 */
export function listenForInterruption(
  source: SignalSource,
  exit: (code: number) => void,
  now: () => number,
): AbortController {
  const controller = new AbortController();
  let firstAt: number | undefined;
  const onSignal = (signal: InterruptingSignal): void => {
    const reason = new InterruptedError(signal);
    if (firstAt === undefined) {
      firstAt = now();
      controller.abort(reason);
    } else if (now() - firstAt > SAME_KEY_PRESS_MS) {
      exit(reason.exitCode);
    }
  };
  // SIGHUP: the terminal was closed.
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) source.on(signal, onSignal);
  return controller;
}
