// Arrays that the tests make themselves, in memory or in a temporary folder: element i is i.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { writeMemoryStore, type MemoryLocation } from 'light-speed-io';

export interface Sample {
  readonly shape: readonly [rows: number, columns: number];
  /** Rows of one chunk; a chunk has all columns. */
  readonly rowsPerChunk: number;
  readonly gzip?: boolean;
}

/** Objects of a Zarr v3 array of float32. */
export function* sampleObjects({
  shape,
  rowsPerChunk,
  gzip = false,
}: Sample): Generator<[key: string, value: Uint8Array]> {
  const [rows, columns] = shape;
  const metadata = {
    zarr_format: 3,
    node_type: 'array',
    shape,
    data_type: 'float32',
    chunk_grid: { name: 'regular', configuration: { chunk_shape: [rowsPerChunk, columns] } },
    chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
    fill_value: 0,
    codecs: [
      { name: 'bytes', configuration: { endian: 'little' } },
      ...(gzip ? [{ name: 'gzip', configuration: { level: 1 } }] : []),
    ],
    attributes: {},
  };
  yield ['zarr.json', Buffer.from(JSON.stringify(metadata))];
  for (let chunk = 0; chunk * rowsPerChunk < rows; chunk += 1) {
    const values = new Float32Array(rowsPerChunk * columns);
    for (let index = 0; index < values.length; index += 1) {
      values[index] = chunk * values.length + index;
    }
    const bytes = new Uint8Array(values.buffer);
    yield [`c/${chunk}/0`, gzip ? gzipSync(bytes, { level: 1 }) : bytes];
  }
}

/** The elements of the whole array. */
export function sampleElements({ shape }: Sample): Float32Array {
  return Float32Array.from({ length: shape[0] * shape[1] }, (_, index) => index);
}

let stores = 0;

/** Puts the array into a new store in memory. */
export async function sampleInMemory(sample: Sample): Promise<MemoryLocation> {
  stores += 1;
  const location: MemoryLocation = `memory://sample-${process.pid}-${stores}`;
  await writeMemoryStore(location, sampleObjects(sample));
  return location;
}

/** Writes the array into a folder. */
export function sampleInFolder(folder: string, sample: Sample): string {
  for (const [key, value] of sampleObjects(sample)) {
    const file = join(folder, key);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, value);
  }
  return folder;
}
