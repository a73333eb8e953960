// An open group and its members.

import { runCall } from './abort.js';
import { createArray, type LsioArray } from './array.js';
import { LsioError, toLsioError, unwrap } from './errors.js';
import { parseTaggedJson, type Attributes } from './json.js';
import type { NativeGroup, NativeNode } from './native-module.js';
import { parseOptions } from './option-checks.js';
import {
  ABORT_OPTIONS,
  MEMBERS_OPTIONS,
  TREE_OPTIONS,
  type AbortOptions,
  type MembersOptions,
  type ReadMissing,
  type TreeOptions,
} from './options.js';
import { treeText } from './tree-text.js';
import { makeNodes } from './turns.js';

/** A member of a group, or a node further below: open, or why it could not be opened. */
export type GroupMember = {
  /** Its own name. */
  readonly name: string;
  /** Its path below the group that was asked; the name, if it is a direct member. */
  readonly path: string;
} & (
  | { readonly kind: 'array'; readonly array: LsioArray }
  | { readonly kind: 'group'; readonly group: LsioGroup }
  | { readonly kind: 'unsupported'; readonly error: LsioError }
);

let construct: (group: NativeGroup, readMissing: ReadMissing) => LsioGroup;

/** A group of arrays and groups. */
export class LsioGroup {
  readonly #native: NativeGroup;
  /** What its arrays make of missing chunks where a read does not say. */
  readonly #readMissing: ReadMissing;

  /** Tells it from an array. */
  readonly kind = 'group';
  /** Where it is. */
  readonly path: string;
  /** The user's attributes. Integers beyond 2^53 are bigint. */
  readonly attrs: Attributes;
  /** Version of the Zarr format. */
  readonly zarrFormat: 2 | 3;

  static {
    construct = (group, readMissing) => new LsioGroup(group, readMissing);
  }

  private constructor(group: NativeGroup, readMissing: ReadMissing) {
    this.#native = group;
    this.#readMissing = readMissing;
    const metadata = parseTaggedJson(group.metadataJson()) as unknown as {
      path: string;
      attrs: Attributes;
      zarrFormat: 2 | 3;
    };
    this.path = metadata.path;
    this.attrs = metadata.attrs;
    this.zarrFormat = metadata.zarrFormat;
  }

  /**
   * Its members, sorted by name, with `recursive` also those of the groups among them and so on: a group
   * comes before what is in it. One that cannot be opened is listed with its error. A group that a
   * symbolic link leads back to from below itself is listed, and not entered again.
   *
   * @throws {LsioError} where the group itself cannot be listed: `ERR_LSIO_UNSUPPORTED` in a store without listings, as
   *   plain HTTP, and `ERR_LSIO_ACCESS` where they are refused, unless it has consolidated metadata; `ERR_LSIO_IO`.
   */
  async members(options?: MembersOptions): Promise<GroupMember[]> {
    const parsed = parseOptions('members', options, MEMBERS_OPTIONS);
    const { recursive = parsed.maxDepth !== undefined } = parsed;
    const maxDepth = recursive ? parsed.maxDepth : 1;
    const nodes = unwrap(await runCall(parsed, () => this.#native.descendants(maxDepth)));
    return makeNodes(nodes, parsed.signal, (node): GroupMember => {
      const { name: path } = node;
      const name = path.slice(path.lastIndexOf('/') + 1);
      if (node.error !== undefined) {
        return { name, path, kind: 'unsupported', error: toLsioError(node.error) };
      }
      const opened = createNode(node, this.#readMissing);
      return opened.kind === 'array'
        ? { name, path, kind: 'array', array: opened }
        : { name, path, kind: 'group', group: opened };
    });
  }

  /**
   * What is below it as text: a line for each node, with shape and data type of arrays, and with the
   * code of the error for what cannot be opened.
   *
   * @throws {LsioError} as {@link LsioGroup.members}.
   */
  async tree(options?: TreeOptions): Promise<string> {
    const parsed = parseOptions('tree', options, TREE_OPTIONS);
    return treeText(await this.members({ ...parsed, recursive: true }));
  }

  /**
   * Opens a member, at any depth.
   *
   * @throws {LsioError} `ERR_LSIO_NOT_FOUND`, `ERR_LSIO_METADATA`, `ERR_LSIO_UNSUPPORTED`, ...
   */
  async open(path: string, options?: AbortOptions): Promise<LsioArray | LsioGroup> {
    const parsed = parseOptions('open', options, ABORT_OPTIONS);
    const node = unwrap(await runCall(parsed, () => this.#native.open(path)));
    return createNode(node, this.#readMissing);
  }
}

/** The public array or group for a node of the core, whose reads treat missing chunks so. */
export function createNode(
  { array, group, error }: NativeNode,
  readMissing: ReadMissing,
): LsioArray | LsioGroup {
  if (array !== undefined) return createArray(array, readMissing);
  if (group !== undefined) return construct(group, readMissing);
  if (error !== undefined) throw toLsioError(error);
  throw new LsioError('ERR_LSIO_INTERNAL', 'the core returned neither an array nor a group');
}
