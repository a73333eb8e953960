// What the command line can be told, as one table: a row is a flag with its names, its help, its
// parser and the commands that take it. Parsing, help and the tests of the table all read these
// rows. Nothing here does I/O.

import { CONFIGURE_OPTIONS, type IoMode } from '../options.js';
import { suggestion } from './near-miss.js';
import { parseSelection, type SelectionEntry } from './selection-text.js';
import { UsageError } from './usage-error.js';

export type CommandName =
  'info' | 'ls' | 'get' | 'stats' | 'bench' | 'conformance' | 'doctor' | 'demo';
export type EngineName = 'auto' | 'uring' | 'pread';

/** Everything that flags can set, parsed and checked. `null` is "not said". */
export interface Options {
  json: boolean;
  help: boolean;
  version: boolean;
  quiet: boolean;
  engine: EngineName | null;
  threads: number | null;
  memory: number | null;
  path: string | null;
  field: string | null;
  zarrFormat: 2 | 3 | null;
  recursive: boolean;
  selection: readonly SelectionEntry[] | null;
  output: string | null;
  full: boolean;
  io: IoMode | null;
  repeats: number;
  directory: string | null;
  size: number;
  seed: number;
  keep: boolean;
  arrayPath: string | null;
}

/** The options of a command line that sets none. */
export function defaultOptions(): Options {
  return {
    json: false,
    help: false,
    version: false,
    quiet: false,
    engine: null,
    threads: null,
    memory: null,
    path: null,
    field: null,
    zarrFormat: null,
    recursive: false,
    selection: null,
    output: null,
    full: false,
    io: null,
    repeats: 5,
    directory: null,
    size: 1024 ** 3,
    seed: 1,
    keep: false,
    arrayPath: null,
  };
}

interface FlagNames {
  /** With its two dashes. */
  readonly long: `--${string}`;
  /** With its dash. */
  readonly short?: `-${string}`;
  readonly help: string;
  readonly commands: readonly CommandName[] | 'all';
}

/** A flag that is there or not. */
export interface SwitchFlag extends FlagNames {
  readonly turnOn: (options: Options) => void;
}

/** A flag with a value. */
export interface ValueFlag extends FlagNames {
  /** What stands for the value in the help, in capitals. */
  readonly value: string;
  /** A value that the flag takes: shown in the help for programs, parsed by the tests. */
  readonly example: string;
  /** Parses `text` into the option, or throws a {@link UsageError} saying what was expected. */
  readonly set: (options: Options, text: string) => void;
}

export type Flag = SwitchFlag | ValueFlag;

/** Whether `flag` takes a value. */
export function takesValue(flag: Flag): flag is ValueFlag {
  return 'set' in flag;
}

/** Whether `command` (or no command at all: `null`) takes `flag`. */
export function isFlagOf(flag: Flag, command: CommandName | null): boolean {
  return flag.commands === 'all' || (command !== null && flag.commands.includes(command));
}

const OPENS_AN_ARRAY = ['info', 'ls', 'get', 'stats', 'bench'] as const;
const READS_CHUNKS = ['get', 'stats', 'bench', 'demo'] as const;

export const FLAGS: readonly Flag[] = [
  {
    long: '--selection',
    short: '-s',
    value: 'SELECTION',
    example: '0,10:20,:',
    commands: ['get'],
    help: 'What to read, in numpy words: one entry per dimension, an integer or start:stop:step; negative ones count from the end, a negative step goes backwards, `...` fills up. Default: all.',
    set: (options, text) => {
      options.selection = parseSelection(text);
    },
  },
  {
    long: '--output',
    short: '-o',
    value: 'FILE',
    example: 'values.npy',
    commands: ['get'],
    help: 'Write the values to FILE in the .npy format instead of printing them; `-` is standard output.',
    set: (options, text) => {
      options.output = nonEmpty(text, 'a file name');
    },
  },
  {
    long: '--array_path',
    value: 'FOLDER',
    example: 'data/int64.zarr',
    commands: ['conformance'],
    help: 'The array whose elements are printed. Its name is the one that the test runner uses.',
    set: (options, text) => {
      options.arrayPath = nonEmpty(text, 'the path of an array');
    },
  },
  {
    long: '--full',
    commands: ['get'],
    help: 'Print every value, of 2 000 000 at most. Without it, more than 1000 values are shortened to their corners, and only those are read.',
    turnOn: (options) => {
      options.full = true;
    },
  },
  {
    long: '--path',
    short: '-p',
    value: 'MEMBER',
    example: 'level/temperature',
    commands: OPENS_AN_ARRAY,
    help: 'The member of the group at LOCATION to open.',
    set: (options, text) => {
      options.path = nonEmpty(text, 'the path of a member');
    },
  },
  {
    long: '--field',
    short: '-f',
    value: 'FIELD',
    example: 'position.x',
    commands: ['info', 'get', 'stats'],
    help: 'Of records, one field as an array of its own: its name, or a path where records are in records.',
    set: (options, text) => {
      options.field = nonEmpty(text, 'the name of a field');
    },
  },
  {
    long: '--zarr-format',
    value: 'N',
    example: '2',
    commands: OPENS_AN_ARRAY,
    help: 'Read the metadata of Zarr format 2 or 3 only. Default: what is there.',
    set: (options, text) => {
      options.zarrFormat = oneOf(text, ['2', '3'] as const) === '2' ? 2 : 3;
    },
  },
  {
    long: '--recursive',
    short: '-r',
    commands: ['ls'],
    help: 'List the members of members too.',
    turnOn: (options) => {
      options.recursive = true;
    },
  },
  {
    long: '--io',
    value: 'MODE',
    example: 'direct',
    commands: ['get', 'bench'],
    help: 'How local files are read: auto, direct (past the page cache) or buffered. Default: auto; in bench, auto for the hot reads and direct for the cold ones.',
    set: (options, text) => {
      options.io = oneOf(text, ['auto', 'direct', 'buffered'] as const);
    },
  },
  {
    long: '--repeats',
    short: '-n',
    value: 'N',
    example: '9',
    commands: ['bench'],
    help: 'Reads per cache state. Default: 5.',
    set: (options, text) => {
      options.repeats = integer(text, 1, 1000);
    },
  },
  {
    long: '--dir',
    value: 'FOLDER',
    example: '/var/tmp',
    commands: ['demo'],
    help: 'Where to make the temporary folder of the sample data. Default: that of the system.',
    set: (options, text) => {
      options.directory = nonEmpty(text, 'a folder');
    },
  },
  {
    long: '--size',
    value: 'SIZE',
    example: '256MiB',
    commands: ['demo'],
    help: 'Decoded size of the sample data: bytes, or with a unit, such as 256MiB or 1.5GB. At least 1MiB. Default: 1GiB.',
    set: (options, text) => {
      options.size = byteSize(text, 1024 ** 2);
    },
  },
  {
    long: '--seed',
    value: 'N',
    example: '7',
    commands: ['demo'],
    help: 'Seed of the sample data: the same seed gives the same weather. Default: 1.',
    set: (options, text) => {
      options.seed = integer(text, 0, 2 ** 32 - 1);
    },
  },
  {
    long: '--keep',
    short: '-k',
    commands: ['demo'],
    help: 'Keep the sample data and say where it is.',
    turnOn: (options) => {
      options.keep = true;
    },
  },
  {
    long: '--engine',
    value: 'ENGINE',
    example: 'pread',
    commands: [...READS_CHUNKS, 'info', 'ls', 'doctor'],
    help: 'What reads local files: auto, uring or pread. Default: LSIO_ENGINE, else auto.',
    set: (options, text) => {
      options.engine = oneOf(text, ['auto', 'uring', 'pread'] as const);
    },
  },
  {
    long: '--threads',
    short: '-t',
    value: 'N',
    example: '4',
    commands: READS_CHUNKS,
    help: 'Threads that decode. Default: one per available core.',
    set: (options, text) => {
      options.threads = integer(text, 1, 1024);
    },
  },
  {
    long: '--memory',
    short: '-m',
    value: 'SIZE',
    example: '512MiB',
    commands: READS_CHUNKS,
    help: 'The most memory that reading may reserve: bytes, or with a unit, such as 512MiB or 1.5GB. Default: a quarter of what the machine or the cgroup has.',
    set: (options, text) => {
      options.memory = byteSize(text, 1);
    },
  },
  {
    long: '--json',
    commands: 'all',
    help: 'Print one JSON document. NaN and infinities are strings in it, and so are integers beyond 2^53, so that no reader rounds them.',
    turnOn: (options) => {
      options.json = true;
    },
  },
  {
    long: '--quiet',
    short: '-q',
    commands: 'all',
    help: 'No progress on standard error.',
    turnOn: (options) => {
      options.quiet = true;
    },
  },
  {
    long: '--help',
    short: '-h',
    commands: 'all',
    help: 'Show help; after a command, the help of that command.',
    turnOn: (options) => {
      options.help = true;
    },
  },
  {
    long: '--version',
    short: '-V',
    commands: 'all',
    help: 'Show the version.',
    turnOn: (options) => {
      options.version = true;
    },
  },
];

/** Bytes of a size such as `512MiB` or `1.5 GB`, by the check that the library's own options have. */
function byteSize(text: string, least: number): number {
  let bytes: number;
  try {
    bytes = CONFIGURE_OPTIONS.memory(/^\d+$/.test(text) ? Number(text) : text, 'SIZE');
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
  if (bytes < least) throw new UsageError(`expected at least ${least} bytes, not '${text}'`);
  return bytes;
}

function integer(text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new UsageError(`expected an integer from ${least} to ${most}, not '${text}'`);
  }
  return value;
}

function oneOf<Choice extends string>(text: string, choices: readonly Choice[]): Choice {
  const chosen = choices.find((choice) => choice === text);
  if (chosen !== undefined) return chosen;
  throw new UsageError(`expected ${choices.join(', ')}, not '${text}'${suggestion(text, choices)}`);
}

function nonEmpty(text: string, expected: string): string {
  if (text === '') throw new UsageError(`expected ${expected}, not an empty text`);
  return text;
}
