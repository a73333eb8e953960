// Runs a program of __test__/programs in a process of its own.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface Ended {
  readonly exitCode: number | string | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `programs/<name>.mjs` with these arguments; resolves when it has ended, however it ended. */
export function runProgram(
  name: string,
  args: readonly string[],
  { nodeArgs = [], env = {} }: { nodeArgs?: string[]; env?: Record<string, string> } = {},
): Promise<Ended> {
  const program = fileURLToPath(new URL(`programs/${name}.mjs`, import.meta.url));
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...nodeArgs, program, ...args],
      // Not the loader that the test files themselves are run with.
      { env: { ...process.env, NODE_OPTIONS: '', ...env } },
      (error, stdout, stderr) => {
        resolve({
          exitCode: error === null ? 0 : (error.code ?? null),
          signal: error?.signal ?? null,
          stdout,
          stderr,
        });
      },
    );
  });
}

/** What a program printed as JSON; throws with its output if it did not end well. */
export async function answerOf(...call: Parameters<typeof runProgram>): Promise<unknown> {
  const { exitCode, signal, stdout, stderr } = await runProgram(...call);
  if (exitCode !== 0) {
    throw new Error(`${call[0]} ended with ${exitCode ?? signal}\n${stdout}\n${stderr}`);
  }
  return JSON.parse(stdout);
}
