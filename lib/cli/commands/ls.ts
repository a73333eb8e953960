// lsio ls: the members of a group.

import type { GroupMember, LsioArray, LsioGroup } from '../../index.js';
import type { CommandContext, Report } from '../command-context.js';
import { formatShape, formatTable } from '../format.js';
import { openLocation } from '../opening.js';

/** One line of the list. */
interface Listed {
  readonly path: string;
  readonly member: GroupMember;
}

/** Lists the members of the group at the location; an array is a list of itself. */
export async function run(context: CommandContext): Promise<Report> {
  const node = await openLocation(context);
  const listed =
    node.kind === 'array'
      ? [{ path: '.', member: { name: '.', kind: 'array', array: node } } as const]
      : await list(node, '', context);
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

async function list(group: LsioGroup, prefix: string, context: CommandContext): Promise<Listed[]> {
  const { options, signal } = context;
  const listed: Listed[] = [];
  for (const member of await group.members({ signal })) {
    const path = prefix + member.name;
    listed.push({ path, member });
    if (member.kind === 'group' && options.recursive) {
      listed.push(...(await list(member.group, `${path}/`, context)));
    }
  }
  return listed;
}

function memberDocument({ path, member }: Listed): unknown {
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

function memberCells({ path, member }: Listed): string[] {
  if (member.kind === 'array') {
    const { dtype, shape, chunks } = member.array;
    return [member.kind, dtype, formatShape(shape), formatShape(chunks), path];
  }
  const { kind } = member;
  return [kind, '', '', '', kind === 'group' ? `${path}/` : `${path}: ${member.error.message}`];
}
