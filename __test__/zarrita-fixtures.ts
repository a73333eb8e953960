// The fixtures as zarrita reads them, and what its results are made of.

import { readFileSync } from 'node:fs';
import FileSystemStore from '@zarrita/storage/fs';
import type * as zarrita from 'zarrita';
import { fixturePath } from './fixtures.js';

/** An array in a folder. */
export type FileArray = zarrita.Array<zarrita.DataType, FileSystemStore>;

/** An array fixture by its path. */
export interface ZarritaFixture {
  readonly path: string;
  readonly zarrFormat: 2 | 3;
}

/**
 * The array fixtures of both manifests, but for shards whose index is at their start: zarrita looks for it at
 * their end, and its store then ends the process.
 */
export const zarritaFixtures: readonly ZarritaFixture[] = [
  'manifest.json',
  'manifest_data_types.json',
]
  .flatMap((name) => JSON.parse(readFileSync(fixturePath(name), 'utf8')) as unknown[])
  .filter((entry): entry is ZarritaFixture => (entry as { kind?: string }).kind !== 'group')
  .filter(({ path, zarrFormat }) => {
    if (zarrFormat === 2 || path.startsWith('zip/')) return zarrFormat === 2;
    const document = readFileSync(fixturePath(`${path}/zarr.json`), 'utf8');
    return !/"index_location"\s*:\s*"start"/.test(document);
  });

/** Fixtures of which zarrita reads other elements than their writer and we, and why. */
const ZARRITA_IS_WRONG: readonly (readonly [paths: RegExp, why: string])[] = [
  [/fill\/u?int64-(max|above)|shape\/all-missing|shard\/end-missing/, 'integers beyond 2^53'],
  [/fill\/float\d+-(nan-payload|hex)/, 'fill values that are bits'],
  [/fill\/string-null/, 'null for texts without a fill value'],
  [/two-transposes/, 'strides of the first transpose only'],
  [/^types-.*fixed_length_utf32-(little|big)/, 'fill values of several UTF-16 units'],
  [/^types-.*null_terminated_bytes-(little|big)/, 'fill values in base64'],
];

/** Whether zarrita is known to read other elements of this fixture. */
export function zarritaIsWrong(path: string): boolean {
  return ZARRITA_IS_WRONG.some(([paths]) => paths.test(path));
}

/** All that a caller can see of a result: its class, its bits, how they lie. */
export function described(result: unknown): unknown {
  if (typeof result !== 'object' || result === null) return [typeof result, String(result)];
  const { data, shape, stride } = result as zarrita.Chunk<zarrita.DataType>;
  const { name } = data.constructor;
  const elements = Array.isArray(data)
    ? (data as unknown[])
    : Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
  return { name, length: data.length, elements, shape, stride };
}

/** Coordinates of the last chunk of the grid, which is cut at the edge of the array. */
export function lastChunk({ shape, chunks }: FileArray): number[] {
  return shape.map((length, axis) => Math.max(0, Math.ceil(length / (chunks[axis] ?? 1)) - 1));
}

/** Opens a fixture with zarrita's `open`, or ours. */
export function openFixture(
  open: typeof zarrita.open,
  { path, zarrFormat }: ZarritaFixture,
): Promise<FileArray> {
  const store = new FileSystemStore(fixturePath(path));
  return zarrFormat === 2 ? open.v2(store, { kind: 'array' }) : open.v3(store, { kind: 'array' });
}
