// lsio ls: the members of a group.

import type { GroupMember, LsioArray } from '../../index.js';
import type { CommandContext, Report } from '../command-context.js';
import { formatShape, formatTable } from '../format.js';
import { openLocation } from '../opening.js';

/** Lists the members of the group at the location; an array is a list of itself. */
export async function run(context: CommandContext): Promise<Report> {
  const node = await openLocation(context);
  const { options, signal } = context;
  const listed: readonly GroupMember[] =
    node.kind === 'array'
      ? [{ name: '.', path: '.', kind: 'array', array: node } as const]
      : await node.members({ recursive: options.recursive, signal });
  const document = { members: listed.map(memberDocument) };
  const text = formatTable(
    [
      { heading: 'kind', align: 'left' },
      { heading: 'dtype', align: 'left' },
      { heading: 'shape', align: 'left' },
      { heading: 'chunks', align: 'left' },
      { heading: 'path', align: 'left' },
    ],
    listed.map(memberCells),
  );
  return { document, text: listed.length === 0 ? '' : text };
}

function memberDocument(member: GroupMember): unknown {
  const { path } = member;
  if (member.kind === 'array') return { path, kind: member.kind, ...arrayDocument(member.array) };
  if (member.kind === 'group') {
    return { path, kind: member.kind, zarrFormat: member.group.zarrFormat };
  }
  const { code, message } = member.error;
  return { path, kind: member.kind, error: { code, message } };
}

function arrayDocument({ zarrFormat, dtype, shape, chunks, shards, nbytes }: LsioArray): object {
  return { zarrFormat, dtype, shape, chunks, shards: shards ?? null, nbytes };
}

function memberCells(member: GroupMember): string[] {
  const { path } = member;
  if (member.kind === 'array') {
    const { dtype, shape, chunks } = member.array;
    return [member.kind, dtype, formatShape(shape), formatShape(chunks), path];
  }
  const { kind } = member;
  return [kind, '', '', '', kind === 'group' ? `${path}/` : `${path}: ${member.error.message}`];
}
