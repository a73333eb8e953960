// The commands as one table: names, operands, help and examples. What they do is in `commands/`,
// loaded when run.

import type { CommandName } from './flags.js';

/** A line that a user can type, and what it is for. `LOCATION`-like words stand for the user's own. */
export interface Example {
  readonly line: string;
  readonly what: string;
}

export interface Command {
  readonly name: CommandName;
  /** The operand that must be given, or `null` for a command without. */
  readonly operand: 'LOCATION' | null;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What the command prints and does, in whole sentences. */
  readonly description: string;
  readonly examples: readonly [Example, ...Example[]];
}

export const COMMANDS: readonly Command[] = [
  {
    name: 'info',
    operand: 'LOCATION',
    summary: 'Describe an array or a group',
    description:
      'Of an array, prints shape, chunks, shards, data type, fill value, codecs, attributes, and how many bytes the values take decoded and stored; of a group, its members and attributes. What only a listing tells is left out where the store has none.',
    examples: [
      { line: 'lsio info store.zarr', what: 'what is in a folder' },
      { line: 'lsio info store.zarr --path temperature --json', what: 'one member, for a program' },
    ],
  },
  {
    name: 'ls',
    operand: 'LOCATION',
    summary: 'List the members of a group',
    description:
      'Prints one line for each member: kind, data type, shape, chunks and path. A member that cannot be opened is listed with the reason. Over plain HTTP, and where listing is refused, a group must have consolidated metadata.',
    examples: [
      { line: 'lsio ls store.zarr', what: 'the direct members' },
      { line: 'lsio ls store.zarr --recursive --json', what: 'the whole tree, for a program' },
    ],
  },
  {
    name: 'get',
    operand: 'LOCATION',
    summary: 'Read values: print them, or write them as .npy',
    description:
      'Reads a selection. Printed values look as numpy prints them; more than 1000 are shortened to their corners, and only the chunks of the corners are read. With --output the values are written as a .npy file, tile by tile, so that they need not fit in memory.',
    examples: [
      {
        line: 'lsio get store.zarr -s 0,10:20,:',
        what: 'the first time step, ten rows, all columns',
      },
      { line: 'lsio get store.zarr -s ...,-1 -o last.npy', what: 'the last column, into a file' },
      { line: 'lsio get store.zarr -s ::-1', what: 'the rows, last first' },
      { line: 'lsio get events.zarr --field time', what: 'one field of records' },
    ],
  },
  {
    name: 'stats',
    operand: 'LOCATION',
    summary: 'Minimum, maximum, mean and missing count of a whole array',
    description:
      'Folds every chunk on all cores, without ever holding the array. A value is missing when it is NaN or equals the attribute _FillValue, in Zarr format 2 also the fill_value.',
    examples: [
      { line: 'lsio stats store.zarr --path temperature', what: 'the statistics of one member' },
    ],
  },
  {
    name: 'bench',
    operand: 'LOCATION',
    summary: 'Read an array cold and hot, and report the throughput',
    description:
      'Reads every chunk of an array: hot, from the page cache, after one read that is not counted; and cold, each time after its files, or the zip archive that it is in, were dropped from the page cache. Object stores have one state, none: what they cache is not known. Prints the median and the range over the repeats. Nothing is written.',
    examples: [{ line: 'lsio bench store.zarr --repeats 9', what: 'nine reads hot, nine cold' }],
  },
  {
    name: 'conformance',
    operand: null,
    summary: 'Print every element of an array as JSON, for conformance tests',
    description:
      'Prints all elements in C order, one on each line, as the JSON that Zarr 3 gives fill values of their data type: integers in full, NaNs with other bits than usual as these bits, complex numbers as lists, bytes as base64 or lists of numbers. Any error ends it with a failure. It is what the runner of the public Zarr conformance tests calls.',
    examples: [
      {
        line: 'lsio conformance --array_path=data/int64.zarr',
        what: 'as the runner calls it',
      },
    ],
  },
  {
    name: 'doctor',
    operand: null,
    summary: 'Show what LSIO found on this machine',
    description:
      'Prints the engine that reads local files and why, the result of the io_uring probe, kernel, CPU features, C library, limits and versions. Paste it into bug reports.',
    examples: [
      { line: 'lsio doctor', what: 'why is there no ring here?' },
      { line: 'lsio doctor --json', what: 'the same, for a program' },
    ],
  },
  {
    name: 'demo',
    operand: null,
    summary: 'Write a climate field, read it back at full speed, draw a map',
    description:
      'Writes a made-up float32 climate field as Zarr 3 with zstd in a temporary folder, reads it hot and cold with a progress bar, prints what it measured, takes a mean and draws one time step. Removes its data at the end, also after Ctrl-C.',
    examples: [
      { line: 'lsio demo', what: 'the whole show, about 1 GiB decoded' },
      {
        line: 'lsio demo --size 128MiB --dir /var/tmp --keep',
        what: 'small, on another disk, keep the data',
      },
    ],
  },
];
