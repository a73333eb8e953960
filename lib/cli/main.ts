// The way of a command line: words in, exit code out.

import { colourDepth } from './colour-depth.js';
import type { CommandContext, RunCommand } from './command-context.js';
import { errorDocument, errorText } from './error-report.js';
import type { CommandName } from './flags.js';
import { helpDocument, helpText, usageLine } from './help.js';
import {
  exitCodeFor,
  InterruptedError,
  listenForInterruption,
  OutputClosedError,
} from './interruption.js';
import { Output } from './output.js';
import { parse, type Invocation } from './parse.js';
import { ProgressBar } from './progress.js';
import { packageVersion } from './package-version.js';
import { UsageError } from './usage-error.js';

// Loaded when run: help and usage errors need no native addon.
const COMMANDS: Readonly<Record<CommandName, () => Promise<{ readonly run: RunCommand }>>> = {
  info: () => import('./commands/info.js'),
  ls: () => import('./commands/ls.js'),
  get: () => import('./commands/get.js'),
  stats: () => import('./commands/stats.js'),
  bench: () => import('./commands/bench.js'),
  conformance: () => import('./commands/conformance.js'),
  doctor: () => import('./commands/doctor.js'),
  demo: () => import('./commands/demo.js'),
};

/** Does what `words` ask for, with the process's own output, and sets its exit code. */
export async function main(words: readonly string[]): Promise<void> {
  const interruption = listenForInterruption(
    process,
    (code) => process.exit(code),
    () => performance.now(),
  );
  // Nobody reads what went wrong: the exit code still says it.
  process.stderr.on('error', () => undefined);
  const output = new Output(process.stdout, (error) => {
    interruption.abort(error);
  });
  try {
    const invocation = parse(words);
    process.exitCode = await runInvocation(invocation, output, interruption.signal);
  } catch (error) {
    process.exitCode = exitCodeFor(error);
    reportUsage(error, words);
  }
}

/** A failure before or outside a command. */
function reportUsage(error: unknown, words: readonly string[]): void {
  if (error instanceof OutputClosedError) return;
  process.stderr.write(errorText(error));
  if (error instanceof UsageError) {
    const command = words.find((word): word is CommandName => Object.hasOwn(COMMANDS, word));
    const help = `lsio ${command === undefined ? '' : `${command} `}--help`;
    process.stderr.write(`Usage: ${usageLine(command ?? null)}; \`${help}\` tells more.\n`);
  }
}

async function runInvocation(
  invocation: Invocation,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  const { kind, options } = invocation;
  if (kind === 'help') {
    const { command } = invocation;
    await (options.json
      ? output.writeJson(helpDocument(command))
      : output.write(helpText(command)));
    return 0;
  }
  if (kind === 'version') {
    const version = packageVersion();
    await (options.json
      ? output.writeJson({ name: 'lsio', version })
      : output.write(`lsio ${version}\n`));
    return 0;
  }
  const { stdout, stderr } = process;
  const draws = stderr.isTTY && !options.quiet && process.env['TERM'] !== 'dumb';
  const context: CommandContext = {
    location: invocation.location,
    options,
    signal,
    output,
    progress: new ProgressBar(draws ? stderr : null),
    // Some terminals say 0: they do not know.
    columns: stdout.columns || 80,
    rows: stdout.rows || 40,
    colours: colourDepth(process.env, stdout.isTTY),
  };
  try {
    const { run } = await COMMANDS[invocation.command]();
    const report = await run(context);
    context.progress.clear();
    if (report !== null) {
      await (options.json ? output.writeJson(report.document) : output.write(report.text));
    }
    return 0;
  } catch (error) {
    context.progress.clear();
    if (error instanceof UsageError) throw error;
    return await reportFailure(error, context);
  }
}

async function reportFailure(error: unknown, { options, output }: CommandContext): Promise<number> {
  const code = exitCodeFor(error);
  if (error instanceof OutputClosedError) return code;
  process.stderr.write(errorText(error));
  if (options.json && !(error instanceof InterruptedError)) {
    await output.writeJson(errorDocument(error));
  }
  return code;
}
