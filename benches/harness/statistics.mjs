// Medians and ranges of what the rounds of a program gave.

/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values) {
  if (values.length === 0) throw new Error('no values have no median');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** `{ median, min, max }` of values; undefined where there are none. */
export function summaryOf(values) {
  if (values.length === 0) return undefined;
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** Whether two ranges have a value in common. */
export const overlap = (one, other) => one.min <= other.max && other.min <= one.max;

/**
 * One figure of a program over the rounds of a run. A process prints a line for each time it does the
 * task: `first` takes its first line, `later` the median of the others; where there are none, the first.
 *
 * @param {object[][]} processes the lines of each process
 * @param {'first' | 'later'} phase
 * @param {(line: object) => number | undefined} get the figure of a line
 */
export function figureOf(processes, phase, get) {
  const values = processes.flatMap(([first, ...others]) => {
    const lines = phase === 'first' || others.length === 0 ? [first] : others;
    const figures = lines.map(get).filter((figure) => figure !== undefined && figure !== null);
    return figures.length === 0 ? [] : [median(figures)];
  });
  return summaryOf(values);
}
