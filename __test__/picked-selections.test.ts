// Selections by lists, masks, points and blocks: what zarr-python and numpy bring, and those that fit no
// array.

import { crc32 } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import {
  isLsioError,
  memoryUsage,
  openArray,
  slice,
  type LsioArray,
  type SelectionEntry,
} from 'light-speed-io';
import { bytesOf } from './elements.js';
import { fixturePath, picked, type PickedFixture } from './fixtures.js';

const PLAIN = 'zarr3/selection/plain';
const opened = new Map<string, Promise<LsioArray>>();

function openOnce(path: string): Promise<LsioArray> {
  const array = opened.get(path) ?? openArray(fixturePath(path));
  opened.set(path, array);
  return array;
}

interface Result {
  readonly data: unknown;
  readonly shape: readonly number[];
}

function isAsExpected(t: ExecutionContext, result: Result, fixture: PickedFixture): void {
  t.deepEqual(result.shape, fixture.shape, JSON.stringify(fixture));
  t.is(crc32(bytesOf(result.data as Uint8Array)), fixture.crc32, JSON.stringify(fixture));
}

for (const path of new Set(picked.orthogonal.map((entry) => entry.path))) {
  const ofArray = <T extends PickedFixture>(kind: readonly T[]): T[] =>
    kind.filter((entry) => entry.path === path);
  const orthogonal = ofArray(picked.orthogonal);

  test(`get with lists and masks along dimensions of ${path}`, async (t) => {
    const array = await openOnce(path);
    t.is(orthogonal.length, 150);
    for (const entry of orthogonal) isAsExpected(t, await array.get(entry.selection), entry);
  });

  test(`getMany with lists and masks along dimensions of ${path}`, async (t) => {
    const array = await openOnce(path);
    const results = await array.getMany(orthogonal.map((entry) => entry.selection));
    t.is(results.length, orthogonal.length);
    for (const [index, result] of results.entries()) isAsExpected(t, result, orthogonal[index]!);
  });

  test(`chunks of sorted lists of ${path} make up the result`, async (t) => {
    const array = await openOnce(path);
    let read = 0;
    for (const { selection } of orthogonal) {
      const { data, shape } = await array.get(selection);
      const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
      const isSorted = selection.every(
        (entry, axis) => !Array.isArray(entry) || sorted(entry, array.shape[axis]!),
      );
      if (!isSorted) {
        const error = t.throws(() => array.readChunks(selection));
        t.true(isLsioError(error, 'ERR_LSIO_UNSUPPORTED'), error?.message);
        continue;
      }
      read += 1;
      const found = new Map<number, unknown>();
      for await (const chunk of array.readChunks(selection)) {
        const elements = chunk.data as ArrayLike<unknown>;
        const count = chunk.shape.reduce((a, b) => a * b, 1);
        for (let index = 0; index < count; index += 1) {
          let rest = index;
          let from = 0;
          let to = 0;
          for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
            const at = rest % chunk.shape[axis]!;
            rest = Math.floor(rest / chunk.shape[axis]!);
            from += at * chunk.stride[axis]!;
            to += (at + chunk.origin[axis]!) * strides[axis]!;
          }
          t.false(found.has(to));
          found.set(to, elements[from]);
        }
      }
      const inOrder = [...found].toSorted(([a], [b]) => a - b).map(([, element]) => element);
      t.deepEqual(inOrder, Array.from(data as ArrayLike<unknown>), JSON.stringify(selection));
    }
    t.true(read > 20);
  });

  test(`getPoints of ${path}`, async (t) => {
    const array = await openOnce(path);
    for (const entry of ofArray(picked.points)) {
      isAsExpected(t, await array.getPoints(entry.coordinates), entry);
    }
  });

  test(`getMask of ${path}`, async (t) => {
    const array = await openOnce(path);
    const { shape } = array;
    for (const entry of ofArray(picked.masks)) {
      const flags = flagsOf(
        entry.bits,
        shape.reduce((a, b) => a * b, 1),
      );
      isAsExpected(t, await array.getMask(Array.from(flags, (flag) => flag === 1)), entry);
      isAsExpected(t, await array.getMask({ data: flags, shape }), entry);
    }
  });

  test(`getBlocks of ${path}`, async (t) => {
    const array = await openOnce(path);
    for (const entry of ofArray(picked.blocks)) {
      isAsExpected(t, await array.getBlocks(entry.blocks), entry);
    }
  });
}

/** Whether the elements that a list names rise or fall all along; those of masks do. */
function sorted(list: readonly (number | boolean)[], length: number): boolean {
  if (typeof list[0] === 'boolean') return true;
  const positions = (list as readonly number[]).map((index) =>
    index < 0 ? index + length : index,
  );
  const steps = positions.slice(1).map((position, index) => position - positions[index]!);
  return steps.every((step) => step >= 0) || steps.every((step) => step <= 0);
}

function flagsOf(bits: string, count: number): Uint8Array {
  const bytes = Buffer.from(bits, 'hex');
  return Uint8Array.from({ length: count }, (_, index) => {
    return (bytes[Math.floor(index / 8)]! >> (7 - (index % 8))) & 1;
  });
}

test('every kind of integer array is a list of the same indices', async (t) => {
  const array = await openOnce(PLAIN);
  const indices = [3, 0, 3, 1];
  const expected = await array.get([indices, '...']);
  for (const list of [
    Int8Array.from(indices),
    Int16Array.from(indices),
    Uint16Array.from(indices),
    Int32Array.from(indices),
    Uint32Array.from(indices),
    BigInt64Array.from(indices, BigInt),
    BigUint64Array.from(indices, BigInt),
  ]) {
    const { data, shape } = await array.get([list, '...']);
    t.deepEqual(shape, expected.shape);
    t.deepEqual(data, expected.data);
  }
});

test('a Uint8Array is a mask, as bool elements are read', async (t) => {
  const array = await openOnce(PLAIN);
  const flags = Uint8Array.from(array.shape.slice(0, 1).flatMap((length) => Array(length).fill(0)));
  flags[2] = 1;
  t.deepEqual((await array.get([flags, 0, 0])).data, (await array.get([slice(2, 3), 0, 0])).data);
  await t.throwsAsync(array.get([Uint8Array.of(1, 0), 0, 0]), {
    code: 'ERR_LSIO_SELECTION',
    message: /mask of dimension 0 has 2 elements, the dimension has 11/,
  });
});

test('lists that fit no array are refused with the dimension and the bound', async (t) => {
  const array = await openOnce(PLAIN);
  const refusals: [SelectionEntry, RegExp][] = [
    [[0, 7], /index 7 is out of bounds for dimension 1 with 7 elements/],
    [Int32Array.of(-8), /index -8 is out of bounds for dimension 1 with 7 elements/],
    [BigInt64Array.of(2n ** 62n), /out of bounds for dimension 1/],
    [BigUint64Array.of(2n ** 64n - 1n), /out of bounds for dimension 1/],
    [[0.5], /entry 1 of the selection has something other than integers/],
    [[Number.NaN], /entry 1/],
    [[2 ** 53], /entry 1/],
    [['1'] as unknown as number[], /entry 1/],
    [[0, true] as unknown as number[], /entry 1/],
    [[true, 1] as unknown as boolean[], /entry 1/],
    [Uint8Array.of(0, 1, 2, 0, 0, 0, 0), /entry 1/],
    [Float64Array.of(1) as unknown as Int32Array, /entry 1 of the selection is a Float64Array/],
    [[true, false], /mask of dimension 1 has 2 elements, the dimension has 7/],
  ];
  for (const [entry, message] of refusals) {
    const code = 'ERR_LSIO_SELECTION';
    await t.throwsAsync(array.get([null, entry, null]), { code, message });
    await t.throwsAsync(array.getMany([null, [null, entry, null]]), { code, message });
    t.throws(() => array.readChunks([null, entry, null]), { code, message });
  }
});

test('points, masks and blocks that fit no array are refused', async (t) => {
  const array = await openOnce(PLAIN);
  const refusals: [Promise<unknown>, RegExp][] = [
    [array.getPoints([[0], [7], [0]]), /index 7 is out of bounds for dimension 1 with 7 elements/],
    [array.getPoints([0, -8, 0]), /index -8 is out of bounds for dimension 1 with 7 elements/],
    [array.getPoints([[0, 1], 0, [0]]), /1 coordinates along dimension 2, 2 along those before/],
    [array.getPoints([[0], [0]]), /2 entries, the array has 3 dimensions/],
    [array.getPoints([null as unknown as number, 0, 0]), /entry 0/],
    [array.getPoints([[true], 0, 0] as unknown as number[][]), /entry 0/],
    [array.getMask([true]), /the mask has 1 elements, the array has 693/],
    [array.getMask({ data: new Uint8Array(693), shape: [693] }), /the mask has shape \[693\]/],
    [array.getMask(new Uint8Array(693).fill(2)), /other than booleans/],
    [array.getBlocks([0, 0, 99]), /block 99 is out of bounds for dimension 2/],
    [array.getBlocks([0, 0, slice(null, null, 2)]), /step of the blocks of dimension 2 is 2/],
    [array.getBlocks([0, 0, [0] as unknown as number]), /entry 2 of the blocks is a list/],
    [array.getBlocks([0]), /1 entries, the array has 3 dimensions/],
  ];
  for (const [read, message] of refusals) {
    await t.throwsAsync(read, { code: 'ERR_LSIO_SELECTION', message });
  }
});

test('lists go with every way of reading', async (t) => {
  const array = await openOnce(PLAIN);
  const plain = await array.get([[2, 0], 1, slice(null, null, -1)]);
  const count = plain.shape.reduce((a, b) => a * b, 1);
  const wider = await array.get([[2, 0], 1, slice(null, null, -1)], { as: 'float64' });
  t.deepEqual(Array.from(wider.data), Array.from(plain.data as Iterable<number>, Number));
  const type = (plain.data as Int32Array).constructor as Int32ArrayConstructor;
  for (const buffer of [ArrayBuffer, SharedArrayBuffer]) {
    const out = new type(new buffer(count * type.BYTES_PER_ELEMENT));
    const typed = array as LsioArray<'int32'>;
    await typed.get([[2, 0], 1, slice(null, null, -1)], { out });
    t.deepEqual(Array.from(out), Array.from(plain.data as Int32Array));
    const short = out.subarray(1);
    await t.throwsAsync(typed.getPoints([0, 0, [0]], { out: short }), {
      code: 'ERR_LSIO_SELECTION',
      message: /`out` has .* bytes, the result has/,
    });
  }
});

test('long lists are read, cancelled, and given back', async (t) => {
  const array = await openOnce(PLAIN);
  const count = 400_000;
  const lists = array.shape.map((length, axis) =>
    Int32Array.from({ length: count }, (_, point) => (point * (axis + 3)) % length),
  );
  const points = await array.getPoints(lists);
  const whole = await array.get();
  const [, rows, columns] = array.shape;
  const elements = whole.data as ArrayLike<number>;
  const wrong = lists[0]!.findIndex((slab, point) => {
    const at = (slab * rows! + lists[1]![point]!) * columns! + lists[2]![point]!;
    return (points.data as ArrayLike<number>)[point] !== elements[at];
  });
  t.is(wrong, -1);
  // From plain arrays too, and with the wrong element last.
  const plain = lists.map((list) => Array.from(list));
  const again = await array.getPoints(plain);
  t.deepEqual(bytesOf(again.data as Int32Array), bytesOf(points.data as Int32Array));
  plain[1]![count - 1] = 7;
  await t.throwsAsync(array.getPoints(plain), { code: 'ERR_LSIO_SELECTION', message: /index 7/ });
  // Cancelled while the lists cross, and while they are planned.
  for (const turns of [0, 1, 4, 12]) {
    const controller = new AbortController();
    const read = array.getPoints(lists, { signal: controller.signal });
    for (let turn = 0; turn < turns; turn += 1) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    controller.abort(new Error('enough'));
    await read.then(
      (result) => t.is(result.shape[0], count),
      (error: Error) => t.is(error.message, 'enough'),
    );
  }
  t.throws(() => array.readChunks([lists[0]!, 0, 0]), {
    code: 'ERR_LSIO_UNSUPPORTED',
    message: /up to 131072 elements/,
  });
});

test('lists beyond the memory budget are refused before anything is copied', async (t) => {
  const array = await openOnce(PLAIN);
  // Nothing is in it, so that it takes no memory itself.
  const vast: number[] = [];
  vast.length = Math.min(2 ** 32 - 1, Math.floor(memoryUsage().limitBytes / 8) + 1);
  await t.throwsAsync(array.getPoints([vast, 0, 0]), {
    code: 'ERR_LSIO_BUDGET',
    message: /the lists of the selection need \d+ bytes, the memory budget has \d+/,
  });
});
