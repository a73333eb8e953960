// Runs the real command line as a process of its own.

import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const lsioProgram: string = fileURLToPath(new URL('../bin/lsio.mjs', import.meta.url));

export interface LsioResult {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Variables that the tests must not inherit: they change what is printed. */
const COLOUR_VARIABLES = { FORCE_COLOR: undefined, NO_COLOR: undefined, COLORTERM: undefined };

/** Starts `lsio` with its output in pipes. */
export function startLsio(
  words: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): ChildProcess {
  return spawn(process.execPath, [lsioProgram, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...COLOUR_VARIABLES, ...environment },
  });
}

/** What a process that was started wrote, and how it ended. */
export function resultOf(child: ChildProcess): Promise<LsioResult> {
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout?.on('data', (data: Buffer) => stdout.push(data));
  child.stderr?.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, stdout: Buffer.concat(stdout), stderr });
    });
  });
}

/** Runs `lsio` to its end. */
export function lsio(
  words: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<LsioResult> {
  return resultOf(startLsio(words, environment));
}

/** What `lsio --json` prints. */
export async function lsioJson<T>(...words: string[]): Promise<T> {
  const { code, stdout, stderr } = await lsio([...words, '--json']);
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
  return JSON.parse(stdout.toString()) as T;
}
