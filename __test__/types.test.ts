// Exact types from the data type: checked by tsc over this file, not by running it.

import test from 'ava';
import { expectTypeOf } from 'expect-type';
import type {
  Chunk,
  ChunkReader,
  DataType,
  ElementData,
  Float16Data,
  JsonValue,
  LsioArray,
  NdArray,
  Scalar,
  Utf8Data,
} from 'light-speed-io';

test('elements of each data type', (t) => {
  expectTypeOf<ElementData<'bool'>>().toEqualTypeOf<Uint8Array>();
  expectTypeOf<ElementData<'int8'>>().toEqualTypeOf<Int8Array>();
  expectTypeOf<ElementData<'int16'>>().toEqualTypeOf<Int16Array>();
  expectTypeOf<ElementData<'int32'>>().toEqualTypeOf<Int32Array>();
  expectTypeOf<ElementData<'int64'>>().toEqualTypeOf<BigInt64Array>();
  expectTypeOf<ElementData<'uint8'>>().toEqualTypeOf<Uint8Array>();
  expectTypeOf<ElementData<'uint16'>>().toEqualTypeOf<Uint16Array>();
  expectTypeOf<ElementData<'uint32'>>().toEqualTypeOf<Uint32Array>();
  expectTypeOf<ElementData<'uint64'>>().toEqualTypeOf<BigUint64Array>();
  expectTypeOf<ElementData<'float16'>>().toEqualTypeOf<Float16Data>();
  expectTypeOf<ElementData<'float16', 'bits'>>().toEqualTypeOf<Uint16Array>();
  expectTypeOf<ElementData<'float32'>>().toEqualTypeOf<Float32Array>();
  expectTypeOf<ElementData<'float64'>>().toEqualTypeOf<Float64Array>();
  expectTypeOf<ElementData<'complex64'>>().toEqualTypeOf<Float32Array>();
  expectTypeOf<ElementData<'complex128'>>().toEqualTypeOf<Float64Array>();
  expectTypeOf<ElementData<'int4'>>().toEqualTypeOf<Int8Array>();
  expectTypeOf<ElementData<'uint2'>>().toEqualTypeOf<Uint8Array>();
  expectTypeOf<ElementData<'bfloat16'>>().toEqualTypeOf<Float32Array>();
  expectTypeOf<ElementData<'bfloat16', 'bits'>>().toEqualTypeOf<Uint16Array>();
  expectTypeOf<ElementData<'complex_float8_e5m2'>>().toEqualTypeOf<Float32Array>();
  expectTypeOf<ElementData<'complex_float8_e5m2', 'bits'>>().toEqualTypeOf<Uint8Array>();
  expectTypeOf<ElementData<'numpy.datetime64'>>().toEqualTypeOf<BigInt64Array>();
  expectTypeOf<ElementData<'numpy.timedelta64', 'float64'>>().toEqualTypeOf<Float64Array>();
  expectTypeOf<ElementData<'int64', 'float64'>>().toEqualTypeOf<Float64Array>();
  expectTypeOf<ElementData<'int8', 'int32'>>().toEqualTypeOf<Int32Array>();
  expectTypeOf<ElementData<'null_terminated_bytes'>>().toEqualTypeOf<Uint8Array>();
  expectTypeOf<ElementData<'r24'>>().toEqualTypeOf<Uint8Array>();
  expectTypeOf<ElementData<'struct'>>().toEqualTypeOf<Uint8Array>();
  expectTypeOf<ElementData<'fixed_length_utf32'>>().toEqualTypeOf<string[]>();
  expectTypeOf<ElementData<'fixed_length_utf32', 'utf8'>>().toEqualTypeOf<Utf8Data>();
  expectTypeOf<ElementData<'variable_length_bytes'>>().toEqualTypeOf<Uint8Array[]>();
  expectTypeOf<ElementData<'json'>>().toEqualTypeOf<JsonValue[]>();
  expectTypeOf<ElementData<'string'>>().toEqualTypeOf<string[]>();
  expectTypeOf<ElementData<'string', 'utf8'>>().toEqualTypeOf<Utf8Data>();
  expectTypeOf<ElementData<'int8' | 'string'>>().toEqualTypeOf<Int8Array | string[]>();
  t.pass();
});

test('scalars of each data type', (t) => {
  expectTypeOf<Scalar<'bool'>>().toEqualTypeOf<boolean>();
  expectTypeOf<Scalar<'int32' | 'float16' | 'float64'>>().toEqualTypeOf<number>();
  expectTypeOf<Scalar<'int64' | 'uint64'>>().toEqualTypeOf<bigint>();
  expectTypeOf<Scalar<'complex64'>>().toEqualTypeOf<readonly [re: number, im: number]>();
  expectTypeOf<Scalar<'numpy.datetime64'>>().toEqualTypeOf<bigint>();
  expectTypeOf<Scalar<'bfloat16' | 'int2'>>().toEqualTypeOf<number>();
  expectTypeOf<Scalar<'complex_bfloat16'>>().toEqualTypeOf<readonly [re: number, im: number]>();
  expectTypeOf<Scalar<'r16' | 'null_terminated_bytes' | 'struct'>>().toEqualTypeOf<Uint8Array>();
  expectTypeOf<Scalar<'variable_length_bytes'>>().toEqualTypeOf<Uint8Array>();
  expectTypeOf<Scalar<'json'>>().toEqualTypeOf<JsonValue>();
  expectTypeOf<Scalar<'string' | 'fixed_length_utf32'>>().toEqualTypeOf<string>();
  t.pass();
});

test('is() narrows an array', (t) => {
  const narrow = (array: LsioArray): void => {
    expectTypeOf(array.dtype).toEqualTypeOf<DataType>();
    expectTypeOf(array.nbytes).toEqualTypeOf<number | null>();
    if (array.is('float32')) {
      expectTypeOf(array.dtype).toEqualTypeOf<'float32'>();
      expectTypeOf(array.nbytes).toEqualTypeOf<number>();
      expectTypeOf(array.fillValue).toEqualTypeOf<number | null>();
      expectTypeOf(array.get()).resolves.toEqualTypeOf<NdArray<'float32'>>();
      expectTypeOf(array.get()).resolves.toHaveProperty('data').toEqualTypeOf<Float32Array>();
      expectTypeOf(array.getMany([null])).resolves.toEqualTypeOf<NdArray<'float32'>[]>();
      expectTypeOf(array.getChunk([0])).resolves.toEqualTypeOf<NdArray<'float32'>>();
      expectTypeOf(array.readChunks()).toEqualTypeOf<ChunkReader<'float32'>>();
      // @ts-expect-error float32 has no bits of its own
      void (() => array.get(null, { as: 'bits' }));
    }
    if (array.is('bigint')) {
      expectTypeOf(array.dtype).toEqualTypeOf<
        'int64' | 'uint64' | 'numpy.datetime64' | 'numpy.timedelta64'
      >();
      expectTypeOf(array.fillValue).toEqualTypeOf<bigint | null>();
    }
    if (array.is('float16')) {
      expectTypeOf(array.get(null, { as: 'bits' }))
        .resolves.toHaveProperty('data')
        .toEqualTypeOf<Uint16Array>();
      expectTypeOf(array.readChunks(null, { as: 'bits' })).toEqualTypeOf<
        ChunkReader<'float16', 'bits'>
      >();
    }
    if (array.is('string')) {
      expectTypeOf(array.nbytes).toEqualTypeOf<null>();
      expectTypeOf(array.get(null, { as: 'utf8' }))
        .resolves.toHaveProperty('data')
        .toEqualTypeOf<Utf8Data>();
    }
  };
  t.is(typeof narrow, 'function');
});

test('a field of records has a data type that is known at run time only', (t) => {
  const read = (array: LsioArray<'struct'>, floats: LsioArray<'float32'>): void => {
    expectTypeOf(array.get()).resolves.toEqualTypeOf<NdArray<'struct'>>();
    expectTypeOf(array.get(null, { field: 'x' })).resolves.toEqualTypeOf<NdArray>();
    expectTypeOf(array.get(null, { field: 'x', as: 'float64' }))
      .resolves.toHaveProperty('data')
      .toEqualTypeOf<Float64Array>();
    expectTypeOf(array.getMany([null], { field: 'x' })).resolves.toEqualTypeOf<NdArray[]>();
    expectTypeOf(array.readChunks(null, { field: 'x', as: 'float32' })).toEqualTypeOf<
      ChunkReader<DataType, 'float32'>
    >();
    // @ts-expect-error records as a whole have no other form
    void (() => array.get(null, { as: 'float64' }));
    // @ts-expect-error numbers have no fields
    void (() => floats.get(null, { field: 'x' }));
  };
  t.is(typeof read, 'function');
});

test('a reader iterates over chunks of its data type', (t) => {
  const iterate = async (reader: ChunkReader<'int16'>): Promise<void> => {
    for await (const chunk of reader) {
      expectTypeOf(chunk).toEqualTypeOf<Chunk<'int16'>>();
      expectTypeOf(chunk.data).toEqualTypeOf<Int16Array>();
    }
  };
  t.is(typeof iterate, 'function');
});
