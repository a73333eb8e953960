// The crops that every program reads: the same places in every language.

const COUNT = 2000;

/** Elements along each side of a crop. */
export const SIDE = 64;

/** A linear congruential generator; each draw gives the upper 24 of its 32 bits. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
}

/** Places `[z, y, x]` of the crops of a three-dimensional array: SIDE x SIDE elements at one z each. */
export function cropPlaces(shape) {
  const draw = generator(1);
  const limits = [shape[0], shape[1] - SIDE + 1, shape[2] - SIDE + 1];
  return Array.from({ length: COUNT }, () => limits.map((limit) => draw() % limit));
}

/** Chunks that the crops lie in: what a program that decodes each of them once has to decode. */
export function chunksTouched(places, chunks) {
  const touched = new Set();
  for (const [z, y, x] of places) {
    for (let b = Math.floor(y / chunks[1]); b <= Math.floor((y + SIDE - 1) / chunks[1]); b += 1) {
      for (let c = Math.floor(x / chunks[2]); c <= Math.floor((x + SIDE - 1) / chunks[2]); c += 1) {
        touched.add(`${Math.floor(z / chunks[0])},${b},${c}`);
      }
    }
  }
  return touched.size;
}
