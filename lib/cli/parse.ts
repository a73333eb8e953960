// Turns the words of a command line into an {@link Invocation}. Pure: no I/O, no output, no exit.

import { COMMANDS, type Command } from './command-table.js';
import {
  FLAGS,
  defaultOptions,
  isFlagOf,
  takesValue,
  type CommandName,
  type Flag,
  type Options,
} from './flags.js';
import { suggestion } from './near-miss.js';
import { UsageError } from './usage-error.js';

/** What the user asked for. */
export type Invocation =
  | {
      readonly kind: 'run';
      readonly command: CommandName;
      readonly location: string;
      readonly options: Options;
    }
  | { readonly kind: 'help'; readonly command: CommandName | null; readonly options: Options }
  | { readonly kind: 'version'; readonly options: Options };

/**
 * Parses the words after the program's name. `location` is empty for commands without an operand.
 * Throws a {@link UsageError} that names the option or operand, and a near miss where there is one.
 */
export function parse(words: readonly string[]): Invocation {
  const options = defaultOptions();
  const operands: string[] = [];
  let command: Command | null = null;
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') {
      operands.push(...rest.splice(0));
    } else if (word.startsWith('--')) {
      parseLong(word, rest, command, options);
    } else if (word.startsWith('-') && word.length > 1) {
      parseShorts(word, rest, command, options);
    } else if (command === null) {
      command = findCommand(word);
    } else {
      operands.push(word);
    }
  }
  // Asked for help, nobody wants to hear what else is missing.
  if (options.help) return { kind: 'help', command: command?.name ?? null, options };
  if (options.version) return { kind: 'version', options };
  if (command === null) {
    const [first] = operands;
    throw new UsageError(first === undefined ? 'no command given' : unknownCommand(first));
  }
  return {
    kind: 'run',
    command: command.name,
    location: checkOperands(command, operands),
    options,
  };
}

function findCommand(word: string): Command {
  const command = COMMANDS.find(({ name }) => name === word);
  if (command === undefined) throw new UsageError(unknownCommand(word));
  return command;
}

function unknownCommand(word: string): string {
  const names = COMMANDS.map(({ name }) => name);
  return `unknown command '${word}'${suggestion(word, names) || `; the commands are ${names.join(', ')}`}`;
}

function checkOperands(command: Command, operands: readonly string[]): string {
  const [first, second] = operands;
  const surplus = command.operand === null ? first : second;
  if (surplus !== undefined) {
    const takes = command.operand === null ? 'no operand' : `one ${command.operand}`;
    throw new UsageError(`${command.name} takes ${takes}; '${surplus}' is one too many`);
  }
  if (command.operand === null) return '';
  if (first === undefined || first === '')
    throw new UsageError(`${command.name} needs a ${command.operand}`);
  return first;
}

function parseLong(word: string, rest: string[], command: Command | null, options: Options): void {
  const equals = word.indexOf('=');
  const name = equals < 0 ? word : word.slice(0, equals);
  const flag = findFlag(name, command);
  apply(flag, name, equals < 0 ? null : word.slice(equals + 1), rest, options);
}

/** `-q`, `-s 0`, `-s0`, `-s=0`, `-qs0`: short flags may share one dash; one with a value takes what follows it. */
function parseShorts(
  word: string,
  rest: string[],
  command: Command | null,
  options: Options,
): void {
  let letters = word.slice(1);
  while (letters !== '') {
    const name = `-${letters.slice(0, 1)}`;
    letters = letters.slice(1);
    const flag = findFlag(name, command);
    const attached = takesValue(flag) && letters !== '';
    apply(flag, name, attached ? letters.replace(/^=/, '') : null, rest, options);
    if (attached) return;
  }
}

function findFlag(name: string, command: Command | null): Flag {
  const flag = FLAGS.find(({ long, short }) => long === name || short === name);
  const commandName = command?.name ?? null;
  if (flag === undefined) {
    const known = FLAGS.filter((candidate) => isFlagOf(candidate, commandName)).map(
      ({ long }) => long,
    );
    throw new UsageError(
      `unknown option '${name}'${name.startsWith('--') ? suggestion(name, known) : ''}`,
    );
  }
  if (isFlagOf(flag, commandName)) return flag;
  const commands = flag.commands === 'all' ? '' : flag.commands.join(', ');
  throw new UsageError(
    command === null
      ? `option '${name}' comes after its command (${commands})`
      : `${command.name} has no option '${name}'; it belongs to ${commands}`,
  );
}

function apply(
  flag: Flag,
  name: string,
  attached: string | null,
  rest: string[],
  options: Options,
): void {
  if (!takesValue(flag)) {
    if (attached !== null)
      throw new UsageError(`option '${name}' takes no value, but was given '${attached}'`);
    flag.turnOn(options);
    return;
  }
  const text = attached ?? rest.shift();
  const forgotten = attached === null && FLAGS.some(({ long }) => long === text);
  if (text === undefined || forgotten) {
    const found = text === undefined ? '' : `, and found the option ${text}`;
    throw new UsageError(`option '${name}' needs a value, ${flag.value}${found}`);
  }
  try {
    flag.set(options, text);
  } catch (error) {
    if (error instanceof UsageError)
      throw new UsageError(`option '${name}': ${error.message}`, { cause: error });
    throw error;
  }
}
