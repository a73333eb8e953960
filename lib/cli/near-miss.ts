// Finds the known name that a mistyped one was probably meant to be.

/** The number of single-character edits (insert, delete, replace, swap of neighbours) from `a` to `b`. */
export function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = at(previous, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1);
      let best = Math.min(at(previous, column) + 1, at(current, column - 1) + 1, replaced);
      const swapped =
        row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) best = Math.min(best, at(beforePrevious, column - 2) + 1);
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, b.length);
}

/** The candidate nearest to `name`, or `null` when none is near enough to be worth suggesting. */
export function nearMiss(name: string, candidates: readonly string[]): string | null {
  let best: string | null = null;
  // A third of the letters wrong is a typing error; more is another word.
  let bestDistance = Math.max(1, Math.floor(name.replace(/^-+/, '').length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(name, candidate);
    const completes = name.length >= 4 && candidate.startsWith(name);
    if (distance < bestDistance || (completes && best === null)) {
      best = candidate;
      bestDistance = Math.min(distance, bestDistance);
    }
  }
  return best;
}

/** `; did you mean X?` for a near miss, nothing otherwise. */
export function suggestion(name: string, candidates: readonly string[]): string {
  const near = nearMiss(name, candidates);
  return near === null ? '' : `; did you mean ${near}?`;
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
