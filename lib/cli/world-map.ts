// Turns one time step of a field on a latitude-longitude grid into a map: north up, Greenwich in the
// middle.

import type { Field } from './terminal-map.js';

/** A grid's coordinates in degrees, where they are known. */
export interface GridCoordinates {
  readonly latitudes: ArrayLike<number> | null;
  readonly longitudes: ArrayLike<number> | null;
}

/** The field with its rows and columns in the order of a map. Without coordinates it stays as it is. */
export function asWorldMap(field: Field, { latitudes, longitudes }: GridCoordinates): Field {
  const { data, rows, columns } = field;
  const southFirst = latitudes !== null && (latitudes[0] ?? 0) < (latitudes[rows - 1] ?? 0);
  // Longitudes from 0 to 360 start at Greenwich: their second half lies west of it.
  const fromGreenwich =
    longitudes !== null && (longitudes[0] ?? -180) >= 0 && (longitudes[columns - 1] ?? 0) > 180;
  const shift = fromGreenwich ? columns >> 1 : 0;
  if (!southFirst && shift === 0) return field;
  const arranged = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const sourceRow = southFirst ? rows - 1 - row : row;
    for (let column = 0; column < columns; column++) {
      const source = sourceRow * columns + ((column + shift) % columns);
      arranged[row * columns + column] = data[source] ?? Number.NaN;
    }
  }
  return { data: arranged, rows, columns };
}
