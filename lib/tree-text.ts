// What is below a group, drawn as a tree of text.

import type { GroupMember } from './group.js';

/** The nodes of one level that are below one another, and where the next level begins. */
interface Branch {
  readonly member: GroupMember;
  readonly below: Branch[];
}

/**
 * A line for each node.
 *
 * @param members - All nodes, each group before what is in it.
 */
export function treeText(members: readonly GroupMember[]): string {
  const roots: Branch[] = [];
  const groups = new Map<string, Branch[]>([['', roots]]);
  for (const member of members) {
    const branch: Branch = { member, below: [] };
    const parent = member.path.slice(0, -member.name.length - 1);
    groups.get(parent)?.push(branch);
    groups.set(member.path, branch.below);
  }
  return ['/', ...lines(roots, '')].join('\n');
}

function* lines(branches: readonly Branch[], indent: string): Generator<string> {
  for (const [index, { member, below }] of branches.entries()) {
    const isLast = index === branches.length - 1;
    yield `${indent}${isLast ? '└── ' : '├── '}${label(member)}`;
    yield* lines(below, `${indent}${isLast ? '    ' : '│   '}`);
  }
}

function label(member: GroupMember): string {
  const { name, kind } = member;
  if (kind === 'unsupported') return `${name}: ${member.error.code}`;
  if (kind === 'group') return name;
  return `${name} (${member.array.shape.join(', ')}) ${member.array.dtype}`;
}
