// Every array of every manifest of the fixtures, read whole: what the tables of support are made from.

import { readFileSync } from 'node:fs';
import test from 'ava';
import { openArray, type ElementForm, type LsioArray } from 'light-speed-io';
import { arrayEntries } from '../fixtures/entries.mjs';
import { dataTypeFixtures, fixturePath } from './fixtures.js';
import { noteAsRead } from './read-notes.js';

/** The elements as the manifests list them: in lists, or stored elements as little-endian bytes. */
async function elements(array: LsioArray, isText: boolean): Promise<unknown> {
  const asBits = /float(16|[864]_)/.test(array.dtype);
  const asUtf32 = array.dtype === 'fixed_length_utf32' && !isText;
  const form = (asBits ? 'bits' : undefined) as ElementForm;
  const { data } = (await array.get(null, { as: form })) as unknown as { data: unknown };
  if (asUtf32) return utf32(data as readonly string[], array.dtypeInfo.itemBytes ?? 0);
  if (!ArrayBuffer.isView(data)) return data;
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

/** Texts as code points of four bytes, zeros behind them. */
function utf32(texts: readonly string[], itemBytes: number): Buffer {
  const bytes = Buffer.alloc(texts.length * itemBytes);
  for (const [index, text] of texts.entries()) {
    for (const [at, character] of Array.from(text).entries()) {
      bytes.writeUInt32LE(character.codePointAt(0) ?? 0, index * itemBytes + 4 * at);
    }
  }
  return bytes;
}

/** What a list of expected elements stands for. */
function listed(wanted: Buffer, kind: 'texts' | 'hexes' | 'values'): unknown[] {
  const list = JSON.parse(wanted.toString('utf8')) as string[];
  if (kind === 'texts') return list;
  if (kind === 'values') return list.map((text): unknown => JSON.parse(text));
  return list.map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')));
}

for (const { path, zarrFormat, expected, shape, elements: kind } of arrayEntries()) {
  const isListed = kind === 'hexes' || kind === 'values';
  // Unusual bytes and JSON values: data-types.test.ts reads them.
  if (isListed && dataTypeFixtures.some((fixture) => fixture.path === path)) continue;
  test(`${path} is read as its writer reads it`, async (t) => {
    const array = await openArray(fixturePath(path), { zarrFormat });
    t.deepEqual(array.shape, shape);
    const wanted = readFileSync(fixturePath(expected));
    const found = await elements(array, kind === 'texts');
    if (kind === 'bytes') t.true(wanted.equals(found as Buffer), 'the elements differ');
    else t.deepEqual(found, listed(wanted, kind));
    noteAsRead(path);
  });
}
