// The fixtures that other people's writers made, and what those writers read back.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DataType, FullSlice, LsioErrorCode } from 'light-speed-io';

const folder = new URL('../fixtures/data/', import.meta.url);
const hostileFolder = new URL('../fixtures/hostile/', import.meta.url);

/** Path of a fixture by its name in the manifest. */
export function fixturePath(name: string): string {
  return fileURLToPath(new URL(name, folder));
}

/** Path of a hostile fixture by its name in the manifest of these. */
export function hostilePath(name: string): string {
  return fileURLToPath(new URL(name, hostileFolder));
}

export interface ArrayFixture {
  readonly path: string;
  readonly kind: 'array';
  readonly zarrFormat: 2 | 3;
  readonly dtype: DataType;
  readonly shape: readonly number[];
  readonly chunks: readonly number[];
  readonly shards: readonly number[] | null;
  readonly fillValue: unknown;
  readonly expected: string;
  readonly covers: readonly string[];
  readonly dimensionNames?: readonly (string | null)[];
  readonly attrs?: unknown;
  /** Lengths of the chunks along each dimension, where they vary; not known of every fixture. */
  readonly chunkEdges?: readonly (readonly number[])[] | null;
}

/** An array of a data type beyond numbers and text; see fixtures/README.md. */
export interface DataTypeFixture {
  readonly path: string;
  readonly dtype: DataType;
  readonly dtypeInfo: unknown;
  readonly fillBytes: string | null;
  readonly expected?: string;
  readonly hexes?: string;
  readonly values?: string;
  readonly texts?: string;
  readonly converted?: string;
  readonly fields?: Readonly<Record<string, FieldFixture>>;
}

export interface FieldFixture {
  readonly dtype: DataType;
  readonly shape: readonly number[];
  readonly hex: string;
}

export interface GroupFixture {
  readonly path: string;
  readonly kind: 'group';
  readonly zarrFormat: 2 | 3;
  readonly members: { readonly [name: string]: 'array' | 'group' };
  readonly attrs?: unknown;
}

/** What a selection brings. */
export interface PickedFixture {
  readonly path: string;
  readonly shape: readonly number[];
  readonly crc32: number;
}

export interface SelectionFixture extends PickedFixture {
  readonly selection: readonly (null | number | FullSlice | '...')[];
}

export interface HostileFixture {
  readonly path: string;
  readonly operation: 'open' | 'get';
  readonly code: LsioErrorCode;
  readonly alsoAccepted?: readonly LsioErrorCode[];
  readonly selection?: SelectionFixture['selection'];
  readonly why: string;
}

/** Reads JSON with integers beyond 2^53 as bigint and `{"$float": "NaN"}` as that number. */
function readExactJson(url: URL): unknown {
  const text = readFileSync(url, 'utf8').replaceAll(
    /(?<=[[:,]\s*)-?\d{16,}(?=\s*[,\]}])/g,
    '{"$integer":"$&"}',
  );
  return JSON.parse(text, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value;
    if ('$float' in value) return Number(value.$float);
    if (!('$integer' in value)) return value;
    const integer = BigInt(String(value.$integer));
    return Number.isSafeInteger(Number(integer)) ? Number(integer) : integer;
  });
}

const entries = ['manifest.json', 'manifest_zarrs.json'].flatMap(
  (name) => readExactJson(new URL(name, folder)) as (ArrayFixture | GroupFixture)[],
);

export const arrayFixtures: readonly ArrayFixture[] = entries.filter(
  (entry) => entry.kind === 'array',
);
export const groupFixtures: readonly GroupFixture[] = entries.filter(
  (entry) => entry.kind === 'group',
);

export const dataTypeFixtures = JSON.parse(
  readFileSync(fixturePath('manifest_data_types.json'), 'utf8'),
) as readonly DataTypeFixture[];

export const { selections, refused } = readExactJson(new URL('selections.json', folder)) as {
  readonly selections: readonly SelectionFixture[];
  readonly refused: readonly (Omit<SelectionFixture, 'crc32'> & { readonly why: string })[];
};

/** Selections by lists, masks, points and blocks, as zarr-python brings them. */
export const picked = readExactJson(new URL('picked_selections.json', folder)) as {
  readonly orthogonal: readonly (PickedFixture & {
    readonly selection: readonly (null | number | FullSlice | number[] | boolean[])[];
  })[];
  readonly points: readonly (PickedFixture & { readonly coordinates: (number | number[])[] })[];
  /** Eight flags to a byte, the first is the highest. */
  readonly masks: readonly (PickedFixture & { readonly bits: string })[];
  readonly blocks: readonly (PickedFixture & { readonly blocks: (number | FullSlice)[] })[];
};

export const hostileFixtures = readExactJson(
  new URL('manifest_hostile.json', hostileFolder),
) as readonly HostileFixture[];

/** The expected elements: bytes in C order, or texts. */
export function expectedElements({ dtype, expected }: ArrayFixture): Buffer | string[] {
  const content = readFileSync(new URL(expected, folder));
  return dtype === 'string' ? (JSON.parse(content.toString('utf8')) as string[]) : content;
}
