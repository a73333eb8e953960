// The checksum that every program reports: the sum of the elements whose last two coordinates are
// multiples of 32. The sample's values are multiples of 1/64, so the sum is exact in any order.

const STEP = 32;

const next = (origin) => (STEP - (origin % STEP)) % STEP;

/** The checksum of a three-dimensional part of an array that begins at `origin` in the array. */
export function checksum({ data, shape, stride }, origin = [0, 0, 0]) {
  let sum = 0;
  for (let a = 0; a < shape[0]; a += 1) {
    for (let b = next(origin[1]); b < shape[1]; b += STEP) {
      for (let c = next(origin[2]); c < shape[2]; c += STEP) {
        sum += data[a * stride[0] + b * stride[1] + c * stride[2]];
      }
    }
  }
  return sum;
}
