// lsio info: what an array or a group is.

import type { Codec, DataTypeInfo, GroupMember, LsioArray, LsioGroup } from '../../index.js';
import type { CommandContext, Report } from '../command-context.js';
import { formatBytes, formatCount, formatPairs, formatShape } from '../format.js';
import { jsonText } from '../json.js';
import { openLocation, unlessRefused } from '../opening.js';
import { UsageError } from '../usage-error.js';

/** Bytes of a fill value that fit on a line. */
const MOST_FILL_BYTES = 16;

/** Describes what is at the location. */
export async function run(context: CommandContext): Promise<Report> {
  const node = await openLocation(context);
  return node.kind === 'array' ? describeArray(node, context) : describeGroup(node, context);
}

async function describeArray(array: LsioArray, { signal }: CommandContext): Promise<Report> {
  const { kind, path, zarrFormat, dtype, shape, chunks, shards, chunkGridShape } = array;
  const { dimensionNames, dtypeInfo, fillValue, codecs, attrs, nbytes } = array;
  const storedBytes = await unlessRefused(array.storedBytes({ signal }));
  const document = {
    kind,
    path,
    zarrFormat,
    dtype,
    dtypeInfo,
    shape,
    dimensionNames: dimensionNames ?? null,
    chunks,
    shards: shards ?? null,
    chunkEdges: array.chunkEdges ?? null,
    chunkGridShape,
    fillValue,
    codecs,
    nbytes,
    storedBytes,
    attrs,
  };
  // Lengths beyond 2^53 are bigint.
  const chunkCount = chunkGridShape.reduce((product, length) => product * BigInt(length), 1n);
  const stored =
    storedBytes === null
      ? 'not known, the store cannot be listed'
      : `${formatBytes(storedBytes)}${ratio(nbytes, storedBytes)}`;
  // Where lengths vary, the longest is told.
  const longest = array.chunkEdges === undefined ? '' : 'at most ';
  const text = formatPairs([
    ['array', path],
    ['format', `Zarr ${zarrFormat}`],
    ['data type', dtype],
    ...fieldPairs(dtypeInfo),
    ['shape', formatShape(shape)],
    ...(dimensionNames === undefined
      ? []
      : ([['dimensions', dimensionNames.map((name) => name ?? '-').join(', ')]] as const)),
    [
      'chunks',
      `${shards === undefined ? longest : ''}${formatShape(chunks)}, ${formatCount(chunkCount)} in all`,
    ],
    ...(shards === undefined ? [] : ([['shards', `${longest}${formatShape(shards)}`]] as const)),
    ['fill value', fillText(fillValue)],
    ['codecs', codecs.map(codecText).join(' -> ')],
    ...(nbytes === null ? [] : ([['decoded', formatBytes(nbytes)]] as const)),
    ['stored', stored],
    ...attributePairs(attrs),
  ]);
  return { document, text };
}

async function describeGroup(
  group: LsioGroup,
  { options, signal }: CommandContext,
): Promise<Report> {
  if (options.field !== null) {
    throw new UsageError(`--field is for arrays; there is a group at '${group.path}'`);
  }
  const { kind, path, zarrFormat, attrs } = group;
  const members = await unlessRefused(group.members({ signal }));
  const document = {
    kind,
    path,
    zarrFormat,
    members: members?.map(({ name, kind: memberKind }) => ({ name, kind: memberKind })) ?? null,
    attrs,
  };
  const text = formatPairs([
    ['group', path],
    ['format', `Zarr ${zarrFormat}`],
    ['members', membersText(members)],
    ...attributePairs(attrs),
  ]);
  return { document, text };
}

function membersText(members: readonly GroupMember[] | null): string {
  if (members !== null) return members.map(({ name }) => name).join(', ') || 'none';
  return 'not known, the store cannot be listed: open one with --path, or give the group consolidated metadata';
}

function ratio(decoded: number | null, stored: number): string {
  return decoded === null || decoded === 0 || stored === 0
    ? ''
    : `, ${(decoded / stored).toFixed(2)} times smaller`;
}

function codecText({ name, configuration }: Codec): string {
  const parameters = Object.entries(configuration).map(
    ([parameter, value]) => `${parameter}: ${plainText(value)}`,
  );
  return parameters.length === 0 ? name : `${name}(${parameters.join(', ')})`;
}

/** The fields of records, each as `--field` takes it. */
function fieldPairs({ fields = [] }: DataTypeInfo): [label: string, value: string][] {
  const lines = fields.map(
    ({ name, dtype, shape }) =>
      `${name}: ${dtype}${shape.length === 0 ? '' : ` ${formatShape(shape)}`}`,
  );
  return lines.length === 0 ? [] : [['fields', lines.join('\n')]];
}

function attributePairs(attrs: LsioArray['attrs']): [label: string, value: string][] {
  const lines = Object.entries(attrs).map(([name, value]) => `${name}: ${plainText(value)}`);
  return lines.length === 0 ? [] : [['attributes', lines.join('\n')]];
}

/** A fill value for people; of many bytes the first ones. */
function fillText(value: unknown): string {
  if (!(value instanceof Uint8Array) || value.length <= MOST_FILL_BYTES) return plainText(value);
  const first = Array.from(value.subarray(0, MOST_FILL_BYTES)).join(', ');
  return `[${first}, ...], ${formatCount(value.length)} bytes`;
}

/** A value for people: texts and numbers as they are, the rest as JSON on one line. */
function plainText(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return jsonText(value).replaceAll(/\n\s*/g, ' ');
}
