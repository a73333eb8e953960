// The .npy file format (numpy/lib/format, versions 1.0 to 3.0): a header that describes the array,
// then its elements in C order, little-endian.

import { endianness } from 'node:os';
import { isComplex, type DataTypeInfo } from '../data-type.js';

/** The data types that .npy can carry, by their Zarr names, as numpy's type strings. */
const TYPE_STRINGS: { readonly [dtype: string]: string } = {
  bool: '|b1',
  int2: '|i1',
  int4: '|i1',
  uint2: '|u1',
  uint4: '|u1',
  int8: '|i1',
  uint8: '|u1',
  int16: '<i2',
  uint16: '<u2',
  int32: '<i4',
  uint32: '<u4',
  int64: '<i8',
  uint64: '<u8',
  float16: '<f2',
  float32: '<f4',
  float64: '<f8',
  complex64: '<c8',
  complex128: '<c16',
};

/** numpy's type string for a data type with elements of fixed size. Floats that numpy does not have are float32. */
export function npyTypeString(dtype: string, info: DataTypeInfo): string {
  const { itemBytes, unit, scaleFactor } = info;
  const step = unit === 'generic' ? '' : `[${scaleFactor === 1 ? '' : scaleFactor}${unit}]`;
  switch (dtype) {
    case 'numpy.datetime64':
      return `<M8${step}`;
    case 'numpy.timedelta64':
      return `<m8${step}`;
    case 'null_terminated_bytes':
      return `|S${itemBytes}`;
    default:
      break;
  }
  if (/^(r\d+|struct)$/.test(dtype)) return `|V${itemBytes}`;
  return TYPE_STRINGS[dtype] ?? (isComplex(dtype) ? '<c8' : '<f4');
}

/** numpy's type string for texts of at most `characters` code points. */
export function npyTextTypeString(characters: number): string {
  return `<U${characters}`;
}

/** The start of a .npy file, up to the first element; its length is a multiple of 64 bytes. */
export function npyHeader(typeString: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const description = `{'descr': '${typeString}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // Magic (6), version (2), header length (2 in version 1.0, 4 in 2.0), description, spaces, newline.
  const lengthBytes = description.length + 64 < 65536 ? 2 : 4;
  const fixed = 8 + lengthBytes;
  const total = Math.ceil((fixed + description.length + 1) / 64) * 64;
  const header = new Uint8Array(total).fill(0x20);
  header.set([0x93, ...new TextEncoder().encode('NUMPY'), lengthBytes === 2 ? 1 : 2, 0]);
  const view = new DataView(header.buffer);
  if (lengthBytes === 2) view.setUint16(8, total - fixed, true);
  else view.setUint32(8, total - fixed, true);
  header.set(new TextEncoder().encode(description), fixed);
  header[total - 1] = 0x0a;
  return header;
}

/** The elements of a typed array as .npy stores them, little-endian: a view where the machine is too, else a copy. */
export function npyElements(
  data: ArrayBufferView & { readonly BYTES_PER_ELEMENT: number },
): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (endianness() === 'LE' || data.BYTES_PER_ELEMENT === 1) return bytes;
  const swapped = Buffer.from(bytes);
  if (data.BYTES_PER_ELEMENT === 2) swapped.swap16();
  else if (data.BYTES_PER_ELEMENT === 4) swapped.swap32();
  else swapped.swap64();
  return swapped;
}

/** The length of the longest text in code points; numpy has no text of length 0, so at least 1. */
export function longestText(texts: readonly string[]): number {
  return texts.reduce((longest, text) => Math.max(longest, Array.from(text).length), 1);
}

/** Texts as UCS-4 little-endian, each padded with zeros to `characters` code points. */
export function npyTexts(texts: readonly string[], characters: number): Uint8Array {
  const bytes = new Uint8Array(texts.length * characters * 4);
  const view = new DataView(bytes.buffer);
  texts.forEach((text, index) => {
    let offset = index * characters * 4;
    for (const character of text) {
      view.setUint32(offset, character.codePointAt(0) ?? 0, true);
      offset += 4;
    }
  });
  return bytes;
}
