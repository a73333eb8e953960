// The error of a command line that cannot be understood.

/** The error of a command line that cannot be understood; it ends the process with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
