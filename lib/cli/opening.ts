// Opens what the command line names, and says what to do when that is something else.

import { fieldArray } from '../array.js';
import {
  configure,
  isLsioError,
  open,
  type GroupMember,
  type LsioArray,
  type LsioGroup,
} from '../index.js';
import type { CommandContext } from './command-context.js';
import { UsageError } from './usage-error.js';

/** Sets up the engine as the flags say. Call it before anything that uses the engine. */
export function configureEngine({ engine, threads, memory }: CommandContext['options']): void {
  if (engine === null && threads === null && memory === null) return;
  configure({
    ...(engine === null ? {} : { engine }),
    ...(threads === null ? {} : { threads }),
    ...(memory === null ? {} : { memory }),
  });
}

/**
 * The array or the group at the location, or its member that `--path` names; of an array, the field that
 * `--field` names as an array.
 */
export async function openLocation(context: CommandContext): Promise<LsioArray | LsioGroup> {
  const { location, options, signal } = context;
  configureEngine(options);
  const node = await open(location, {
    signal,
    path: options.path ?? undefined,
    zarrFormat: options.zarrFormat ?? undefined,
  });
  return node.kind === 'array' && options.field !== null ? fieldArray(node, options.field) : node;
}

/** The array at the location. For a group, a {@link UsageError} that lists the arrays in it. */
export async function openArrayAtLocation(context: CommandContext): Promise<LsioArray> {
  const node = await openLocation(context);
  if (node.kind === 'array') return node;
  const members = await unlessRefused(node.members({ signal: context.signal }));
  throw new UsageError(`there is a group at '${node.path}'; ${choiceOf(members)}`);
}

function choiceOf(members: readonly GroupMember[] | null): string {
  if (members === null) return 'it cannot be listed: name an array with --path';
  const arrays = members.filter(({ kind }) => kind === 'array').map(({ name }) => name);
  return arrays.length === 0 ? 'it has no arrays' : `choose one with --path: ${arrays.join(', ')}`;
}

/** What a listing gives; null where the store has no listings, as plain HTTP, or refuses them. */
export async function unlessRefused<T>(listed: Promise<T>): Promise<T | null> {
  try {
    return await listed;
  } catch (error) {
    if (isLsioError(error, 'ERR_LSIO_UNSUPPORTED') || isLsioError(error, 'ERR_LSIO_ACCESS')) {
      return null;
    }
    throw error;
  }
}
