// The colours of maps: a scale whose lightness rises and falls evenly from cold to warm, and the
// same in 256 colours.

/** Red, green, blue, 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number];

/**
 * Even steps from cold to warm. Lightness rises to the middle and falls behind it, and hue keeps the halves apart, so
 * that order stays readable; no step is steep enough to draw a line where the data have none.
 */
const STOPS: readonly Colour[] = [
  [32, 24, 96],
  [40, 62, 156],
  [55, 112, 196],
  [99, 160, 217],
  [163, 203, 230],
  [232, 240, 236],
  [252, 224, 164],
  [246, 178, 101],
  [231, 121, 68],
  [198, 61, 50],
  [122, 18, 43],
];

/** The colour at `place`, 0 (coldest) to 1 (warmest); places outside take the nearest end. */
export function colourAt(place: number): Colour {
  const position = Math.min(Math.max(place, 0), 1) * (STOPS.length - 1);
  const index = Math.min(Math.floor(position), STOPS.length - 2);
  const [from = BLACK, to = BLACK] = STOPS.slice(index, index + 2);
  const share = position - index;
  return [mix(from[0], to[0], share), mix(from[1], to[1], share), mix(from[2], to[2], share)];
}

const BLACK: Colour = [0, 0, 0];

function mix(from: number, to: number, share: number): number {
  return Math.round(from + (to - from) * share);
}

/**
 * The same scale in xterm's 256 colours. Chosen by hand: the nearest colours of their coarse cube would
 * wander off to teal and purple.
 */
const STEPS_OF_256: readonly number[] = [
  ...[17, 18, 19, 25, 26, 32, 68, 74, 110, 117, 152, 153, 195],
  ...[230, 229, 223, 222, 216, 215, 209, 208, 202, 166, 160, 124, 88, 52],
];

/** The number among xterm's 256 colours at `place`, 0 (coldest) to 1 (warmest). */
export function colourOf256At(place: number): number {
  const index = Math.floor(Math.min(Math.max(place, 0), 1) * STEPS_OF_256.length);
  return STEPS_OF_256[Math.min(index, STEPS_OF_256.length - 1)] ?? 0;
}
