// Arrays of every data type that others wrote, in every form that their elements can be had in.

import { readFileSync } from 'node:fs';
import test from 'ava';
import { openArray, type DataType, type ElementForm, type LsioArray } from 'light-speed-io';
import { bytesOf } from './elements.js';
import { fixturePath } from './fixtures.js';

interface DataTypeFixture {
  readonly path: string;
  readonly dtype: DataType;
  readonly dtypeInfo: unknown;
  readonly fillBytes: string | null;
  readonly expected: string;
  readonly texts?: string;
  readonly converted?: string;
}

const fixtures = JSON.parse(
  readFileSync(fixturePath('manifest_data_types.json'), 'utf8'),
) as readonly DataTypeFixture[];

function floats(bytes: Buffer): Float32Array {
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

/** The elements in a form that is known to be right at run time only. */
async function read(array: LsioArray, form?: ElementForm): Promise<unknown> {
  const { data } = await array.get(null, form === undefined ? {} : { as: form });
  return data;
}

for (const fixture of fixtures) {
  const { path, dtype } = fixture;
  const file = (name: string): Buffer => readFileSync(fixturePath(name));
  test(`${path} has the elements that its writer read`, async (t) => {
    const array = await openArray(fixturePath(path));
    t.is(array.dtype, dtype);
    t.deepEqual(array.dtypeInfo as unknown, fixture.dtypeInfo);
    const expected = file(fixture.expected);
    const data = await read(array);
    if (fixture.texts !== undefined) {
      const texts = JSON.parse(file(fixture.texts).toString('utf8')) as string[];
      t.deepEqual(data, texts);
      const utf8 = (await read(array, 'utf8')) as { readonly bytes: Uint8Array };
      t.is(Buffer.from(utf8.bytes).toString('utf8'), texts.join(''));
    } else if (fixture.converted === undefined) {
      t.true(bytesOf(data as Uint8Array).equals(expected), 'the elements differ');
    } else {
      // As lists of numbers NaN equals NaN, whatever its bits, and -0 differs from 0.
      const numbers = Array.from(floats(file(fixture.converted)));
      t.deepEqual(Array.from(data as Float32Array), numbers);
      const bits = (await read(array, 'bits')) as Uint8Array;
      t.true(bytesOf(bits).equals(expected), 'the bits differ');
    }
  });
}

test('fill values are JavaScript values of the data type', async (t) => {
  const fillValue = async (path: string): Promise<unknown> =>
    (await openArray(fixturePath(path))).fillValue;
  t.is(await fillValue('types-zarr3/format3/numpy.datetime64-ns-big'), -(2n ** 63n));
  t.is(await fillValue('types-zarr2/numpy.timedelta64-25s-big-f'), -7n);
  t.is(await fillValue('types-zarr3/format3/fixed_length_utf32-big'), 'ü🌍');
  t.is(await fillValue('types-zarr2/fixed_length_utf32-null'), null);
  t.deepEqual(
    await fillValue('types-zarr2/null_terminated_bytes-little'),
    Uint8Array.of(0x61, 0x62, 0, 0),
  );
  t.deepEqual(await fillValue('types-zarr3/format3/r40-little'), Uint8Array.of(1, 0, 255, 2, 0));
  t.is(await fillValue('types-hand/hand/bfloat16-big'), 1);
  t.is(await fillValue('types-hand/hand/int2-little'), 1);
  t.deepEqual(await fillValue('types-hand/hand/complex_float8_e5m2-little'), [1, 1]);
});

test('numbers are converted by the core, and rounded to the nearest', async (t) => {
  const times = await openArray(fixturePath('types-zarr2/numpy.datetime64-ns-little'));
  const steps = (await read(times)) as BigInt64Array;
  const expected = Float64Array.from(steps, (step) =>
    step === -(2n ** 63n) ? Number.NaN : Number(step),
  );
  t.deepEqual(await read(times, 'float64'), expected);
  const integers = await openArray(fixturePath('zarr3/codecs/int64-zstd'));
  const exact = (await read(integers)) as BigInt64Array;
  t.deepEqual(await read(integers, 'float64'), Float64Array.from(exact, Number));
  const bytes = await openArray(fixturePath('zarr3/codecs/uint8-zstd'));
  const numbers = (await read(bytes)) as Uint8Array;
  t.deepEqual(await read(bytes, 'int16'), Int16Array.from(numbers));
  t.deepEqual(await read(bytes, 'uint64'), BigUint64Array.from(numbers, BigInt));
  t.deepEqual(await read(bytes, 'float32'), Float32Array.from(numbers));
  const doubles = await openArray(fixturePath('zarr3/codecs/float64-zstd'));
  t.deepEqual(
    await read(doubles, 'float32'),
    Float32Array.from((await read(doubles)) as Float64Array),
  );
});

test('conversions work by chunks and into memory of the caller', async (t) => {
  const array = await openArray(fixturePath('types-zarr3/format3/numpy.timedelta64-10us-little'));
  t.true(array.is('bigint'));
  const { data: whole } = await openArray(fixturePath('zarr3/codecs/int16-zstd')).then((numbers) =>
    (numbers as LsioArray<'int16'>).get(null, { as: 'float64' }),
  );
  const numbers = (await openArray(fixturePath('zarr3/codecs/int16-zstd'))) as LsioArray<'int16'>;
  for (const buffer of [ArrayBuffer, SharedArrayBuffer]) {
    const out = new Float64Array(new buffer(whole.byteLength));
    await numbers.get(null, { as: 'float64', out });
    t.deepEqual(Array.from(out), Array.from(whole));
  }
  let elements = 0;
  for await (const chunk of numbers.readChunks(null, { as: 'float64' })) {
    t.true(chunk.data instanceof Float64Array);
    elements += chunk.data.length;
  }
  t.is(elements, whole.length);
});

test('conversions that would lose values are refused', async (t) => {
  const refused = { code: 'ERR_LSIO_UNSUPPORTED' };
  const open = (path: string): Promise<LsioArray> => openArray(fixturePath(path));
  await t.throwsAsync(read(await open('zarr3/codecs/int64-zstd'), 'int32'), refused);
  await t.throwsAsync(read(await open('zarr3/codecs/float32-zstd'), 'int64'), refused);
  await t.throwsAsync(read(await open('zarr3/codecs/float32-zstd'), 'bits'), refused);
  await t.throwsAsync(read(await open('zarr3/codecs/complex64-zstd'), 'float64'), refused);
  await t.throwsAsync(read(await open('types-zarr2/r40-little'), 'float64'), refused);
  await t.throwsAsync(read(await open('types-zarr2/numpy.datetime64-D-little'), 'int64'), refused);
});
