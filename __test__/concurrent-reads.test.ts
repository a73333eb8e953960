// Many small reads at the same time: what one of them has decoded, others take.

import test from 'ava';
import { engineInfo, openArray, slice, type NdArray } from 'light-speed-io';
import { sampleElements, sampleInMemory } from './sample-array.js';

const ROWS = 256;
const COLUMNS = 512;
const ROWS_PER_CHUNK = 64;
const READS = 2000;

test('2,000 gets at once share what they decode, and bring what getMany brings', async (t) => {
  const sample = { shape: [ROWS, COLUMNS], rowsPerChunk: ROWS_PER_CHUNK, gzip: true } as const;
  const array = await openArray(await sampleInMemory(sample));
  const elements = sampleElements(sample);
  const corners = Array.from({ length: READS }, (_, number) => ({
    row: (number * 37) % (ROWS - 8),
    column: (number * 101) % (COLUMNS - 4),
  }));
  const selections = corners.map(({ row, column }) => [
    slice(row, row + 8),
    slice(column, column + 4),
  ]);
  const before = engineInfo().stats;
  const results = await Promise.all(selections.map((selection) => array.get(selection)));
  const after = engineInfo().stats;
  for (const [number, { row, column }] of corners.entries()) {
    const { data, shape } = results[number] as NdArray<'float32'>;
    t.deepEqual(shape, [8, 4]);
    const expected = Array.from(
      { length: 32 },
      (_, index) => elements[(row + Math.floor(index / 4)) * COLUMNS + column + (index % 4)],
    );
    t.deepEqual([...data], expected);
  }
  const many = await array.getMany(selections);
  t.deepEqual(
    many.map(({ data }) => data),
    results.map(({ data }) => data),
  );
  // How many depends on how fast the calls follow one another: that each chunk is decoded once when
  // they all wait is tested in the core.
  t.is(after.chunks - before.chunks, after.totalChunks - before.totalChunks);
  t.true(after.sharedChunks > before.sharedChunks);
});
