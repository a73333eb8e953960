// An open group and its members.

import { runCall } from './abort.js';
import { createArray, type LsioArray } from './array.js';
import { LsioError, toLsioError, unwrap } from './errors.js';
import { parseTaggedJson, type Attributes } from './json.js';
import type { NativeGroup, NativeNode } from './native-module.js';
import { ABORT_OPTIONS, parseOptions, type AbortOptions, type ReadMissing } from './options.js';

/** A direct member of a group: open, or why it could not be opened. */
export type GroupMember =
  | { readonly name: string; readonly kind: 'array'; readonly array: LsioArray }
  | { readonly name: string; readonly kind: 'group'; readonly group: LsioGroup }
  | { readonly name: string; readonly kind: 'unsupported'; readonly error: LsioError };

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

  /** Its direct members, sorted by name. One that cannot be opened is listed with its error. */
  async members(options?: AbortOptions): Promise<GroupMember[]> {
    const parsed = parseOptions('members', options, ABORT_OPTIONS);
    const nodes = unwrap(await runCall(parsed, () => this.#native.members()));
    return nodes.map((node): GroupMember => {
      const { name } = node;
      if (node.error !== undefined) {
        return { name, kind: 'unsupported', error: toLsioError(node.error) };
      }
      const opened = createNode(node, this.#readMissing);
      return opened.kind === 'array'
        ? { name, kind: 'array', array: opened }
        : { name, kind: 'group', group: opened };
    });
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
