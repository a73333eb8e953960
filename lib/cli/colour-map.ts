// The colours of maps: a scale whose lightness rises and falls evenly from cold to warm, and its
// 256-colour stand-in.

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

/** The levels of the 6 x 6 x 6 cube that starts at colour 16 of xterm's 256 colours. */
const CUBE_LEVELS: readonly number[] = [0, 95, 135, 175, 215, 255];

/** The number of the nearest of xterm's 256 colours: from its cube, or from its 24 greys. */
export function nearestOf256(colour: Colour): number {
  const steps = colour.map((channel) => nearestLevel(channel));
  const [red = 0, green = 0, blue = 0] = steps;
  const cube: Colour = [levelAt(red), levelAt(green), levelAt(blue)];
  const mean = (colour[0] + colour[1] + colour[2]) / 3;
  const greyStep = Math.min(23, Math.max(0, Math.round((mean - 8) / 10)));
  const grey = 8 + 10 * greyStep;
  const greyIsNearer = distance(colour, [grey, grey, grey]) < distance(colour, cube);
  return greyIsNearer ? 232 + greyStep : 16 + 36 * red + 6 * green + blue;
}

function nearestLevel(channel: number): number {
  const distances = CUBE_LEVELS.map((level) => Math.abs(level - channel));
  return distances.indexOf(Math.min(...distances));
}

function levelAt(step: number): number {
  return CUBE_LEVELS[step] ?? 0;
}

function distance(a: Colour, b: Colour): number {
  return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2;
}
