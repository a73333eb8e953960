// Help, made from the tables of commands and flags. Pure.

import { COMMANDS, type Command } from './command-table.js';
import { FLAGS, isFlagOf, takesValue, type CommandName, type Flag } from './flags.js';
import { wrap } from './format.js';

const WIDTH = 80;
const INDENT = '  ';

/** The help of `command`, or of the program for `null`. */
export function helpText(command: CommandName | null): string {
  const row = COMMANDS.find(({ name }) => name === command);
  return row === undefined ? programHelp() : commandHelp(row);
}

/** How a command is called: `lsio get [options] LOCATION`. */
export function usageLine(command: CommandName | null): string {
  const row = COMMANDS.find(({ name }) => name === command);
  if (row === undefined) return 'lsio COMMAND [options]';
  return `lsio ${row.name} [options]${row.operand === null ? '' : ` ${row.operand}`}`;
}

/** The tables themselves, for programs. */
export function helpDocument(command: CommandName | null): unknown {
  return {
    usage: usageLine(command),
    commands: COMMANDS.filter(({ name }) => command === null || name === command),
    options: FLAGS.filter((flag) => command === null || isFlagOf(flag, command)).map((flag) => ({
      long: flag.long,
      short: flag.short ?? null,
      value: takesValue(flag) ? flag.value : null,
      example: takesValue(flag) ? flag.example : null,
      commands: flag.commands,
      help: flag.help,
    })),
  };
}

function programHelp(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  const commands = COMMANDS.map(
    ({ name, summary }) => `${INDENT}${name.padEnd(width)}  ${summary}\n`,
  );
  const examples = COMMANDS.flatMap(({ examples: [first] }) => [first]);
  return [
    'LSIO: load and process large, chunked, n-dimensional arrays.\n\n',
    `Usage: ${usageLine(null)}\n\n`,
    'Commands:\n',
    ...commands,
    '\nOptions of every command:\n',
    ...FLAGS.filter(({ commands: takenBy }) => takenBy === 'all').map(flagHelp),
    '\nExamples:\n',
    exampleLines(examples),
    '\nLOCATION is a path, a file:// address, or the address of an object store: s3://,\n',
    'gs://, az://, abfs://, https://, and http:// on this machine. Each may lead to a zip\n',
    'archive and into it: data.zip/temperature. Keys of stores are taken from the\n',
    'environment (AWS_*, GOOGLE_*, AZURE_*). `lsio COMMAND --help` tells more.\n\n',
    'Values go to standard output, progress and errors to standard error. Exit codes:\n',
    '0 done, 1 failed, 2 not understood, 130 interrupted, 129 and 143 ended by SIGHUP and\n',
    'SIGTERM.\n',
  ].join('');
}

function commandHelp(command: Command): string {
  return [
    `${command.summary}.\n\n`,
    `Usage: ${usageLine(command.name)}\n\n`,
    ...wrap(command.description, WIDTH).map((line) => `${line}\n`),
    '\nOptions:\n',
    ...FLAGS.filter((flag) => isFlagOf(flag, command.name)).map(flagHelp),
    command.examples.length === 1 ? '\nExample:\n' : '\nExamples:\n',
    exampleLines(command.examples),
  ].join('');
}

function exampleLines(examples: readonly { line: string; what: string }[]): string {
  const width = Math.max(...examples.map(({ line }) => line.length));
  return examples.map(({ line, what }) => `${INDENT}${line.padEnd(width)}  # ${what}\n`).join('');
}

function flagHelp(flag: Flag): string {
  const names = flag.short === undefined ? `    ${flag.long}` : `${flag.short}, ${flag.long}`;
  const head = takesValue(flag) ? `${names} ${flag.value}` : names;
  const column = INDENT.length + 26;
  const indent = ' '.repeat(column);
  const lines = wrap(flag.help, WIDTH - column);
  const start = `${INDENT}${head}`;
  // Long names get a line of their own.
  if (start.length + 2 > column)
    return `${start}\n${lines.map((line) => `${indent}${line}\n`).join('')}`;
  return lines
    .map((line, index) => `${index === 0 ? start.padEnd(column) : indent}${line}\n`)
    .join('');
}
