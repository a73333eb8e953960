// The checksums that every program reports: sums over the raw bits of some elements, as unsigned
// integers. They are exact in any order, and below 2^53 for all data sets.

/** Every element that begins a block of so many bytes counts. */
const BLOCK_BYTES = 4096;

const BITS = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array };

/** The raw bits of a typed array's elements. */
export function bitsOf({ buffer, byteOffset, length, BYTES_PER_ELEMENT }) {
  const Bits = BITS[BYTES_PER_ELEMENT];
  if (Bits === undefined) throw new Error(`no checksum for elements of ${BYTES_PER_ELEMENT} bytes`);
  return new Bits(buffer, byteOffset, length);
}

function isContiguous({ shape, stride }) {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    if (shape[axis] !== 1 && stride[axis] !== expected) return false;
    expected *= shape[axis];
  }
  return true;
}

/** One element for each 4 KiB of an array or of a chunk in C order. */
export function blockSum(region) {
  if (!isContiguous(region)) throw new Error('the elements are not in C order');
  const bits = bitsOf(region.data);
  const step = BLOCK_BYTES / bits.BYTES_PER_ELEMENT;
  let sum = 0;
  for (let at = 0; at < bits.length; at += step) sum += bits[at];
  return sum;
}

/** The first element of each row of a matrix. */
export function rowSum({ data, shape, stride }) {
  const bits = bitsOf(data);
  let sum = 0;
  for (let row = 0; row < shape[0]; row += 1) sum += bits[row * stride[0]];
  return sum;
}
